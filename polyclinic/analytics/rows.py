"""Figures as they leave this package. Durations are seconds, money is whole units of the currency's smallest coin."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final
from uuid import UUID

import msgspec

from polyclinic.scheduling.stats import FacilityStats


class Spread(msgspec.Struct, frozen=True, rename="camel"):
    """How long something took: the average, and the times within which half, nine and nineteen of twenty were done.

    Percentiles are within 5 % of the true ones (`analytics.cells`); None where nothing was measured.
    """

    count: int
    mean: int | None
    p50: int | None
    p90: int | None
    p95: int | None


class Wait(msgspec.Struct, frozen=True, rename="camel"):
    """The waits in one queue, from joining it to being called."""

    line: str
    spread: Spread


class Money(msgspec.Struct, frozen=True, rename="camel"):
    """What the books say in one currency: charged without tax, tax, what made it less, what came in without refunds."""

    currency: str
    charged_minor: int
    tax_minor: int
    less_minor: int
    taken_minor: int


class Figures(msgspec.Struct, frozen=True, rename="camel"):
    """A house or a doctor over some days. `appointments` is without those cancelled or declined.

    `no_show_rate` is the share of those who did not come among those who came or did not, in per cent; `occupancy` the
    share of bed time, without blocked beds, in which somebody lay there; `trip_hours` how long ambulances were under
    way. `revenue` is None for who may not see it.
    """

    appointments: int
    by_status: dict[str, int]
    no_show_rate: float | None
    came: int
    done: int
    left: int
    waits: tuple[Wait, ...]
    visit: Spread
    consultation: Spread
    tests: int
    test_turnaround: Spread
    occupancy: float | None
    bed_turnaround: Spread
    trips: int
    trips_cancelled: int
    dispatch: Spread
    response: Spread
    trip_hours: float
    revenue: tuple[Money, ...] | None


class DayFigures(msgspec.Struct, frozen=True, rename="camel"):
    """A day of a range, or of a long one a week, as the charts draw it: `day` is the first of `days`.

    `wait` is the median in the doctors' queue, in seconds; `charged_minor` what was charged less what fell away.
    """

    day: date
    days: int
    appointments: int
    no_shows: int
    came: int
    wait: int | None
    occupancy: float | None
    charged_minor: int | None

    @property
    def last(self) -> date:
        """The last of the days."""
        return self.day + timedelta(days=self.days - 1)


class Now(msgspec.Struct, frozen=True, rename="camel"):
    """A house at this moment. `low_stock` counts medicines at or below their reorder point; None where hidden."""

    day: date
    appointments: int
    by_status: dict[str, int]
    waiting: int
    beds_free: int
    beds_occupied: int
    beds: int
    vehicles_out: int
    vehicles: int
    low_stock: int | None
    taken: tuple[Money, ...] | None


class Stats(msgspec.Struct, frozen=True, rename="camel"):
    """Figures of a range of days in the facility's calendar, what they are compared with, and each day.

    `pending` days are over and not counted yet, or being counted again: their figures may still change.
    """

    facility_id: UUID
    first: date = msgspec.field(name="from")
    last: date = msgspec.field(name="to")
    figures: Figures
    before_from: date | None
    before_to: date | None
    before: Figures | None
    days: tuple[DayFigures, ...]
    # What `chargedMinor` of the days is in; empty for who may not see it.
    currency: str
    pending: int


class HospitalStats(FacilityStats, frozen=True, rename="camel"):
    """A day with what is going on now, and, where a range is asked for, its figures."""

    now: Now
    range: Stats | None


class PlaceFigures(msgspec.Struct, frozen=True, rename="camel"):
    """One of the facilities somebody runs."""

    facility_id: UUID
    name: str
    figures: Figures
    before: Figures | None
    pending: int


class Analytics(msgspec.Struct, frozen=True, rename="camel"):
    """All facilities somebody runs, over the same days of each one's calendar."""

    first: date = msgspec.field(name="from")
    last: date = msgspec.field(name="to")
    before_from: date | None
    before_to: date | None
    facilities: tuple[PlaceFigures, ...]


class Part(msgspec.Struct, frozen=True, rename="camel"):
    """One department or doctor; `id` is None for doctors who belong to no department."""

    id: UUID | None
    name: str
    doctors: int
    figures: Figures


class Slot(msgspec.Struct, frozen=True, rename="camel"):
    """One appointment without its patient: when, for what, and how it ended."""

    starts: str
    service: str
    status: str


class Compared(msgspec.Struct, frozen=True, rename="camel"):
    """A doctor beside the median of their department, which is None with fewer than five doctors who saw somebody."""

    place: str
    department: str
    doctors: int
    own: Figures
    medians: dict[str, float | None] | None


FEWEST: Final = 5
