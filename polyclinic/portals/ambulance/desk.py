"""The dispatcher's board: open requests, the fleet, a suggestion, a map; and sending, by a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from polyclinic.core.access import policy
from polyclinic.core.errors import NotFound, Problem
from polyclinic.portals.ambulance import drawing
from polyclinic.portals.ambulance.words import CONTEXT, coordinates_of
from polyclinic.portals.common import done, optional_id, person_of, see, show, tell, version_of
from polyclinic.portals.forms import errors_of
from polyclinic.portals.reception.desk import id_of, place_of
from polyclinic.transport import actions, asking, calling, choosing, selectors
from polyclinic.transport.roads import Point
from polyclinic.transport.rows import StationRow, TripRow
from polyclinic.transport.states import REQUESTED, TO_PATIENT
from polyclinic.web.access import declare

_FIELDS = ("mrn", "who", "phone", "address", "problem", "need")


def station_at(request: HttpRequest, facility_id: UUID) -> StationRow | None:
    """Where a facility's ambulances stand, if it has any."""
    rows = selectors.stations(person_of(request))
    return next((row for row in rows if row.facility_id == facility_id), None)


def frame(request: HttpRequest, here: str, place: Any) -> dict[str, Any]:  # noqa: ANN401 - a facility's row
    """What every page of the desk is given."""
    person = person_of(request)
    may = {
        right: place.id in policy.places(person, f"ambulance.{right}")
        for right in ("dispatch", "request", "manage", "drive", "withdraw")
    }
    return {"here": here, "place": place, "may": may, **CONTEXT}


def _live(request: HttpRequest, place: Any) -> dict[str, Any]:  # noqa: ANN401 - a facility's row
    """What of the board moves: requests and trips, the fleet, the figures, the map."""
    person, station = person_of(request), station_at(request, place.id)
    trips, vehicles = selectors.trips(person, place.id), selectors.fleet(person, place.id)
    free = [one for one in vehicles if one.status == "free"]
    chosen = {one.id: _choices(one, station, free) for one in trips} if station else {}
    found = selectors.availability(person, place.id)
    kpis = [
        {"label": _("Requests waiting"), "value": found.waiting, "kind": "bad" * bool(found.waiting)},
        {"label": _("Free"), "value": found.free, "name": "free"},
        {"label": _("Free, advanced"), "value": found.free_advanced},
        {"label": _("On a trip"), "value": found.busy},
        {"label": _("No crew"), "value": found.no_crew},
        {"label": _("Out of service"), "value": found.out_of_service},
    ]
    return {
        "trips": trips, "vehicles": vehicles, "choices": chosen, "kpis": kpis, "station": station,
        "ended": selectors.trips(person, place.id, ended=True),
        "map": drawing.draw(station, vehicles, trips) if station else "",
    }  # fmt: skip


def _choices(trip: TripRow, station: StationRow, free: list[Any]) -> list[Any]:
    if trip.status not in (REQUESTED, *TO_PATIENT):
        return []
    at = Point(trip.latitude, trip.longitude) if trip.latitude is not None and trip.longitude is not None else None
    return choosing.ordered(trip.need, at, Point(station.latitude, station.longitude), free)


@declare("ambulance.view")
@require_GET
def board(request: HttpRequest) -> HttpResponse:
    """The fleet and its trips at one hospital."""
    place = place_of(request, "ambulance.view")
    return show(request, "ambulance/board.html", **frame(request, "board", place), **_live(request, place))


@declare("ambulance.view")
@require_GET
def live(request: HttpRequest) -> HttpResponse:
    """Only what moves on the board while it is open."""
    place = place_of(request, "ambulance.view")
    return show(request, "ambulance/_board.html", **frame(request, "board", place), **_live(request, place))


@declare("ambulance.request")
@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """The hospital was called: for whom, where to, what is wrong."""
    place = place_of(request, "ambulance.request")
    errors: dict[str, list[str]] = {}
    if request.method == "POST":
        given: Any = {name: request.POST.get(name, "")[:400] for name in _FIELDS}
        try:
            asking.request(actor=person_of(request), facility_id=place.id, **given, **coordinates_of(request.POST))
        except Problem as problem:
            if problem.code == "trip_open":
                tell(request, problem)
                return see(f"/ambulances?place={place.id}")
            errors = errors_of(problem)
        else:
            done(request, _("The request is on the board. Send an ambulance now."))
            return see(f"/ambulances?place={place.id}")
    return show(
        request, "ambulance/ask.html", 422 if errors else 200, errors=errors, given=request.POST,
        **frame(request, "ask", place),
    )  # fmt: skip


@declare("ambulance.dispatch")
@require_POST
def dispatch(request: HttpRequest, trip_id: str) -> HttpResponse:
    """Send the vehicle that was chosen, or send it instead of the one that was sent."""
    row = _trip(request, trip_id, "ambulance.dispatch")
    try:
        vehicle = optional_id(request.POST.get("ambulance"), "ambulance")
        if vehicle is None:
            raise NotFound(_("Choose an ambulance."), field="ambulance")
        actions.dispatch(actor=person_of(request), trip_id=row.id, ambulance_id=vehicle, version=version_of(request))
    except Problem as problem:
        tell(request, problem)
    else:
        done(request, _("Sent. The crew is told now."))
    return see(f"/ambulances?place={row.facility_id}")


@declare("ambulance.dispatch")
@require_POST
def step(request: HttpRequest, trip_id: str) -> HttpResponse:
    """What the crew has said by radio."""
    row = _trip(request, trip_id, "ambulance.dispatch")
    try:
        actions.take(
            actor=person_of(request), trip_id=row.id, action=request.POST.get("action", ""),
            version=version_of(request), outcome=request.POST.get("outcome", "")[:400],
        )  # fmt: skip
    except Problem as problem:
        tell(request, problem)
    return see(f"/ambulances?place={row.facility_id}")


@declare("ambulance.dispatch")
@require_http_methods(["GET", "POST"])
def cancel(request: HttpRequest, trip_id: str) -> HttpResponse:
    """Ask why, then cancel it."""
    row = _trip(request, trip_id, "ambulance.dispatch")
    errors: dict[str, list[str]] = {}
    status = 200
    if request.method == "POST":
        try:
            actions.cancel(
                actor=person_of(request), trip_id=row.id, reason=request.POST.get("reason", "")[:400],
                version=version_of(request),
            )  # fmt: skip
        except Problem as problem:
            errors, status = errors_of(problem), problem.status
        else:
            done(request, _("Cancelled. The ambulance is free."))
            return see(f"/ambulances?place={row.facility_id}")
    return show(
        request, "ambulance/cancel.html", status, row=row, errors=errors, given=request.POST,
        **frame(request, "board", _place(row)),
    )  # fmt: skip


@declare("ambulance.dispatch")
@require_http_methods(["GET", "POST"])
def identify(request: HttpRequest, trip_id: str) -> HttpResponse:
    """Who it was becomes known: join the trip to their record."""
    row = _trip(request, trip_id, "ambulance.dispatch")
    errors: dict[str, list[str]] = {}
    status = 200
    if request.method == "POST":
        try:
            mrn = request.POST.get("mrn", "")[:40]
            calling.identify(actor=person_of(request), trip_id=row.id, mrn=mrn, version=version_of(request))
        except Problem as problem:
            errors, status = errors_of(problem), problem.status
        else:
            done(request, _("Joined to the record. Whoever opens it from now on is noted there."))
            return see(f"/ambulances/trips/{row.id}")
    return show(
        request, "ambulance/identify.html", status, row=row, errors=errors, given=request.POST,
        **frame(request, "board", _place(row)),
    )  # fmt: skip


@declare("ambulance.view")
@require_GET
def trip(request: HttpRequest, trip_id: str) -> HttpResponse:
    """The record of one trip."""
    row = _trip(request, trip_id, "ambulance.view")
    return show(request, "ambulance/trip.html", row=row, **frame(request, "board", _place(row)))


@declare("ambulance.view")
@require_GET
def trip_state(request: HttpRequest, trip_id: str) -> HttpResponse:
    """Only what changes on that page while it is open."""
    row = _trip(request, trip_id, "ambulance.view")
    address = f"/ambulances/trips/{row.id}/state"
    return show(request, "ambulance/_record.html", row=row, address=address, **CONTEXT)


def _trip(request: HttpRequest, trip_id: str, right: str) -> TripRow:
    """A trip of a place where this person may do this: the patient's own page is another one."""
    row = selectors.trip(person_of(request), id_of(trip_id))
    if row.facility_id not in policy.places(person_of(request), right):
        raise NotFound()
    return row


@dataclass(frozen=True, slots=True)
class Place:
    """A facility by its id and name, for the bar of a page about one trip."""

    id: UUID
    name: str


def _place(row: TripRow) -> Place:
    return Place(row.facility_id, row.facility_name)
