"""A visit that has paid, and the people who write in its record."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from polyclinic.core.actors import Person
from polyclinic.visits import actions
from polyclinic.visits.models import Visit
from tests.house import House


@dataclass(frozen=True)
class Ward:
    """A visit of the house's patient, waiting for the first check."""

    house: House
    visit: Visit
    nurse: Person
    checker: Person
    doctor: Person


def paid(house: House, patient: object = None) -> Visit:
    """A visit of this patient (the house's own, if none is named) whose fee is settled."""
    desk = house.person(house.receptionist)
    who = patient or house.patient
    made = actions.register(actor=desk, facility_id=house.facility.pk, patient_id=who.pk)  # type: ignore[attr-defined]
    return actions.paid(actor=desk, visit_id=made.pk)


def ward_of(house: House) -> Ward:
    people = [house.person(house.staff[role]) for role in ("nurse", "checker_doctor", "main_doctor")]
    return Ward(house, paid(house), *people)


@pytest.fixture
def ward(house: House) -> Ward:
    return ward_of(house)
