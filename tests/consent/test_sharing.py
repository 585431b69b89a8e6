"""Sharing by consent: what is shared is seen, what is not is missing, and a withdrawal holds at once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from polyclinic.consent import actions, selectors, sharing
from polyclinic.consent.models import Consent
from polyclinic.core import clock
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.errors import Forbidden, IllegalTransition, Invalid, NotFound
from polyclinic.core.models import AuditEntry, OutboxEvent
from polyclinic.people.models import Doctor
from tests.house import House, missing


def may(house: House, who: Doctor, permission: str = "patient.view") -> bool:
    """Whether a doctor who never met the patient may see that part of the record."""
    return policy.allowed(house.person(who), permission, Subject(patient_id=house.patient.pk))


def share(house: House, **changes: object) -> Consent:
    given = {"facility_id": house.elsewhere.pk, "purpose": "treatment", "categories": ["all"], **changes}
    return actions.grant(actor=house.person(house.patient), patient_id=house.patient.pk, **given)  # type: ignore[arg-type]


def test_a_facility_sees_what_is_shared_and_nothing_after_the_withdrawal(house: House) -> None:
    assert not may(house, house.stranger_doctor)
    made = share(house)
    assert may(house, house.stranger_doctor)
    assert may(house, house.stranger_doctor, "appointment.view")
    assert not may(house, house.other_doctor)
    actions.withdraw(actor=house.person(house.patient), consent_id=made.pk)
    assert not may(house, house.stranger_doctor)
    kinds = [row.type for row in OutboxEvent.objects.filter(stream=f"consent:{made.pk}").order_by("stream_seq")]
    assert kinds == ["consent.granted", "consent.withdrawn"]
    assert AuditEntry.objects.filter(subject_id=str(made.pk)).count() == 2


def test_a_part_is_shared_and_the_rest_is_not(house: House) -> None:
    share(house, categories=["appointments"])
    assert may(house, house.stranger_doctor, "appointment.view")
    assert not may(house, house.stranger_doctor)


def test_a_doctor_is_shared_with_wherever_they_work(house: House) -> None:
    share(house, facility_id=None, account_id=house.stranger_doctor.account.pk)
    assert may(house, house.stranger_doctor)
    assert not may(house, house.other_doctor)


def test_it_ends_at_its_moment_and_not_after(house: House) -> None:
    until = clock.now() + timedelta(days=1)
    made = share(house, expires_at=until)
    with clock.fixed(until - timedelta(seconds=1)):
        assert may(house, house.stranger_doctor)
    with clock.fixed(until):
        assert not may(house, house.stranger_doctor)
        assert not selectors.consent(house.person(house.patient), made.pk).in_force


def test_lists_know_who_shares(house: House) -> None:
    here = frozenset({house.elsewhere.pk})
    share(house, categories=["appointments"])
    assert sharing.sharers(here, "appointment.view") == {house.patient.pk}
    assert sharing.sharers(here, "patient.view") == frozenset()


def test_a_receptionist_sees_nothing_by_consent(house: House) -> None:
    share(house)
    desk = house.person(house.stranger_receptionist)
    assert not policy.allowed(desk, "patient.view", Subject(patient_id=house.patient.pk))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"purpose": "curiosity"}, "purpose"),
        ({"categories": []}, "categories"),
        ({"categories": ["everything"]}, "categories"),
        ({"facility_id": None}, "grantee"),
        ({"facility_id": missing()}, "grantee"),
        ({"facility_id": None, "account_id": missing()}, "grantee"),
        ({"expires_at": clock.now() - timedelta(days=1)}, "until"),
        ({"expires_at": clock.now() + timedelta(days=9999)}, "until"),
    ],
)
def test_bad_input_is_named_and_leaves_nothing(house: House, changes: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as told:
        share(house, **changes)
    assert told.value.field == field
    assert not Consent.objects.exists()


def test_nobody_shares_or_withdraws_for_another(house: House) -> None:
    made = share(house)
    stranger = house.person(house.other_patient)
    with pytest.raises(Forbidden):
        actions.grant(actor=stranger, patient_id=house.patient.pk, facility_id=house.elsewhere.pk, purpose="treatment",
                      categories=["all"])  # fmt: skip
    for key in (made.pk, missing()):
        with pytest.raises(NotFound):
            actions.withdraw(actor=stranger, consent_id=key)
        with pytest.raises(NotFound):
            selectors.consent(stranger, key)
    with pytest.raises(NotFound):
        selectors.consents(stranger, house.patient.pk)


def test_it_is_withdrawn_once(house: House) -> None:
    made = share(house)
    patient = house.person(house.patient)
    actions.withdraw(actor=patient, consent_id=made.pk)
    with pytest.raises(IllegalTransition):
        actions.withdraw(actor=patient, consent_id=made.pk)


def test_what_is_remembered_is_forgotten_with_the_commit(committed_house: House) -> None:
    """Outside a transaction answers are kept for two seconds; a withdrawal must not wait for that."""
    house = committed_house
    made = share(house)
    assert may(house, house.stranger_doctor)
    assert house.patient.pk in sharing._cache
    actions.withdraw(actor=house.person(house.patient), consent_id=made.pk)
    assert not may(house, house.stranger_doctor)


def test_without_forgetting_the_old_answer_would_stand(committed_house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control of the test above."""
    house = committed_house
    made = share(house)
    assert may(house, house.stranger_doctor)
    monkeypatch.setattr(sharing, "forget_on_commit", lambda _patient: None)
    actions.withdraw(actor=house.person(house.patient), consent_id=made.pk)
    assert may(house, house.stranger_doctor)
    sharing.forget()
