"""Which free vehicle for a trip: an order with its reasons. It suggests, and a person decides."""

from __future__ import annotations

from uuid import UUID

from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Person, SystemActor, Viewer
from polyclinic.core.errors import NotFound, Unauthenticated
from polyclinic.transport import roads, selectors
from polyclinic.transport.models import AmbulanceTrip, Station
from polyclinic.transport.rows import Suggestion, VehicleRow
from polyclinic.transport.rules import is_usable
from polyclinic.transport.states import REQUESTED, TO_PATIENT
from polyclinic.transport.words import Kind


def suggestions(viewer: Viewer, trip_id: UUID) -> list[Suggestion]:
    """The free vehicles for a trip, the best first; none once somebody has arrived. Raises NotFound for whoever does
    not send ambulances there."""
    found = AmbulanceTrip.objects.filter(pk=trip_id).first()
    if found is None:
        raise NotFound() if isinstance(viewer, Person | SystemActor) else Unauthenticated()
    policy.require_sight(viewer, "ambulance.dispatch", Subject(None, None, found.facility_id))
    if found.state not in (REQUESTED, *TO_PATIENT):
        return []
    station = Station.objects.get(pk=found.facility_id)
    free = [one for one in selectors.fleet(viewer, found.facility_id) if one.status == "free"]
    return ordered(found.need, roads.read(found.place), roads.Point(station.latitude, station.longitude), free)


def ordered(need: str, at: roads.Point | None, home: roads.Point, free: list[VehicleRow]) -> list[Suggestion]:
    """The vehicles that can do what is needed first, among them the nearest by road first."""
    found = [_judged(need, at, home, one) for one in free]
    found.sort(key=lambda one: ("less_than_asked" in one.reasons, one.km if one.km is not None else 0, one.call_sign))
    near = min((one.km for one in found if one.km is not None), default=None)
    return [_marked(one) if one.km is not None and one.km == near else one for one in found]


def _judged(need: str, at: roads.Point | None, home: roads.Point, one: VehicleRow) -> Suggestion:
    known = is_usable(one.position_at) and one.latitude is not None and one.longitude is not None
    start = roads.Point(one.latitude or 0.0, one.longitude or 0.0) if known else home
    km = round(roads.road(start, at), 1) if at else None
    takes = roads.minutes(km) if km is not None else None
    reasons = ["fits" if one.kind == need else "more_than_asked" if need == Kind.BASIC else "less_than_asked"]
    reasons += ["place_unknown"] if km is None else [] if known else ["from_station"]
    return Suggestion(
        ambulance_id=one.id, call_sign=one.call_sign, kind=one.kind, km=km,
        minutes_least=takes.least if takes else None, minutes_most=takes.most if takes else None,
        position_at=one.position_at, reasons=tuple(reasons),
    )  # fmt: skip


def _marked(one: Suggestion) -> Suggestion:
    return Suggestion(
        one.ambulance_id, one.call_sign, one.kind, one.km, one.minutes_least, one.minutes_most, one.position_at,
        ("nearest", *one.reasons),
    )  # fmt: skip
