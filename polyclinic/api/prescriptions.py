"""Prescriptions over REST: the formulary, checking lines before they are signed, signing, reading, cancelling."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from polyclinic.api import answers
from polyclinic.api.api import PROBLEMS
from polyclinic.api.schemas import Body, Limit, PageNumber, Version, Words, described, list_of
from polyclinic.medicines import selectors as medicines
from polyclinic.medicines.rows import MedicineRow
from polyclinic.prescribing import actions, checking, selectors
from polyclinic.prescribing.bodies import Diagnosis, Line
from polyclinic.prescribing.checking import Warning_
from polyclinic.prescribing.repeats import MOST, Repeats
from polyclinic.prescribing.rows import PrescriptionRow
from polyclinic.web import stepup
from polyclinic.web.access import ANY_CALLER, declare

router = Router(tags=["Prescriptions"])
Amount = Annotated[Decimal, Field(gt=0, le=10_000, max_digits=8, decimal_places=2)]
Reason = Annotated[Words, Field(min_length=1)]
ResultNumber = Annotated[int, Field(strict=True, ge=1, le=1000)]


class NewLine(Body):
    """`dose` counts the medicine's dose units; `quantity`, in dispensing units, follows from it where it can."""

    medicine_id: UUID
    dose: Amount
    frequency: Annotated[Words, Field(max_length=20)]
    days: Annotated[int, Field(strict=True, ge=1, le=365)] | None = None
    route: Annotated[Words, Field(max_length=20)] = ""
    as_needed: bool = False
    note: Words = ""
    substitution_allowed: bool = True
    quantity: Amount | None = None


class NewDiagnosis(Body):
    """`code` is of ICD-10-CM, for example J18.9."""

    text: Annotated[Words, Field(min_length=1, max_length=120)]
    code: Annotated[Words, Field(max_length=10)] = ""
    certainty: Annotated[str, Field(pattern="^(provisional|confirmed)$")] = "provisional"


class Checking(Body):
    lines: Annotated[list[NewLine], Field(min_length=1, max_length=20)]


class NewPrescription(Checking):
    """`repeats`: how often the patient may have it again when a doctor agrees, within `repeatMonths` (3, 6 or 12).
    `overrides`: a reason for each warning that interrupts, by its key. `resultsSeen`: the number of each result that
    the signer has looked at, by its test; given at all, any other result of the visit stops the signature
    (`results_unseen`). `version` is the visit's, as If-Match is."""

    diagnoses: Annotated[list[NewDiagnosis], Field(max_length=12)] = []
    overrides: dict[Words, Words] = {}
    results_seen: Annotated[dict[UUID, ResultNumber], Field(max_length=200)] | None = None
    repeats: Annotated[int, Field(strict=True, ge=0, le=MOST)] = 0
    repeat_months: Annotated[int, Field(strict=True, ge=3, le=12)] = 6
    version: Version | None = None


class Cancelling(Body):
    reason: Reason
    version: Version | None = None


@router.get("/medicines", response={200: list_of(MedicineRow), **PROBLEMS}, summary="Search the formulary")
@declare(ANY_CALLER)
def search(request: HttpRequest, q: Words = "", page: PageNumber = 1, limit: Limit = 20) -> HttpResponse:
    """Products in use that hold every word of `q` in name, brand, strength, form or ATC code; all without `q`."""
    rows = medicines.search(q, medicines.MAX_FOUND) if q.strip() else medicines.formulary()
    return answers.cut(request, rows, page, limit, None)


@router.get("/medicines/{medicineId}", response={200: described(MedicineRow), **PROBLEMS}, summary="One medicine")
@declare(ANY_CALLER)
def read_medicine(request: HttpRequest, medicineId: str) -> HttpResponse:
    return answers.one(request, medicines.medicine(answers.key(medicineId)))


@router.get(
    "/visits/{visitId}/prescriptions", response={200: list_of(PrescriptionRow), **PROBLEMS}, summary="Of a visit"
)
@declare("prescription.view")
def of_visit(request: HttpRequest, visitId: str) -> HttpResponse:
    """A visit's prescriptions, newest first."""
    return answers.listing(request, selectors.of_visit(answers.viewer_of(request), answers.key(visitId)))


@router.get(
    "/patients/{patientId}/prescriptions", response={200: list_of(PrescriptionRow), **PROBLEMS}, summary="Of a patient"
)
@declare("prescription.view")
def of_patient(request: HttpRequest, patientId: str, page: PageNumber = 1, limit: Limit = 50) -> HttpResponse:
    """A patient's prescriptions that the caller may see, newest first."""
    rows = selectors.of_patient(answers.viewer_of(request), answers.key(patientId))
    return answers.cut(request, rows, page, limit, None)


@router.get(
    "/prescriptions/{prescriptionId}", response={200: described(PrescriptionRow), **PROBLEMS}, summary="One of them"
)
@declare("prescription.view")
def read(request: HttpRequest, prescriptionId: str) -> HttpResponse:
    return answers.one(request, selectors.prescription(answers.viewer_of(request), answers.key(prescriptionId)))


@router.post(
    "/visits/{visitId}/prescriptions/check", response={200: list_of(Warning_), **PROBLEMS}, summary="Check lines"
)
@declare("prescription.sign")
def check(request: HttpRequest, visitId: str, body: Checking) -> HttpResponse:
    """What is known against these lines for this patient, the gravest first. Writes nothing down."""
    found = checking.of_lines(answers.viewer_of(request), answers.key(visitId), [_line(one) for one in body.lines])
    return answers.listing(request, found)


@router.post("/visits/{visitId}/prescriptions", response={201: described(PrescriptionRow), **PROBLEMS}, summary="Sign")
@declare("prescription.sign")
def sign(request: HttpRequest, visitId: str, body: NewPrescription) -> HttpResponse:
    """Sign; the visit goes to the pharmacy. 409 `warnings` names those that still need a reason."""
    stepup.require(request)
    actor, visit = answers.person_of(request), answers.key(visitId)

    def effect() -> tuple[int, object]:
        made = actions.sign(
            actor=actor, visit_id=visit, lines=[_line(one) for one in body.lines], overrides=body.overrides,
            diagnoses=[Diagnosis(one.text, one.code, one.certainty) for one in body.diagnoses],
            results=body.results_seen, repeats=Repeats(body.repeats, body.repeat_months),
            version=answers.expected_version(request, body.version),
        )  # fmt: skip
        return 201, selectors.prescription(actor, made.pk)

    return answers.once(request, effect, kind="prescription")


@router.post(
    "/prescriptions/{prescriptionId}/cancel", response={200: described(PrescriptionRow), **PROBLEMS}, summary="Cancel"
)
@declare("prescription.cancel")
def cancel(request: HttpRequest, prescriptionId: str, body: Cancelling) -> HttpResponse:
    """Take back what is not dispensed yet."""
    stepup.require(request)
    actor = answers.person_of(request)
    row = actions.cancel(
        actor=actor, prescription_id=answers.key(prescriptionId), reason=body.reason,
        version=answers.expected_version(request, body.version),
    )  # fmt: skip
    return answers.one(request, selectors.prescription(actor, row.pk))


def _line(one: NewLine) -> Line:
    return Line(
        one.medicine_id, one.dose, one.frequency, one.days, route=one.route, as_needed=one.as_needed, note=one.note,
        substitution_allowed=one.substitution_allowed, quantity=one.quantity,
    )  # fmt: skip
