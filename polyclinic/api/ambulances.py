"""Ambulances over REST: the fleet, how many are free, asking for one, sending it, its steps and its position."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from polyclinic.api import answers
from polyclinic.api.api import PROBLEMS
from polyclinic.api.schemas import Body, Limit, PageNumber, Text, Version, Words, described, list_of
from polyclinic.transport import actions, asking, choosing, crews, keeping, selectors
from polyclinic.transport.rows import Availability, Suggestion, TripRow, VehicleRow
from polyclinic.web.access import declare

router = Router(tags=["Ambulances"])
_TRIP = {200: described(TripRow), **PROBLEMS}
# What a client says that a trip is now, as the step that leads there.
_STEPS = {
    "acknowledged": "acknowledge", "en_route": "set_off", "on_scene": "arrive", "transporting": "load",
    "at_hospital": "deliver", "cleared": "clear",
}  # fmt: skip
Degrees = Annotated[float, Field(ge=-180, le=180)]


class TripWish(Body):
    """Somebody to be fetched. Without `hospital_id` the nearest hospital with ambulances is asked, by coordinates."""

    hospital_id: UUID | None = None
    patient_id: UUID | None = None
    who: Annotated[Text, Field(max_length=80)] = ""
    phone: Annotated[Text, Field(max_length=32)]
    address: Annotated[Text, Field(max_length=200)] = ""
    latitude: Degrees | None = None
    longitude: Degrees | None = None
    problem: Annotated[Text, Field(max_length=300)] = ""
    need: Literal["basic", "advanced"] = "basic"


class Sending(Body):
    """Which vehicle, and the version of the trip last seen."""

    ambulance_id: UUID
    version: Version | None = None


class Progress(Body):
    """What the trip is now. `reason` goes with cancelled, `outcome` with cleared."""

    status: Literal["acknowledged", "en_route", "on_scene", "transporting", "at_hospital", "cleared", "cancelled"]
    reason: Annotated[Text, Field(max_length=200)] = ""
    outcome: Annotated[Text, Field(max_length=300)] = ""
    version: Version | None = None


class NewVehicle(Body):
    """One more vehicle."""

    call_sign: Annotated[Text, Field(max_length=20)]
    kind: Literal["basic", "advanced"]


class VehicleState(Body):
    """Whether it may be sent; why not."""

    status: Literal["in_service", "out_of_service"]
    reason: Annotated[Text, Field(max_length=200)] = ""
    version: Version | None = None


class Position(Body):
    """Where the vehicle is now, in degrees of WGS 84."""

    latitude: Degrees
    longitude: Degrees


class Seating(Body):
    """The seat that one takes."""

    seat: Literal["driver", "attendant"]


@router.get("/hospitals/{hospitalId}/ambulances", response={200: list_of(VehicleRow), **PROBLEMS}, summary="The fleet")
@declare("ambulance.view")
def list_ambulances(
    request: HttpRequest, hospitalId: str, page: PageNumber = 1, limit: Limit = 50, fields: Words | None = None
) -> HttpResponse:
    """The vehicles of a hospital, with their crews, what they do now and where they last were."""
    rows = selectors.fleet(answers.viewer_of(request), answers.key(hospitalId))
    return answers.cut(request, rows, page, limit, fields)


@router.get(
    "/hospitals/{hospitalId}/ambulance-availability", response={200: described(Availability), **PROBLEMS},
    summary="How many are free",
)  # fmt: skip
@declare("ambulance.view")
def availability(request: HttpRequest, hospitalId: str) -> HttpResponse:
    """The fleet in numbers, and how many requests wait."""
    return answers.reply(selectors.availability(answers.viewer_of(request), answers.key(hospitalId)))


@router.post("/hospitals/{hospitalId}/ambulances", response={201: described(VehicleRow), **PROBLEMS}, summary="Add one")
@declare("ambulance.manage")
def add_ambulance(request: HttpRequest, hospitalId: str, body: NewVehicle) -> HttpResponse:
    """A new vehicle, in service and without a crew. 422 `no_station` before it is said where they stand."""
    person, place = answers.person_of(request), answers.key(hospitalId)

    def effect() -> tuple[int, object]:
        made = keeping.add(actor=person, facility_id=place, call_sign=body.call_sign, kind=body.kind)
        return 201, _vehicle(request, made.facility_id, made.pk)

    return answers.once(request, effect)


@router.put("/ambulances/{ambulanceId}/status", response={200: described(VehicleRow), **PROBLEMS}, summary="In service")
@declare("ambulance.withdraw")
def set_service(request: HttpRequest, ambulanceId: str, body: VehicleState) -> HttpResponse:
    """Take a vehicle out of service, with the reason, or put it back. 409 `on_a_trip` while it has one."""
    person, key = answers.person_of(request), answers.key(ambulanceId)
    version = answers.expected_version(request, body.version)
    if body.status == "in_service":
        row = keeping.restore(actor=person, ambulance_id=key, version=version)
    else:
        row = keeping.withdraw(actor=person, ambulance_id=key, reason=body.reason, version=version)
    return answers.one(request, _vehicle(request, row.facility_id, row.pk))


@router.put("/ambulances/{ambulanceId}/position", response={204: None, **PROBLEMS}, summary="Where it is")
@declare("ambulance.drive")
def set_position(request: HttpRequest, ambulanceId: str, body: Position) -> HttpResponse:
    """The last position of a vehicle, from somebody on shift in it. More than one in ten seconds is dropped."""
    crews.report(
        actor=answers.person_of(request), ambulance_id=answers.key(ambulanceId), latitude=body.latitude,
        longitude=body.longitude,
    )  # fmt: skip
    return HttpResponse(status=204)


@router.post(
    "/ambulances/{ambulanceId}/shift", response={201: described(VehicleRow), **PROBLEMS}, summary="Begin a shift"
)
@declare("ambulance.drive")
def begin_shift(request: HttpRequest, ambulanceId: str, body: Seating) -> HttpResponse:
    """Begin one's own shift in a vehicle. 409 `on_shift` with one already, `seat_taken` when somebody sits there."""
    person, key = answers.person_of(request), answers.key(ambulanceId)

    def effect() -> tuple[int, object]:
        made = crews.begin(actor=person, ambulance_id=key, seat=body.seat)
        return 201, _vehicle(request, made.ambulance.facility_id, made.ambulance_id)

    return answers.once(request, effect)


@router.post("/ambulances/shift/end", response={204: None, **PROBLEMS}, summary="End the shift")
@declare("ambulance.drive")
def end_shift(request: HttpRequest) -> HttpResponse:
    """End one's own shift. 409 `on_a_trip` while nobody else of the crew would stay on it."""
    crews.end(actor=answers.person_of(request))
    return HttpResponse(status=204)


@router.get("/ambulance-bookings", response={200: list_of(TripRow), **PROBLEMS}, summary="List trips")
@declare("ambulance.view")
def list_trips(
    request: HttpRequest,
    hospitalId: UUID | None = None,
    patientId: UUID | None = None,
    ended: bool = False,
    page: PageNumber = 1,
    limit: Limit = 50,
    fields: Words | None = None,
) -> HttpResponse:
    """The trips of a hospital that go on (`ended`: that ended within a day); without one, a patient's, one's own."""
    viewer = answers.person_of(request)
    if hospitalId is not None:
        rows = selectors.trips(viewer, hospitalId, ended=ended)
    else:
        whose = patientId or viewer.patient_id
        rows = selectors.trips_of(viewer, whose) if whose else []
    return answers.cut(request, rows, page, limit, fields)


@router.post("/ambulance-bookings", response={201: described(TripRow), **PROBLEMS}, summary="Ask for an ambulance")
@declare("ambulance.request")
def book_ambulance(request: HttpRequest, body: TripWish) -> HttpResponse:
    """Ask for an ambulance. 409 `trip_open` when one was asked for this patient already."""
    person = answers.person_of(request)

    def effect() -> tuple[int, object]:
        made = asking.request(
            actor=person, facility_id=body.hospital_id, patient_id=body.patient_id, who=body.who, phone=body.phone,
            address=body.address, latitude=body.latitude, longitude=body.longitude, problem=body.problem,
            need=body.need,
        )  # fmt: skip
        return 201, selectors.trip(person, made.pk)

    return answers.once(request, effect, kind="ambulance_trip")


@router.get("/ambulance-bookings/{tripId}", response=_TRIP, summary="Read a trip")
@declare("ambulance.view")
def read_trip(request: HttpRequest, tripId: str) -> HttpResponse:
    """One trip with the times of its steps and from when to when the ambulance may arrive."""
    return answers.one(request, selectors.trip(answers.viewer_of(request), answers.key(tripId)))


@router.get(
    "/ambulance-bookings/{tripId}/suggestions", response={200: list_of(Suggestion), **PROBLEMS}, summary="Which to send"
)
@declare("ambulance.dispatch")
def suggest(request: HttpRequest, tripId: str) -> HttpResponse:
    """The free vehicles for a trip, the best first, with reasons. Nothing is sent by this."""
    rows = choosing.suggestions(answers.viewer_of(request), answers.key(tripId))
    return answers.cut(request, rows, 1, 200, None)


@router.post("/ambulance-bookings/{tripId}/dispatch", response=_TRIP, summary="Send an ambulance")
@declare("ambulance.dispatch")
def dispatch(request: HttpRequest, tripId: str, body: Sending) -> HttpResponse:
    """Send a vehicle, or another one instead. 409 `ambulance_taken` when somebody was quicker."""
    person = answers.person_of(request)
    row = actions.dispatch(
        actor=person, trip_id=answers.key(tripId), ambulance_id=body.ambulance_id,
        version=answers.expected_version(request, body.version),
    )  # fmt: skip
    return answers.one(request, selectors.trip(person, row.pk))


@router.put("/ambulance-bookings/{tripId}/status", response=_TRIP, summary="Take a step")
@declare("ambulance.view")
def set_status(request: HttpRequest, tripId: str, body: Progress) -> HttpResponse:
    """What the trip is now: by its crew, by a dispatcher who heard it by radio; cancelled by the patient too."""
    person, key = answers.person_of(request), answers.key(tripId)
    version = answers.expected_version(request, body.version)
    if body.status == "cancelled":
        row = actions.cancel(actor=person, trip_id=key, reason=body.reason, version=version)
    else:
        row = actions.take(actor=person, trip_id=key, action=_STEPS[body.status], outcome=body.outcome, version=version)
    return answers.one(request, selectors.trip(person, row.pk))


def _vehicle(request: HttpRequest, facility_id: UUID, ambulance_id: UUID) -> VehicleRow:
    rows = selectors.fleet(answers.viewer_of(request), facility_id)
    return next(row for row in rows if row.id == ambulance_id)
