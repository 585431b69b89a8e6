"""Erasing a patient: who may, what is left, and that it cannot be undone."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import transaction

from polyclinic.core.access.rules import Role
from polyclinic.core.actors import SystemActor
from polyclinic.core.crypto.ring import ring
from polyclinic.core.errors import Forbidden, NotFound
from polyclinic.core.models import AuditEntry
from polyclinic.facilities.models import Membership
from polyclinic.people.erasing import ERASED, AlreadyErased, shred_patient
from polyclinic.people.models import Account, Patient
from polyclinic.scheduling import actions, selectors
from tests.crypto.conftest import keys
from tests.house import House, missing

OPERATOR = SystemActor("operator")
__all__ = ["keys"]


@pytest.fixture
def phoned(house: House) -> House:
    house.patient.phone = "555 0142"
    house.patient.save()
    return house


def test_what_is_left_names_nobody_and_says_nothing(phoned: House, keys: Path) -> None:
    house, patient = phoned, phoned.patient
    me = house.person(patient)
    made = actions.book(
        actor=me, patient_id=patient.pk, schedule_id=house.schedule.pk, starts=house.slot(), reason="Cough"
    )
    assert selectors.appointment(house.person(house.doctor), made.pk).reason == "Cough"
    shred_patient(actor=OPERATOR, patient_id=patient.pk, reason="request 17")
    left = Patient.objects.get(pk=patient.pk)
    assert (left.family_name, left.phone, left.phone_index, left.account_id) == (ERASED, "", "", None)
    assert (left.born.month, left.born.day, left.sex) == (1, 1, "unknown")
    seen = selectors.appointment(house.person(house.doctor), made.pk)
    assert (seen.reason, seen.starts) == ("", house.slot())
    assert "Pillai" not in seen.patient_name
    closed = Account.objects.get(pk=me.account_id)
    assert (closed.is_active, closed.name) == (False, ERASED)
    assert "meera" not in closed.email
    entry = AuditEntry.objects.get(action="patient.shred")
    assert entry.patient_id == patient.pk
    assert "request 17" in entry.detail
    with pytest.raises(AlreadyErased):
        shred_patient(actor=OPERATOR, patient_id=patient.pk)


def test_only_the_operator_and_the_places_privacy_officer_may(house: House, keys: Path) -> None:
    officer = house.person(house.staff["privacy_officer"])
    others = [house.patient, house.doctor, house.receptionist, house.manager, house.staff["admin"]]
    for who in others:
        with pytest.raises(Forbidden):
            shred_patient(actor=house.person(who), patient_id=house.patient.pk, facility_id=house.facility.pk)
    with pytest.raises(Forbidden):
        shred_patient(actor=officer, patient_id=house.patient.pk, facility_id=house.elsewhere.pk)
    with pytest.raises(Forbidden):
        shred_patient(actor=officer, patient_id=house.patient.pk)
    ring.current(f"patient:{house.patient.pk}")  # the key is still there
    shred_patient(actor=officer, patient_id=house.patient.pk, facility_id=house.facility.pk)
    with pytest.raises(NotFound):
        shred_patient(actor=OPERATOR, patient_id=missing())


def test_a_colleagues_account_stays_open(house: House, keys: Path) -> None:
    assert house.patient.account
    account = house.patient.account
    Membership.objects.create(account=account, facility=house.facility, role=Role.NURSE)
    shred_patient(actor=OPERATOR, patient_id=house.patient.pk, keep_account=True)
    kept = Account.objects.get(pk=account.pk)
    assert (kept.is_active, kept.name) == (True, account.name)


def test_a_vault_that_fails_leaves_everything(house: House, keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_owner: str) -> int:
        raise OSError("disk full")

    monkeypatch.setattr(ring, "shred", fails)
    with pytest.raises(OSError, match="disk full"), transaction.atomic():
        shred_patient(actor=OPERATOR, patient_id=house.patient.pk)
    assert Patient.objects.get(pk=house.patient.pk).family_name == house.patient.family_name
    assert not AuditEntry.objects.filter(action="patient.shred").exists()
