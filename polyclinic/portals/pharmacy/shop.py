"""What the pharmacy's pages share: at which facility, and what this person may do there."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest

from polyclinic.core.access import policy
from polyclinic.core.errors import NotFound
from polyclinic.core.ids import new_id, parse_id
from polyclinic.facilities import selectors as facilities
from polyclinic.medicines.units import counted
from polyclinic.pharmacy import words
from polyclinic.pharmacy.amounts import plain
from polyclinic.portals.common import person_of

# What of the pharmacy's bar somebody sees, by the right it takes.
_PARTS = {
    "queue": "prescription.dispense",
    "stock": "stock.view",
    "receive": "stock.receive",
    "adjust": "stock.adjust",
    "transfer": "stock.transfer",
    "count": "stock.count",
    "prices": "price.edit",
}


def key(text: str) -> UUID:
    """An id from an address; anything that is none is answered as missing."""
    found = parse_id(text)
    if found is None:
        raise NotFound()
    return found


def place_of(request: HttpRequest, permission: str) -> tuple[UUID, list[tuple[UUID, str]]]:
    """The facility the page is about (`place=`, else the first of this person's) and those there are to choose from."""
    person = person_of(request)
    mine = policy.places(person, permission)
    known = [(row.id, row.name) for row in facilities.facilities(person) if row.id in mine]
    if not known:
        raise NotFound()
    wanted = request.POST.get("place") or request.GET.get("place")
    if not wanted:
        return known[0][0], known
    found = parse_id(wanted)
    if found is None or found not in mine:
        raise NotFound()
    return found, known


def frame(request: HttpRequest, current: str, place: UUID | None = None) -> dict[str, Any]:
    """What every page is given: its bar, how quantities read, and a fresh key for its forms."""
    person = person_of(request)
    nav = {part: policy.ever(person, right) for part, right in _PARTS.items()}
    return {
        "nav": {**nav, "current": current}, "place": place, "plain": plain, "counted": counted, "words": words,
        "key": new_id().hex,
    }  # fmt: skip


def zone_of(request: HttpRequest, facility_id: UUID) -> str:
    """The time zone of one of the facilities this person works at."""
    return next((row.time_zone for row in facilities.facilities(person_of(request)) if row.id == facility_id), "UTC")
