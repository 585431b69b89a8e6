"""The pharmacy over REST: what waits, identifying, handing over, taking back; the shelves and their movements."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from polyclinic.api import answers
from polyclinic.api.api import PROBLEMS
from polyclinic.api.schemas import Body, Limit, PageNumber, Text, Version, described, list_of
from polyclinic.pharmacy import actions, counter, identity, keeping, selectors, witnessing
from polyclinic.pharmacy.actions import Handing
from polyclinic.pharmacy.identity import Said
from polyclinic.pharmacy.keeping import Came
from polyclinic.pharmacy.rows import BatchRow, CounterRow, DispenseRow, MoveRow, StockRow
from polyclinic.prescribing import selectors as prescriptions
from polyclinic.prescribing.rows import PrescriptionRow
from polyclinic.web.access import declare

router = Router(tags=["Pharmacy"])

Quantity = Annotated[Decimal, Field(gt=0, le=1_000_000, max_digits=9, decimal_places=2, allow_inf_nan=False)]
Agreed = Annotated[Text, Field(max_length=200)]


class Identifiers(Body):
    """What the patient says, or their card does: at least two of the three."""

    name: Annotated[Text, Field(max_length=200)] = ""
    born: date | None = None
    mrn: Annotated[Text, Field(max_length=80)] = ""


class Item(Body):
    """So many units for one line; `medicineId` and `why` when another product stands in."""

    line_id: UUID
    quantity: Quantity
    medicine_id: UUID | None = None
    why: Literal["", "none_left", "cost", "recalled", "pack"] = ""


class HandingOver(Body):
    """What is handed over of a prescription, whose version is given. `agreed`: for each warning in a line's `since`, by
    its key, what the prescriber has decided; `spokenWith` says who that was."""

    items: Annotated[list[Item], Field(min_length=1, max_length=20)]
    agreed: dict[Agreed, Agreed] = {}
    spoken_with: Agreed = ""
    version: Version | None = None


class Counted(Body):
    """How many units of one controlled line somebody has counted."""

    line_id: UUID
    quantity: Quantity


class Counting(Body):
    """What a second person has counted."""

    items: Annotated[list[Counted], Field(min_length=1, max_length=20)]
    version: Version | None = None


class Declined(Body):
    """Why nothing more of it is handed over."""

    why: Literal["patient", "elsewhere", "cost", "none_left", "safety"]
    note: Annotated[Text, Field(max_length=160)] = ""
    version: Version | None = None


class Back(Body):
    """What comes back of one line of a handing over, and where it goes."""

    line_id: UUID
    quantity: Quantity
    to: Literal["stock", "destroyed"]
    version: Version | None = None


class DeliveryLine(Body):
    """One line of a delivery."""

    medicine_id: UUID
    lot: Annotated[Text, Field(min_length=1, max_length=40)]
    expires: date
    quantity: Quantity
    unit_cost: Annotated[Decimal, Field(ge=0, max_digits=13, decimal_places=4, allow_inf_nan=False)] = Decimal(0)


class DeliveryWish(Body):
    """A delivery: all of it goes on the shelf, or nothing."""

    facility_id: UUID
    supplier: Annotated[Text, Field(min_length=1, max_length=120)]
    reference: Annotated[Text, Field(min_length=1, max_length=60)]
    lines: Annotated[list[DeliveryLine], Field(min_length=1, max_length=100)]


class Correction(Body):
    """By how much a batch is wrong, and why. `seen` is the number of its movements last seen."""

    difference: Annotated[
        Decimal, Field(ge=-1_000_000, le=1_000_000, max_digits=9, decimal_places=2, allow_inf_nan=False)
    ]
    why: Literal["broken", "expired", "recalled", "cold_chain", "lost", "found", "mistyped"]
    note: Annotated[Text, Field(max_length=160)] = ""
    seen: Annotated[int, Field(ge=0, le=2_000_000_000)] | None = None


_DISPENSE = {200: described(DispenseRow), **PROBLEMS}


@router.get("/pharmacy/queue", response={200: list_of(PrescriptionRow), **PROBLEMS}, summary="What waits")
@declare("prescription.dispense")
def queue(request: HttpRequest, hospitalId: UUID, page: PageNumber = 1, limit: Limit = 50) -> HttpResponse:
    """Prescriptions of a hospital that wait at its pharmacy, the oldest first."""
    rows = prescriptions.waiting(answers.viewer_of(request), hospitalId)
    return answers.cut(request, rows, page, limit, None)


@router.get("/pharmacy/prescriptions/{rxId}", response={200: described(CounterRow), **PROBLEMS}, summary="In stock?")
@declare("prescription.dispense")
def counter_side(request: HttpRequest, rxId: str) -> HttpResponse:
    """What there is for each open line, from which lots it would go, and who has been identified and counted."""
    viewer, rx = answers.viewer_of(request), answers.key(rxId)
    # Leaves the entry in the audit: what there is for its lines tells what they are.
    prescriptions.prescription(viewer, rx)
    return answers.reply(counter.counter(viewer, rx))


@router.post(
    "/pharmacy/prescriptions/{rxId}/identify", response={200: described(CounterRow), **PROBLEMS},
    summary="Two identifiers",
)  # fmt: skip
@declare("prescription.dispense")
def identify(request: HttpRequest, rxId: str, body: Identifiers) -> HttpResponse:
    """Compare what the patient says. 409 `wrong_patient` when it is not what the prescription says."""
    person, rx = answers.person_of(request), answers.key(rxId)
    identity.confirm(actor=person, prescription_id=rx, said=Said(body.name, body.born, body.mrn))
    return answers.reply(counter.counter(person, rx))


@router.post(
    "/pharmacy/prescriptions/{rxId}/witness", response={200: described(CounterRow), **PROBLEMS},
    summary="Count with",
)  # fmt: skip
@declare("prescription.witness")
def witness(request: HttpRequest, rxId: str, body: Counting) -> HttpResponse:
    """A second person has counted the controlled medicines."""
    person, rx = answers.person_of(request), answers.key(rxId)
    witnessing.witness(
        actor=person, prescription_id=rx, counts={one.line_id: one.quantity for one in body.items},
        version=answers.expected_version(request, body.version),
    )  # fmt: skip
    return answers.reply(counter.counter(person, rx))


@router.post(
    "/pharmacy/prescriptions/{rxId}/dispense", response={201: described(DispenseRow), **PROBLEMS},
    summary="Hand over",
)  # fmt: skip
@declare("prescription.dispense")
def dispense(request: HttpRequest, rxId: str, body: HandingOver) -> HttpResponse:
    """Hand over: stock, prescription, invoice and visit move together. The caller has identified the patient before."""
    person, rx = answers.person_of(request), answers.key(rxId)
    version = answers.expected_version(request, body.version)

    def effect() -> tuple[int, object]:
        made = actions.dispense(
            actor=person, prescription_id=rx, version=version,
            items=[Handing(one.line_id, one.quantity, one.medicine_id, one.why) for one in body.items],
            agreed=body.agreed, spoken_with=body.spoken_with,
        )  # fmt: skip
        return 201, counter.dispense(person, made.pk)

    return answers.once(request, effect, kind="dispense")


@router.post(
    "/pharmacy/prescriptions/{rxId}/decline", response={200: described(PrescriptionRow), **PROBLEMS},
    summary="Decline",
)  # fmt: skip
@declare("prescription.dispense")
def decline(request: HttpRequest, rxId: str, body: Declined) -> HttpResponse:
    """Nothing more of it is handed over; the visit is done."""
    person, rx = answers.person_of(request), answers.key(rxId)
    actions.decline(
        actor=person, prescription_id=rx, why=body.why, note=body.note,
        version=answers.expected_version(request, body.version),
    )  # fmt: skip
    return answers.one(request, prescriptions.prescription(person, rx))


@router.get("/pharmacy/dispenses/{dispenseId}", response=_DISPENSE, summary="What was handed over")
@declare("prescription.view")
def read_dispense(request: HttpRequest, dispenseId: str) -> HttpResponse:
    """One handing over, with the lots it came from."""
    return answers.one(request, counter.dispense(answers.viewer_of(request), answers.key(dispenseId)))


@router.post("/pharmacy/dispenses/{dispenseId}/return", response=_DISPENSE, summary="Take back")
@declare("prescription.dispense")
def take_back(request: HttpRequest, dispenseId: str, body: Back) -> HttpResponse:
    """Some of it comes back: to the shelf, or to be destroyed."""
    person = answers.person_of(request)
    made = actions.take_back(
        actor=person, dispense_id=answers.key(dispenseId), line_id=body.line_id, quantity=body.quantity,
        to_stock=body.to == "stock", version=answers.expected_version(request, body.version),
    )  # fmt: skip
    return answers.one(request, counter.dispense(person, made.pk))


@router.get("/pharmacy/stock", response={200: list_of(StockRow), **PROBLEMS}, summary="The shelves")
@declare("stock.view")
def stock(
    request: HttpRequest,
    hospitalId: UUID,
    q: Annotated[Text, Field(max_length=80)] = "",
    show: Literal["all", "low", "expiring", "expired"] = "all",
    page: PageNumber = 1,
    limit: Limit = 50,
) -> HttpResponse:
    """What there is by medicine."""
    rows = selectors.board(answers.viewer_of(request), hospitalId, text=q, show=show)
    return answers.cut(request, rows, page, limit, None)


@router.get("/pharmacy/stock/{productId}/batches", response={200: list_of(BatchRow), **PROBLEMS}, summary="Batches")
@declare("stock.view")
def batches(
    request: HttpRequest, productId: str, hospitalId: UUID, page: PageNumber = 1, limit: Limit = 50
) -> HttpResponse:
    """A medicine's batches in the order in which they go."""
    rows = selectors.batches(answers.viewer_of(request), hospitalId, answers.key(productId))
    return answers.cut(request, rows, page, limit, None)


@router.get("/pharmacy/stock/{productId}/moves", response={200: list_of(MoveRow), **PROBLEMS}, summary="Movements")
@declare("stock.view")
def moves(
    request: HttpRequest, productId: str, hospitalId: UUID, page: PageNumber = 1, limit: Limit = 50
) -> HttpResponse:
    """The hundred last movements of a medicine, newest first."""
    rows = selectors.moves(answers.viewer_of(request), hospitalId, answers.key(productId))
    return answers.cut(request, rows, page, limit, None)


@router.post("/pharmacy/deliveries", response={201: list_of(BatchRow), **PROBLEMS}, summary="Receive")
@declare("stock.receive")
def receive(request: HttpRequest, body: DeliveryWish) -> HttpResponse:
    """Put a delivery on the shelf. One delivery note is taken once: 409 `known_note`."""
    person = answers.person_of(request)

    def effect() -> tuple[int, object]:
        supplier = keeping.add_supplier(actor=person, facility_id=body.facility_id, name=body.supplier)
        keeping.receive(
            actor=person, facility_id=body.facility_id, supplier_id=supplier.pk, reference=body.reference,
            lines=[Came(one.medicine_id, one.lot, one.expires, one.quantity, one.unit_cost) for one in body.lines],
        )  # fmt: skip
        wanted = {one.medicine_id for one in body.lines}
        rows = [row for row in selectors.batches(person, body.facility_id) if row.medicine_id in wanted]
        return 201, {"data": rows, "pagination": {"total": len(rows), "page": 1, "pages": 1, "next": None}}

    return answers.once(request, effect)


@router.post("/pharmacy/batches/{batchId}/adjust", response={200: described(BatchRow), **PROBLEMS}, summary="Correct")
@declare("stock.adjust")
def adjust(request: HttpRequest, batchId: str, body: Correction) -> HttpResponse:
    """Correct a batch, with the reason. 409 `moved` when it has moved since `seen`."""
    person = answers.person_of(request)
    row = keeping.adjust(
        actor=person, batch_id=answers.key(batchId), difference=body.difference, why=body.why, note=body.note,
        seen=body.seen,
    )  # fmt: skip
    return answers.reply(selectors.batch(person, row.pk))
