"""What the counter lets people see: a prescription's lines against the shelves, and what was handed over."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Person, SystemActor, Viewer
from polyclinic.core.audit import reads
from polyclinic.core.errors import NotFound, Unauthenticated
from polyclinic.facilities.models import Facility
from polyclinic.medicines import selectors as medicines
from polyclinic.people import joined
from polyclinic.pharmacy import identity, prices, stock, substitutes, witnessing
from polyclinic.pharmacy.amounts import hundredths_of, quantity
from polyclinic.pharmacy.models import Batch, Dispense, DispenseLine, IdentityCheck, StockMove
from polyclinic.pharmacy.rows import CounterLine, CounterRow, DispenseRow, GivenLine, PartRow, ProductRow
from polyclinic.pharmacy.selectors import name_of, on_hand, stage_of
from polyclinic.pharmacy.states import dispense_subject
from polyclinic.prescribing import bodies, rechecking, sentences
from polyclinic.prescribing.checking import Warning_
from polyclinic.prescribing.models import Prescription, PrescriptionLine
from polyclinic.prescribing.states import OPEN

MAX_ROWS = 100


def counter(viewer: Viewer, prescription_id: UUID) -> CounterRow:
    """What there is for each open line, who was identified, and what a second person counted. Raises NotFound.

    Read beside `prescribing.selectors.prescription`, which leaves the entry in the audit.
    """
    row = Prescription.objects.filter(pk=prescription_id).first()
    if row is None:
        raise NotFound() if isinstance(viewer, Person | SystemActor) else Unauthenticated()
    subject = dispense_subject(row)
    policy.require_sight(viewer, "prescription.view", subject)
    policy.require_sight(viewer, "prescription.witness", subject)
    lines = [one for one in row.lines.select_related("medicine").order_by("place") if one.state == OPEN]
    instead = substitutes.of(one.medicine for one in lines)
    others = {one.pk: instead[one.medicine_id] for one in lines}
    wanted = {one.medicine_id for one in lines} | {other.pk for found in others.values() for other in found}
    there, day = on_hand(row.facility_id, wanted), stock.today(row.facility_id)
    shelves = _shelves(row.facility_id, {one.medicine_id for one in lines}, day)
    gives = policy.allowed(viewer, "prescription.dispense", subject)
    since = rechecking.since(row, lines) if gives else {}
    products = [*(one.medicine for one in lines), *(other for found in others.values() for other in found)]
    paid = prices.priced(row.facility_id, {one.price_code for one in products})
    check = identity.standing(viewer, row.pk)
    second = witnessing.last(row, viewer.account_id if isinstance(viewer, Person) else None)
    return CounterRow(
        lines=tuple(
            _line(one, there, others[one.pk], shelves.get(one.medicine_id, []), day, paid, since.get(one.pk, []))
            for one in lines
        ),
        check_id=check.pk if check else None,
        identified_at=check.at if check else None,
        misidentified=IdentityCheck.objects.filter(prescription_id=row.pk, matched=False).count(),
        witness=second.account.name if second else "",
        witnessed={key: quantity(count) for key, count in second.counts.items()} if second else {},
        controlled=any(one.medicine.controlled for one in lines),
    )


def dispense(viewer: Viewer, dispense_id: UUID) -> DispenseRow:
    """One handing over. Raises NotFound."""
    row = _all().filter(pk=dispense_id).first()
    if row is None:
        raise NotFound() if isinstance(viewer, Person | SystemActor) else Unauthenticated()
    policy.require_sight(viewer, "prescription.view", dispense_subject(row))
    reads.opened(viewer, "dispense", row.pk, patient_id=row.patient_id, facility_id=row.facility_id)
    return _rows([row])[0]


def of_prescription(viewer: Viewer, prescription_id: UUID) -> list[DispenseRow]:
    """What was handed over of a prescription, newest first. Raises NotFound when it is not the viewer's to see."""
    found = Prescription.objects.filter(pk=prescription_id).first()
    if found is None:
        raise NotFound() if isinstance(viewer, Person | SystemActor) else Unauthenticated()
    policy.require_sight(viewer, "prescription.view", dispense_subject(found))
    rows = list(_all().filter(prescription_id=prescription_id).order_by("-given_at")[:MAX_ROWS])
    reads.listed(viewer, "dispense", prescription_id, ((row.patient_id, row.facility_id) for row in rows))
    return _rows(rows)


def today(viewer: Viewer, facility_id: UUID) -> list[DispenseRow]:
    """What was handed over at a facility on its present day, newest first. Raises NotFound."""
    policy.require_sight(viewer, "prescription.dispense", Subject(facility_id=facility_id))
    zone = Facility.objects.values_list("time_zone", flat=True).get(pk=facility_id)
    since = datetime.combine(stock.today(facility_id), time(0), ZoneInfo(zone))
    rows = list(_all().filter(facility_id=facility_id, given_at__gte=since).order_by("-given_at")[:MAX_ROWS])
    reads.listed(viewer, "dispense", None, ((row.patient_id, row.facility_id) for row in rows))
    return _rows(rows)


def copied(viewer: Viewer, patient_id: UUID) -> list[DispenseRow]:
    """All that was ever handed over to a patient, newest first, for the copy they have asked for. Raises NotFound."""
    policy.require_sight(viewer, "privacy.request", Subject(patient_id=patient_id))
    rows = list(_all().filter(patient_id__in=joined.same(patient_id)).order_by("-given_at"))
    reads.listed(viewer, "dispense", patient_id, ((row.patient_id, row.facility_id) for row in rows))
    return _rows(rows)


def _line(
    row: PrescriptionLine,
    there: dict[UUID, Decimal],
    others: list[Any],
    shelf: list[Batch],
    day: date,
    paid: set[str],
    since: list[Warning_],
) -> CounterLine:
    left = row.quantity - row.dispensed
    suggested = min(left, there[row.medicine_id])
    parts, wanted = [], hundredths_of(suggested)
    for batch in shelf:
        if wanted <= 0:
            break
        taken = min(wanted, batch.hundredths)
        parts.append(PartRow(batch.lot, batch.expires, quantity(taken), stage_of(batch.expires, day)))
        wanted -= taken
    return CounterLine(
        line_id=row.pk,
        available=there[row.medicine_id],
        suggested=quantity(hundredths_of(suggested)),
        parts=tuple(parts),
        others=tuple(ProductRow(medicines.row(one), there[one.pk], one.price_code in paid) for one in others),
        too_short=bool(row.until and any(part.expires < row.until for part in parts)),
        priced=row.medicine.price_code in paid,
        since=tuple(since),
    )


def _shelves(facility_id: UUID, ids: set[UUID], day: date) -> dict[UUID, list[Batch]]:
    """Usable batches by medicine, in the order in which they go; one question for all of a prescription's lines."""
    found: dict[UUID, list[Batch]] = {}
    rows = Batch.objects.filter(facility_id=facility_id, medicine_id__in=ids, hundredths__gt=0, expires__gte=day)
    for row in rows.order_by("expires", "received_at", "pk"):
        found.setdefault(row.medicine_id, []).append(row)
    return found


def _all() -> Any:  # noqa: ANN401 - a queryset
    return Dispense.objects.select_related(
        "prescription", "visit", "patient", "facility", "given_by", "witness"
    ).prefetch_related("lines__medicine", "lines__line__medicine")


def _rows(rows: list[Dispense]) -> list[DispenseRow]:
    keys = [line.pk for row in rows for line in row.lines.all()]
    parts: dict[UUID, dict[tuple[str, date], int]] = {}
    moves = StockMove.objects.filter(source_id__in=keys).select_related("batch").order_by("pk")
    for move in moves:
        if move.source_id is not None and move.hundredths < 0:
            of_line = parts.setdefault(move.source_id, {})
            key = (move.batch.lot, move.batch.expires)
            of_line[key] = of_line.get(key, 0) - move.hundredths
    charged = prices.charged(keys)
    return [_row(row, parts, charged) for row in rows]


def _row(row: Dispense, parts: dict[UUID, dict[tuple[str, date], int]], charged: set[UUID]) -> DispenseRow:
    lines = sorted(row.lines.all(), key=lambda one: one.line.place)
    return DispenseRow(
        id=row.pk, prescription_id=row.prescription_id, label=row.prescription.label, visit_id=row.visit_id,
        token=row.visit.token, facility_id=row.facility_id, facility_name=row.facility.name,
        phone=row.facility.phone, time_zone=row.facility.time_zone, patient_id=row.patient_id,
        patient_name=str(row.patient), mrn=row.patient.mrn, born=row.patient.born,
        sex=row.patient.get_sex_display(), state=row.state, version=row.version, given_at=row.given_at,
        given_by=row.given_by.name if row.given_by else "", witness=row.witness.name if row.witness else "",
        lines=tuple(_given(one, parts.get(one.pk, {}), one.pk in charged) for one in lines),
    )  # fmt: skip


def _given(row: DispenseLine, parts: dict[tuple[str, date], int], charged: bool) -> GivenLine:
    medicine = medicines.row(row.medicine)
    other = row.medicine_id != row.line.medicine_id
    return GivenLine(
        id=row.pk, line_id=row.line_id, medicine=medicine, quantity=quantity(row.hundredths),
        returned=quantity(row.returned_hundredths),
        # Nothing is left to read where the patient's key was shredded.
        directions=sentences.directions(medicine, bodies.read_line(row.line.body)) if row.line.body else "",
        prescribed=name_of(row.line.medicine) if other else "", why=row.substituted,
        parts=tuple(PartRow(lot, expires, quantity(taken), "") for (lot, expires), taken in parts.items()),
        charged=charged, settled=bodies.read_settled(row.settled) if row.settled else None,
    )  # fmt: skip


def by_label(viewer: Viewer, text: str, right: str = "prescription.dispense") -> UUID:
    """The prescription that a paper or a label names ("R00000042"), where the viewer has this right. Raises NotFound.

    No entry in the audit: the page it leads to makes one.
    """
    if not isinstance(viewer, Person):
        raise Unauthenticated()
    bare = text.strip().upper().removeprefix("R")
    number = int(bare) if bare.isascii() and bare.isdecimal() and len(bare) <= 8 else 0
    places = policy.places(viewer, right)
    found = Prescription.objects.filter(facility_id__in=places, number=number).order_by("-signed_at")
    key = found.values_list("pk", flat=True).first()
    if key is None:
        raise NotFound(field="code")
    return key


def stocked(viewer: Viewer, facility_id: UUID, wanted: dict[UUID, dict[UUID, Decimal]]) -> dict[UUID, tuple[int, int]]:
    """For each prescription (what is open of it, by medicine): how many of its lines can be given whole, of how many.

    One question to the database for a whole queue. Raises NotFound.
    """
    policy.require_sight(viewer, "prescription.dispense", Subject(facility_id=facility_id))
    there = on_hand(facility_id, {key for lines in wanted.values() for key in lines})
    return {
        key: (sum(there[medicine] >= left for medicine, left in lines.items()), len(lines))
        for key, lines in wanted.items()
    }
