"""How figures read: durations, shares, money, and what is compared with what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from polyclinic.analytics.rows import Figures, Money
from polyclinic.billing import money

STATES: Final = {
    "booked": lazy("Booked"), "confirmed": lazy("Confirmed"), "checked_in": lazy("Checked in"),
    "completed": lazy("Completed"), "no_show": lazy("Did not come"), "cancelled": lazy("Cancelled"),
    "declined": lazy("Declined"),
}  # fmt: skip
COMPARE: Final = (
    ("", lazy("With nothing")),
    ("previous", lazy("With the days before")),
    ("year", lazy("With the same days a year ago")),
)
# Days of a range that one press chooses.
RANGES: Final = ((7, lazy("7 days")), (30, lazy("30 days")), (91, lazy("Quarter")), (365, lazy("Year")))
NOTHING: Final = "–"
HOUR: Final = 3600


def duration(seconds: float | None) -> str:
    """45 s, 12 min, 2 h 05 min; a dash of nothing."""
    if seconds is None:
        return NOTHING
    whole = round(seconds)
    if whole < 60:
        return _("%(num)d s") % {"num": whole}
    minutes = round(whole / 60)
    if minutes < 60:
        return _("%(num)d min") % {"num": minutes}
    return _("%(hours)d h %(minutes)02d min") % {"hours": minutes // 60, "minutes": minutes % 60}


def percent(share: float | None) -> str:
    """12.5 %; a dash of nothing."""
    if share is None:
        return NOTHING
    return _("%(share)s %%") % {"share": formats.number_format(share, 1, use_l10n=True)}


def number(count: float | None) -> str:
    """1,234; a dash of nothing."""
    if count is None:
        return NOTHING
    shown = int(count) if count == int(count) else round(count, 1)
    return formats.number_format(shown, use_l10n=True, force_grouping=True)


def earned(rows: tuple[Money, ...] | None) -> str:
    """What was charged less what fell away, in each currency."""
    if rows is None:
        return NOTHING
    return " + ".join(money.shown(row.charged_minor - row.less_minor, row.currency) for row in rows) or NOTHING


_SHOWN: Final[tuple[tuple[Any, Callable[[Figures], Any], Callable[[Any], str]], ...]] = (
    (lazy("Appointments"), lambda one: one.appointments, number),
    (lazy("Did not come"), lambda one: one.no_show_rate, percent),
    (lazy("Visits"), lambda one: one.came, number),
    (lazy("Left before the end"), lambda one: one.left, number),
    (lazy("A visit, median"), lambda one: one.visit.p50, duration),
    (lazy("Tests ordered"), lambda one: one.tests, number),
    (lazy("Beds occupied"), lambda one: one.occupancy, percent),
    (lazy("Ambulance trips"), lambda one: one.trips, number),
    (lazy("Ambulances under way"), lambda one: one.trip_hours * HOUR, duration),
    (lazy("Charged"), lambda one: one.revenue, earned),
)


def kpis(one: Figures, before: Figures | None) -> list[dict[str, object]]:
    """The figures of a range, each with what it was before."""
    found = []
    for label, value, say in _SHOWN:
        if label == _("Charged") and one.revenue is None:
            continue
        shown: dict[str, object] = {"label": label, "value": say(value(one))}
        if before is not None:
            shown["note"] = _("before: %(value)s") % {"value": say(value(before))}
        found.append(shown)
    return found


def durations(one: Figures) -> list[tuple[Any, Any]]:
    """What is measured in time beside the waits: a name and a spread."""
    return [
        (_("A visit, from the desk to its end"), one.visit),
        (_("With the doctor"), one.consultation),
        (_("A test, from the order to the verified result"), one.test_turnaround),
        (_("A bed, from leaving to clean"), one.bed_turnaround),
        (_("An ambulance, until it was sent"), one.dispatch),
        (_("An ambulance, until it was there"), one.response),
    ]
