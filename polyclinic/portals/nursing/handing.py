"""Handovers: a ward's list, and writing and reading those of one stay."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from polyclinic.core.errors import NotFound, Problem
from polyclinic.nursing import actions, handovers, selectors, words
from polyclinic.portals import meanwhile
from polyclinic.portals.common import done, local_path, person_of, see, show, version_of
from polyclinic.portals.forms import errors_of
from polyclinic.portals.nursing import house
from polyclinic.web.access import declare


@declare("handover.sign")
@require_GET
def ward(request: HttpRequest) -> HttpResponse:
    """Everybody in a ward with the last handover of each; `part` alone for what changes while it is open."""
    place, places, chosen, wards = house.ward_of(request)
    rows = handovers.of_ward(person_of(request), place.id, chosen.id) if chosen else []
    template = "nursing/_handovers.html" if request.GET.get("part") else "nursing/handovers.html"
    return show(
        request, template, place=place, places=places, ward=chosen, wards=wards, rows=rows, words=words,
        nav={"current": "handover", "row": None},
    )  # fmt: skip


@declare("handover.view")
@require_http_methods(["GET", "POST"])
def stay(request: HttpRequest, stay_id: str) -> HttpResponse:
    """The handovers of a stay; a POST signs a new one, begun from the facts."""
    person, found, problem = person_of(request), house.key(stay_id), None
    row = selectors.stay(person, found)
    if request.method == "POST":
        try:
            actions.hand_over(
                actor=person, stay_id=found, parts={name: request.POST.get(name, "") for name in words.SBAR}
            )
        except Problem as caught:
            if caught.status in (401, 403, 404):
                raise
            problem = caught
        else:
            done(request, _("The handover is signed. The nurse who takes over reads it here."))
            return see(f"/nursing/stays/{found}/handover")
    rights = house.may(request, row)
    parts: dict[str, str] = {}
    if problem is not None:
        parts = {name: request.POST.get(name, "") for name in words.SBAR}
    elif rights["handover_sign"]:
        try:
            parts = handovers.facts(person, found)
        except NotFound:
            parts = {}  # has left
    return show(
        request, "nursing/handover.html", meanwhile.status_of(problem) if problem else 200, parts=parts,
        rows=handovers.handovers(person, found), errors=errors_of(problem) if problem else {},
        **house.bedside(request, row, "handover_of"),
    )  # fmt: skip


@declare("handover.sign")
@require_POST
def read(request: HttpRequest, handover_id: str) -> HttpResponse:
    """The nurse who takes over has read it."""
    try:
        row = actions.acknowledge(
            actor=person_of(request), handover_id=house.key(handover_id), version=version_of(request)
        )
    except Problem as problem:
        house.refused(request, problem)
        return see(local_path(request.POST.get("back", "")[:200], "/nursing/handover"))
    done(request, _("You have taken over."))
    return see(local_path(request.POST.get("back", "")[:200], f"/nursing/stays/{row.stay_id}/handover"))
