"""The design gallery: every part of the design system in every way it can look. Nothing here is a real person."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from polyclinic.core import clock
from polyclinic.portals.ui import formats
from polyclinic.web.access import declare
from polyclinic.web.pages import render

# Query name -> values that may be given; anything else counts as the first.
SWITCHES: Final[dict[str, tuple[str, ...]]] = {
    "theme": ("light", "dark"),
    "density": ("comfortable", "compact"),
    "contrast": ("normal", "more"),
    "dir": ("ltr", "rtl"),
}
_ZONE: Final = "Asia/Kolkata"
_BORN: Final = date(1945, 7, 14)


def _labels() -> dict[str, str]:
    return {
        "light": _("Light"),
        "dark": _("Dark"),
        "comfortable": _("Comfortable"),
        "compact": _("Compact"),
        "normal": _("Usual contrast"),
        "more": _("High contrast"),
        "ltr": _("Left to right"),
        "rtl": _("Right to left"),
    }


def _switches(chosen: dict[str, str]) -> list[list[tuple[str, str, bool]]]:
    """For each switch its links: each keeps the others as they are."""
    labels = _labels()
    return [
        [("?" + urlencode({**chosen, name: value}), labels[value], chosen[name] == value) for value in values]
        for name, values in SWITCHES.items()
    ]


def _days(first: date) -> list[dict[str, Any]]:
    """Seven days of free times as the slot picker takes them; Saturday is full and Sunday closed."""
    days: list[dict[str, Any]] = []
    for offset in range(7):
        day = first + timedelta(days=offset)
        morning = [f"{9 + minute // 60:02d}:{minute % 60:02d}" for minute in range(0, 60 + 20 * offset, 20)]
        groups = [
            {"label": _("Morning"), "times": [{"value": f"{day}T{time}", "label": time} for time in morning]},
            {"label": _("Afternoon"), "times": [{"value": f"{day}T15:20", "label": "15:20", "checked": offset == 1}]},
        ]
        closed = day.weekday() >= 5
        days.append({"label": formats.short_date(day), "date": day.isoformat(), "groups": [] if closed else groups})
    return days


_ROWS: Final = (
    ("09:00", ("Menon", "Harish"), "M 61", "20981", "warn", "Booked", "Confirm", "alarm"),
    ("09:20", ("Pillai", "Meera"), "F 43", "11872", "brand", "Checked in", "Complete", "now"),
    ("09:40", ("Okafor", "Joseph"), "M 72", "10233", "info", "Confirmed", "Check in", ""),
    ("10:00", ("Khan", "Zoya"), "F 6", "22417", "ok", "Completed", "", "quiet"),
)


def _rows() -> list[dict[str, str]]:
    names = ("time", "name", "who", "mrn", "kind", "state", "action", "css")
    return [dict(zip(names, (row[0], formats.staff_name(row[1]), *row[2:]), strict=True)) for row in _ROWS]


@declare("public")
@require_safe
def design(request: HttpRequest) -> HttpResponse:
    """The gallery; the query chooses theme, density, contrast and direction."""
    chosen = {
        name: request.GET.get(name, "") if request.GET.get(name, "") in values else values[0]
        for name, values in SWITCHES.items()
    }
    context = {
        "page_theme": chosen["theme"],
        "page_density": chosen["density"],
        "page_contrast": chosen["contrast"] == "more",
        "page_direction": chosen["dir"],
        "switches": _switches(chosen),
        "days": _days(date(2026, 11, 23)),
        "rows": _rows(),
        "born": _BORN,
        "until": clock.now() + timedelta(minutes=4),
        "zone": _ZONE,
        "moment": datetime(2026, 11, 23, 3, 50, tzinfo=UTC),
        "errors": {"born": [_("Enter a date of birth such as 14 7 1945.")], "email": [_("Enter an e-mail address.")]},
    }
    return render(request, "ui/gallery.html", context)
