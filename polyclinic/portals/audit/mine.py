"""Who opened my record: a patient reads, in plain words, who looked at what and when."""

from __future__ import annotations

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from polyclinic.core.errors import NotFound
from polyclinic.people import selectors as people
from polyclinic.portals.audit import words
from polyclinic.portals.common import optional_id, person_of, show
from polyclinic.trail import selectors
from polyclinic.trail.rows import Access
from polyclinic.web.access import declare

PER_PAGE = 60


@declare("record.accesses")
@require_GET
def accesses(request: HttpRequest) -> HttpResponse:
    """One's own, or with `for` those of someone one acts for."""
    person = person_of(request)
    patient = optional_id(request.GET.get("for"), "for") or person.patient_id
    if patient is None:
        raise NotFound()
    page = selectors.accesses(person, patient, cursor=request.GET.get("cursor", ""), limit=PER_PAGE)
    own = patient == person.patient_id
    name = "" if own else people.patient(person, patient).given_name
    return show(
        request, "audit/mine.html", days=_days(page.rows), next=page.next, own=own, name=name, patient=patient,
        words=words, whose="" if own else f"for={patient}&", paged=bool(request.GET.get("cursor")),
    )  # fmt: skip


def _days(rows: list[Access]) -> list[dict[str, Any]]:
    """By day of each place's calendar: what others did, line by line, and how often the patient looked themself."""
    # Around midnight of one of the places the days of rows that follow each other go to and fro: each is shown once.
    days: dict[date, list[Access]] = {}
    for row in rows:
        days.setdefault(row.at.astimezone(ZoneInfo(row.time_zone)).date(), []).append(row)
    return [
        {
            "day": day,
            "others": _folded([row for row in listed if not row.own]),
            "own": _folded([row for row in listed if row.own]),
        }
        for day, listed in sorted(days.items(), reverse=True)
    ]


def _folded(rows: list[Access]) -> list[dict[str, Any]]:
    """The same person doing the same thing again and again is one line that says how often."""
    made: list[dict[str, Any]] = []
    for row in rows:
        key = (row.who, row.role, row.facility_name, row.action, row.reason, row.emergency)
        if made and made[-1]["key"] == key:
            made[-1]["count"] += 1
            made[-1]["first"] = row.at
        else:
            made.append({"key": key, "row": row, "count": 1, "first": row.at})
    return made
