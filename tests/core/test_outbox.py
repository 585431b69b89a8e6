"""The log: written with the change, read in commit order, resumed from anywhere."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import orjson
import pytest
from django.db import connection, transaction

from polyclinic.core import clock
from polyclinic.core.ids import new_id
from polyclinic.core.models import OutboxEvent
from polyclinic.core.outbox import log, rooms
from polyclinic.core.outbox.events import registered
from polyclinic.scheduling.events import ScheduleChanged
from tests.house import House


def fact(revision: int = 1) -> ScheduleChanged:
    return ScheduleChanged(schedule_id=new_id(), doctor_id=new_id(), facility_id=new_id(), revision=revision)


def positions() -> list[int]:
    log.assign_positions()
    return [entry.position for entry in log.read_after(0)]


@pytest.mark.django_db
def test_what_was_written_is_read_back_in_order() -> None:
    told = [fact(number) for number in range(1, 8)]
    for one in told:
        log.append(one)
    log.assign_positions()
    read = log.read_after(0)
    assert [entry.stream_seq for entry in read] == list(range(1, 8))
    assert [entry.position for entry in read] == sorted({entry.position for entry in read})
    assert read[0].type == "schedule.changed"
    assert read[0].audience == frozenset(told[0].audience())
    assert orjson.loads(read[0].payload)["scheduleId"] == str(told[0].schedule_id)


@pytest.mark.django_db
def test_reading_goes_on_where_it_stopped() -> None:
    for number in range(1, 8):
        log.append(fact(number))
    log.assign_positions()
    first = log.read_after(0, limit=3)
    second = log.read_after(first[-1].position, limit=100)
    assert [entry.stream_seq for entry in first + second] == list(range(1, 8))
    assert log.read_after(second[-1].position) == []
    assert (log.oldest(), log.head()) == (first[0].position, second[-1].position)


@pytest.mark.django_db
def test_an_empty_log_starts_at_nought() -> None:
    assert (log.head(), log.oldest(), log.read_after(0)) == (0, 0, [])


@pytest.mark.django_db
@pytest.mark.parametrize("microsecond", [0, 1, 120_000, 999_999])
def test_times_are_read_back_as_written(microsecond: int) -> None:
    moment = datetime(2026, 10, 25, 1, 30, 5, microsecond, tzinfo=UTC)
    with clock.fixed(moment):
        log.append(fact())
    log.assign_positions()
    assert log.read_after(0)[0].at == moment


@pytest.mark.django_db(transaction=True)
def test_readers_wake_after_commit_and_only_then() -> None:
    woken: list[int] = []
    stop = log.on_wake(lambda: woken.append(OutboxEvent.objects.count()))
    try:
        with transaction.atomic():
            log.append(fact())
            assert woken == []
        assert woken == [1]
        with transaction.atomic():
            log.append(fact())
            transaction.set_rollback(True)
        assert woken == [1]
    finally:
        stop()
    with transaction.atomic():
        log.append(fact())
    assert woken == [1]


def given_up(number: int) -> None:
    """Write an event in a part of the transaction that is rolled back."""
    with transaction.atomic():
        log.append(fact(number))
        transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
def test_one_commit_wakes_once_and_a_rolled_back_part_takes_no_wake_with_it() -> None:
    woken: list[int] = []
    stop = log.on_wake(lambda: woken.append(OutboxEvent.objects.count()))
    try:
        with transaction.atomic():
            given_up(1)
            with transaction.atomic():
                log.append(fact(2))
            log.append(fact(3))
            with transaction.atomic():
                log.append(fact(4))
        assert woken == [3]
        with transaction.atomic():
            given_up(5)
        assert woken == [3]
    finally:
        stop()


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_a_transaction_held_open_is_not_passed_by() -> None:
    """The row with the smaller id commits last; a reader that went past it by id would never see it."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer: ids are commit order there")
    written, finish = threading.Event(), threading.Event()

    def slow() -> None:
        try:
            with transaction.atomic():
                log.append(fact(1))
                # Asked for, it is written: until then it might wait for the commit.
                assert OutboxEvent.objects.count() == 1
                written.set()
                finish.wait(10)
        finally:
            connection.close()

    writer = threading.Thread(target=slow)
    writer.start()
    assert written.wait(10)
    with transaction.atomic():
        log.append(fact(2))
    log.assign_positions()
    seen = log.read_after(0)
    assert [entry.stream_seq for entry in seen] == [2]
    cursor = seen[-1].position
    finish.set()
    writer.join(10)
    log.assign_positions()
    later = log.read_after(cursor)
    assert [entry.stream_seq for entry in later] == [1]
    # Negative control: by id, the late row lies behind the cursor and would have been lost.
    ids = dict(OutboxEvent.objects.values_list("stream_seq", "id"))
    assert ids[1] < ids[2]


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_many_numberers_give_each_event_one_position() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("nothing is numbered on SQLite")

    def work() -> None:
        try:
            for number in range(1, 21):
                with transaction.atomic():
                    log.append(fact(number))
                log.assign_positions()
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(positions()) == list(range(1, 81))


@pytest.mark.django_db
def test_rooms_follow_from_rights_and_not_from_wishes(house: House) -> None:
    doctor = house.person(house.doctor)
    assert rooms.may_join(doctor, rooms.doctor(house.doctor.pk))
    assert not rooms.may_join(doctor, rooms.doctor(house.other_doctor.pk))
    assert not rooms.may_join(doctor, rooms.patient(house.patient.pk))
    desk = house.person(house.receptionist)
    assert rooms.may_join(desk, rooms.facility_role(house.facility.pk, "receptionist"))
    assert not rooms.may_join(desk, rooms.facility_role(house.facility.pk, "manager"))
    assert not rooms.may_join(desk, rooms.facility_role(house.elsewhere.pk, "receptionist"))


def test_every_event_says_what_it_means_in_one_line() -> None:
    for kind, cls in registered().items():
        assert cls.MEANING.endswith("."), kind
        assert "\n" not in cls.MEANING
        assert cls.VERSION >= 1
