"""Repeats: prescribed, asked for, agreed to or declined, and handed over once."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import time_machine

from polyclinic.core import clock
from polyclinic.core.actors import Person
from polyclinic.core.errors import Forbidden, IllegalTransition, Invalid, NotFound, Problem, StaleEdit
from polyclinic.core.models import AuditEntry, OutboxEvent
from polyclinic.medicines.models import Medicine
from polyclinic.notify.models import Notice
from polyclinic.prescribing import actions, asked, refills, selectors
from polyclinic.prescribing.models import Prescription, RefillRequest
from polyclinic.prescribing.repeats import Repeats
from polyclinic.records import actions as records
from polyclinic.visits import actions as visits
from tests.house import missing
from tests.prescribing.ward import Ward


def refused(code: str, call: Any, **given: Any) -> None:
    with pytest.raises(Problem) as caught:
        call(**given)
    assert caught.value.code == code


def picked_up(ward: Ward, made: Prescription) -> Prescription:
    made.refresh_from_db()
    given = {line.pk: line.quantity for line in made.lines.all()}
    return actions.dispensed(actor=ward.pharmacist, prescription_id=made.pk, quantities=given, version=made.version)


def signed(ward: Ward, number: int = 2, months: int = 6) -> Prescription:
    """A prescription of a month's metformin that may be repeated, picked up."""
    ward.no_allergies()
    line = ward.line("metformin-500-mg-tablet", frequency="twice", days=28)
    return picked_up(ward, ward.sign(line, repeats=Repeats(number, months)))


@pytest.fixture
def patient(ward: Ward) -> Person:
    return ward.house.person(ward.house.patient)


def test_a_patient_asks_a_doctor_agrees_and_the_pharmacy_has_another_prescription(ward: Ward, patient: Person) -> None:
    first = signed(ward)
    [row] = asked.repeats_of(patient, patient.patient_id or UUID(int=0)).values()
    assert (row.left, row.can_ask, row.why_not) == (2, True, "")
    made = refills.ask(actor=patient, prescription_id=first.pk, note="  Three tablets left ")
    assert [one.note for one in asked.waiting(ward.main)] == ["Three tablets left"]
    assert asked.number(ward.doctor) == 1
    assert Notice.objects.get(kind="refill_asked").account_id == ward.main.account_id
    repeat = refills.approve(actor=ward.main, refill_id=made.pk, version=1)
    assert (repeat.state, repeat.repeat_of_id, repeat.repeats, repeat.number) == ("signed", first.pk, 0, 2)
    [waits] = selectors.waiting(ward.pharmacist, ward.house.facility.pk)
    assert (waits.id, waits.repeat_of_label) == (repeat.pk, "R00000001")
    assert [(one.quantity, one.frequency, one.days) for one in waits.lines] == [(Decimal(56), "twice", 28)]
    assert Notice.objects.get(kind="refill_answered").account_id == patient.account_id
    [row] = asked.repeats_of(patient, first.patient_id).values()
    assert row.newest is not None
    assert (row.left, row.can_ask, row.newest.state, row.newest.made_id) == (1, False, "approved", repeat.pk)
    picked_up(ward, repeat)
    assert asked.repeats_of(patient, first.patient_id)[first.pk].can_ask
    steps = AuditEntry.objects.filter(subject_kind="refill", revision__gt=0).order_by("revision")
    assert list(steps.values_list("action", flat=True)) == ["refill.ask", "refill.approve"]
    told = OutboxEvent.objects.filter(stream=f"refill:{made.pk}").order_by("stream_seq")
    assert [one.type for one in told] == ["prescription.refill_requested", "prescription.refill_approved"]
    assert not any("tablets left" in one.payload or "metformin" in one.payload for one in OutboxEvent.objects.all())


def test_no_repeat_is_handed_over_twice_nor_more_often_than_was_prescribed(ward: Ward, patient: Person) -> None:
    first = signed(ward, 1)
    made = refills.ask(actor=patient, prescription_id=first.pk)
    refused("refill_asked", refills.ask, actor=patient, prescription_id=first.pk)
    repeat = refills.approve(actor=ward.main, refill_id=made.pk)
    with pytest.raises(IllegalTransition):
        refills.approve(actor=ward.doctor, refill_id=made.pk)
    refused("not_picked_up", refills.ask, actor=patient, prescription_id=first.pk)
    picked_up(ward, repeat)
    with pytest.raises(Problem):
        picked_up(ward, repeat)
    with pytest.raises(Problem):
        picked_up(ward, first)
    refused("no_repeats_left", refills.ask, actor=patient, prescription_id=first.pk)
    # A repeat is not the root of others.
    refused("no_repeats", refills.ask, actor=patient, prescription_id=repeat.pk)
    assert Prescription.objects.count() == 2


def test_what_was_withdrawn_by_the_doctor_does_not_count(ward: Ward, patient: Person) -> None:
    first = signed(ward, 1)
    made = refills.ask(actor=patient, prescription_id=first.pk)
    repeat = refills.approve(actor=ward.main, refill_id=made.pk)
    actions.cancel(actor=ward.main, prescription_id=repeat.pk, reason="Wrong patient")
    assert asked.repeats_of(patient, first.patient_id)[first.pk].left == 1
    assert refills.ask(actor=patient, prescription_id=first.pk).state == "asked"


def test_declining_takes_a_reason_that_the_patient_reads(ward: Ward, patient: Person) -> None:
    first = signed(ward)
    made = refills.ask(actor=patient, prescription_id=first.pk)
    for reason, code in (("  ", "required"), ("x" * 201, "too_long")):
        refused(code, refills.decline, actor=ward.main, refill_id=made.pk, reason=reason)
    with pytest.raises(StaleEdit):
        refills.decline(actor=ward.main, refill_id=made.pk, reason="Come in first", version=7)
    refills.decline(actor=ward.main, refill_id=made.pk, reason="Come in first", version=1)
    row = asked.request(patient, made.pk)
    assert (row.state, row.answer, row.answered_by) == ("declined", "Come in first", "Some main_doctor")
    assert "Come in" not in str(RefillRequest.objects.values_list("answer", flat=True).get())
    assert not Prescription.objects.filter(repeat_of=first).exists()
    # It is no end: the patient may ask again.
    assert asked.repeats_of(patient, first.patient_id)[first.pk].can_ask


def test_a_patient_takes_the_request_back(ward: Ward, patient: Person) -> None:
    first = signed(ward)
    made = refills.ask(actor=patient, prescription_id=first.pk)
    assert refills.withdraw(actor=patient, refill_id=made.pk).state == "withdrawn"
    assert asked.waiting(ward.main) == []
    with pytest.raises(IllegalTransition):
        refills.approve(actor=ward.main, refill_id=made.pk)


def test_the_time_for_repeats_ends(ward: Ward, patient: Person) -> None:
    first = signed(ward, 2, 3)
    assert first.repeat_until is not None
    made = refills.ask(actor=patient, prescription_id=first.pk)
    with time_machine.travel(clock.now() + timedelta(days=120), tick=False):
        refused("repeats_over", refills.approve, actor=ward.main, refill_id=made.pk)
        refills.decline(actor=ward.main, refill_id=made.pk, reason="Too late: come in")
        refused("repeats_over", refills.ask, actor=patient, prescription_id=first.pk)


def test_what_was_never_fetched_is_not_repeated(ward: Ward, patient: Person) -> None:
    ward.no_allergies()
    made = ward.sign(repeats=Repeats(2))
    refused("not_picked_up", refills.ask, actor=patient, prescription_id=made.pk)
    actions.declined(actor=ward.pharmacist, prescription_id=made.pk, reason="patient")
    refused("not_picked_up", refills.ask, actor=patient, prescription_id=made.pk)


def test_an_allergy_told_since_stops_the_repeat_until_there_is_a_reason(ward: Ward, patient: Person) -> None:
    ward.no_allergies()
    first = picked_up(ward, ward.sign(ward.line(), repeats=Repeats(1)))
    visits.finish(actor=ward.pharmacist, visit_id=ward.visit)
    made = refills.ask(actor=patient, prescription_id=first.pk)
    assert asked.against(ward.main, made.pk) == [], "the course that goes on is no second one beside it"
    again = ward.arrive()
    records.note_allergy(actor=ward.main, visit_id=again, substance="Penicillin")
    lines, found = asked.what(ward.main, made.pk), asked.against(ward.main, made.pk)
    assert [line.medicine.generic for line in lines] == ["amoxicillin"]
    [warning] = [one for one in found if one.interrupts]
    refused("new_warnings", refills.approve, actor=ward.main, refill_id=made.pk, seen=[])
    refused("warnings", refills.approve, actor=ward.main, refill_id=made.pk, seen=[one.key for one in found])
    repeat = refills.approve(
        actor=ward.main, refill_id=made.pk, seen=[one.key for one in found], overrides={warning.key: "Tolerated"}
    )
    row = selectors.prescription(ward.main, repeat.pk)
    assert [said.reason for line in row.lines for said in line.overrides] == ["Tolerated"]


def test_who_may_not_sign_may_not_agree_and_who_is_a_stranger_learns_nothing(ward: Ward, patient: Person) -> None:
    first = signed(ward)
    stranger = ward.house.person(ward.house.other_patient)
    for who in (stranger, ward.desk, ward.house.person(ward.house.stranger_doctor)):
        with pytest.raises(NotFound):
            refills.ask(actor=who, prescription_id=first.pk)
    with pytest.raises(Forbidden):
        refills.ask(actor=ward.pharmacist, prescription_id=first.pk)
    made = refills.ask(actor=patient, prescription_id=first.pk)
    for who in (ward.pharmacist, patient, ward.checker):
        with pytest.raises(Forbidden):
            refills.approve(actor=who, refill_id=made.pk)
        with pytest.raises(Forbidden):
            refills.decline(actor=who, refill_id=made.pk, reason="No")
        assert asked.waiting(who) == []
        with pytest.raises(NotFound):
            asked.what(who, made.pk)
    for who in (stranger, ward.desk):
        with pytest.raises(NotFound):
            asked.request(who, made.pk)
        with pytest.raises(NotFound):
            refills.withdraw(actor=who, refill_id=made.pk)
    with pytest.raises(NotFound):
        refills.approve(actor=ward.main, refill_id=missing())


def test_repeats_are_few_in_time_and_never_of_controlled_medicines(ward: Ward) -> None:
    ward.no_allergies()
    for wrong in (Repeats(12), Repeats(-1), Repeats(1, 5)):
        with pytest.raises(Invalid):
            ward.sign(repeats=wrong)
    controlled = Medicine.objects.filter(controlled=True).values_list("code", flat=True)[0]
    line = ward.line(controlled, days=2, quantity=Decimal(4))
    with pytest.raises(Invalid) as caught:
        ward.sign(line, repeats=Repeats(1))
    assert caught.value.code == "controlled"
    made = picked_up(ward, ward.sign())
    refused("no_repeats", refills.ask, actor=ward.house.person(ward.house.patient), prescription_id=made.pk)
