"""What the matrix needs of ambulances: a trip of `patient` with the house's own crew, and a vehicle beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from polyclinic.core.actors import SystemActor
from polyclinic.facilities.models import Membership
from polyclinic.transport import actions, asking, calling, crews, keeping
from polyclinic.transport.models import Ambulance
from tests.house import House, account

_DEMO = SystemActor("demo")
_KEY = "c" * 22


def parts(house: House) -> dict[str, str]:
    """A trip that its crew has been told of, and one vehicle on it."""
    here = house.facility.pk
    keeping.place_station(actor=_DEMO, facility_id=here, latitude=52.52, longitude=13.405)
    vehicle, beside = (
        keeping.add(actor=_DEMO, facility_id=here, call_sign=sign, kind="basic") for sign in ("M1", "M2")
    )
    crews.begin(actor=house.person(house.staff["ambulance_crew"]), ambulance_id=vehicle.pk, seat="driver")
    # With a colleague beside, so that one of the two may end their shift on a trip.
    for name, one, seat in (("two", beside, "driver"), ("three", vehicle, "attendant")):
        who = account(f"crew.{name}@example.org", f"Crew {name}")
        Membership.objects.create(account=who, facility=house.facility, role="ambulance_crew")
        crews.begin(actor=house.person(who), ambulance_id=one.pk, seat=seat)
    trip = asking.request(
        actor=_DEMO, facility_id=here, patient_id=house.patient.pk, phone="555", address="Mill Lane 3",
        latitude=52.54, longitude=13.405, problem="A reason of theirs",
    )  # fmt: skip
    actions.dispatch(actor=_DEMO, trip_id=trip.pk, ambulance_id=vehicle.pk)
    # Somebody without an account has asked as well.
    _call, code = calling.call(key=_KEY, phone="0555 77777", address="Mill Lane 9", facility_id=here)
    return {
        "call_code": code,
        "trip_id": str(trip.pk), "tripId": str(trip.pk), "ambulance_id": str(vehicle.pk),
        "ambulanceId": str(vehicle.pk),
    }  # fmt: skip


def _beside() -> str:
    return str(Ambulance.objects.get(call_sign="M2").pk)


def bodies(house: House) -> dict[str, Callable[[], Any]]:
    """What a well-formed call of the API sends."""
    return {
        "POST /api/hospitals/<hospitalId>/ambulances": lambda: {"callSign": "M3", "kind": "basic"},
        "PUT /api/ambulances/<ambulanceId>/status": lambda: {"status": "out_of_service", "reason": "Oil"},
        "PUT /api/ambulances/<ambulanceId>/position": lambda: {"latitude": 52.53, "longitude": 13.4},
        "POST /api/ambulances/<ambulanceId>/shift": lambda: {"seat": "driver"},
        "POST /api/ambulance-bookings": lambda: {
            "hospitalId": str(house.facility.pk), "who": "A man in red", "phone": "1", "address": "Mill Lane 4"},
        "POST /api/ambulance-bookings/<tripId>/dispatch": lambda: {"ambulanceId": _beside()},
        "PUT /api/ambulance-bookings/<tripId>/status": lambda: {"status": "acknowledged"},
    }  # fmt: skip


def forms(house: House) -> dict[str, dict[str, str]]:
    """What a form on a page sends."""
    step = {"action": "acknowledge", "version": "2"}
    return {
        "POST /ambulances/request": {"phone": "1", "address": "Mill Lane 4", "who": "A man in red", "need": "basic"},
        "POST /ambulances/fleet": {"call_sign": "M3", "kind": "basic"},
        "POST /ambulances/station": {"latitude": "52.5", "longitude": "13.4"},
        "POST /ambulances/trips/<str:trip_id>/dispatch": {"ambulance": _beside(), "version": "2"},
        "POST /ambulances/trips/<str:trip_id>/step": step,
        "POST /ambulances/trips/<str:trip_id>/cancel": {"reason": "Walked in", "version": "2"},
        "POST /ambulances/vehicles/<str:ambulance_id>/withdraw": {"reason": "Oil"},
        "POST /ambulances/trips/<str:trip_id>/identify": {"mrn": house.other_patient.mrn},
        "POST /emergency": {"where": house.facility.name},
        "POST /emergency/ambulance": {"phone": "0555 88888", "address": "Mill Lane 4", "step": "check"},
        "POST /ambulance/begin": {"seat": f"{_beside()} attendant"},
        "POST /ambulance/position": {"latitude": "52.5", "longitude": "13.4"},
        "POST /ambulance/trips/<str:trip_id>/step": step,
        "POST /my/ambulance": {"phone": "1", "address": "Mill Lane 4", "facilityId": str(house.facility.pk)},
        "POST /my/ambulance/<str:trip_id>/cancel": {"reason": "Better", "version": "2"},
    }  # fmt: skip


def queries(house: House) -> dict[str, str]:
    """Which hospital's trips."""
    return {"/api/ambulance-bookings": f"?hospitalId={house.facility.pk}"}
