"""Services of the demo that take more than a doctor: one ultrasound for several doctors, a bicycle with a nurse."""

from __future__ import annotations

from typing import Final

from polyclinic.core.actors import Person, SystemActor
from polyclinic.core.errors import Conflict
from polyclinic.demo import accounts, places
from polyclinic.demo.install import Hospital
from polyclinic.facilities import catalogue, identity, offers
from polyclinic.facilities.models import Service
from polyclinic.facilities.offers import Offer
from polyclinic.people.models import Account
from polyclinic.scheduling import actions, availability, house

_ACTOR: Final = SystemActor("demo")
# How many are booked for each in the coming days.
_BOOKED: Final = 3


def set_up(hospital: Hospital) -> str:
    """Two services of the home house with their devices, and some who are booked for them. Returns how many."""
    manager = _manager()
    scan = _service(manager, hospital, "Vascular ultrasound", "How blood flows in the vessels, painless.")
    stress = _service(manager, hospital, "Exercise test", "The heart at work on a bicycle, with a nurse beside you.")
    home = hospital.facilities[places.HOME]
    ultrasound = catalogue.add_equipment(actor=manager, facility_id=home.pk, name="Ultrasound", count=1)
    bicycle = catalogue.add_equipment(actor=manager, facility_id=home.pk, name="Exercise bicycle", count=2)
    _give(manager, scan, Offer(minutes=20, equipment=(ultrasound.pk,)), "One device for all of cardiology")
    _give(manager, stress, Offer(minutes=40, equipment=(bicycle.pk,), second="role:nurse"), "")
    booked = sum(_book(hospital, service, first) for first, service in ((2, scan), (12, stress)))
    return f"2, booked for them: {booked}"


def _manager() -> Person:
    account = Account.objects.get(email=accounts.account("manager").email)
    found = identity.person_of_account(account.pk, via="demo")
    assert found is not None
    return found


def _service(manager: Person, hospital: Hospital, name: str, about: str) -> Service:
    home = hospital.facilities[places.HOME]
    return catalogue.add_service(actor=manager, facility_id=home.pk, name=name, specialty="cardiology", about=about)


def _give(manager: Person, service: Service, terms: Offer, note: str) -> None:
    assert service.facility_id is not None
    house.change(
        actor=manager, facility_id=service.facility_id, key=offers.key_of(service.pk), value=offers.write(terms),
        seen=0, note=note,
    )  # fmt: skip


def _book(hospital: Hospital, service: Service, first: int) -> int:
    """The next free times, for patients who happen to be free then."""
    slots = availability.first_free(_ACTOR, service_id=service.pk, limit=4 * _BOOKED)[::4]
    booked = 0
    for patient, slot in zip(hospital.patients[first:], slots, strict=False):
        try:
            actions.book(
                actor=_ACTOR, patient_id=patient.pk, schedule_id=slot.schedule_id, starts=slot.starts,
                service_id=service.pk, reason="Sent by the family doctor",
            )  # fmt: skip
            booked += 1
        except Conflict:
            # Somebody who has another appointment then comes another day.
            continue
    return booked
