"""The crew's page, made for a telephone: one big button for the next step, and the position while it is open."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from polyclinic.core.access import policy
from polyclinic.core.errors import Invalid, NotFound, Problem
from polyclinic.portals.ambulance.words import CONTEXT, coordinates_of
from polyclinic.portals.common import allergies_of, done, optional_id, person_of, see, show, tell, version_of
from polyclinic.portals.reception.desk import id_of
from polyclinic.transport import actions, crews, selectors
from polyclinic.transport.states import TRIP
from polyclinic.web.access import declare
from polyclinic.web.headers import with_position

_LEADS_TO: Final = {row.action: row.target for row in TRIP.transitions}


def _mine(request: HttpRequest) -> dict[str, Any]:
    """The vehicle in which this person is, and its trip."""
    shift = selectors.own_shift(person_of(request))
    trip = shift.trip if shift else None
    allergies = allergies_of(request, trip.patient_id) if trip and trip.patient_id else "hidden"
    return {"shift": shift, "trip": trip, "allergies": allergies, **CONTEXT}


@declare("ambulance.drive")
@require_GET
def page(request: HttpRequest) -> HttpResponse:
    """The next step of the trip; without a shift, where one begins."""
    context = _mine(request)
    vehicles: list[Any] = []
    if context["shift"] is None:
        person = person_of(request)
        places = sorted(policy.places(person, "ambulance.drive"))
        vehicles = [one for place in places for one in selectors.fleet(person, place)]
    return with_position(show(request, "ambulance/crew.html", vehicles=vehicles, **context))


@declare("ambulance.drive")
@require_GET
def state(request: HttpRequest) -> HttpResponse:
    """Only the trip, for when one comes or moves."""
    return show(request, "ambulance/_crew.html", **_mine(request))


@declare("ambulance.drive")
@require_POST
def begin(request: HttpRequest) -> HttpResponse:
    """Begin one's shift in a vehicle: "<vehicle> <seat>" is one choice of the form."""
    try:
        vehicle, _blank, seat = request.POST.get("seat", "").partition(" ")
        key = optional_id(vehicle, "seat")
        if key is None:
            raise Invalid(_("Choose a seat."), field="seat")
        crews.begin(actor=person_of(request), ambulance_id=key, seat=seat[:20])
    except Problem as problem:
        if problem.status == 404:
            raise
        tell(request, problem)
    return see("/ambulance")


@declare("ambulance.drive")
@require_POST
def end(request: HttpRequest) -> HttpResponse:
    """End one's shift."""
    try:
        crews.end(actor=person_of(request), version=version_of(request))
    except Problem as problem:
        tell(request, problem)
    else:
        done(request, _("Your shift has ended."))
    return see("/ambulance")


@declare("ambulance.drive")
@require_POST
def step(request: HttpRequest, trip_id: str) -> HttpResponse:
    """The one button. Pressed twice the second time finds the step done, and nothing happens."""
    try:
        actions.take(
            actor=person_of(request), trip_id=id_of(trip_id), action=request.POST.get("action", ""),
            version=version_of(request), outcome=request.POST.get("outcome", "")[:400],
        )  # fmt: skip
    except Problem as problem:
        if problem.status == 404:
            raise
        # Pressed twice: it is where the button leads already, and nobody needs to read about it while driving.
        if selectors.trip(person_of(request), id_of(trip_id)).status != _LEADS_TO.get(request.POST.get("action", "")):
            tell(request, problem)
    return see("/ambulance")


@declare("ambulance.drive")
@require_POST
def position(request: HttpRequest) -> HttpResponse:
    """Where the telephone is. 204 whether or not it was kept: the page sends the next one anyway."""
    shift = selectors.own_shift(person_of(request))
    if shift is None:
        raise NotFound()
    at = coordinates_of(request.POST)
    if at["latitude"] is None or at["longitude"] is None:
        raise Invalid(_("Give both coordinates."), code="required", field="latitude")
    crews.report(
        actor=person_of(request), ambulance_id=shift.vehicle.id, latitude=at["latitude"], longitude=at["longitude"]
    )
    return HttpResponse(status=204)
