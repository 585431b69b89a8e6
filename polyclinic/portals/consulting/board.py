"""The doctor's queue: who waits, whose results have come, who is at the laboratory; calling the next."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from polyclinic.core import clock
from polyclinic.core.access import policy
from polyclinic.core.actors import Person
from polyclinic.core.errors import Conflict, NotFound, Problem
from polyclinic.core.ids import parse_id
from polyclinic.facilities import selectors as places
from polyclinic.portals.checker import words
from polyclinic.portals.common import done, person_of, see, show, tell
from polyclinic.portals.consulting.views import nav_of
from polyclinic.records import icd10
from polyclinic.records import selectors as records
from polyclinic.records.rows import ScoreRow
from polyclinic.visits import queues, selectors
from polyclinic.visits.rows import VisitRow
from polyclinic.web.access import declare

# Stages at which the doctor decides, and those on the way to or from them.
HERE: Final = ("checked", "lab_done")
ELSEWHERE: Final = ("lab_pending", "diagnosed", "paid", "registered")


@declare("visit.diagnose")
@require_GET
def board(request: HttpRequest) -> HttpResponse:
    person = person_of(request)
    # The first search for a diagnosis then finds the list read.
    icd10.warm()
    own = workplaces(person)
    known = [(row.id, row.name) for row in places.facilities(person) if row.id in own]
    place = chosen(request, person)
    lines = _lines(person, place)
    return show(
        request, "consulting/board.html", places=known, place=place, nav=nav_of(person, "queue"),
        first=[one for one in lines if one["list"] == "first"],
        later=[one for one in lines if one["list"] == "later"],
    )  # fmt: skip


@declare("visit.diagnose")
@require_GET
def row(request: HttpRequest, visit_id: str) -> HttpResponse:
    """One row of one of the two lists; 204 when the visit does not stand in that one (any more)."""
    person, found = person_of(request), parse_id(visit_id)
    if found is None:
        raise NotFound()
    one = selectors.visit(person, found)
    policy.require_sight(person, "visit.diagnose", selectors.subject_of(one))
    drawn = line(one, records.latest_scores(person, [found]).get(found))
    if drawn["list"] != request.GET.get("list") or request.GET.get("place", str(one.facility_id)) != str(
        one.facility_id
    ):
        return HttpResponse(status=204)
    return show(request, "consulting/_row.html", lines=[drawn])


@declare("visit.diagnose")
@require_POST
def call_next(request: HttpRequest) -> HttpResponse:
    """Call whoever is first and not called yet. Two who press at once call two patients, or the second is told."""
    person, place = person_of(request), chosen(request, person_of(request))
    waiting = [one["row"] for one in _lines(person, place) if one["list"] == "first" and not one["called"]]
    for one in waiting:
        try:
            queues.take(actor=person, entry_id=one.place.id, action="call", version=one.place.version)
        except NotFound:
            raise
        except Conflict:
            continue  # somebody else has just called this one
        except Problem as problem:
            tell(request, problem)
            break
        done(request, _("%(token)s is called.") % {"token": one.token})
        return see(f"/consulting/{one.id}")
    else:
        tell(request, Problem(_("Nobody waits who is not called yet.")))
    return see(f"/consulting?place={place}" if place else "/consulting")


def workplaces(person: Person) -> frozenset[UUID]:
    """Where this person may diagnose whoever comes."""
    return policy.places(person, "visit.diagnose")


def chosen(request: HttpRequest, person: Person) -> UUID | None:
    """The place asked for, or the first; None for a doctor who sees their own patients alone."""
    own = workplaces(person)
    if asked := request.GET.get("place") or request.POST.get("place"):
        found = parse_id(asked)
        if found not in own:
            raise NotFound()
        return found
    return min(own, default=None)


def _lines(person: Person, place: UUID | None) -> list[dict[str, Any]]:
    rows = selectors.board(person, place) if place else selectors.treated(person)
    scores = records.latest_scores(person, [row.id for row in rows])
    return [line(row, scores.get(row.id)) for row in rows]


def line(one: VisitRow, score: tuple[datetime, ScoreRow] | None) -> dict[str, Any]:
    """A visit as a line of the board: in which list, at which place of it, how long it has waited."""
    called = one.place is not None and one.place.state in ("called", "serving")
    waits = one.place is not None and one.place.line == "doctor"
    return {
        "row": one,
        "list": "first" if one.stage in HERE and waits else "later" if one.stage in ELSEWHERE else "",
        "sort": selectors.sort_key(one),
        "minutes": max(0, int((clock.now() - one.stage_at).total_seconds() // 60)),
        "called": called,
        "score": score[1] if score else None,
        "risk": words.RISKS[score[1].risk] if score and score[1].risk else None,
        "kind": words.KINDS[score[1].risk] if score and score[1].risk else "",
    }
