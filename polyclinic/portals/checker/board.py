"""The queue of the first check: who has paid and waits, most urgent first, and who is under way."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from polyclinic.core import clock
from polyclinic.core.access import policy
from polyclinic.core.actors import Person
from polyclinic.core.errors import NotFound
from polyclinic.core.ids import parse_id
from polyclinic.facilities import selectors as places
from polyclinic.laboratory.selectors import waiting_for
from polyclinic.portals.checker import words
from polyclinic.portals.common import person_of, show
from polyclinic.records import selectors as records
from polyclinic.records.rows import ScoreRow
from polyclinic.visits import fairness, selectors
from polyclinic.visits.rows import VisitRow
from polyclinic.web.access import declare

# Stages in which a visit is under way after the first check began.
LATER: Final = ("lab_pending", "checked", "lab_done")


@declare("vitals.record")
@require_GET
def board(request: HttpRequest) -> HttpResponse:
    person = person_of(request)
    known = [(row.id, row.name) for row in places.facilities(person) if row.id in workplaces(person)]
    place = chosen(request, person)
    nav = {"current": "queue", "critical": waiting_for(person)}
    if place is None:
        return show(request, "checker/board.html", first=[], later=[], places=[], place=None, nav=nav)
    rows = selectors.board(person, place)
    scores = records.latest_scores(person, [row.id for row in rows])
    lines = [line(row, scores.get(row.id)) for row in rows]
    return show(
        request, "checker/board.html", places=known, place=place, nav=nav,
        first=[one for one in lines if one["list"] == "first"],
        later=[one for one in lines if one["list"] == "later"],
    )  # fmt: skip


@declare("vitals.record")
@require_GET
def row(request: HttpRequest, visit_id: str) -> HttpResponse:
    """One row of one of the two lists; 204 when the visit does not stand in that one (any more)."""
    person, found = person_of(request), parse_id(visit_id)
    if found is None:
        raise NotFound()
    one = selectors.visit(person, found)
    if one.facility_id not in workplaces(person):
        raise NotFound()
    drawn = line(one, records.latest_scores(person, [found]).get(found))
    if drawn["list"] != request.GET.get("list") or str(one.facility_id) != request.GET.get("place", ""):
        return HttpResponse(status=204)
    return show(request, "checker/_row.html", lines=[drawn])


def workplaces(person: Person) -> frozenset[UUID]:
    """Where this person does the first check."""
    return policy.places(person, "vitals.record")


def chosen(request: HttpRequest, person: Person) -> UUID | None:
    """The place asked for, or the first; None for who works at none. A foreign one is answered like a missing one."""
    own = workplaces(person)
    if asked := request.GET.get("place"):
        found = parse_id(asked)
        if found not in own:
            raise NotFound()
        return found
    return min(own, default=None)


def line(one: VisitRow, score: tuple[datetime, ScoreRow] | None) -> dict[str, Any]:
    """A visit as a line of the board: in which list, at which place of it, how long it has waited."""
    first = one.stage == "paid" or (one.stage == "registered" and one.priority == "emergency")
    since = one.place.since if one.place else one.stage_at
    rank, moment = fairness.key(one.priority, since)
    called = one.place is not None and one.place.state in ("called", "serving")
    return {
        "row": one,
        "list": "first" if first else "later" if one.stage in LATER else "",
        "sort": f"{0 if called else 1}{rank}{moment.timestamp():015.3f}{one.number:05}",
        "minutes": max(0, int((clock.now() - one.stage_at).total_seconds() // 60)),
        "called": called,
        "score": score[1] if score else None,
        "risk": words.RISKS[score[1].risk] if score and score[1].risk else None,
        "kind": words.KINDS[score[1].risk] if score and score[1].risk else "",
    }
