"""Setting up wards and beds."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from polyclinic.core.errors import Problem
from polyclinic.inpatient import selectors
from polyclinic.inpatient import wards as setting
from polyclinic.portals.beds.house import frame, key, place_of, refused
from polyclinic.portals.common import done, person_of, see, show
from polyclinic.portals.forms import errors_of
from polyclinic.web.access import declare

_FEATURES = ("isolation", "oxygen", "intensive", "children")


@declare("bed.arrange")
@require_http_methods(["GET", "POST"])
def wards(request: HttpRequest) -> HttpResponse:
    """The wards of a house with their beds; a POST adds a ward."""
    place, places = place_of(request, "bed.arrange")
    problem: Problem | None = None
    if request.method == "POST":
        given = request.POST
        try:
            setting.add_ward(
                actor=person_of(request), facility_id=place.id, name=given.get("name", "")[:100],
                kind=given.get("kind", ""), sex=given.get("sex", ""),
            )  # fmt: skip
        except Problem as caught:
            problem = caught
        else:
            done(request, _("The ward is there. Now add its beds."))
            return see(f"/beds/wards?place={place.id}")
    person = person_of(request)
    return show(
        request, "beds/wards.html", problem.status if problem else 200, places=places, given=request.POST,
        errors=errors_of(problem) if problem else {}, wards=selectors.wards(person, place.id),
        beds=selectors.board(person, place.id), features=_FEATURES, **frame(request, "wards", place),
    )  # fmt: skip


@declare("bed.arrange")
@require_POST
def add_bed(request: HttpRequest, ward_id: str) -> HttpResponse:
    """A new bed in a ward."""
    ward, given = key(ward_id), request.POST
    has: dict[str, Any] = {name: True for name in given.getlist("has") if name in _FEATURES}
    try:
        setting.add_bed(
            actor=person_of(request), ward_id=ward, name=given.get("name", "")[:60], room=given.get("room", "")[:60],
            sex=given.get("sex", ""), **has,
        )  # fmt: skip
    except Problem as problem:
        refused(request, problem)
    else:
        done(request, _("The bed is there and free."))
    return _back(request, ward)


@declare("bed.arrange")
@require_POST
def end_ward(request: HttpRequest, ward_id: str) -> HttpResponse:
    """There is no such ward any more."""
    try:
        setting.end_ward(actor=person_of(request), ward_id=key(ward_id))
    except Problem as problem:
        refused(request, problem)
    else:
        done(request, _("The ward is ended."))
    return see("/beds/wards")


@declare("bed.arrange")
@require_POST
def retire(request: HttpRequest, bed_id: str) -> HttpResponse:
    """Take a bed out of its ward."""
    row = selectors.bed(person_of(request), key(bed_id))
    try:
        setting.retire_bed(actor=person_of(request), bed_id=row.id)
    except Problem as problem:
        refused(request, problem)
    else:
        done(request, _("The bed is taken out."))
    return see(f"/beds/wards?place={row.facility_id}")


def _back(request: HttpRequest, ward: UUID) -> HttpResponse:
    place = request.POST.get("place", "")[:40]
    return see(f"/beds/wards?place={place}#ward-{ward}" if place else "/beds/wards")
