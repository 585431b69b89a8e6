from __future__ import annotations

import pytest
from django.db import DatabaseError, transaction

from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import SystemActor
from polyclinic.core.audit import chain
from polyclinic.core.models import AuditEntry
from tests.house import House


def test_people_have_the_rights_their_place_gives(house: House) -> None:
    subject = Subject(house.patient.pk, house.doctor.pk, house.facility.pk)
    may = {
        name: policy.allowed(house.person(who), "appointment.view", subject)
        for name, who in {
            "patient": house.patient,
            "doctor": house.doctor,
            "receptionist": house.receptionist,
            "other patient": house.other_patient,
            "other doctor": house.other_doctor,
            "foreign desk": house.stranger_receptionist,
        }.items()
    }
    assert may == {
        "patient": True,
        "doctor": True,
        "receptionist": True,
        "other patient": False,
        "other doctor": False,
        "foreign desk": False,
    }


def test_a_committed_house_can_be_emptied_again(committed_house: House) -> None:
    with transaction.atomic():
        chain.append(actor=SystemActor("demo"), action="test", subject_kind="test", subject_id=1)
    assert AuditEntry.objects.count() == 1


def test_the_next_test_finds_an_empty_log(transactional_db: None) -> None:
    assert AuditEntry.objects.count() == 0
    with transaction.atomic():
        chain.append(actor=SystemActor("demo"), action="test", subject_kind="test", subject_id=1)
    with pytest.raises(DatabaseError, match="append-only"):
        AuditEntry.objects.all().delete()
