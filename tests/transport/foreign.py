"""What T15 needs of ambulances: one side's vehicle with a crew, and a trip of its patient; its readers."""

from __future__ import annotations

from typing import Any

from polyclinic.core.actors import SystemActor
from polyclinic.facilities.models import Membership
from polyclinic.transport import actions, asking, choosing, crews, keeping, selectors
from tests.house import House, account

_DEMO = SystemActor("demo")


class Yard:
    """A vehicle of one side with its driver, and a trip that it makes; another that nobody has been sent to."""

    def __init__(self, house: House, side: Any) -> None:
        who = account(f"driver@{side.slug}.example.net", f"Driver of {side.slug}")
        Membership.objects.create(account=who, facility_id=side.facility, role="ambulance_crew")
        driver = house.person(who)
        side.people.append(driver)
        keeping.place_station(actor=_DEMO, facility_id=side.facility, latitude=1.0, longitude=2.0)
        sign = f"SIGN-{side.slug}".upper()
        vehicle, spare = (
            keeping.add(actor=_DEMO, facility_id=side.facility, call_sign=name, kind="basic")
            for name in (sign, "SPARE")
        )
        crews.begin(actor=driver, ambulance_id=vehicle.pk, seat="driver")
        crews.begin(actor=_DEMO, ambulance_id=spare.pk, seat="driver", account_id=side.colleague)
        trip = asking.request(
            actor=_DEMO, facility_id=side.facility, patient_id=side.patient, phone="1", address=f"Lane of {side.slug}"
        )
        actions.dispatch(actor=_DEMO, trip_id=trip.pk, ambulance_id=vehicle.pk)
        self.trip = trip.pk
        self.secret = {str(vehicle.pk), str(spare.pk), str(trip.pk), sign, f"Lane of {side.slug}"}


CLOSED: dict[str, Any] = {
    "transport.selectors.fleet": lambda v, s: selectors.fleet(v, s.facility),
    "transport.selectors.availability": lambda v, s: selectors.availability(v, s.facility),
    "transport.selectors.trip": lambda v, s: selectors.trip(v, s.yard.trip),
    "transport.selectors.trips": lambda v, s: selectors.trips(v, s.facility),
    "transport.selectors.trips_of": lambda v, s: selectors.trips_of(v, s.patient),
    "transport.choosing.suggestions": lambda v, s: choosing.suggestions(v, s.yard.trip),
}
# The viewer's own shift, and where the stations are, which is public.
FILTERED: dict[str, Any] = {
    "transport.selectors.own_shift": lambda v, s: selectors.own_shift(v),
    "transport.selectors.stations": lambda v, s: selectors.stations(v),
}
# Numbers alone.
BARE = {"transport.selectors.availability"}
