"""The write door of the counter: handing medicines over, declining, closing, taking back. Stock: `keeping`, `counting`.

Handing over is one transaction: stock, prescription, invoice and visit move together or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from polyclinic.core import ledger
from polyclinic.core.access import policy
from polyclinic.core.actors import Actor, Person, SystemActor
from polyclinic.core.db import transactional
from polyclinic.core.errors import Conflict, Invalid, NotFound, StaleEdit, Unauthenticated
from polyclinic.medicines.models import Medicine
from polyclinic.pharmacy import amounts, identity, prices, stock, substitutes, witnessing
from polyclinic.pharmacy.models import Dispense, DispenseLine, StockMove
from polyclinic.pharmacy.states import DISPENSE, dispense_subject
from polyclinic.pharmacy.words import Declining, Kind, Substituting
from polyclinic.prescribing import actions as prescribing
from polyclinic.prescribing import bodies, rechecking
from polyclinic.prescribing.models import Prescription, PrescriptionLine
from polyclinic.prescribing.states import OPEN, PARTLY_DISPENSED, WAITING
from polyclinic.visits import actions as visits
from polyclinic.visits.models import Visit
from polyclinic.visits.states import DIAGNOSED, visit_subject

MAX_NOTE = 160


@dataclass(frozen=True, slots=True)
class Handing:
    """So many units for one line; `medicine_id` and `why` when another product stands in (`Substituting`)."""

    line_id: UUID
    quantity: Decimal
    medicine_id: UUID | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class _Item:
    line: PrescriptionLine
    medicine: Medicine
    hundredths: int
    why: str


@transactional
def dispense(
    *,
    actor: Actor,
    prescription_id: UUID,
    items: Sequence[Handing],
    check_id: UUID | None = None,
    version: int | None = None,
    agreed: Mapping[str, str] | None = None,
    spoken_with: str = "",
) -> Dispense:
    """Hand over medicines of a prescription; the visit is done when nothing of it is left to hand over.

    `version` is the prescription's. What has come up since its signature (`prescribing.rechecking`) takes what was
    `agreed` about it, by key, and with whom. Raises NotFound, Forbidden, StaleEdit, Invalid naming `q-<line>`,
    `why-<line>` or `spoken`, Conflict: `identity_needed`, `witness_needed`, `new_warnings`, `out_of_stock`,
    `too_much`, `expired`, `no_substitution`.
    """
    row = _prescription(actor, prescription_id)
    subject = dispense_subject(row)
    policy.require(actor, "prescription.dispense", subject)
    wanted = _items(row, items)
    rechecking.hold(row)
    # First of all: it settles who of two pharmacists hands over, and the other is told before anything is asked.
    quantities = {item.line.pk: amounts.quantity(item.hundredths) for item in wanted}
    controlled = {item.line.pk: item.hundredths for item in wanted if item.medicine.controlled}
    prescribing.dispensed(actor=actor, prescription_id=row.pk, quantities=quantities, version=version)
    check = identity.require(actor, row.pk, check_id)
    # Counted for the version before this handing over, which `row` still has.
    second = witnessing.require(actor, row, controlled)
    settled = rechecking.settled(row, [item.line for item in wanted], agreed or {}, spoken_with)
    made = Dispense(
        prescription=row, visit_id=row.visit_id, patient_id=row.patient_id, facility_id=row.facility_id,
        identity=check, witness_id=second.account_id if second else None,
        given_by_id=actor.account_id if isinstance(actor, Person) else None,
    )  # fmt: skip
    ledger.create(DISPENSE, "hand_over", made, actor=actor, reason=_said(settled.values()))
    stock.hold(row.facility_id, [item.medicine.pk for item in wanted])
    for item in wanted:
        line = DispenseLine.objects.create(
            dispense=made, line=item.line, patient_id=row.patient_id, medicine=item.medicine,
            hundredths=item.hundredths, substituted=item.why,
            settled=bodies.write(settled[item.line.pk]) if item.line.pk in settled else "",
        )  # fmt: skip
        _take(actor, row.facility_id, item, line)
        prices.charge(actor, made, line)
    stock.told(row.facility_id, [item.medicine.pk for item in wanted])
    _finish_visit(actor, row, "dispense")
    return made


@transactional
def decline(
    *, actor: Actor, prescription_id: UUID, why: str, note: str = "", version: int | None = None
) -> Prescription:
    """Nothing, or nothing more, of it is handed over, and why (`Declining`). The visit is done then.

    Raises NotFound, Forbidden, Invalid, IllegalTransition, StaleEdit.
    """
    row = _prescription(actor, prescription_id)
    policy.require(actor, "prescription.dispense", dispense_subject(row))
    if why not in Declining.values:
        raise Invalid(_("Say why."), code="required", field="why", possible=list(Declining.values))
    said = " ".join(note.split())
    if len(said) > MAX_NOTE:
        raise Invalid(
            _("This text is longer than can be stored."), code="too_long", field="note", maxLength=MAX_NOTE
        )  # fmt: skip
    done = prescribing.declined(
        actor=actor, prescription_id=row.pk, reason=f"{why}: {said}" if said else why, version=version
    )
    given = Dispense.objects.filter(visit_id=row.visit_id).exists()
    _finish_visit(actor, row, "dispense" if given else "decline_medicine")
    return done


@transactional
def close(*, actor: Actor, prescription_id: UUID, version: int | None = None) -> Visit:
    """End the visit although a part is still owed; the patient comes back for it while the prescription is valid.

    Raises NotFound, Forbidden, StaleEdit, Conflict (`nothing_given`: then it is declined, not closed), and
    IllegalTransition when the visit is over.
    """
    row = _prescription(actor, prescription_id)
    policy.require(actor, "prescription.dispense", dispense_subject(row))
    if version is not None and version != row.version:
        raise StaleEdit(version=row.version)
    if row.state != PARTLY_DISPENSED:
        raise Conflict(
            _("Nothing of it has been handed over. Hand a part over, or decline it with the reason."),
            code="nothing_given",
        )
    return visits.finish(actor=_hand(actor, row), visit_id=row.visit_id, how="dispense")


@transactional
def take_back(
    *,
    actor: Actor,
    dispense_id: UUID,
    line_id: UUID,
    quantity: Decimal,
    to_stock: bool,
    version: int | None = None,
) -> Dispense:
    """Medicines come back: to the shelf, or only to be destroyed. `line_id` is the handing over's line.

    Whether it may be used again is the pharmacist's judgement (sealed, never left the counter). What was charged for
    it is taken off the invoice while it is not paid. Raises NotFound, Forbidden, Invalid, StaleEdit, IllegalTransition.
    """
    made = Dispense.objects.select_for_update().filter(pk=dispense_id).first()
    if made is None:
        raise NotFound() if isinstance(actor, Person | SystemActor) else Unauthenticated()
    policy.require_sight(actor, "prescription.view", dispense_subject(made))
    line = made.lines.select_related("medicine").filter(pk=line_id).first()
    if line is None:
        raise NotFound(field="lineId")
    back = amounts.hundredths_of(quantity)
    left = line.hundredths - line.returned_hundredths
    if not 0 < back <= left:
        raise Invalid(
            _("At most %(left)s can come back.") % {"left": amounts.quantity(left)}, field="quantity",
            maximum=str(amounts.quantity(left)),
        )  # fmt: skip
    line.returned_hundredths += back
    others = made.lines.exclude(pk=line.pk)
    whole = line.returned_hundredths == line.hundredths and all(
        one.returned_hundredths == one.hundredths for one in others
    )
    ledger.apply(
        DISPENSE, "take_all_back" if whole else "take_back", made, actor=actor, version=version,
        reason="to stock" if to_stock else "destroyed",
    )  # fmt: skip
    DispenseLine.objects.filter(pk=line.pk).update(returned_hundredths=line.returned_hundredths)
    if to_stock:
        _put_back(actor, made, line, back)
    prices.less(actor, made, line, "returned")
    return made


def _said(settled: Iterable[bodies.Settled]) -> str:
    """For the audit, where it is sealed: what was agreed although something had come up since the signature."""
    return "; ".join(f"{said.reason} ({one.spoken_with})" for one in settled for said in one.said)


def _take(actor: Actor, facility_id: UUID, item: _Item, line: DispenseLine) -> None:
    try:
        stock.take(
            facility_id, item.medicine.pk, item.hundredths, Kind.DISPENSE, actor=actor, source_id=line.pk
        )  # fmt: skip
    except Conflict as refused:
        refused.field = f"q-{item.line.pk}"
        raise


def _put_back(actor: Actor, made: Dispense, line: DispenseLine, back: int) -> None:
    """To the batches it came from, the longest-dated first; a pack past its date goes nowhere near the shelf."""
    stock.hold(made.facility_id, [line.medicine_id])
    moves = StockMove.objects.filter(source_id=line.pk).select_related("batch").order_by("-batch__expires", "-number")
    out: dict[UUID, int] = {}
    for move in moves:
        out[move.batch_id] = out.get(move.batch_id, 0) - move.hundredths
    day, dates = stock.today(made.facility_id), {move.batch_id: move.batch.expires for move in moves}
    for batch_id, taken in out.items():
        part = min(back, taken)
        if part <= 0:
            continue
        if dates[batch_id] < day:
            raise Conflict(_("This is past its date. It can only be destroyed."), code="past_date", field="to")
        stock.move(batch_id, part, Kind.RETURN, actor=actor, source_id=line.pk)
        back -= part
    stock.told(made.facility_id, [line.medicine_id])


def _items(row: Prescription, given: Sequence[Handing]) -> list[_Item]:
    """What is wanted, checked against the lines; each line once."""
    lines = {line.pk: line for line in row.lines.select_related("medicine")}
    found: dict[UUID, _Item] = {}
    for item in given:
        line = lines.get(item.line_id)
        if line is None or line.pk in found:
            raise NotFound(field=f"q-{item.line_id}")
        try:
            wanted = amounts.hundredths_of(item.quantity)
        except Invalid as refused:
            refused.field = f"q-{line.pk}"
            raise
        left = line.quantity - line.dispensed
        if line.state == OPEN and not 0 < item.quantity <= left:
            raise Invalid(
                _("At most %(left)s are left of this line.") % {"left": amounts.plain(left)}, code="too_much",
                field=f"q-{line.pk}", maximum=amounts.plain(left),
            )  # fmt: skip
        medicine = _product(line, item)
        found[line.pk] = _Item(line, medicine, wanted, item.why if medicine.pk != line.medicine_id else "")
    if not found:
        raise Invalid(_("Write for at least one line how many are handed over."), code="required", field="lines")
    return list(found.values())


def _product(line: PrescriptionLine, item: Handing) -> Medicine:
    """The product to be handed over: the one prescribed, or one that may stand in for it, with the reason."""
    if item.medicine_id is None or item.medicine_id == line.medicine_id:
        return line.medicine
    other = Medicine.objects.filter(pk=item.medicine_id, active=True).first()
    if other is None or not substitutes.same(line.medicine, other):
        raise Invalid(
            _("Only the same substance in the same strength and form may stand in."), code="not_the_same",
            field=f"product-{line.pk}",
        )  # fmt: skip
    if not bodies.read_line(line.body).substitution_allowed:
        raise Conflict(
            _("The prescriber wants this very product. Ask them for another prescription."), code="no_substitution",
            field=f"product-{line.pk}",
        )  # fmt: skip
    if item.why not in Substituting.values:
        raise Invalid(
            _("Say why another product is handed over."), code="required", field=f"why-{line.pk}",
            possible=list(Substituting.values),
        )  # fmt: skip
    return other


def _finish_visit(actor: Actor, row: Prescription, how: str) -> None:
    """End the visit when none of its prescriptions waits any more. One that went on or ended stays where it is."""
    if Prescription.objects.filter(visit_id=row.visit_id, state__in=WAITING).exists():
        return
    visit = Visit.objects.select_for_update().get(pk=row.visit_id)
    if visit.state == DIAGNOSED:
        visits.finish(actor=_hand(actor, row), visit_id=visit.pk, how=how)


def _hand(actor: Actor, row: Prescription) -> Actor:
    """What ends a visit is the handing over, whoever did it."""
    visit = Visit.objects.get(pk=row.visit_id)
    return actor if policy.allowed(actor, "visit.dispense", visit_subject(visit)) else prices.PHARMACY


def _prescription(actor: Actor, prescription_id: UUID) -> Prescription:
    """The prescription, held for this writer."""
    row = Prescription.objects.select_for_update().filter(pk=prescription_id).first()
    if row is None:
        raise NotFound() if isinstance(actor, Person | SystemActor) else Unauthenticated()
    policy.require_sight(actor, "prescription.view", dispense_subject(row))
    return row
