"""The bed board: a column for each ward, a tile for each bed, who waits, and the figures; and the buttons on tiles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from polyclinic.core.errors import NotFound, Problem
from polyclinic.inpatient import beds, census, selectors
from polyclinic.portals.beds.house import at, back_of, frame, key, place_of, refused
from polyclinic.portals.common import done, person_of, see, show, version_of
from polyclinic.portals.forms import errors_of
from polyclinic.web.access import declare


@declare("bed.view")
@require_GET
def board(request: HttpRequest) -> HttpResponse:
    """All beds of a house by ward, or those that a filter leaves."""
    place, places = place_of(request)
    narrowed = _narrowed(request)
    rows = selectors.board(person_of(request), place.id, **narrowed)
    wards = selectors.wards(person_of(request), place.id)
    columns = [(ward, [row for row in rows if row.ward_id == ward.id]) for ward in wards]
    return show(
        request, "beds/board.html", places=places, columns=columns, features=_FEATURES, zone=place.time_zone,
        **_address(place.id, narrowed), **narrowed, **_figures(request, place.id), **frame(request, "board", place),
    )  # fmt: skip


@declare("bed.view")
@require_GET
def tile(request: HttpRequest, bed_id: str) -> HttpResponse:
    """One tile; 204 when the bed does not stand on this board (any more)."""
    row, narrowed = selectors.bed(person_of(request), key(bed_id)), _narrowed(request)
    place, _places = place_of(request)
    if row.facility_id != place.id:
        raise NotFound()
    if row.state not in selectors.STATES or not selectors.matches(row, **narrowed):
        return HttpResponse(status=204)
    return show(
        request, "beds/_tile.html", rows=[row], **_address(place.id, narrowed), **frame(request, "board", place)
    )


@declare("bed.view")
@require_GET
def figures(request: HttpRequest) -> HttpResponse:
    """Only the figures above the board."""
    place, _places = place_of(request)
    return show(request, "beds/_figures.html", **_figures(request, place.id), **frame(request, "board", place))


@declare("bed.view")
@require_GET
def side(request: HttpRequest) -> HttpResponse:
    """Only what stands beside the board: who waits, the wards in figures and the days to come."""
    place, _places = place_of(request)
    return show(request, "beds/_side.html", **_figures(request, place.id), **frame(request, "board", place))


@declare("bed.clean")
@require_POST
def start_cleaning(request: HttpRequest, bed_id: str) -> HttpResponse:
    return _step(request, bed_id, beds.start_cleaning, _("Bed %(bed)s is being cleaned."))


@declare("bed.clean")
@require_POST
def finish_cleaning(request: HttpRequest, bed_id: str) -> HttpResponse:
    return _step(request, bed_id, beds.finish_cleaning, _("Bed %(bed)s is clean and free."))


@declare("bed.block")
@require_POST
def unblock(request: HttpRequest, bed_id: str) -> HttpResponse:
    return _step(request, bed_id, beds.unblock, _("Bed %(bed)s is no longer blocked."))


@declare("bed.block")
@require_http_methods(["GET", "POST"])
def block(request: HttpRequest, bed_id: str) -> HttpResponse:
    """Ask why, then let nobody be put into this bed."""
    row = selectors.bed(person_of(request), key(bed_id))
    problem: Problem | None = None
    if request.method == "POST":
        try:
            beds.block(
                actor=person_of(request), bed_id=row.id, why=request.POST.get("why", ""),
                note=request.POST.get("note", "")[:300], version=version_of(request),
            )  # fmt: skip
        except Problem as caught:
            if caught.status in (403, 404):
                raise
            problem = caught
        else:
            done(request, _("Bed %(bed)s is blocked.") % {"bed": row.name})
            return see(f"/beds?place={row.facility_id}")
    return show(
        request, "beds/block.html", problem.status if problem else 200, row=row, given=request.POST,
        errors=errors_of(problem) if problem else {}, **frame(request, "board", at(request, row.facility_id)),
    )  # fmt: skip


def _step(request: HttpRequest, bed_id: str, act: Callable[..., Any], said: Any) -> HttpResponse:  # noqa: ANN401
    row = selectors.bed(person_of(request), key(bed_id))
    try:
        act(actor=person_of(request), bed_id=row.id, version=version_of(request))
    except Problem as problem:
        refused(request, problem)
    else:
        done(request, said % {"bed": row.name})
    return see(back_of(request, f"/beds?place={row.facility_id}"))


def _narrowed(request: HttpRequest) -> dict[str, Any]:
    """What the board is narrowed to. Raises Invalid for what it cannot be."""
    found = {"state": request.GET.get("state", "")[:20], "feature": request.GET.get("feature", "")[:20]}
    selectors.narrowed(**found)
    return found


def _address(place_id: UUID, narrowed: dict[str, Any]) -> dict[str, Any]:
    """The query of this very board, for its tiles and for the way back to it."""
    asked = {"place": str(place_id), **{name: value for name, value in narrowed.items() if value}}
    return {"query": urlencode(asked)}


def _figures(request: HttpRequest, place_id: UUID) -> dict[str, Any]:
    person = person_of(request)
    return {"figures": census.census(person, place_id), "waiting": selectors.waiting(person, place_id)}


_FEATURES = {
    "isolation": _("Isolation"),
    "oxygen": _("Oxygen"),
    "intensive": _("Intensive care"),
    "children": _("Children"),
    "leaving": _("May leave"),
}
