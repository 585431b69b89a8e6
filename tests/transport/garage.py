"""What tests of ambulances share: a station in the town of the house, vehicles with crews, and requests."""

from __future__ import annotations

from typing import Any

from polyclinic.core.actors import Person, SystemActor
from polyclinic.facilities.models import Membership
from polyclinic.people.models import Account
from polyclinic.transport import actions, asking, crews, keeping
from polyclinic.transport.models import Ambulance, AmbulanceTrip
from tests.house import House, account

DEMO = SystemActor("demo")
HOME = (52.52, 13.405)
# About 2.2 km north of the station as the crow flies.
NEAR = (52.54, 13.405)


class Garage:
    """The ambulances of `facility`: what a dispatcher and crews do with them."""

    def __init__(self, house: House) -> None:
        self.house = house
        keeping.place_station(actor=DEMO, facility_id=house.facility.pk, latitude=HOME[0], longitude=HOME[1])
        self.desk: Person = house.person(house.receptionist)
        self.crew: Person = house.person(house.staff["ambulance_crew"])

    def add(self, sign: str = "A1", kind: str = "basic") -> Ambulance:
        return keeping.add(actor=DEMO, facility_id=self.house.facility.pk, call_sign=sign, kind=kind)

    def manned(self, sign: str = "A1", kind: str = "basic", who: Person | None = None) -> Ambulance:
        """A vehicle with a driver: the house's own crew, or somebody new."""
        made = self.add(sign, kind)
        crews.begin(actor=who or self.person(f"driver.{sign}".lower()), ambulance_id=made.pk, seat="driver")
        return made

    def person(self, name: str, role: str = "ambulance_crew") -> Person:
        return self.house.person(self.account(name, role))

    def account(self, name: str, role: str = "ambulance_crew") -> Account:
        who = account(f"{name}@example.org", name)
        Membership.objects.create(account=who, facility=self.house.facility, role=role)
        return who

    def ask(self, **given: Any) -> AmbulanceTrip:
        """A request for `patient`, taken by the desk."""
        asked: dict[str, Any] = {
            "actor": self.desk, "facility_id": self.house.facility.pk, "patient_id": self.house.patient.pk,
            "phone": "555 1", "address": "Mill Lane 3", "latitude": NEAR[0], "longitude": NEAR[1],
            "problem": "Chest pain",
        }  # fmt: skip
        return asking.request(**asked | given)

    def other(self, number: int = 1) -> AmbulanceTrip:
        """A request for somebody whom nobody knows."""
        return self.ask(patient_id=None, who=f"A man in a red coat {number}")

    def send(self, trip: AmbulanceTrip, vehicle: Ambulance, **given: Any) -> AmbulanceTrip:
        return actions.dispatch(**{"actor": self.desk, "trip_id": trip.pk, "ambulance_id": vehicle.pk} | given)

    def take(self, trip: AmbulanceTrip, *steps: str, actor: Any = None, **given: Any) -> AmbulanceTrip:
        for step in steps:
            trip = actions.take(actor=actor or self.crew, trip_id=trip.pk, action=step, **given)
        return trip
