"""What the desk's pages share: at which facility, at which counter, and the words and buttons of a visit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import segno
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from markupsafe import Markup

from polyclinic.core.access import policy
from polyclinic.core.errors import NotFound
from polyclinic.core.ids import parse_id
from polyclinic.facilities import selectors as facilities
from polyclinic.portals.common import person_of
from polyclinic.visits import arranging, selectors
from polyclinic.visits.rows import VisitRow
from polyclinic.visits.words import Line, Priority
from polyclinic.web import cookies

STAGES: Final = {
    "registered": (_("Fee open"), "warn"),
    "paid": (_("For the check"), "info"),
    "lab_pending": (_("Laboratory"), "info"),
    "checked": (_("For the doctor"), "brand"),
    "lab_done": (_("Results are there"), "brand"),
    "diagnosed": (_("Pharmacy"), "ok"),
    "done": (_("Done"), "ok"),
    "left": (_("Left"), ""),
    "cancelled": (_("Cancelled"), ""),
}
PLACES: Final = {
    "waiting": (_("Waiting"), ""),
    "called": (_("Called"), "brand"),
    "serving": (_("Being seen"), "ok"),
    "held": (_("On hold"), "warn"),
    "skipped": (_("Skipped"), "warn"),
    "no_show": (_("Not come"), "bad"),
}
PRIORITIES: Final = {"emergency": "bad", "urgent": "warn", "priority": "info", "appointment": "ok", "routine": ""}


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the queue as a button."""

    action: str
    label: Promise
    icon: str


STEPS: Final = {
    step.action: step
    for step in (
        Step("call", _("Call"), "megaphone"),
        Step("recall", _("Call again"), "megaphone"),
        Step("serve", _("Is here"), "circle-check"),
        Step("hold", _("Hold"), "circle-pause"),
        Step("resume", _("Resume"), "play"),
        Step("skip", _("Skip"), "skip-forward"),
        Step("no_show", _("Not come"), "user-x"),
    )
}
_MAIN: Final = {"waiting": "call", "called": "recall", "held": "resume", "skipped": "call", "no_show": "resume"}
_MORE: Final = {
    "waiting": ("serve", "hold"),
    "called": ("serve", "hold", "skip", "no_show"),
    "held": ("call",),
    "skipped": ("resume", "hold", "no_show"),
    "no_show": ("call",),
}


def place_of(request: HttpRequest, permission: str = "visit.register") -> Any:  # noqa: ANN401 - a facility's row
    """The facility the page is about: `place=`, else the first at which this person may do this."""
    person = person_of(request)
    mine = policy.places(person, permission)
    known = [row for row in facilities.facilities(person) if row.id in mine]
    wanted = request.POST.get("place") or request.GET.get("place")
    if wanted:
        found = parse_id(wanted)
        known = [row for row in known if row.id == found]
    if not known:
        raise NotFound()
    return known[0]


def id_of(text: str) -> UUID:
    """The id in an address. A malformed one is answered like a missing thing."""
    found = parse_id(text)
    if found is None:
        raise NotFound()
    return found


def frame(request: HttpRequest, here: str, place: Any) -> dict[str, Any]:  # noqa: ANN401 - a facility's row
    """What every page of the desk is given."""
    person = person_of(request)
    return {
        "here": here, "place": place, "STAGES": STAGES, "PLACES": PLACES, "PRIORITIES": PRIORITIES,
        "PRIORITY_WORDS": dict(Priority.choices), "LINE_WORDS": dict(Line.choices), "line_of": line_of,
        "sort_key": selectors.sort_key, "counters": arranging.counters(person, place.id),
        "counter": counter_of(request), "arranges": place.id in policy.places(person, "visit.arrange"),
    }  # fmt: skip


def counter_of(request: HttpRequest) -> UUID | None:
    """The counter at which this person works today, as they last chose it in this browser."""
    return parse_id(cookies.COUNTER.of(request))


@dataclass(frozen=True, slots=True)
class Buttons:
    """The usual step of a place in a queue, and the others."""

    main: Step | None
    more: tuple[Step, ...]


def line_of(row: VisitRow) -> Buttons:
    """The steps of a row as buttons."""
    if row.place is None:
        return Buttons(None, ())
    main = STEPS.get(_MAIN.get(row.place.state, ""))
    return Buttons(main, tuple(STEPS[name] for name in _MORE.get(row.place.state, ())))


def picture_of(text: str) -> Markup:
    """A text as a QR code, in SVG."""
    picture = segno.make(text, error="m").svg_inline(scale=4, dark="#000", light="#fff", border=2, omitsize=True)
    return Markup(picture)  # noqa: S704 - made by segno; the text is encoded as modules, never as markup
