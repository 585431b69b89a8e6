"""The ward's work over REST: rounds, signs beside a bed, medicines given there, handovers and discharge summaries."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from polyclinic.api import answers
from polyclinic.api.api import PROBLEMS
from polyclinic.api.prescriptions import Amount
from polyclinic.api.records import NewVitals, signs_of
from polyclinic.api.schemas import Body, Day, Limit, Moment, PageNumber, Text, Version, Words, described, list_of
from polyclinic.core.actors import Person
from polyclinic.nursing import actions, handovers, medicines, selectors, sheet, summaries
from polyclinic.nursing.rows import (
    HandoverRow,
    LineRow,
    NoteRow,
    ObservationRow,
    OrderRow,
    RoundRow,
    SummaryRow,
)
from polyclinic.web import stepup
from polyclinic.web.access import declare

router = Router(tags=["Nursing"])
_ROUND: Final = "/hospitals/{hospitalId}/wards/{wardId}/round"
_STAY: Final = "/bed-bookings/{stayId}"
Long = Annotated[Text, Field(max_length=4000)]


class RoundNoteBody(Body):
    """`version` is that of the wording it replaces; 0 when there is none yet."""

    text: Long
    version: Annotated[int, Field(strict=True, ge=0, le=2**31 - 1)] = 0


class NewMedicineOrder(Body):
    """`times` as "08:00 20:00", empty for the usual hours; with `asNeeded` instead `most` doses in 24 hours.
    `overrides`: a reason for each warning that interrupts, by its key. `replaces`: the order that ends with it."""

    medicine_id: UUID
    dose: Amount
    frequency: Annotated[Words, Field(max_length=20)] = "daily"
    route: Annotated[Words, Field(max_length=20)] = ""
    times: Annotated[Words, Field(max_length=60)] = ""
    as_needed: bool = False
    most: Annotated[int, Field(strict=True, ge=0, le=6)] = 0
    days: Annotated[int, Field(strict=True, ge=1, le=60)] | None = None
    note: Words = ""
    overrides: dict[Words, Words] = {}
    replaces: UUID | None = None


class Stopping(Body):
    reason: Words
    version: Version | None = None


class NewDose(Body):
    """What became of a dose: of the planned one of `dueAt`, or of the `number`th that was needed. Giving asks for two
    of `wristband`, `born` (2026-11-21) and `family`; anything else for a `reason`."""

    outcome: Literal["given", "held", "refused", "missed"]
    due_at: Moment | None = None
    number: Annotated[int, Field(strict=True, ge=1, le=10_000)] | None = None
    reason: Words = ""
    wristband: Words = ""
    born: Annotated[Words, Field(max_length=10)] = ""
    family: Words = ""


class NewHandover(Body):
    """SBAR: each of the four is needed."""

    situation: Long
    background: Long
    assessment: Long
    recommendation: Long


class SummaryBody(Body):
    """The parts of a summary; `sign` signs them. `version` is that of the draft it replaces, 0 for none.

    A signed summary is amended by new parts with `amendBecause`; what was signed before is kept.
    """

    reason: Long = ""
    diagnoses: Long = ""
    course: Long = ""
    results: Long = ""
    medicines: Long = ""
    stopped: Long = ""
    follow_up: Long = ""
    sign: bool = False
    amend_because: Annotated[Text, Field(max_length=300)] = ""
    version: Annotated[int, Field(strict=True, ge=0, le=2**31 - 1)] = 0


class Reading(Body):
    version: Version | None = None


@router.get(_ROUND, response={200: list_of(RoundRow), **PROBLEMS}, summary="Ward round")
@declare("vitals.record")
def ward_round(
    request: HttpRequest, hospitalId: str, wardId: str, by: Literal["need", "bed"] = "need", page: PageNumber = 1,
    limit: Limit = 50,
) -> HttpResponse:  # fmt: skip
    """Everybody who lies in a ward with NEWS2, when to measure next and late medicines: who needs somebody first, or
    by bed."""
    rows = selectors.ward_round(answers.viewer_of(request), answers.key(hospitalId), answers.key(wardId), by=by)
    return answers.cut(request, rows, page, limit, None)


@router.get(f"{_STAY}/observations", response={200: list_of(ObservationRow), **PROBLEMS}, summary="Signs of a stay")
@declare("vitals.view")
def list_observations(request: HttpRequest, stayId: str, page: PageNumber = 1, limit: Limit = 50) -> HttpResponse:
    """Vital signs of a stay and of the visit that led to it, oldest first."""
    rows = selectors.observations(answers.viewer_of(request), answers.key(stayId))
    return answers.cut(request, rows, page, limit, None)


@router.post(f"{_STAY}/observations", response={201: described(ObservationRow), **PROBLEMS}, summary="Measure in bed")
@declare("vitals.record")
def observe(request: HttpRequest, stayId: str, body: NewVitals) -> HttpResponse:
    """Write down a set of signs, by the rules of a visit's vital signs."""
    person, stay = answers.person_of(request), answers.key(stayId)

    def effect() -> tuple[int, object]:
        made = actions.observe(actor=person, stay_id=stay, **signs_of(body))
        return 201, next(one for one in selectors.observations(person, stay) if one.id == made.pk)

    return answers.once(request, effect, kind="bedside", of="stayId")


@router.get(f"{_STAY}/round-note", response={200: described(NoteRow), **PROBLEMS}, summary="Round note")
@declare("note.view")
def read_note(request: HttpRequest, stayId: str) -> HttpResponse:
    """The round's note as it stands; version 0 when there is none."""
    return answers.one(request, selectors.round_note(answers.viewer_of(request), answers.key(stayId)))


@router.put(f"{_STAY}/round-note", response={200: described(NoteRow), **PROBLEMS}, summary="Save the round note")
@declare("note.write")
def save_note(request: HttpRequest, stayId: str, body: RoundNoteBody) -> HttpResponse:
    """Save it in place of the version last seen; a stale one is 412."""
    person, stay = answers.person_of(request), answers.key(stayId)
    version = answers.expected_version(request, body.version) or 0
    actions.note(actor=person, stay_id=stay, text=body.text, version=version)
    return answers.one(request, selectors.round_note(person, stay))


@router.get(f"{_STAY}/medicines", response={200: list_of(LineRow), **PROBLEMS}, summary="Medicines in bed")
@declare("medication.view")
def list_medicines(
    request: HttpRequest, stayId: str, day: Day, page: PageNumber = 1, limit: Limit = 50
) -> HttpResponse:
    """The sheet of one day: each medicine with its planned doses and what became of them."""
    shown: date = day
    rows = sheet.lines(answers.viewer_of(request), answers.key(stayId), shown)
    return answers.cut(request, rows, page, limit, None)


@router.post(f"{_STAY}/medicines", response={201: described(OrderRow), **PROBLEMS}, summary="Order a medicine in bed")
@declare("medication.order")
def order_medicine(request: HttpRequest, stayId: str, body: NewMedicineOrder) -> HttpResponse:
    """Order a medicine from now on. 409 `warnings` names those that need a reason."""
    stepup.require(request)
    person, stay = answers.person_of(request), answers.key(stayId)

    def effect() -> tuple[int, object]:
        wanted = medicines.Wanted(
            body.medicine_id, body.dose, body.frequency, body.route, body.times, body.as_needed, body.most, body.days,
            body.note,
        )  # fmt: skip
        made = medicines.order(
            actor=person, stay_id=stay, wanted=wanted, overrides=body.overrides, replaces=body.replaces
        )
        return 201, _order(person, made.pk)

    return answers.once(request, effect, kind="bedside", of="stayId")


@router.post(
    "/medicine-orders/{medicineOrderId}/stop", response={200: described(OrderRow), **PROBLEMS}, summary="Stop it"
)
@declare("medication.order")
def stop_medicine(request: HttpRequest, medicineOrderId: str, body: Stopping) -> HttpResponse:
    """It is not given any more. What was given stays."""
    stepup.require(request)
    person, order = answers.person_of(request), answers.key(medicineOrderId)
    version = answers.expected_version(request, body.version)
    medicines.stop(actor=person, order_id=order, reason=body.reason, version=version)
    return answers.one(request, _order(person, order))


@router.post(
    "/medicine-orders/{medicineOrderId}/doses", response={201: described(LineRow), **PROBLEMS}, summary="Give a dose"
)
@declare("medication.give")
def record_dose(request: HttpRequest, medicineOrderId: str, body: NewDose) -> HttpResponse:
    """Give a dose or write down why not. 409 `wrong_patient`, `already_recorded`, `too_early`, `most_reached`."""
    person, order = answers.person_of(request), answers.key(medicineOrderId)

    def effect() -> tuple[int, object]:
        medicines.record(actor=person, order_id=order, **body.model_dump())
        return 201, sheet.line(person, order)[1]

    return answers.once(request, effect, kind="bedside", of="stayId")


@router.post(
    "/medicine-doses/{doseId}/withdraw", response={200: described(LineRow), **PROBLEMS}, summary="Withdraw a dose"
)
@declare("medication.give")
def withdraw_dose(request: HttpRequest, doseId: str, body: Stopping) -> HttpResponse:
    """It was written down wrongly: it stays, crossed out, and the dose can be written down again."""
    person, version = answers.person_of(request), answers.expected_version(request, body.version)
    row = medicines.withdraw(actor=person, dose_id=answers.key(doseId), reason=body.reason, version=version)
    return answers.reply(sheet.line(person, row.order_id)[1])


@router.get(f"{_STAY}/handovers", response={200: list_of(HandoverRow), **PROBLEMS}, summary="Handovers of a stay")
@declare("handover.view")
def list_handovers(request: HttpRequest, stayId: str, page: PageNumber = 1, limit: Limit = 50) -> HttpResponse:
    """Every handover (SBAR) of a stay, newest first."""
    rows = handovers.handovers(answers.viewer_of(request), answers.key(stayId))
    return answers.cut(request, rows, page, limit, None)


@router.post(f"{_STAY}/handovers", response={201: described(HandoverRow), **PROBLEMS}, summary="Hand over")
@declare("handover.sign")
def hand_over(request: HttpRequest, stayId: str, body: NewHandover) -> HttpResponse:
    """Sign a handover."""
    person, stay = answers.person_of(request), answers.key(stayId)

    def effect() -> tuple[int, object]:
        made = actions.hand_over(actor=person, stay_id=stay, parts=body.model_dump())
        return 201, next(one for one in handovers.handovers(person, stay) if one.id == made.pk)

    return answers.once(request, effect, kind="bedside", of="stayId")


@router.post("/handovers/{handoverId}/read", response={200: described(HandoverRow), **PROBLEMS}, summary="Take over")
@declare("handover.sign")
def read_handover(request: HttpRequest, handoverId: str, body: Reading) -> HttpResponse:
    """The nurse who takes over has read it. 409 `own_handover` for who signed it."""
    person, handover = answers.person_of(request), answers.key(handoverId)
    version = answers.expected_version(request, body.version)
    row = actions.acknowledge(actor=person, handover_id=handover, version=version)
    return answers.one(request, next(one for one in handovers.handovers(person, row.stay_id) if one.id == handover))


@router.get(
    f"{_STAY}/discharge-summary", response={200: described(SummaryRow), **PROBLEMS}, summary="Discharge summary"
)
@declare("summary.view")
def read_summary(request: HttpRequest, stayId: str) -> HttpResponse:
    """The summary; the patient sees it once it is signed. Version 0: not begun, and filled in from the records."""
    return answers.one(request, summaries.summary(answers.viewer_of(request), answers.key(stayId)))


@router.put(
    f"{_STAY}/discharge-summary", response={200: described(SummaryRow), **PROBLEMS}, summary="Write the summary"
)
@declare("summary.write")
def write_summary(request: HttpRequest, stayId: str, body: SummaryBody) -> HttpResponse:
    """Save its parts in place of the version last seen, sign them, or amend what is signed; a stale one is 412, a
    signed one without `amendBecause` 409."""
    if body.sign or body.amend_because:
        stepup.require(request)
    person, stay = answers.person_of(request), answers.key(stayId)
    parts = body.model_dump(exclude={"sign", "version", "amend_because"})
    version = answers.expected_version(request, body.version) or 0
    if body.amend_because:
        summaries.amend(actor=person, stay_id=stay, parts=parts, reason=body.amend_because, version=version)
    else:
        write = summaries.sign if body.sign else summaries.save
        write(actor=person, stay_id=stay, parts=parts, version=version)
    return answers.one(request, summaries.summary(person, stay))


def _order(person: Person, order_id: UUID) -> OrderRow:
    _stay, line = sheet.line(person, order_id)
    return line.order
