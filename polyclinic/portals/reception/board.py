"""The live board of the front desk: who waits where, for how long, and the one thing to do next."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from polyclinic.core.errors import NotFound, Problem
from polyclinic.core.ids import parse_id
from polyclinic.portals.common import done, local_path, person_of, see, show, tell, version_of
from polyclinic.portals.reception.desk import counter_of, frame, id_of, place_of
from polyclinic.scheduling import offering
from polyclinic.visits import queues, selectors
from polyclinic.web import cookies
from polyclinic.web.access import declare

_FILTERS = {
    "": _("All"), "desk": _("Front desk"), "check": _("First check"), "lab": _("Laboratory"), "doctor": _("Doctor"),
    "pharmacy": _("Pharmacy"),
}  # fmt: skip


@declare("visit.register")
@require_GET
def board(request: HttpRequest) -> HttpResponse:
    """Everybody who is here, in the order in which they are to be seen."""
    person, place = person_of(request), place_of(request)
    line = request.GET.get("line", "")
    rows = selectors.board(person, place.id, line=line if line in _FILTERS else "")
    return show(
        request, "reception/board.html", rows=rows, due=_due(person, place.id), line=line, filters=_FILTERS,
        kpis=_kpis(person, place.id), calls=_calls(rows), **frame(request, "board", place),
    )  # fmt: skip


@declare("visit.register")
@require_GET
def row(request: HttpRequest, visit_id: str) -> HttpResponse:
    """One row of the board; 204 when the visit is over or waits in another queue than the one shown."""
    place = place_of(request)
    one = selectors.visit(person_of(request), id_of(visit_id))
    line = request.GET.get("line", "")
    if one.facility_id != place.id or one.closed_at or (line and (one.place is None or one.place.line != line)):
        return HttpResponse(status=204)
    return show(request, "reception/_row.html", row=one, **frame(request, "board", place))


@declare("visit.register")
@require_GET
def figures(request: HttpRequest) -> HttpResponse:
    """Only the figures, for when somebody comes, is called or goes."""
    place = place_of(request)
    return show(request, "reception/_figures.html", kpis=_kpis(person_of(request), place.id), place=place)


@declare("visit.register")
@require_GET
def calls(request: HttpRequest) -> HttpResponse:
    """Only who is called and being seen."""
    place = place_of(request)
    rows = selectors.board(person_of(request), place.id)
    return show(request, "reception/_calls.html", calls=_calls(rows), **frame(request, "board", place))


@declare("visit.queue")
@require_POST
def take(request: HttpRequest, waiting_id: str, step: str) -> HttpResponse:
    """Call, hold, skip …: by the counter at which this person works."""
    back = local_path(request.POST.get("back", ""), "/reception")
    if step not in queues.STEPS:
        raise NotFound()
    calls = step in ("call", "recall")
    try:
        queues.take(
            actor=person_of(request), entry_id=id_of(waiting_id), action=step,
            counter_id=counter_of(request) if calls else None, version=version_of(request),
        )  # fmt: skip
    except Problem as problem:
        if problem.status == 404:
            raise
        tell(request, problem)
    return see(back)


@declare("visit.register")
@require_POST
def choose_counter(request: HttpRequest) -> HttpResponse:
    """Work at this counter from now on, in this browser."""
    place = place_of(request)
    chosen = parse_id(request.POST.get("counter", ""))
    answer = see(f"/reception?place={place.id}")
    if chosen is None:
        cookies.COUNTER.take_back(answer)
    else:
        cookies.COUNTER.give(answer, str(chosen), seconds=12 * 3600)
        done(request, _("You call to this counter from now on."))
    return answer


def _due(person: Any, place_id: UUID) -> list[Any]:  # noqa: ANN401 - a Person
    """Who is booked next, and where to send them."""
    return offering.with_beside(selectors.due(person, place_id))


def _calls(rows: list[Any]) -> list[Any]:
    return [row for row in rows if row.place and row.place.state in ("called", "serving")]


def _kpis(person: Any, place_id: UUID) -> list[dict[str, Any]]:  # noqa: ANN401 - a Person
    found = selectors.figures(person, place_id)
    minutes = _("min")
    return [
        {"label": _("Waiting now"), "value": found["waiting"], "name": "waiting"},
        {
            "label": _("Longest wait"),
            "value": found["longest"],
            "note": minutes,
            "kind": "bad" * (found["longest"] >= 45),
        },
        {"label": _("Median wait"), "value": found["median"], "note": minutes},
        {"label": _("Called"), "value": found["called"], "name": "called"},
        {"label": _("Being seen"), "value": found["serving"]},
        {"label": _("On hold"), "value": found["held"]},
        {"label": _("Done / left, 24 h"), "value": f"{found['done']} / {found['left']}"},
    ]
