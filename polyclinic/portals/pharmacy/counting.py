"""Stock-takes: the list, the sheet to write counts on, the differences, and posting them."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from polyclinic.core.errors import Problem
from polyclinic.pharmacy import amounts, counting, selectors
from polyclinic.pharmacy.counting import Count
from polyclinic.portals.common import done, person_of, see, show, tell, version_of
from polyclinic.portals.forms import errors_of
from polyclinic.portals.pharmacy.shop import frame, key, place_of, zone_of
from polyclinic.web.access import declare


@declare("stock.count")
@require_http_methods(["GET", "POST"])
def takes(request: HttpRequest) -> HttpResponse:
    """Stock-takes of a pharmacy; a POST begins one, or leads to the one that is going on."""
    place, places = place_of(request, "stock.count")
    if request.method == "POST":
        made = counting.start(actor=person_of(request), facility_id=place)
        return see(f"/pharmacy/counts/{made.pk}")
    rows = selectors.takes(person_of(request), place)
    return show(
        request, "pharmacy/counts.html", places=places, rows=rows, zone=zone_of(request, place),
        **frame(request, "count", place),
    )  # fmt: skip


@declare("stock.count")
@require_http_methods(["GET", "POST"])
def sheet(request: HttpRequest, take_id: str) -> HttpResponse:
    """The sheet; a POST writes down the counts that were typed."""
    person = person_of(request)
    if request.method == "GET":
        return _sheet(request, take_id)
    row, lines = selectors.take(person, key(take_id))
    try:
        counts = {}
        for line in lines:
            text = request.POST.get(f"count-{line.batch.id}", "").strip()[:20]
            seen = request.POST.get(f"seen-{line.batch.id}", "")
            if not text or (line.counted is not None and text == str(line.counted)):
                continue
            quantity = amounts.read(text, f"count-{line.batch.id}", zero=True)
            counts[line.batch.id] = Count(quantity, int(seen) if seen.isdecimal() and len(seen) < 9 else None)
        counting.count(actor=person, take_id=row.id, counts=counts)
    except Problem as problem:
        if problem.status in (403, 404):
            raise
        return _sheet(request, take_id, problem)
    done(request, _("Written down. Nothing is posted yet."))
    return see(f"/pharmacy/counts/{row.id}")


def _sheet(request: HttpRequest, take_id: str, problem: Problem | None = None) -> HttpResponse:
    row, lines = selectors.take(person_of(request), key(take_id))
    return show(
        request, "pharmacy/count.html", problem.status if problem else 200, row=row, lines=lines,
        given=request.POST, errors=errors_of(problem) if problem else {},
        **frame(request, "count", row.facility_id),
    )  # fmt: skip


@declare("stock.count")
@require_POST
def post(request: HttpRequest, take_id: str) -> HttpResponse:
    return _end(request, take_id, counting.post, _("Posted: the books say what is on the shelves."))


@declare("stock.count")
@require_POST
def give_up(request: HttpRequest, take_id: str) -> HttpResponse:
    return _end(request, take_id, counting.give_up, _("Given up. Nothing was changed."))


def _end(request: HttpRequest, take_id: str, act: Any, said: Any) -> HttpResponse:  # noqa: ANN401
    try:
        row = act(actor=person_of(request), take_id=key(take_id), version=version_of(request))
    except Problem as problem:
        if problem.status in (403, 404):
            raise
        if problem.field:
            return _sheet(request, take_id, problem)
        tell(request, problem)
        return see(f"/pharmacy/counts/{key(take_id)}")
    done(request, said)
    return see(f"/pharmacy/counts?place={row.facility_id}")
