"""How soon an ambulance could be somewhere: from whatever is free now, as a range and no promise."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Exists, OuterRef

from polyclinic.transport import roads
from polyclinic.transport.actions import where
from polyclinic.transport.models import Ambulance, AmbulanceTrip, CrewShift, Station
from polyclinic.transport.roads import Minutes, Point
from polyclinic.transport.states import IN_SERVICE


def soonest(at: Point) -> dict[UUID, Minutes]:
    """For each facility with a free ambulance: how long the nearest of them may take. Public, and names no vehicle."""
    crews = CrewShift.objects.filter(ambulance_id=OuterRef("pk"), ended_at__isnull=True)
    trips = AmbulanceTrip.objects.filter(ambulance_id=OuterRef("pk"), closed_at__isnull=True)
    free = Ambulance.objects.filter(Exists(crews), ~Exists(trips), state=IN_SERVICE)
    homes = stations()
    found: dict[UUID, float] = {}
    for one in free:
        km = roads.road(where(one, homes[one.facility_id]), at)
        found[one.facility_id] = min(km, found.get(one.facility_id, km))
    return {facility: roads.minutes(km) for facility, km in found.items()}


def stations() -> dict[UUID, Point]:
    """Where each facility with ambulances is on the map; public, as its address is."""
    return {row.pk: Point(row.latitude, row.longitude) for row in Station.objects.all()}
