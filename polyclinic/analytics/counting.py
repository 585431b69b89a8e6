"""What one day of a facility came to, counted from the rows themselves.

Everything belongs to one day and stays there: an appointment to the day it is for, a visit with its waits to the day
it was opened, a test to the day it was ordered, a trip to the day somebody called, money to the day it was booked. Time
in beds is shared out among the days it lasted. So a day depends on few rows, and `analytics.following` can say which
days an event touches. A department's figures are those of its doctors (`analytics.selectors`).
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Count, F, Min, Q, Sum

from polyclinic.analytics import days
from polyclinic.analytics.cells import Cell, Cells, cells
from polyclinic.analytics.models import Rollup
from polyclinic.billing.books import HELD_IN
from polyclinic.billing.figures import LESS
from polyclinic.billing.models import LedgerEntry
from polyclinic.core import clock
from polyclinic.inpatient.models import BedTime
from polyclinic.inpatient.states import AVAILABLE, BLOCKED, CLEANING, OCCUPIED
from polyclinic.laboratory.models import OrderedTest
from polyclinic.laboratory.states import CANCELLED as NOT_MADE
from polyclinic.laboratory.states import DONE as FINISHED
from polyclinic.laboratory.states import OPEN as ORDERED
from polyclinic.scheduling.models import Appointment
from polyclinic.transport import states as trips
from polyclinic.transport.models import AmbulanceTrip, TripStep
from polyclinic.visits.models import QueueEntry, Visit
from polyclinic.visits.states import CANCELLED, DONE, LEFT

Dimension = Rollup.Dimension
Side = LedgerEntry.Side
Key = tuple[str, str]
HOUSE: Final[Key] = (Dimension.HOUSE.value, "")
_HELD: Final = frozenset(HELD_IN.values())


class Day:
    """The measures of one day, by what they are of. What has no doctor or service counts for the house alone."""

    def __init__(self) -> None:
        self.parts: defaultdict[Key, Cells] = defaultdict(cells)

    def of(self, measure: str, doctor: UUID | None = None, service: UUID | None = None) -> list[Cell]:
        """The cells that something counts in: the house's, and its doctor's and service's."""
        found = [self.parts[HOUSE][measure]]
        for dimension, key in ((Dimension.DOCTOR, doctor), (Dimension.SERVICE, service)):
            if key is not None:
                found.append(self.parts[dimension.value, str(key)][measure])
        return found

    @property
    def house(self) -> Cells:
        """What the whole house came to."""
        return self.parts[HOUSE]

    def add(self, measure: str, count: int = 1, total: int = 0, *, doctor: UUID | None = None) -> None:
        for cell in self.of(measure, doctor):
            cell.add(count, total)

    def lasted(self, measure: str, begin: datetime | None, end: datetime | None, doctor: UUID | None = None) -> None:
        """Something took from then until then; what has not begun or not ended does not count."""
        if begin is None or end is None:
            return
        for cell in self.of(measure, doctor):
            cell.lasted((end - begin).total_seconds())


def count(facility_id: UUID, day: date, zone: ZoneInfo) -> Day:
    """The day as the rows tell it now. Of today what has been so far, of a coming day what is booked."""
    low, high = days.ends(day, zone)
    found = Day()
    _appointments(found, facility_id, low, high)
    _visits(found, facility_id, day)
    _tests(found, facility_id, low, high)
    _beds(found, facility_id, low, min(high, clock.now()))
    _trips(found, facility_id, low, high)
    add_money(found, facility_id, low, high)
    return found


def _appointments(found: Day, facility_id: UUID, low: datetime, high: datetime) -> None:
    rows = Appointment.objects.filter(facility_id=facility_id, starts__gte=low, starts__lt=high).order_by()
    for state, doctor, service, number in rows.values_list("state", "doctor_id", "service_id").annotate(Count("pk")):
        for cell in found.of(f"appointments.{state}", doctor, service):
            cell.add(number)


def _visits(found: Day, facility_id: UUID, day: date) -> None:
    rows = Visit.objects.filter(facility_id=facility_id, day=day)
    for state, doctor, opened, closed in rows.values_list("state", "main_doctor_id", "opened_at", "closed_at"):
        if state == CANCELLED:
            continue
        found.add("visits.came", doctor=doctor)
        if state in (DONE, LEFT):
            found.add(f"visits.{state}", doctor=doctor)
        if state == DONE:
            found.lasted("visit", opened, closed, doctor)
    waits = QueueEntry.objects.filter(visit__facility_id=facility_id, visit__day=day).exclude(visit__state=CANCELLED)
    for line, doctor, since, called, serving, ended in waits.values_list(
        "line", "doctor_id", "enqueued_at", "called_at", "serving_at", "ended_at"
    ):
        # Who was never called waited for somebody who came to them: until when, nobody knows.
        begun = called or serving
        found.lasted(f"wait.{line}", since, begun, doctor)
        if line == "doctor":
            found.lasted("consultation", serving or called, ended, doctor)


def _tests(found: Day, facility_id: UUID, low: datetime, high: datetime) -> None:
    rows = OrderedTest.objects.filter(
        # Both states there are, so that the index on facility, state and moment serves.
        order__facility_id=facility_id, order__state__in=(ORDERED, FINISHED), order__ordered_at__gte=low,
        order__ordered_at__lt=high,
    ).exclude(state=NOT_MADE)  # fmt: skip
    # A correction is a later answer: how long somebody waited for the first one does not change by it.
    told = rows.annotate(first=Min("results__verified_at"))
    for doctor, ordered, verified in told.values_list("order__doctor_id", "order__ordered_at", "first"):
        found.add("tests.ordered", doctor=doctor)
        found.lasted("tests", ordered, verified, doctor)


def _beds(found: Day, facility_id: UUID, low: datetime, high: datetime) -> None:
    if high <= low:
        return
    rows = list(
        BedTime.objects.filter(bed__facility_id=facility_id, entered_at__lt=high)
        .filter(Q(left_at__isnull=True) | Q(left_at__gte=low))
        .values_list("bed_id", "state", "entered_at", "left_at")
    )
    free = {(bed, entered) for bed, state, entered, _left in rows if state == AVAILABLE}
    for bed, state, entered, left in rows:
        seconds = int((min(left or high, high) - max(entered, low)).total_seconds())
        if state != BLOCKED:
            found.add("beds.usable", total=seconds)
        if state == OCCUPIED:
            found.add("beds.occupied", total=seconds)
        # A bed that was blocked meanwhile was not being turned round.
        if state == CLEANING and left is not None and low <= left < high and (bed, left) in free:
            found.lasted("turnaround", entered, left)


def _trips(found: Day, facility_id: UUID, low: datetime, high: datetime) -> None:
    rows = AmbulanceTrip.objects.filter(facility_id=facility_id, requested_at__gte=low, requested_at__lt=high)
    steps = TripStep.objects.filter(
        trip__facility_id=facility_id, trip__requested_at__gte=low, trip__requested_at__lt=high
    )
    first: dict[tuple[UUID, str], datetime] = {}
    for trip, step, at in steps.order_by("number").values_list("trip_id", "step", "at"):
        first.setdefault((trip, step), at)
    for trip, state, asked, closed in rows.values_list("pk", "state", "requested_at", "closed_at"):
        found.add("trips.asked")
        if state in (trips.CLEARED, trips.CANCELLED):
            found.add(f"trips.{state}")
        sent = first.get((trip, trips.DISPATCHED))
        found.lasted("dispatch", asked, sent)
        found.lasted("response", asked, first.get((trip, trips.ON_SCENE)))
        if sent is not None:
            found.lasted("trip", sent, closed)


def add_money(found: Day, facility_id: UUID, low: datetime, high: datetime) -> None:
    """What the books say of this stretch, by currency."""
    rows = LedgerEntry.objects.filter(facility_id=facility_id, at__gte=low, at__lt=high).order_by()
    summed = rows.values_list("debit", "credit", "currency").annotate(Count("pk"), Sum(F("amount_minor")))
    for debit, credit, currency, number, amount in summed:
        for measure, sides, into in _MOVES:
            if debit in sides and not (measure == "taken" and credit == Side.TILL):
                found.add(f"{measure}.{currency}", number, amount * into)
            if credit in sides and not (measure == "taken" and debit == Side.TILL):
                found.add(f"{measure}.{currency}", number, -amount * into)


# What each measure of money sums: what goes into these accounts (1) or out of them (-1), less the other way. A box that
# was counted short or over is not money that was taken.
_MOVES: Final = (
    ("charged", frozenset({Side.REVENUE}), -1),
    ("tax", frozenset({Side.TAX}), -1),
    ("less", frozenset(LESS), 1),
    ("taken", _HELD, 1),
)
