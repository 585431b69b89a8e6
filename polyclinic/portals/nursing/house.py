"""What the pages beside a bed share: which ward, whose bed, what this person may do there."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest

from polyclinic.core import clock
from polyclinic.core.access import policy
from polyclinic.core.errors import NotFound
from polyclinic.core.ids import parse_id
from polyclinic.facilities.selectors import FacilityRow
from polyclinic.inpatient import selectors as wards
from polyclinic.inpatient.rows import StayRow, WardRow
from polyclinic.nursing import selectors as rounds
from polyclinic.nursing import words
from polyclinic.portals.beds.house import key, place_of, refused
from polyclinic.portals.checker.words import NOT_FOR
from polyclinic.portals.common import allergies_of, person_of

RIGHTS: Final = (
    "vitals.record", "note.write", "medication.order", "medication.give", "handover.sign", "handover.view",
    "summary.write", "summary.view", "medication.view",
)  # fmt: skip


def ward_of(request: HttpRequest) -> tuple[FacilityRow, list[tuple[UUID, str]], WardRow | None, list[WardRow]]:
    """The place and the ward that a page is about (`place=`, `ward=`), and the others.

    Without `ward=` it is the one in which this person worked last, else the first in which somebody lies.
    """
    place, places = place_of(request)
    known = wards.wards(person_of(request), place.id)
    wanted = request.GET.get("ward")
    chosen = [row for row in known if not wanted or row.id == parse_id(wanted)]
    if wanted and not chosen:
        raise NotFound()
    if wanted or not chosen:
        return place, places, chosen[0] if chosen else None, known
    first = rounds.first_ward(person_of(request), place.id, [row.id for row in chosen])
    return place, places, next(row for row in chosen if row.id == first), known


def may(request: HttpRequest, row: StayRow) -> dict[str, bool]:
    """What this person may do beside this bed, by the right's name with a line in it."""
    person, subject = person_of(request), wards.subject_of(row)
    return {name.replace(".", "_"): policy.allowed(person, name, subject) for name in RIGHTS}


def bedside(request: HttpRequest, row: StayRow, current: str) -> dict[str, Any]:
    """What every page of one stay is given."""
    return {
        "rights": may(request, row), "allergies": allergies_of(request, row.patient_id),
        **part(row, current),
    }  # fmt: skip


def part(row: StayRow, current: str) -> dict[str, Any]:
    """What a part of such a page is given."""
    return {
        "row": row, "base": f"/nursing/stays/{row.id}", "words": words, "nav": {"current": current, "row": row},
        "not_for": NOT_FOR, "in_bed": row.stage in ("admitted", "discharge_ordered"), "now": clock.now(),
        "looks": words.OUTCOME_LOOKS,
    }  # fmt: skip


__all__ = ["bedside", "key", "may", "part", "refused", "ward_of"]
