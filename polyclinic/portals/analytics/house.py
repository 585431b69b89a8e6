"""What the pages of figures share: at which facility, over which days, and the address that says so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest

from polyclinic.analytics.days import COMPARISONS
from polyclinic.core.access import policy
from polyclinic.core.errors import Invalid, NotFound
from polyclinic.core.ids import parse_id
from polyclinic.facilities import selectors as facilities
from polyclinic.facilities.selectors import FacilityRow
from polyclinic.portals.analytics.words import RANGES
from polyclinic.portals.common import day_of, person_of, today_in


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page is about. `preset` is the number of days when one press chose them."""

    place: FacilityRow
    places: list[tuple[UUID, str]]
    first: date
    last: date
    compare: str
    preset: int

    def query(self, **more: object) -> str:
        """The part of an address that says the same, with what is given changed."""
        given: dict[str, object] = {"place": self.place.id, "from": self.first, "to": self.last}
        if self.compare:
            given["compare"] = self.compare
        return "?" + urlencode({name: str(value) for name, value in (given | more).items() if value != ""})


def key(text: str | None) -> UUID:
    """An id from an address; anything that is none is answered as missing."""
    found = parse_id(text)
    if found is None:
        raise NotFound()
    return found


def asked(request: HttpRequest, *, any_days: bool = False) -> Asked:
    """The facility (`place`, else the first), the days (`days`, or `from` and `to`, else thirty) and `compare`.

    Raises NotFound for a foreign place, Invalid for what is no day; with `any_days` it is the thirty instead.
    """
    person = person_of(request)
    mine = policy.places(person, "analytics.view")
    known = [row for row in facilities.facilities(person) if row.id in mine]
    wanted = request.GET.get("place")
    place = next((row for row in known if not wanted or row.id == parse_id(wanted)), None)
    if place is None:
        raise NotFound()
    today = today_in(place.time_zone)
    preset = next((days for days, _label in RANGES if str(days) == request.GET.get("days")), 0)
    if any_days or not (preset or request.GET.get("from") or request.GET.get("to")):
        preset = 30
    last = today if preset else _day(request, "to", today)
    first = last - timedelta(days=(preset or 30) - 1)
    if not preset:
        first = _day(request, "from", first)
    compare = request.GET.get("compare", "")
    if compare not in COMPARISONS:
        compare = ""
    return Asked(place, [(row.id, row.name) for row in known], first, last, compare, preset)


def _day(request: HttpRequest, name: str, default: date) -> date:
    try:
        return day_of(request.GET.get(name), default)
    except Invalid as problem:
        problem.field = name
        raise
