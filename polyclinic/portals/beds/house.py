"""What the pages of beds share: at which facility, what this person may do there, and the way back to the board."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest

from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.errors import NotFound, Problem
from polyclinic.core.ids import parse_id
from polyclinic.facilities import selectors as facilities
from polyclinic.facilities.selectors import FacilityRow
from polyclinic.inpatient import words
from polyclinic.inpatient.selectors import sort_key
from polyclinic.portals import meanwhile
from polyclinic.portals.common import local_path, person_of

# Icon and colour of a state; its word stands in `words.BED_STATES`. Never colour alone.
LOOKS: Final = {
    "available": ("bed", "ok"),
    "reserved": ("bookmark", "info"),
    "occupied": ("bed-double", "brand"),
    "cleaning": ("spray-can", "warn"),
    "blocked": ("ban", "bad"),
}
FEATURE_ICONS: Final = {"isolation": "shield", "oxygen": "wind", "intensive": "heart-pulse", "children": "baby"}
_BEDS: Final = ("clean", "block", "arrange")
_STAYS: Final = ("request", "reserve", "cancel", "admit", "transfer", "depart", "plan", "discharge")


def key(text: str | None) -> UUID:
    """An id from an address or a form; anything that is none is answered as missing."""
    found = parse_id(text)
    if found is None:
        raise NotFound()
    return found


def place_of(request: HttpRequest, permission: str = "bed.view") -> tuple[FacilityRow, list[tuple[UUID, str]]]:
    """The facility the page is about (`place=`, else the first of this person's) and those there are to choose from."""
    person = person_of(request)
    mine = policy.places(person, permission)
    known = [row for row in facilities.facilities(person) if row.id in mine]
    wanted = request.POST.get("place") or request.GET.get("place")
    chosen = [row for row in known if not wanted or row.id == parse_id(wanted)]
    if not chosen:
        raise NotFound()
    return chosen[0], [(row.id, row.name) for row in known]


def at(request: HttpRequest, facility_id: UUID) -> FacilityRow:
    """The facility of a thing that this person has been shown."""
    return next(one for one in facilities.facilities(person_of(request)) if one.id == facility_id)


def may(request: HttpRequest, subject: Subject) -> dict[str, bool]:
    """The steps this person has a right to: of beds at the place, and of this stay if it is one's."""
    person = person_of(request)
    beds = {step: policy.allowed(person, f"bed.{step}", subject) for step in _BEDS}
    return beds | {step: policy.allowed(person, f"stay.{step}", subject) for step in _STAYS}


def frame(request: HttpRequest, current: str, place: FacilityRow) -> dict[str, Any]:
    """What every page is given."""
    rights = may(request, Subject(facility_id=place.id))
    return {
        "nav": {"current": current, "request": rights["request"], "arrange": rights["arrange"]}, "place": place,
        "may": rights, "words": words, "sort_key": sort_key, "looks": LOOKS, "feature_icons": FEATURE_ICONS,
    }  # fmt: skip


def back_of(request: HttpRequest, default: str) -> str:
    """Where to go after a button: to the board as it was, or to the page it stood on."""
    return local_path(request.POST.get("back", "")[:200], default)


def refused(request: HttpRequest, problem: Problem) -> None:
    """Say on the next page why a button did nothing. What is not there for this person stays so."""
    if problem.status in (403, 404) and not problem.field:
        raise problem
    meanwhile.told(request, problem)
