"""From added-up measures to the figures people read. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from statistics import median
from typing import Final

from polyclinic.analytics.cells import Cell
from polyclinic.analytics.rows import DayFigures, Figures, Money, Spread, Wait
from polyclinic.scheduling.states import APPOINTMENT, CANCELLED, CHECKED_IN, COMPLETED, DECLINED, NO_SHOW
from polyclinic.visits.words import Line

Measures = Mapping[str, Cell]
_NOTHING: Final = Cell()
_HELD: Final = tuple(state for state in sorted(APPOINTMENT.states()) if state not in (CANCELLED, DECLINED))
_MONEY: Final = ("charged", "tax", "less", "taken")


def figures(measures: Measures, *, revenue: bool = False) -> Figures:
    """What these come to; money only when it may be seen."""
    by_status = {state: _count(measures, f"appointments.{state}") for state in sorted(APPOINTMENT.states())}
    return Figures(
        appointments=sum(by_status[state] for state in _HELD),
        by_status=by_status,
        no_show_rate=_share(by_status[NO_SHOW], by_status[NO_SHOW] + by_status[CHECKED_IN] + by_status[COMPLETED]),
        came=_count(measures, "visits.came"),
        done=_count(measures, "visits.done"),
        left=_count(measures, "visits.left"),
        waits=tuple(Wait(line.value, _spread(measures, f"wait.{line.value}")) for line in Line),
        visit=_spread(measures, "visit"),
        consultation=_spread(measures, "consultation"),
        tests=_count(measures, "tests.ordered"),
        test_turnaround=_spread(measures, "tests"),
        occupancy=_occupancy(measures),
        bed_turnaround=_spread(measures, "turnaround"),
        trips=_count(measures, "trips.asked"),
        trips_cancelled=_count(measures, "trips.cancelled"),
        dispatch=_spread(measures, "dispatch"),
        response=_spread(measures, "response"),
        trip_hours=round(measures.get("trip", _NOTHING).total / 3600, 1),
        revenue=money(measures) if revenue else None,
    )


def day_figures(day: date, many: int, measures: Measures, *, revenue: bool, currency: str) -> DayFigures:
    """So many days from this one as the charts draw them; money in the currency the facility charges in now."""
    held = sum(_count(measures, f"appointments.{state}") for state in _HELD)
    wait = measures.get(f"wait.{Line.DOCTOR.value}", _NOTHING).percentile(0.5)
    charged = measures.get(f"charged.{currency}", _NOTHING).total - measures.get(f"less.{currency}", _NOTHING).total
    return DayFigures(
        day=day, days=many, appointments=held, no_shows=_count(measures, f"appointments.{NO_SHOW}"),
        came=_count(measures, "visits.came"), wait=None if wait is None else round(wait),
        occupancy=_occupancy(measures), charged_minor=charged if revenue else None,
    )  # fmt: skip


def drawn(currency: str) -> frozenset[str]:
    """The measures that `day_figures` looks at."""
    states = {f"appointments.{state}" for state in APPOINTMENT.states()}
    others = {"visits.came", f"wait.{Line.DOCTOR.value}", "beds.occupied", "beds.usable"}
    return frozenset(states | others | {f"charged.{currency}", f"less.{currency}"})


def money(measures: Measures) -> tuple[Money, ...]:
    """A row for each currency in which anything was booked."""
    units = sorted({name.partition(".")[2] for name in measures if name.partition(".")[0] in _MONEY})
    return tuple(Money(unit, *(measures.get(f"{kind}.{unit}", _NOTHING).total for kind in _MONEY)) for unit in units)


def busy(one: Figures) -> bool:
    """Whether somebody with these figures saw anybody."""
    return bool(one.by_status[CHECKED_IN] + one.by_status[COMPLETED] + one.came)


def compared(one: Figures) -> dict[str, float | None]:
    """The figures of a doctor that a median is made of; durations in seconds."""
    wait = next(row.spread.p50 for row in one.waits if row.line == Line.DOCTOR.value)
    return {
        "appointments": one.appointments, "no_show_rate": one.no_show_rate, "wait": wait,
        "consultation": one.consultation.p50, "tests": one.tests, "test_turnaround": one.test_turnaround.p50,
    }  # fmt: skip


def medians(all_of_them: list[Figures]) -> dict[str, float | None]:
    """The median doctor, figure by figure; None where nobody has one."""
    rows = [compared(one) for one in all_of_them]
    return {
        name: median(known) if (known := [value for row in rows if (value := row[name]) is not None]) else None
        for name in rows[0]
    }


def _count(measures: Measures, name: str) -> int:
    return measures.get(name, _NOTHING).count


def _share(part: int, whole: int) -> float | None:
    return round(100 * part / whole, 1) if whole else None


def _occupancy(measures: Measures) -> float | None:
    return _share(measures.get("beds.occupied", _NOTHING).total, measures.get("beds.usable", _NOTHING).total)


def _spread(measures: Measures, name: str) -> Spread:
    cell = measures.get(name, _NOTHING)
    mean, *parts = (cell.mean, *(cell.percentile(share) for share in (0.5, 0.9, 0.95)))
    rounded = [None if one is None else round(one) for one in (mean, *parts)]
    return Spread(cell.count, *rounded)
