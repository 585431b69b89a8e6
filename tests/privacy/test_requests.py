"""Privacy requests: due in thirty days, answered once and by the right officer, kept sealed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from polyclinic.core import clock
from polyclinic.core.errors import Conflict, Forbidden, IllegalTransition, Invalid, NotFound, StaleEdit
from polyclinic.core.models import AuditEntry, OutboxEvent
from polyclinic.facilities.models import Membership
from polyclinic.notify.models import Notice
from polyclinic.people.models import Patient
from polyclinic.privacy import actions, copies, selectors
from polyclinic.privacy.models import PrivacyRequest
from tests.house import House, account, missing

WORDS = "My insurer must not hear of the visit in May"


def ask(house: House, **changes: Any) -> PrivacyRequest:
    given = {"facility_id": house.facility.pk, "kind": "restriction", "words": WORDS, **changes}
    return actions.request(actor=house.person(house.patient), patient_id=house.patient.pk, **given)


def officer(house: House) -> Any:
    return house.person(house.staff["privacy_officer"])


def test_it_is_due_in_thirty_days_and_then_overdue(house: House) -> None:
    made = ask(house)
    assert made.due_at - made.received_at == timedelta(days=30)
    assert [row.overdue for row in selectors.requests_to_answer(officer(house))] == [False]
    with clock.fixed(made.due_at + timedelta(seconds=1)):
        assert [row.overdue for row in selectors.requests_to_answer(officer(house))] == [True]
    assert Notice.objects.filter(account=house.staff["privacy_officer"], kind="privacy_request").count() == 1


def test_it_goes_its_way_and_no_other(house: House) -> None:
    made, reads = ask(house), officer(house)
    actions.take(actor=reads, request_id=made.pk)
    with pytest.raises(IllegalTransition):
        actions.take(actor=reads, request_id=made.pk)
    with pytest.raises(Invalid):
        actions.answer(actor=reads, request_id=made.pk)
    actions.answer(actor=reads, request_id=made.pk, text="Agreed", version=2)
    for again in (actions.answer, actions.refuse):
        with pytest.raises(IllegalTransition):
            again(actor=reads, request_id=made.pk, text="Once more")
    told = [row.type for row in OutboxEvent.objects.filter(stream=f"privacy:{made.pk}").order_by("stream_seq")]
    assert told == ["privacy.requested", "privacy.taken", "privacy.answered"]
    assert AuditEntry.objects.filter(subject_id=str(made.pk)).count() == 3
    assert selectors.request(house.person(house.patient), made.pk).answer == "Agreed"


def test_what_was_said_is_sealed(house: House) -> None:
    made = ask(house)
    with connection.cursor() as cursor:
        cursor.execute("SELECT words FROM privacy_privacyrequest")
        stored = str(cursor.fetchone()[0])
    assert "insurer" not in stored
    assert PrivacyRequest.objects.get(pk=made.pk).words == WORDS
    assert all("insurer" not in text for text in OutboxEvent.objects.values_list("payload", flat=True))


def test_only_the_facilitys_officer_answers_and_never_oneself(house: House) -> None:
    made = ask(house)
    far = account("far.officer@example.com", "Far Officer")
    Membership.objects.create(account=far, facility=house.elsewhere, role="privacy_officer")
    for who in (far, house.manager, house.doctor, house.other_patient):
        for key in (made.pk, missing()):
            with pytest.raises(NotFound):
                actions.answer(actor=house.person(who), request_id=key, text="Yes")
            with pytest.raises(NotFound):
                selectors.request(house.person(who), key)
    Membership.objects.create(account=house.patient.account, facility=house.facility, role="privacy_officer")
    with pytest.raises(Forbidden):
        actions.answer(actor=house.person(house.patient), request_id=made.pk, text="Yes")


def test_one_takes_back_ones_own(house: House) -> None:
    made = ask(house)
    with pytest.raises(NotFound):
        actions.cancel(actor=house.person(house.other_patient), request_id=made.pk)
    actions.cancel(actor=house.person(house.patient), request_id=made.pk)
    with pytest.raises(IllegalTransition):
        actions.answer(actor=officer(house), request_id=made.pk, text="Yes")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": "magic"}, "kind"),
        ({"facility_id": missing()}, "facility"),
        ({"words": " "}, "words"),
        ({"words": "x" * 2001}, "words"),
        ({"kind": "correction", "field": "mrn", "after": "1"}, "field"),
        ({"kind": "correction", "field": "born", "after": "yesterday"}, "born"),
        ({"kind": "correction", "field": "sex", "after": "yes"}, "sex"),
        ({"kind": "correction", "field": "given_name", "after": "Meera"}, "given_name"),
    ],
)
def test_bad_input_is_named(house: House, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as told:
        ask(house, **changes)
    assert told.value.field == field
    assert not PrivacyRequest.objects.exists()


@pytest.mark.parametrize(
    ("field", "after"), [("born", "1981-05-17"), ("phone", "+49 30 1234"), ("sex", "other"), ("given_name", "Mira")]
)
def test_a_correction_is_written_with_its_audit_entry(house: House, field: str, after: str) -> None:
    made = ask(house, kind="correction", field=field, after=after)
    actions.answer(actor=officer(house), request_id=made.pk)
    patient = Patient.objects.get(pk=house.patient.pk)
    assert str(getattr(patient, field)) == after
    assert patient.version == house.patient.version + 1
    entry = AuditEntry.objects.get(action="patient.correct")
    assert after not in entry.detail + entry.reason


def test_a_field_changed_meanwhile_is_not_overwritten(house: House) -> None:
    made = ask(house, kind="correction", field="given_name", after="Mira")
    Patient.objects.filter(pk=house.patient.pk).update(given_name="Mirra")
    with pytest.raises(StaleEdit):
        actions.answer(actor=officer(house), request_id=made.pk)
    made.refresh_from_db()
    assert made.state == "received"


def test_a_copy_is_the_patients_for_thirty_days(house: House) -> None:
    made, patient = ask(house, kind="access", words=""), house.person(house.patient)
    with pytest.raises(Conflict):
        copies.copy_for(patient, made.pk)
    actions.answer(actor=officer(house), request_id=made.pk)
    whole = copies.copy_for(patient, made.pk)
    assert whole.patient.mrn == house.patient.mrn
    assert {"privacy_request.request", "privacy_request.answer"} <= {row.action for row in whole.accesses}
    with pytest.raises(NotFound):
        copies.copy_for(officer(house), made.pk)
    with clock.fixed(clock.now() + timedelta(days=30)), pytest.raises(Conflict) as told:
        copies.copy_for(patient, made.pk)
    assert told.value.code == "copy_expired"
