"""What somebody may read of a house's figures. Nobody is named but doctors to those who run their house, so reading
leaves no entry about any patient."""

from __future__ import annotations

from collections import Counter
from datetime import date
from itertools import pairwise
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Count

from polyclinic.analytics import days, reading
from polyclinic.analytics.cells import Body, Cells, cells, join, merge
from polyclinic.analytics.counting import Day, add_money
from polyclinic.analytics.days import ONE, Range
from polyclinic.analytics.figures import busy, day_figures, drawn, figures, medians, money
from polyclinic.analytics.rows import (
    FEWEST,
    Analytics,
    Compared,
    HospitalStats,
    Now,
    Part,
    PlaceFigures,
    Slot,
    Stats,
)
from polyclinic.billing.books import currency_of
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Person, Viewer
from polyclinic.core.errors import NotFound, Unauthenticated
from polyclinic.facilities.models import Facility
from polyclinic.inpatient.models import Bed
from polyclinic.inpatient.states import AVAILABLE, OCCUPIED, RETIRED
from polyclinic.people.models import Doctor
from polyclinic.pharmacy.models import StockLevel
from polyclinic.scheduling import stats as scheduling
from polyclinic.scheduling.models import Appointment, Schedule
from polyclinic.scheduling.states import APPOINTMENT, CANCELLED, DECLINED
from polyclinic.transport.models import Ambulance, AmbulanceTrip
from polyclinic.transport.states import IN_SERVICE
from polyclinic.visits.models import QueueEntry
from polyclinic.visits.states import WAITING

# More days than this are drawn by weeks.
DAILY: Final = 45


def now(viewer: Viewer, facility_id: UUID) -> Now:
    """The house at this moment. Raises NotFound where the viewer may not see its day in figures."""
    policy.require_sight(viewer, "facility.stats", Subject(facility_id=facility_id))
    zone = days.zone_of(facility_id)
    today = days.today(zone)
    low, high = days.ends(today, zone)
    place = {"facility_id": facility_id}
    counted = Appointment.objects.filter(**place, starts__gte=low, starts__lt=high).order_by().values_list("state")
    by_status = dict.fromkeys(APPOINTMENT.states(), 0) | dict(counted.annotate(Count("pk")))
    beds = Counter(dict(Bed.objects.filter(**place).exclude(state=RETIRED).values_list("state").annotate(Count("pk"))))
    taken = None
    if policy.allowed(viewer, "revenue.view", Subject(**place)):
        day = Day()
        add_money(day, facility_id, low, high)
        taken = money(day.house)
    low_stock = None
    if policy.allowed(viewer, "stock.view", Subject(**place)):
        low_stock = StockLevel.objects.filter(**place, low_since__isnull=False).count()
    return Now(
        day=today,
        appointments=sum(number for state, number in by_status.items() if state not in (CANCELLED, DECLINED)),
        by_status=by_status,
        waiting=QueueEntry.objects.filter(**place, ended_at__isnull=True, state=WAITING).count(),
        beds_free=beds[AVAILABLE],
        beds_occupied=beds[OCCUPIED],
        beds=beds.total(),
        vehicles_out=AmbulanceTrip.objects.filter(**place, closed_at__isnull=True, ambulance__isnull=False).count(),
        vehicles=Ambulance.objects.filter(**place, state=IN_SERVICE).count(),
        low_stock=low_stock,
        taken=taken,
    )


def hospital(
    viewer: Viewer,
    facility_id: UUID,
    *,
    day: date | None = None,
    first: date | None = None,
    last: date | None = None,
    compare: str = "",
) -> HospitalStats:
    """A day with what is going on now, and a range where one is asked for, which is a right of its own.

    Raises NotFound, Forbidden (a range), Invalid naming `from`, `to` or `compare`.
    """
    one = scheduling.facility_stats(viewer, facility_id, day)
    found = None
    if first is not None or last is not None or compare:
        policy.require(viewer, "analytics.view", Subject(facility_id=facility_id))
        found = stats(viewer, facility_id, first, last, compare)
    given = {name: getattr(one, name) for name in scheduling.FacilityStats.__struct_fields__}
    return HospitalStats(**given, now=now(viewer, facility_id), range=found)


def stats(
    viewer: Viewer,
    facility_id: UUID,
    first: date | None = None,
    last: date | None = None,
    compare: str = "",
    step: int = 0,
) -> Stats:
    """Figures of a range, thirty days until today unless told, and of each `step` days in it (0: days or weeks).

    Raises NotFound, Invalid (`from`, `to`, `compare`).
    """
    zone, today, wanted = _asked(viewer, facility_id, first, last)
    before = wanted.before(compare)
    revenue = policy.allowed(viewer, "revenue.view", Subject(facility_id=facility_id))
    currency = currency_of(facility_id) if revenue else ""
    found = reading.house(facility_id, wanted, zone)
    # Days before a range that may be asked for are over: they are in the rollups.
    past = figures(reading.total(facility_id, before), revenue=revenue) if before else None
    names = drawn(currency)
    step = step or (1 if wanted.days <= DAILY else 7)
    starts = [wanted.first + ONE * n for n in range(0, wanted.days, step)]
    return Stats(
        facility_id=facility_id,
        first=wanted.first,
        last=wanted.last,
        figures=figures(merge(found.values()), revenue=revenue),
        before_from=before.first if before else None,
        before_to=before.last if before else None,
        before=past,
        days=tuple(
            day_figures(one, (until - one).days, _of(found, one, until, names), revenue=revenue, currency=currency)
            for one, until in pairwise((*starts, wanted.last + ONE))
        ),
        currency=currency,
        pending=reading.pending([facility_id], wanted, {facility_id: today - ONE})[facility_id],
    )


def analytics(viewer: Viewer, first: date | None = None, last: date | None = None, compare: str = "") -> Analytics:
    """All facilities the viewer runs, over whole days: until yesterday, in whichever zone that was last.

    Raises NotFound for who runs none, Invalid.
    """
    if not isinstance(viewer, Person):
        raise Unauthenticated()
    ids = policy.places(viewer, "analytics.view")
    if not ids:
        raise NotFound()
    places = list(Facility.objects.filter(pk__in=ids).order_by("name"))
    yesterday = {place.pk: days.today(ZoneInfo(place.time_zone)) - ONE for place in places}
    newest = max(yesterday.values())
    last = last or newest
    wanted = days.span(first or last - ONE * 29, last, newest)
    before = wanted.before(compare)
    seen = policy.places(viewer, "revenue.view")
    found = reading.totals(ids, wanted)
    past = reading.totals(ids, before) if before else None
    waiting = reading.pending(list(yesterday), wanted, yesterday)
    return Analytics(
        first=wanted.first,
        last=wanted.last,
        before_from=before.first if before else None,
        before_to=before.last if before else None,
        facilities=tuple(
            PlaceFigures(
                facility_id=place.pk,
                name=place.name,
                figures=figures(found[place.pk], revenue=place.pk in seen),
                before=figures(past[place.pk], revenue=place.pk in seen) if past is not None else None,
                pending=waiting[place.pk],
            )
            for place in places
        ),
    )


def departments(
    viewer: Viewer, facility_id: UUID, first: date | None = None, last: date | None = None
) -> tuple[Part, ...]:
    """Each department: its doctors' figures together, by where their schedules say now that they belong.

    Raises NotFound, Invalid.
    """
    zone, _today, wanted = _asked(viewer, facility_id, first, last)
    found = reading.doctors(facility_id, wanted, zone)
    names: dict[UUID | None, str] = {}
    members: dict[UUID | None, list[UUID]] = {}
    for doctor, department, name in _belonging(facility_id):
        names[department] = name or ""
        members.setdefault(department, []).append(doctor)
    # A doctor of the past whose schedule is gone belongs to none.
    members.setdefault(None, []).extend(set(found) - {one for some in members.values() for one in some})
    parts = (
        Part(key, names.get(key, ""), len(some), figures(join(found[one] for one in some if one in found)))
        for key, some in members.items()
        if some
    )
    return tuple(sorted(parts, key=lambda part: (part.id is None, part.name)))


def doctors(
    viewer: Viewer, facility_id: UUID, department_id: UUID | None, first: date | None = None, last: date | None = None
) -> tuple[Part, ...]:
    """Each doctor of a department, or of none. Raises NotFound (a department of another house too), Invalid."""
    zone, _today, wanted = _asked(viewer, facility_id, first, last)
    belong = _belonging(facility_id)
    elsewhere = {doctor for doctor, department, _name in belong if department != department_id}
    own = {doctor for doctor, department, _name in belong if department == department_id}
    if department_id is not None and not own:
        raise NotFound()
    found = reading.doctors(facility_id, wanted, zone, own if department_id is not None else None)
    shown = own | (set(found) - elsewhere if department_id is None else set())
    names = _names(shown)
    return tuple(
        Part(one, names[one], 1, figures(found[one] if one in found else cells()))
        for one in sorted(shown & names.keys(), key=lambda one: names[one])
    )


def slots(viewer: Viewer, facility_id: UUID, doctor_id: UUID, day: date) -> tuple[str, tuple[Slot, ...]]:
    """A doctor's name and their appointments of a day, without whose they are. Raises NotFound, Invalid."""
    zone, _today, wanted = _asked(viewer, facility_id, day, day)
    low, high = days.ends(wanted.first, zone)
    names = _names({doctor_id})
    mine = Appointment.objects.filter(facility_id=facility_id, doctor_id=doctor_id)
    if not names or not (mine.exists() or Schedule.objects.filter(facility_id=facility_id, doctor=doctor_id).exists()):
        raise NotFound()
    rows = mine.filter(starts__gte=low, starts__lt=high).order_by("starts")
    return names[doctor_id], tuple(
        Slot(starts.astimezone(zone).strftime("%H:%M"), service or "", state)
        for starts, service, state in rows.values_list("starts", "service__name", "state")
    )


def own(viewer: Viewer, many: int = 30) -> tuple[Compared, ...]:
    """A doctor's own figures of so many days until today, at each place, beside their department's median doctor.

    Counted are doctors who saw somebody in these days. Of fewer than five there is no median: one could tell whose
    figures they are. Raises NotFound for who is no doctor, Invalid.
    """
    if not isinstance(viewer, Person) or viewer.doctor_id is None:
        raise NotFound() if isinstance(viewer, Person) else Unauthenticated()
    me = viewer.doctor_id
    policy.require_sight(viewer, "analytics.own", Subject(doctor_id=me))
    found = []
    for schedule in (
        Schedule.objects.filter(doctor=me).select_related("facility", "department").order_by("facility__name")
    ):
        zone = ZoneInfo(schedule.facility.time_zone)
        today = days.today(zone)
        wanted = days.span(today - ONE * (many - 1), today, today)
        peers = Schedule.objects.filter(facility=schedule.facility_id, department=schedule.department_id)
        measured = reading.doctors(schedule.facility_id, wanted, zone, set(peers.values_list("doctor_id", flat=True)))
        each = [figures(one) for one in measured.values()]
        seen = [one for one in each if busy(one)]
        found.append(
            Compared(
                place=schedule.facility.name,
                department=schedule.department.name if schedule.department else "",
                doctors=len(seen),
                own=figures(measured.get(me, cells())),
                medians=medians(seen) if len(seen) >= FEWEST else None,
            )
        )
    return tuple(found)


def _asked(viewer: Viewer, facility_id: UUID, first: date | None, last: date | None) -> tuple[ZoneInfo, date, Range]:
    policy.require_sight(viewer, "analytics.view", Subject(facility_id=facility_id))
    zone = days.zone_of(facility_id)
    return zone, days.today(zone), _range(zone, first, last)


def _of(found: dict[date, Body], first: date, until: date, names: frozenset[str]) -> Cells:
    return merge((found[day] for n in range((until - first).days) if (day := first + ONE * n) in found), names)


def _range(zone: ZoneInfo, first: date | None, last: date | None) -> Range:
    today = days.today(zone)
    last = last or today
    return days.span(first or last - ONE * 29, last, today)


def _belonging(facility_id: UUID) -> list[tuple[UUID, UUID | None, str | None]]:
    rows = Schedule.objects.filter(facility_id=facility_id)
    return list(rows.values_list("doctor_id", "department_id", "department__name"))


def _names(doctor_ids: set[UUID]) -> dict[UUID, str]:
    return {one.pk: str(one) for one in Doctor.objects.filter(pk__in=doctor_ids)}
