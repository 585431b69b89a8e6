"""Looking after the fleet: where it stands, which vehicles there are, which of them may be sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from polyclinic.core.errors import Invalid, Problem
from polyclinic.portals.ambulance.desk import frame, station_at
from polyclinic.portals.ambulance.words import coordinates_of
from polyclinic.portals.common import done, local_path, person_of, see, show, tell, version_of
from polyclinic.portals.forms import errors_of
from polyclinic.portals.reception.desk import id_of, place_of
from polyclinic.transport import keeping, selectors
from polyclinic.web.access import declare


@declare("ambulance.manage")
@require_http_methods(["GET", "POST"])
def fleet(request: HttpRequest) -> HttpResponse:
    """The vehicles, and a form for one more."""
    place = place_of(request, "ambulance.manage")
    errors: dict[str, list[str]] = {}
    if request.method == "POST":
        try:
            keeping.add(
                actor=person_of(request), facility_id=place.id, call_sign=request.POST.get("call_sign", "")[:80],
                kind=request.POST.get("kind", ""),
            )  # fmt: skip
        except Problem as problem:
            errors = errors_of(problem)
        else:
            done(request, _("Added. It can be sent as soon as somebody is on shift in it."))
            return see(f"/ambulances/fleet?place={place.id}")
    return _page(request, place, errors)


@declare("ambulance.manage")
@require_POST
def station(request: HttpRequest) -> HttpResponse:
    """Where the ambulances stand."""
    place = place_of(request, "ambulance.manage")
    try:
        at = coordinates_of(request.POST)
        if at["latitude"] is None or at["longitude"] is None:
            missing = "latitude" if at["latitude"] is None else "longitude"
            raise Invalid(_("Give both coordinates."), code="required", field=missing)
        keeping.place_station(
            actor=person_of(request), facility_id=place.id, latitude=at["latitude"], longitude=at["longitude"]
        )
    except Problem as problem:
        return _page(request, place, errors_of(problem))
    done(request, _("Saved."))
    return see(f"/ambulances/fleet?place={place.id}")


@declare("ambulance.withdraw")
@require_POST
def withdraw(request: HttpRequest, ambulance_id: str) -> HttpResponse:
    """It cannot be sent for now."""
    return _change(request, ambulance_id, keeping.withdraw, reason=request.POST.get("reason", "")[:400])


@declare("ambulance.withdraw")
@require_POST
def restore(request: HttpRequest, ambulance_id: str) -> HttpResponse:
    """It may be sent again."""
    return _change(request, ambulance_id, keeping.restore)


def _change(request: HttpRequest, ambulance_id: str, act: Callable[..., Any], **more: str) -> HttpResponse:
    try:
        act(actor=person_of(request), ambulance_id=id_of(ambulance_id), version=version_of(request), **more)
    except Problem as problem:
        if problem.status == 404:
            raise
        tell(request, problem)
    else:
        done(request, _("Saved."))
    return see(local_path(request.POST.get("back", ""), "/ambulances"))


def _page(request: HttpRequest, place: Any, errors: dict[str, list[str]]) -> HttpResponse:  # noqa: ANN401 - a row
    return show(
        request, "ambulance/fleet.html", 422 if errors else 200, errors=errors, given=request.POST,
        vehicles=selectors.fleet(person_of(request), place.id), station=station_at(request, place.id),
        **frame(request, "fleet", place),
    )  # fmt: skip
