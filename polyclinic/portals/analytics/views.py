"""The figures of a house: what goes on now, ranges of days as charts and tables, and down to one doctor's day."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from polyclinic.analytics import selectors
from polyclinic.analytics.rows import FEWEST, DayFigures, Stats
from polyclinic.billing import money
from polyclinic.core.errors import Invalid
from polyclinic.portals.analytics import drawing, words
from polyclinic.portals.analytics.house import Asked, asked, key
from polyclinic.portals.common import person_of, show
from polyclinic.portals.forms import errors_of
from polyclinic.portals.sheets import sheet
from polyclinic.portals.ui.formats import clinical_date
from polyclinic.visits.words import Line
from polyclinic.web.access import declare

Value = Callable[[DayFigures], float | None]
_FIGURES: Final[dict[str, Any]] = {"words": words, "LINE_WORDS": dict(Line.choices), "STATES": words.STATES}


@declare("analytics.view")
@require_GET
def dashboard(request: HttpRequest) -> HttpResponse:
    """A house now and over a range. Without JavaScript the range is a form like any other."""
    errors: dict[str, list[str]] = {}
    status, wanted, stats, charts = 200, None, None, []
    try:
        wanted = asked(request)
        stats = selectors.stats(person_of(request), wanted.place.id, wanted.first, wanted.last, wanted.compare)
        charts = _charts(stats, wanted)
    except Invalid as problem:
        errors, status = errors_of(problem), problem.status
    if wanted is None:
        # Days that cannot be read: the rest of the page stands, for another try.
        wanted = asked(request, any_days=True)
    return show(
        request, "analytics/dashboard.html", status, asked=wanted, stats=stats, charts=charts, errors=errors,
        kpis=words.kpis(stats.figures, stats.before) if stats else [], **_now(request, wanted), **_FIGURES,
    )  # fmt: skip


@declare("analytics.view")
@require_GET
def now(request: HttpRequest) -> HttpResponse:
    """Only the tiles, drawn anew as things happen."""
    wanted = asked(request)
    return show(request, "analytics/_now.html", asked=wanted, **_now(request, wanted), **_FIGURES)


@declare("analytics.view")
@require_GET
def departments(request: HttpRequest) -> HttpResponse:
    """The departments over the range: the first step down."""
    wanted = asked(request)
    parts = selectors.departments(person_of(request), wanted.place.id, wanted.first, wanted.last)
    return show(request, "analytics/departments.html", asked=wanted, parts=parts, **_FIGURES)


@declare("analytics.view")
@require_GET
def doctors(request: HttpRequest) -> HttpResponse:
    """The doctors of one department over the range."""
    wanted, department = asked(request), request.GET.get("department")
    parts = selectors.doctors(
        person_of(request), wanted.place.id, key(department) if department else None, wanted.first, wanted.last
    )
    return show(
        request, "analytics/doctors.html", asked=wanted, parts=parts, department=department or "", **_FIGURES
    )  # fmt: skip


@declare("analytics.view")
@require_GET
def day(request: HttpRequest) -> HttpResponse:
    """One doctor's appointments of the range's last day, without whose they are."""
    wanted = asked(request)
    name, rows = selectors.slots(person_of(request), wanted.place.id, key(request.GET.get("doctor")), wanted.last)
    return show(request, "analytics/day.html", asked=wanted, doctor=name, rows=rows, **_FIGURES)


@declare("analytics.view")
@require_GET
def days_sheet(request: HttpRequest) -> HttpResponse:
    """Each day of the range for a spreadsheet. Durations in seconds, money with a point and no currency."""
    wanted = asked(request)
    stats = selectors.stats(person_of(request), wanted.place.id, wanted.first, wanted.last, step=1)
    unit = stats.currency
    return sheet(
        f"days-{wanted.first}-{wanted.last}",
        ("day", "appointments", "no_shows", "visits", "doctor_wait_median_seconds", "beds_occupied_percent", "charged",
         "currency"),
        (
            (one.day.isoformat(), one.appointments, one.no_shows, one.came, one.wait, one.occupancy,
             None if one.charged_minor is None else money.plain(one.charged_minor, unit), unit)
            for one in stats.days
        ),
    )  # fmt: skip


@declare("analytics.view")
@require_GET
def doctors_sheet(request: HttpRequest) -> HttpResponse:
    """The doctors of a department, or all who belong to none, for a spreadsheet."""
    wanted, department = asked(request), request.GET.get("department")
    parts = selectors.doctors(
        person_of(request), wanted.place.id, key(department) if department else None, wanted.first, wanted.last
    )
    return sheet(
        f"doctors-{wanted.first}-{wanted.last}",
        ("doctor", "appointments", "no_show_percent", "visits", "wait_median_seconds", "consultation_median_seconds",
         "tests"),
        (
            (one.name, one.figures.appointments, one.figures.no_show_rate, one.figures.came,
             _doctors_wait(one.figures), one.figures.consultation.p50, one.figures.tests)
            for one in parts
        ),
    )  # fmt: skip


@declare("analytics.own")
@require_GET
def own(request: HttpRequest) -> HttpResponse:
    """A doctor's own figures, beside the median of their department."""
    days = next((many for many, _label in words.RANGES if str(many) == request.GET.get("days")), 30)
    rows = selectors.own(person_of(request), days)
    return show(
        request, "analytics/own.html", rows=rows, days=days, nav={"current": "own"}, fewest=FEWEST, **_FIGURES
    )  # fmt: skip


def _doctors_wait(one: Any) -> int | None:  # noqa: ANN401 - Figures
    return next((row.spread.p50 for row in one.waits if row.line == Line.DOCTOR.value), None)


def _now(request: HttpRequest, wanted: Asked) -> dict[str, Any]:
    return {"now": selectors.now(person_of(request), wanted.place.id)}


def _charts(stats: Stats, wanted: Asked) -> list[dict[str, Any]]:
    """Each picture with the table that says the same: columns of (words, value), rows with their days."""
    weekly = any(one.days > 1 for one in stats.days)
    by = _("by week") if weekly else _("by day")
    found = [
        _chart("appointments", _("Appointments"), by, stats, words.number, lambda one: one.appointments,
               _("Did not come"), lambda one: one.no_shows),
        _chart("visits", _("Visits"), by, stats, words.number, lambda one: one.came),
        _chart("wait", _("Median wait for a doctor"), by, stats, words.duration, lambda one: one.wait),
        _chart("beds", _("Beds occupied"), by, stats, words.percent, lambda one: one.occupancy),
    ]  # fmt: skip
    if stats.figures.revenue is not None:

        def say(minor: float | None) -> str:
            return words.NOTHING if minor is None else money.shown(round(minor), stats.currency)

        found.append(_chart("charged", _("Charged"), by, stats, say, lambda one: one.charged_minor))
    for chart in found:
        chart["query"] = wanted.query
    return found


def _chart(
    name: str,
    title: str,
    by: str,
    stats: Stats,
    say: Callable[[float | None], str],
    value: Value,
    inner_title: str = "",
    inner: Value | None = None,
) -> dict[str, Any]:
    values = [value(one) for one in stats.days]
    within = [inner(one) for one in stats.days] if inner else []
    known = [one for one in values if one is not None]
    about = _("From %(least)s to %(most)s, %(by)s. The table below says each.") % {
        "least": say(min(known, default=None)), "most": say(max(known, default=None)), "by": by,
    }  # fmt: skip
    if inner_title:
        about += " " + _("The darker part: %(what)s.") % {"what": inner_title}
    ends = clinical_date(stats.first), clinical_date(stats.last)
    top = say(drawing.ceiling(values))
    heads = [title, inner_title] if inner_title else [title]
    series = [values, within] if inner else [values]
    return {
        "name": name, "title": f"{title}, {by}", "heads": heads,
        "svg": drawing.columns(f"chart-{name}", f"{title}, {by}", about, values, ends, top, within),
        "rows": [(one, [say(row[place]) for row in series]) for place, one in enumerate(stats.days)],
    }  # fmt: skip
