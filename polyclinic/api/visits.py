"""Visits and their queues over REST: the board, opening a visit, each step of it, and calling whoever is next."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from ninja import Router
from pydantic import Field

from polyclinic.api import answers
from polyclinic.api.api import PROBLEMS
from polyclinic.api.schemas import Body, Limit, PageNumber, Text, Version, Words, described, list_of
from polyclinic.core.actors import Person
from polyclinic.core.errors import Invalid, NotFound
from polyclinic.visits import actions, queues, selectors
from polyclinic.visits.rows import StageRow, VisitRow
from polyclinic.web.access import declare

router = Router(tags=["Visits"])
_ROW = {200: described(VisitRow), **PROBLEMS}
# What each step asks for besides the version, and the action behind it.
Steps = dict[str, Callable[..., Any]]
_STEPS: Steps = {
    "pay": lambda given, body: actions.nothing_owed(**given),
    "waive": lambda given, body: actions.waive_fee(**given, reason=body.reason),
    "check": lambda given, body: actions.check(**given),
    "diagnose": lambda given, body: actions.diagnose(**given),
    "dispense": lambda given, body: actions.finish(**given, how="dispense"),
    "decline_medicine": lambda given, body: actions.finish(**given, how="decline_medicine"),
    "no_medicine": lambda given, body: actions.finish(**given, how="no_medicine"),
    "leave": lambda given, body: actions.leave(**given, reason=body.reason),
    "cancel": lambda given, body: actions.cancel(**given, reason=body.reason),
}


class Opening(Body):
    """A visit to be opened: for a walk-in, or with `appointmentId` for somebody who is booked."""

    hospital_id: UUID
    patient_id: UUID
    department_id: UUID | None = None
    service_id: UUID | None = None
    doctor_id: UUID | None = None
    appointment_id: UUID | None = None
    priority: Literal["", "emergency", "urgent", "priority", "appointment", "routine"] = ""
    priority_why: Annotated[Text, Field(max_length=80)] = ""
    complaint: Annotated[Text, Field(max_length=300)] = ""


class Step(Body):
    """A step of the visit by its name, of the version last seen. `reason` for those that ask for one."""

    action: Annotated[Text, Field(max_length=20)]
    reason: Annotated[Text, Field(max_length=200)] = ""
    version: Version | None = None


class Sending(Body):
    """To whom else the visit goes. What is not given stays."""

    department_id: UUID | None = None
    doctor_id: UUID | None = None
    version: Version | None = None


class Urgency(Body):
    """How soon somebody must be seen, and why."""

    priority: Literal["emergency", "urgent", "priority", "appointment", "routine"]
    why: Annotated[Text, Field(max_length=80)] = ""
    version: Version | None = None


class Call(Body):
    """A step of a place in a queue. Calling names the counter to come to."""

    counter_id: UUID | None = None
    version: Version | None = None


@router.get("/visits", response={200: list_of(VisitRow), **PROBLEMS}, summary="Visits")
@declare("visit.view")
def list_visits(
    request: HttpRequest,
    hospitalId: UUID | None = None,
    patientId: UUID | None = None,
    stage: Words | None = None,
    line: Words | None = None,
    page: PageNumber = 1,
    limit: Limit = 50,
    fields: Words | None = None,
) -> HttpResponse:
    """A hospital's open visits in the order in which they are to be seen (of one `stage` or `line`), or a patient's,
    the newest first. One of `hospitalId` and `patientId` is needed."""
    viewer = answers.viewer_of(request)
    if patientId is not None:
        rows = selectors.visits_of(viewer, patientId)
        rows = [row for row in rows if hospitalId in (None, row.facility_id) and stage in (None, "", row.stage)]
    elif hospitalId is not None:
        rows = selectors.board(viewer, hospitalId, stage or "", line=line or "")
    else:
        raise Invalid(_("Name a hospital or a patient."), code="required", field="hospitalId")
    return answers.cut(request, rows, page, limit, fields)


@router.post("/visits", response={201: described(VisitRow), **PROBLEMS}, summary="Open a visit")
@declare("visit.register")
def open_visit(request: HttpRequest, body: Opening) -> HttpResponse:
    """Open a visit; a booking is checked in by it. 409 `visit_open` when the patient has one here already."""
    person = answers.person_of(request)

    def effect() -> tuple[int, object]:
        given = body.model_dump()
        made = actions.register(actor=person, facility_id=given.pop("hospital_id"), **given)
        return 201, selectors.visit(person, made.pk)

    return answers.once(request, effect, kind="visit")


@router.get("/visits/{visitId}", response=_ROW, summary="Read a visit")
@declare("visit.view")
def read_visit(request: HttpRequest, visitId: str, fields: Words | None = None) -> HttpResponse:
    """One visit, with its place in the queue."""
    return answers.one(request, selectors.visit(answers.viewer_of(request), answers.key(visitId)), fields)


@router.get("/visits/{visitId}/stages", response={200: list_of(StageRow), **PROBLEMS}, summary="Stages of a visit")
@declare("visit.view")
def list_stages(request: HttpRequest, visitId: str) -> HttpResponse:
    """How long the visit was in each stage."""
    return answers.listing(request, selectors.stages(answers.viewer_of(request), answers.key(visitId)))


@router.put("/visits/{visitId}/status", response=_ROW, summary="Take a visit a step further")
@declare("visit.view")
def step_visit(request: HttpRequest, visitId: str, body: Step) -> HttpResponse:
    """One step of the visit: pay (nothing is owed), waive, check, diagnose, dispense, decline_medicine, no_medicine,
    leave, cancel. A step that is not possible now is 409 with those that are; a stale version is 412."""
    run = _STEPS.get(body.action)
    if run is None:
        raise Invalid(_("There is no such step."), code="unknown_action", field="action", possible=list(_STEPS))
    person, visit = answers.person_of(request), answers.key(visitId)
    run(_given(request, person, visit, body.version), body)
    return answers.one(request, selectors.visit(person, visit))


@router.put("/visits/{visitId}/transfer", response={**_ROW, 204: None}, summary="Send a visit elsewhere")
@declare("visit.queue")
def transfer(request: HttpRequest, visitId: str, body: Sending) -> HttpResponse:
    """Send an open visit to another department or doctor; the waiting time is kept."""
    person, visit = answers.person_of(request), answers.key(visitId)
    actions.transfer(
        **_given(request, person, visit, body.version), department_id=body.department_id, doctor_id=body.doctor_id
    )
    try:
        return answers.one(request, selectors.visit(person, visit))
    except NotFound:
        # A doctor who has sent the patient to another one treats them no more: it is done, and not theirs to read.
        return HttpResponse(status=204)


@router.put("/visits/{visitId}/priority", response=_ROW, summary="Change a visit's priority")
@declare("visit.queue")
def prioritise(request: HttpRequest, visitId: str, body: Urgency) -> HttpResponse:
    """Say how soon somebody must be seen."""
    person, visit = answers.person_of(request), answers.key(visitId)
    actions.prioritise(**_given(request, person, visit, body.version), priority=body.priority, why=body.why)
    return answers.one(request, selectors.visit(person, visit))


@router.post("/queue/{waitingId}/{step}", response=_ROW, summary="Call, hold, skip")
@declare("visit.queue")
def take(request: HttpRequest, waitingId: str, step: str, body: Call) -> HttpResponse:
    """call, recall, serve, hold, resume, skip or no_show a place in a queue (`place.id` of a visit; its version)."""
    person = answers.person_of(request)
    if step not in queues.STEPS:
        raise NotFound()
    row = queues.take(
        actor=person, entry_id=answers.key(waitingId), action=step, counter_id=body.counter_id,
        version=answers.expected_version(request, body.version),
    )  # fmt: skip
    return answers.one(request, selectors.visit(person, row.visit_id))


def _given(request: HttpRequest, person: Person, visit: UUID, version: int | None) -> dict[str, Any]:
    return {"actor": person, "visit_id": visit, "version": answers.expected_version(request, version)}
