"""The write door: a step is a state, a version, one audit row and one event, or it is nothing at all."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from polyclinic.core import clock
from polyclinic.core.access import policy
from polyclinic.core.actors import Actor, Anonymous, SystemActor
from polyclinic.core.audit import chain
from polyclinic.core.crypto import reasons
from polyclinic.core.db import transactional
from polyclinic.core.errors import (
    Conflict,
    Forbidden,
    IllegalTransition,
    OutsideTransaction,
    StaleEdit,
    Unauthenticated,
)
from polyclinic.core.ledger import Machine, Transition, apply, change, create, machines, record
from polyclinic.core.models import AuditEntry, OutboxEvent
from polyclinic.core.outbox import log
from polyclinic.core.outbox.events import event, registered
from polyclinic.scheduling import events, states
from polyclinic.scheduling.models import Appointment, Schedule
from tests.house import House

DEMO = SystemActor("demo")


def draft(house: House, **fields: Any) -> Appointment:
    """An appointment that is not in the database yet."""
    starts = fields.pop("starts", house.slot())
    return Appointment(
        patient=house.patient,
        doctor=house.doctor,
        facility=house.facility,
        schedule=house.schedule,
        starts=starts,
        ends=starts + timedelta(minutes=20),
        booked_by="test",
        **fields,
    )


@pytest.fixture
def booked(house: House) -> Appointment:
    row = draft(house)
    create(states.APPOINTMENT, "book", row, actor=house.person(house.patient))
    return row


def counts() -> tuple[int, int]:
    return AuditEntry.objects.count(), OutboxEvent.objects.count()


@pytest.fixture
def unchanged(booked: Appointment) -> Iterator[Appointment]:
    """Whatever the test tries must leave the row, the audit and the log as they were."""
    before = Appointment.objects.filter(pk=booked.pk).values().get(), counts()
    yield booked
    assert (Appointment.objects.filter(pk=booked.pk).values().get(), counts()) == before


def test_creating_writes_the_row_one_audit_entry_and_one_event(house: House) -> None:
    row, actor = draft(house), house.person(house.patient)
    create(states.APPOINTMENT, "book", row, actor=actor, reason="because")
    kept = Appointment.objects.get(pk=row.pk)
    assert (kept.state, kept.version) == ("booked", 1)
    entry, fact = AuditEntry.objects.get(), OutboxEvent.objects.get()
    assert (entry.action, entry.actor, entry.to_state, entry.revision) == (
        "appointment.book", actor.label, "booked", 1,
    )  # fmt: skip
    assert (entry.patient_id, entry.facility_id) == (house.patient.pk, house.facility.pk)
    # What somebody says about a visit is sealed with the patient's key, and opens for this entry alone.
    assert "because" not in entry.reason
    what = entry.subject_id, entry.action, entry.revision
    assert reasons.open_(entry.reason, entry.patient_id, *what) == "because"
    assert (fact.type, fact.stream, fact.stream_seq) == ("appointment.booked", f"appointment:{row.pk}", 1)


def test_each_step_is_one_audit_entry_and_one_event(house: House, booked: Appointment) -> None:
    before = counts()
    apply(states.APPOINTMENT, "confirm", booked, actor=house.person(house.doctor), version=1)
    assert (booked.state, booked.version) == ("confirmed", 2)
    assert Appointment.objects.filter(pk=booked.pk, state="confirmed", version=2).exists()
    assert counts() == (before[0] + 1, before[1] + 1)
    entry = AuditEntry.objects.latest("id")
    assert (entry.from_state, entry.to_state, entry.revision) == ("booked", "confirmed", 2)
    assert OutboxEvent.objects.latest("id").stream_seq == 2


def test_columns_move_with_the_step(house: House, booked: Appointment) -> None:
    later = booked.starts + timedelta(hours=1)
    apply(
        states.APPOINTMENT, "reschedule", booked, actor=house.person(house.doctor),
        changes={"starts": later, "ends": later + timedelta(minutes=20)},
    )  # fmt: skip
    assert Appointment.objects.get(pk=booked.pk).starts == booked.starts == later


def test_what_the_caller_saw_last_must_be_what_is(house: House, unchanged: Appointment) -> None:
    with pytest.raises(StaleEdit):
        apply(states.APPOINTMENT, "confirm", unchanged, actor=house.person(house.doctor), version=7)


def test_of_two_who_read_the_same_version_the_second_is_told(house: House, booked: Appointment) -> None:
    """The second carries a row read before the first wrote; no version is given, the WHERE alone must see it."""
    rival = Appointment.objects.get(pk=booked.pk)
    apply(states.APPOINTMENT, "confirm", booked, actor=house.person(house.doctor))
    before = counts()
    with pytest.raises(StaleEdit):
        apply(states.APPOINTMENT, "cancel", rival, actor=house.person(house.patient))
    assert counts() == before
    assert Appointment.objects.get(pk=booked.pk).state == "confirmed"


def test_a_step_the_table_does_not_have_is_refused(house: House, unchanged: Appointment) -> None:
    with pytest.raises(IllegalTransition) as refused:
        apply(states.APPOINTMENT, "book", unchanged, actor=house.person(house.patient))
    assert refused.value.extra["possible"] == states.APPOINTMENT.possible("booked")
    with pytest.raises(IllegalTransition):
        apply(states.APPOINTMENT, "vanish", unchanged, actor=house.person(house.doctor))


@pytest.mark.parametrize(
    ("who", "action"),
    [
        ("patient", "confirm"),
        ("other_patient", "cancel"),
        ("other_doctor", "confirm"),
        ("stranger_receptionist", "cancel"),
        ("manager", "confirm"),
        ("receptionist", "decline"),
    ],
)
def test_without_the_right_nothing_happens(house: House, unchanged: Appointment, who: str, action: str) -> None:
    with pytest.raises(Forbidden):
        apply(states.APPOINTMENT, action, unchanged, actor=house.person(getattr(house, who)))


def test_someone_not_signed_in_is_asked_to(house: House, unchanged: Appointment) -> None:
    with pytest.raises(Unauthenticated):
        apply(states.APPOINTMENT, "cancel", unchanged, actor=Anonymous())


def test_the_guard_has_the_last_word(house: House, unchanged: Appointment) -> None:
    with pytest.raises(Conflict, match="not_begun"):
        apply(states.APPOINTMENT, "complete", unchanged, actor=house.person(house.doctor))


def test_the_same_step_passes_once_its_guard_is_content(house: House, booked: Appointment) -> None:
    with clock.fixed(booked.starts):
        apply(states.APPOINTMENT, "complete", booked, actor=house.person(house.doctor))
    assert booked.state == "completed"


def test_a_failed_step_is_undone_with_everything_around_it(house: House, booked: Appointment) -> None:
    before = counts()

    @transactional
    def fail_afterwards() -> None:
        apply(states.APPOINTMENT, "confirm", booked, actor=house.person(house.doctor))
        raise RuntimeError("the caller failed")

    with pytest.raises(RuntimeError, match="the caller failed"), transaction.atomic():
        fail_afterwards()
    assert counts() == before
    assert Appointment.objects.get(pk=booked.pk).state == "booked"


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_every_door_is_shut(committed_house: House) -> None:
    house, row = committed_house, draft(committed_house)
    doctor: Actor = house.person(house.doctor)
    subject = states.subject_of(row)
    told = events.AppointmentBooked.of(draft(house, state="booked"))
    doors = (
        lambda: create(states.APPOINTMENT, "book", row, actor=DEMO),
        lambda: apply(states.APPOINTMENT, "confirm", row, actor=doctor),
        lambda: change(
            house.schedule, {"bookable": False}, permission="schedule.edit", subject=subject, actor=doctor, action="x"
        ),
        lambda: record(actor=doctor, action="x", row=house.schedule, subject=subject),
        lambda: chain.append(actor=doctor, action="x", subject_kind="x", subject_id=1),
        lambda: log.append(told),
    )
    for door in doors:
        with pytest.raises(OutsideTransaction):
            door()
    assert counts() == (0, 0)
    assert not Appointment.objects.exists()


def test_a_versioned_thing_without_states_is_changed_by_the_same_rules(house: House) -> None:
    schedule, doctor = Schedule.objects.get(pk=house.schedule.pk), house.person(house.doctor)
    subject = states.subject_of(draft(house))
    stale = Schedule.objects.get(pk=schedule.pk)
    edit = {"permission": "schedule.edit", "subject": subject, "action": "schedule.close"}
    change(schedule, {"bookable": False}, actor=doctor, version=1, detail={"was": True}, **edit)
    assert (schedule.version, schedule.bookable) == (2, False)
    assert AuditEntry.objects.get().detail == '{"was":true}'
    for attempt in ({"version": 1}, {}):
        with pytest.raises(StaleEdit):
            change(stale, {"bookable": True}, actor=doctor, **edit, **attempt)
    with pytest.raises(Forbidden):
        change(schedule, {"bookable": True}, actor=house.person(house.patient), **edit)
    assert AuditEntry.objects.count() == 1


def test_transactional_joins_the_callers_transaction_and_opens_its_own_otherwise(house: House) -> None:
    seen: list[int] = []

    @transactional
    def inner() -> None:
        seen.append(len(connection.savepoint_ids))

    depth = len(connection.savepoint_ids)
    inner()
    assert seen == [depth]


def test_two_rows_for_one_state_and_action_are_refused() -> None:
    row = Transition("a", "go", "b", "appointment.view", events.AppointmentBooked)
    with pytest.raises(RuntimeError, match="two rows"):
        Machine("twice", "x", (row, row), subject=states.subject_of, tell=lambda kind, thing: kind())
    assert "twice" not in machines()


def test_two_events_of_one_name_are_refused() -> None:
    with pytest.raises(RuntimeError, match="two events"):

        @event("appointment.booked", "Not the real one.")
        class Impostor(events.AppointmentEvent, frozen=True):
            pass

    assert registered()["appointment.booked"] is events.AppointmentBooked


def test_every_right_and_event_of_every_machine_is_known() -> None:
    for machine in machines().values():
        for row in machine.transitions:
            assert policy.known(row.who), row
            assert registered()[row.event.TYPE] is row.event
        assert any(row.source is None for row in machine.transitions)
