"""Beds and stays over REST: what is free, asking for a bed, suggestions, each step of a stay and of a bed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from ninja import Router
from pydantic import Field

from polyclinic.api import answers
from polyclinic.api.api import PROBLEMS
from polyclinic.api.schemas import Body, Day, Limit, PageNumber, Text, Version, Words, described, list_of
from polyclinic.core.errors import Invalid
from polyclinic.inpatient import actions, beds, census, selectors
from polyclinic.inpatient.rows import BedRow, Census, StayRow, SuggestionRow
from polyclinic.web.access import declare

router = Router(tags=["Beds"])
_BED: Final = {200: described(BedRow), **PROBLEMS}
_STAY: Final = {200: described(StayRow), **PROBLEMS}


class BedRequest(Body):
    """A bed that is asked for: for the patient of a visit, or for a patient whom the hospital knows."""

    hospital_id: UUID | None = None
    patient_id: UUID | None = None
    visit_id: UUID | None = None
    doctor_id: UUID | None = None
    ward_id: UUID | None = None
    priority: Literal["emergency", "urgent", "routine"] = "routine"
    isolation: bool = False
    oxygen: bool = False
    intensive: bool = False
    reason: Annotated[Text, Field(max_length=200)] = ""
    expected_on: Day | None = None


class StayStep(Body):
    """A step of a stay by its name, of the version last seen, with what that step asks for.

    `bedId` for reserve, transfer and an admission that was not reserved; `despite`: why it must be a bed that does not
    fit; `expectedOn` for plan; `reason` for cancel, withdraw_discharge and leaving without an order.
    """

    action: Annotated[Text, Field(max_length=20)]
    bed_id: UUID | None = None
    despite: Annotated[Text, Field(max_length=200)] = ""
    reason: Annotated[Text, Field(max_length=200)] = ""
    expected_on: Day | None = None
    version: Version | None = None


class BedStep(Body):
    """A step of a bed by its name, of the version last seen; `why` and `note` for blocking."""

    action: Annotated[Text, Field(max_length=20)]
    why: Literal["", "repair", "infection", "staff", "kept", "other"] = ""
    note: Annotated[Text, Field(max_length=200)] = ""
    version: Version | None = None


def _to_bed(body: StayStep) -> dict[str, Any]:
    if body.bed_id is None:
        raise Invalid(_("Choose a bed."), code="required", field="bedId")
    return {"bed_id": body.bed_id, "despite": body.despite}


_STEPS: Final[dict[str, Callable[[dict[str, Any], StayStep], object]]] = {
    "reserve": lambda given, body: actions.reserve(**given, **_to_bed(body)),
    "release": lambda given, body: actions.release(**given),
    "admit": lambda given, body: actions.admit(**given, bed_id=body.bed_id, despite=body.despite),
    "transfer": lambda given, body: actions.transfer(**given, **_to_bed(body)),
    "plan": lambda given, body: actions.plan(**given, expected_on=body.expected_on),
    "order_discharge": lambda given, body: actions.order_discharge(**given),
    "withdraw_discharge": lambda given, body: actions.withdraw_discharge(**given, reason=body.reason),
    "depart": lambda given, body: actions.depart(**given, reason=body.reason),
    "cancel": lambda given, body: actions.cancel(**given, reason=body.reason),
}
_BED_STEPS: Final[dict[str, Callable[[dict[str, Any], BedStep], object]]] = {
    "start_cleaning": lambda given, body: beds.start_cleaning(**given),
    "finish_cleaning": lambda given, body: beds.finish_cleaning(**given),
    "block": lambda given, body: beds.block(**given, why=body.why, note=body.note),
    "unblock": lambda given, body: beds.unblock(**given),
}


@router.get("/hospitals/{hospitalId}/beds", response={200: list_of(BedRow), **PROBLEMS}, summary="Beds")
@declare("bed.view")
def list_beds(
    request: HttpRequest,
    hospitalId: str,
    state: Words = "",
    feature: Words = "",
    wardId: UUID | None = None,
    page: PageNumber = 1,
    limit: Limit = 50,
    fields: Words | None = None,
) -> HttpResponse:
    """A hospital's beds by ward: those in one `state`, with one `feature` (isolation, oxygen, intensive, children,
    leaving), or of one ward. Who lies in them is told to those who may see it."""
    rows = selectors.board(
        answers.viewer_of(request), answers.key(hospitalId), state=state, feature=feature, ward_id=wardId
    )
    return answers.cut(request, rows, page, limit, fields)


@router.get(
    "/hospitals/{hospitalId}/beds/availability", response={200: described(Census), **PROBLEMS}, summary="Free beds"
)
@declare("bed.view")
def availability(request: HttpRequest, hospitalId: str) -> HttpResponse:
    """How many beds are free, occupied, to be cleaned and blocked, by ward, and how many will be free these days."""
    return answers.reply(census.census(answers.viewer_of(request), answers.key(hospitalId)))


@router.get("/beds/{bedId}", response=_BED, summary="Read a bed")
@declare("bed.view")
def read_bed(request: HttpRequest, bedId: str, fields: Words | None = None) -> HttpResponse:
    """One bed."""
    return answers.one(request, selectors.bed(answers.viewer_of(request), answers.key(bedId)), fields)


@router.put("/beds/{bedId}/status", response=_BED, summary="Clean, block and unblock a bed")
@declare("bed.view")
def step_bed(request: HttpRequest, bedId: str, body: BedStep) -> HttpResponse:
    """start_cleaning, finish_cleaning, block (with `why`), unblock. Who lies in a bed is changed by steps of the stay.

    A step that is not possible now is 409 with those that are; a stale version is 412.
    """
    run = _BED_STEPS.get(body.action)
    if run is None:
        raise Invalid(_("There is no such step."), code="unknown_action", field="action", possible=list(_BED_STEPS))
    person, bed = answers.person_of(request), answers.key(bedId)
    run({"actor": person, "bed_id": bed, "version": answers.expected_version(request, body.version)}, body)
    return answers.one(request, selectors.bed(person, bed))


@router.get("/bed-bookings", response={200: list_of(StayRow), **PROBLEMS}, summary="Bed bookings")
@declare("stay.view")
def list_stays(
    request: HttpRequest,
    hospitalId: UUID | None = None,
    patientId: UUID | None = None,
    page: PageNumber = 1,
    limit: Limit = 50,
    fields: Words | None = None,
) -> HttpResponse:
    """Who waits for a bed of a hospital or has one reserved, the most urgent first; or a patient's stays, the newest
    first. One of `hospitalId` and `patientId` is needed."""
    viewer = answers.viewer_of(request)
    if patientId is not None:
        rows = [row for row in selectors.stays_of(viewer, patientId) if hospitalId in (None, row.facility_id)]
    elif hospitalId is not None:
        rows = selectors.waiting(viewer, hospitalId)
    else:
        raise Invalid(_("Name a hospital or a patient."), code="required", field="hospitalId")
    return answers.cut(request, rows, page, limit, fields)


@router.post("/bed-bookings", response={201: described(StayRow), **PROBLEMS}, summary="Ask for a bed")
@declare("stay.request")
def ask(request: HttpRequest, body: BedRequest) -> HttpResponse:
    """Ask for a bed. 409 `stay_open` when the patient waits for one here or lies in one."""
    person = answers.person_of(request)

    def effect() -> tuple[int, object]:
        given = body.model_dump()
        made = actions.request(actor=person, facility_id=given.pop("hospital_id"), **given)
        return 201, selectors.stay(person, made.pk)

    return answers.once(request, effect, kind="bed_stay")


@router.get("/bed-bookings/{stayId}", response=_STAY, summary="Read a bed booking")
@declare("stay.view")
def read_stay(request: HttpRequest, stayId: str, fields: Words | None = None) -> HttpResponse:
    """One stay."""
    return answers.one(request, selectors.stay(answers.viewer_of(request), answers.key(stayId)), fields)


@router.get(
    "/bed-bookings/{stayId}/suggestions", response={200: list_of(SuggestionRow), **PROBLEMS}, summary="Which bed?"
)
@declare("stay.reserve")
def suggest(request: HttpRequest, stayId: str, page: PageNumber = 1, limit: Limit = 50) -> HttpResponse:
    """Free beds and beds being cleaned, each with what speaks for and against it, the best first."""
    rows = selectors.suggestions(answers.viewer_of(request), answers.key(stayId))
    return answers.cut(request, rows, page, limit, None)


@router.put("/bed-bookings/{stayId}/status", response=_STAY, summary="Reserve, admit, move, discharge")
@declare("stay.view")
def step_stay(request: HttpRequest, stayId: str, body: StayStep) -> HttpResponse:
    """reserve, release, admit, transfer, plan, order_discharge, withdraw_discharge, depart, cancel.

    409 `bed_taken` for a bed that somebody else got, `does_not_fit` with reasons; a stale version is 412.
    """
    run = _STEPS.get(body.action)
    if run is None:
        raise Invalid(_("There is no such step."), code="unknown_action", field="action", possible=list(_STEPS))
    person, stay = answers.person_of(request), answers.key(stayId)
    run({"actor": person, "stay_id": stay, "version": answers.expected_version(request, body.version)}, body)
    return answers.one(request, selectors.stay(person, stay))
