"""The ambulances of the demo: two crews on shift, one on its way to a patient, and a caller who still waits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from polyclinic.core import clock
from polyclinic.core.access.rules import Role
from polyclinic.core.actors import SystemActor
from polyclinic.demo import accounts, places
from polyclinic.demo.install import Hospital
from polyclinic.demo.morning import Mornings
from polyclinic.facilities.models import Facility, Membership
from polyclinic.people.models import Account
from polyclinic.transport import actions, asking, crews, keeping, roads
from polyclinic.transport.models import Ambulance, AmbulanceTrip

ACTOR: Final = SystemActor("demo")
_HOME, _NORTH = roads.Point(51.4560, -0.9700), roads.Point(51.5080, -0.9040)
# Where each stands or drives, as degrees from the station; none sends no position.
VEHICLES: Final = (
    ("Riverside 1", "advanced", (0.0110, 0.0150)),
    ("Riverside 2", "basic", (-0.0060, 0.0090)),
    ("Riverside 3", "basic", None),
    ("Riverside 4", "advanced", None),
)
CREWS: Final = (
    ("Riverside 1", "driver", accounts.account("ambulance_crew").email, ""),
    ("Riverside 1", "attendant", "crew02@staff.demo.example", "Jonas Lind"),
    ("Riverside 2", "driver", "crew03@staff.demo.example", "Aylin Kaya"),
    ("Riverside 2", "attendant", "crew04@staff.demo.example", "Peter Wolff"),
)


class Rounds:
    """What the crews have done until now, a step at a time, so that history is written as it happened."""

    def __init__(self, hospital: Hospital, now: datetime) -> None:
        self._hospital = hospital
        self._home = hospital.facilities[places.HOME]
        self._trip: AmbulanceTrip | None = None
        self._plan: list[tuple[datetime, Callable[[], object]]] = [
            (now - timedelta(minutes=minutes), act)
            for minutes, act in (
                (210, self._begin), (24, self._call), (22, self._send), (21, self._accept), (6, self._set_off),
                (4, self._second_call), (1, self._report),
            )
        ]  # fmt: skip

    def advance(self, until: datetime, mornings: Mornings) -> None:
        """Do what was done up to a moment, each at its own, after what the house did before it."""
        while self._plan and self._plan[0][0] <= until:
            at, act = self._plan.pop(0)
            mornings.advance(at)
            with clock.fixed(at):
                act()

    def _begin(self) -> None:
        for _sign, _seat, email, name in CREWS:
            if not name:
                continue
            who = Account.objects.create(email=email, name=name, password="!" + "demo" * 10)
            Membership.objects.create(account=who, facility=self._home, role=Role.AMBULANCE_CREW)
        for sign, seat, email, _name in CREWS:
            crews.begin(
                actor=ACTOR, ambulance_id=_vehicle(self._home, sign).pk, seat=seat,
                account_id=Account.objects.get(email=email).pk,
            )  # fmt: skip

    def _call(self) -> None:
        # Somebody of the town who has no appointment to be at; not the demo patient, who may ask for one herself.
        patient = self._hospital.patients[1]
        self._trip = asking.request(
            actor=ACTOR, facility_id=self._home.pk, patient_id=patient.pk, phone=patient.phone or "555-0170",
            address="8 Orchard Close, second floor, code 41", latitude=_HOME.latitude + 0.021,
            longitude=_HOME.longitude + 0.024, problem="Fell on the stairs, cannot stand, awake", need="advanced",
        )  # fmt: skip

    def _send(self) -> None:
        self._step(lambda trip: actions.dispatch(
            actor=ACTOR, trip_id=trip.pk, ambulance_id=_vehicle(self._home, "Riverside 1").pk
        ))  # fmt: skip

    def _accept(self) -> None:
        self._step(lambda trip: actions.take(actor=ACTOR, trip_id=trip.pk, action="acknowledge"))

    def _set_off(self) -> None:
        self._step(lambda trip: actions.take(actor=ACTOR, trip_id=trip.pk, action="set_off"))

    def _step(self, act: Callable[[AmbulanceTrip], object]) -> None:
        assert self._trip is not None
        act(self._trip)

    def _second_call(self) -> None:
        asking.request(
            actor=ACTOR, facility_id=self._home.pk, who="A cyclist, about 30", phone="555-0188",
            address="Corner of Mill Lane and Station Road", latitude=_HOME.latitude - 0.014,
            longitude=_HOME.longitude + 0.016, problem="Hit by a car door, bleeding from the arm",
        )  # fmt: skip

    def _report(self) -> None:
        for sign, _kind, offset in VEHICLES:
            if offset is not None:
                at = roads.Point(_HOME.latitude + offset[0], _HOME.longitude + offset[1])
                crews.moved(_vehicle(self._home, sign), at)


def set_up(hospital: Hospital) -> int:
    """Where the ambulances stand, and which there are. Returns how many."""
    home, north = hospital.facilities[places.HOME], list(hospital.facilities.values())[1]
    for facility, at in ((home, _HOME), (north, _NORTH)):
        keeping.place_station(actor=ACTOR, facility_id=facility.pk, latitude=at.latitude, longitude=at.longitude)
    for sign, kind, _offset in VEHICLES:
        keeping.add(actor=ACTOR, facility_id=home.pk, call_sign=sign, kind=kind)
    keeping.add(actor=ACTOR, facility_id=north.pk, call_sign="Northgate 1", kind="advanced")
    keeping.withdraw(actor=ACTOR, ambulance_id=_vehicle(home, "Riverside 4").pk, reason="Yearly inspection")
    return len(VEHICLES) + 1


def _vehicle(facility: Facility, sign: str) -> Ambulance:
    return Ambulance.objects.get(facility=facility, call_sign=sign)
