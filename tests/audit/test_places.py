"""No look by staff is without an auditor: who works at several places is seen at the one the look has to do with."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from polyclinic.consent.models import EmergencyAccess
from polyclinic.core import clock
from polyclinic.core.actors import Grant, Person
from polyclinic.core.audit import reads
from polyclinic.core.models import AuditEntry
from polyclinic.facilities.models import Membership
from polyclinic.scheduling import selectors
from polyclinic.scheduling.models import Appointment, CareLink
from polyclinic.trail import selectors as trail
from polyclinic.trail.selectors import Search
from tests.house import House, account, schedule


def meets(house: House, who: Any, where: Any, days: int, doctor: Any = None) -> None:
    """An appointment of this patient so many days ago."""
    starts = clock.now() - timedelta(days=days)
    Appointment.objects.create(
        patient=who, doctor=doctor or house.doctor, facility=where, schedule=house.schedule, state="completed",
        starts=starts, ends=starts + timedelta(minutes=20), booked_by="test", booked_at=starts,
    )  # fmt: skip
    CareLink.objects.get_or_create(doctor=doctor or house.doctor, patient=who)


@pytest.fixture
def roaming(house: House) -> Person:
    """The doctor, who works at both hospitals: one patient was seen here, the other there."""
    schedule(house.doctor, house.elsewhere)
    meets(house, house.patient, house.elsewhere, 30)
    meets(house, house.patient, house.facility, 3)
    meets(house, house.other_patient, house.elsewhere, 2)
    found = house.person(house.doctor)
    assert found.workplaces == {house.facility.pk, house.elsewhere.pk}
    return found


def auditor(house: House, where: Any) -> Person:
    one = account(f"auditor@{where.slug}.example", "Some Auditor")
    Membership.objects.create(account=one, facility=where, role="auditor")
    return house.person(one)


def told(viewer: Person, action: str) -> list[tuple[str, int]]:
    return [(row.mrn, row.patients) for row in trail.entries(viewer, Search(action=action)).rows]


def test_a_look_at_one_patient_is_told_where_they_last_met(house: House, roaming: Person) -> None:
    selectors.patient_of_doctor(roaming, house.patient.pk)
    assert told(auditor(house, house.facility), "patient.read") == [(house.patient.mrn, 1)]
    assert told(auditor(house, house.elsewhere), "patient.read") == []


def test_a_list_is_told_to_each_place_its_part(house: House, roaming: Person) -> None:
    selectors.doctor_patients(roaming, house.doctor.pk)
    assert told(auditor(house, house.facility), "patient.list") == [(house.patient.mrn, 1)]
    assert told(auditor(house, house.elsewhere), "patient.list") == [(house.other_patient.mrn, 1)]


def place_of(viewer: Person, patient: UUID) -> UUID | None:
    reads.opened(viewer, "patient", patient, patient_id=patient)
    return AuditEntry.objects.filter(action="patient.read").latest("pk").facility_id


def test_break_glass_is_told_where_it_was_made(house: House, roaming: Person) -> None:
    ends = clock.now() + timedelta(minutes=60)
    EmergencyAccess.objects.create(
        patient=house.patient, account=house.doctor.account, facility=house.elsewhere, reason="Unconscious",
        state="open", ends_at=ends,
    )  # fmt: skip
    opened = replace(roaming, emergencies=frozenset({(house.patient.pk, ends)}))
    assert place_of(opened, house.patient.pk) == house.elsewhere.pk


def test_what_nobody_can_say_is_told_to_one_of_the_readers_places(house: House, roaming: Person) -> None:
    assert place_of(roaming, house.stranger_patient.pk) in roaming.workplaces
    here = replace(roaming, grants=frozenset({Grant("nurse", house.facility.pk)}), workplaces=frozenset())
    assert place_of(here, house.stranger_patient.pk) == house.facility.pk


def test_ones_own_record_belongs_to_no_place(house: House, roaming: Person) -> None:
    own = replace(roaming, patient_id=house.patient.pk)
    assert place_of(own, house.patient.pk) is None


def test_without_knowing_where_the_parts_are_not_told_apart(
    house: House, roaming: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control: the places are what `scheduling.care` says."""
    monkeypatch.setattr(reads, "_whereabouts", reads._nowhere)
    selectors.doctor_patients(roaming, house.doctor.pk)
    assert AuditEntry.objects.filter(action="patient.list").count() == 1
