"""The sheet of medicines of a stay: what is ordered, what is due when, and what became of each dose."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from polyclinic.core import clock
from polyclinic.core.actors import Viewer
from polyclinic.core.crypto.fields import column
from polyclinic.inpatient.models import BedStay
from polyclinic.medicines import selectors as formulary
from polyclinic.medicines.rows import MedicineRow
from polyclinic.medicines.words import Route
from polyclinic.nursing import bodies, rules, sight
from polyclinic.nursing.bodies import OrderBody
from polyclinic.nursing.models import Dose, MedicineOrder
from polyclinic.nursing.rows import DoseRow, LineRow, OrderRow
from polyclinic.nursing.states import ACTIVE, RECORDED
from polyclinic.prescribing import sentences


def lines(viewer: Viewer, stay_id: UUID, day: date) -> list[LineRow]:
    """The sheet of one day in the facility's calendar: every medicine that is or was given on it. Raises NotFound."""
    stay = sight.stay(viewer, "medication.view", stay_id)
    sight.looked(viewer, stay)
    zone = ZoneInfo(stay.facility.time_zone)
    start = datetime.combine(day, time(), zone)
    return _lines(stay, start, datetime.combine(day + timedelta(days=1), time(), zone))


def line(viewer: Viewer, order_id: UUID) -> tuple[BedStay, LineRow]:
    """One order with the doses of these days. Raises NotFound."""
    row = sight.entry(viewer, "medication.view", MedicineOrder, order_id)
    sight.looked(viewer, row.stay)
    now = clock.now()
    found = _lines(row.stay, now - rules.LOOK_BACK * 2, now + rules.LOOK_BACK, only=row)
    return row.stay, found[0]


def orders(viewer: Viewer, stay_id: UUID) -> list[OrderRow]:
    """Every medicine ordered during a stay, in the order of ordering. Raises NotFound."""
    stay = sight.stay(viewer, "medication.view", stay_id)
    sight.looked(viewer, stay)
    return orders_of(stay)


def orders_of(stay: BedStay) -> list[OrderRow]:
    """The same for who has asked for the right before."""
    rows = MedicineOrder.objects.filter(stay=stay).select_related("medicine").order_by("made_at", "pk")
    return [_order(row, bodies.read_order(row.body)) for row in rows if row.body]


def late(stays: Sequence[BedStay]) -> dict[UUID, int]:
    """How many planned doses of each stay are late: an hour past their time with nothing written down, of a day."""
    now = clock.now()
    since, until = now - rules.LOOK_BACK, now - rules.LATE
    by_id = {row.pk: row for row in stays}
    rows = [one for one in MedicineOrder.objects.filter(stay_id__in=list(by_id)) if one.stops_at is None
            or one.stops_at > since]  # fmt: skip
    column(MedicineOrder, "body").warm([str(one.__dict__["body"]) for one in rows])
    done = set(Dose.objects.filter(order__in=rows, due_at__gte=since, state=RECORDED).values_list("order_id", "due_at"))
    found: Counter[UUID] = Counter()
    for row in rows:
        zone = by_id[row.stay_id].facility.time_zone
        for due in _plan(row, bodies.read_order(row.body), zone, since, until) if row.body else ():
            found[row.stay_id] += (row.pk, due) not in done
    return found


def status_of(due_at: datetime, now: datetime) -> str:
    """Of a dose with nothing written down: `later`, `due` from an hour before its time on, `late` an hour after."""
    if now > due_at + rules.LATE:
        return "late"
    return "due" if now >= due_at - rules.EARLY else "later"


def _plan(row: MedicineOrder, body: OrderBody, zone: str, since: datetime, until: datetime) -> list[datetime]:
    if body.as_needed:
        return []
    return rules.planned(body.frequency, body.times, row.starts_at, row.stops_at, zone, since, until)


def _lines(stay: BedStay, since: datetime, until: datetime, *, only: MedicineOrder | None = None) -> list[LineRow]:
    query = MedicineOrder.objects.filter(stay=stay, starts_at__lt=until).select_related("medicine")
    rows = list(query.filter(pk=only.pk) if only else query.order_by("made_at", "pk"))
    column(MedicineOrder, "body").warm([str(one.__dict__["body"]) for one in rows])
    had: dict[UUID, list[Dose]] = defaultdict(list)
    numbers: Counter[UUID] = Counter()
    for dose in Dose.objects.filter(order__in=rows).order_by("recorded_at"):
        numbers[dose.order_id] += dose.due_at is None
        if since <= (dose.due_at or dose.recorded_at) < until:
            had[dose.order_id].append(dose)
    found = []
    for row in rows:
        if not row.body or (row.stops_at is not None and row.stops_at < since and not had[row.pk] and not only):
            continue
        body = bodies.read_order(row.body)
        going = row.state == ACTIVE and (row.stops_at is None or row.stops_at > clock.now()) and not stay.ended_at
        found.append(
            LineRow(
                stay.pk, stay.patient_id, _order(row, body), _doses(row, body, stay, had[row.pk], since, until),
                numbers[row.pk] + 1 if body.as_needed and going else None,
            )
        )  # fmt: skip
    return found


def _doses(
    row: MedicineOrder, body: OrderBody, stay: BedStay, had: Sequence[Dose], since: datetime, until: datetime
) -> tuple[DoseRow, ...]:
    now = clock.now()
    done = {one.due_at for one in had if one.state == RECORDED}
    end = min(until, stay.ended_at) if stay.ended_at else until
    planned = [one for one in _plan(row, body, stay.facility.time_zone, since, end) if one not in done]
    found = [dose_row(one) for one in had]
    found += [DoseRow(None, row.pk, one, 0, status_of(one, now), "", None, "") for one in planned]
    return tuple(sorted(found, key=lambda one: one.due_at or one.recorded_at or now))


def dose_row(one: Dose) -> DoseRow:
    """What became of a dose, as readers see it."""
    return DoseRow(
        one.pk, one.order_id, one.due_at, one.number, one.outcome, one.body, one.recorded_at, one.author, one.version,
        one.withdrawn_at, one.withdrawn_because, one.withdrawn_by,
    )  # fmt: skip


def _order(row: MedicineOrder, body: OrderBody) -> OrderRow:
    medicine = formulary.row(row.medicine)
    return OrderRow(
        id=row.pk, stay_id=row.stay_id, patient_id=row.patient_id, medicine=medicine,
        directions=directions(medicine, body), dose=body.dose, unit=body.unit, route=body.route,
        frequency=body.frequency, times=body.times, as_needed=body.as_needed, most=body.most, note=body.note,
        overridden=tuple(f"{one.said} – {one.reason}" for one in body.overrides), starts_at=row.starts_at,
        stops_at=row.stops_at, stopped_because=row.stopped_because, replaces=row.replaces_id, author=row.author,
        state=row.state, version=row.version,
    )  # fmt: skip


def directions(medicine: MedicineRow, body: OrderBody) -> str:
    """ "1 tablet by mouth twice a day", or "… when needed, at most 4 times in 24 hours"."""
    if not body.as_needed:
        return sentences.directions(medicine, body)
    said = _("%(dose)s %(route)s when needed, at most %(most)s in 24 hours") % {
        "dose": sentences.amount(body.dose, body.unit), "route": Route(body.route).label, "most": body.most,
    }  # fmt: skip
    return f"{said}. {body.note}" if body.note else said
