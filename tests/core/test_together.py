"""Statements that share a journey to PostgreSQL: nothing is lost, refusals are as before."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction

from polyclinic.core import clock
from polyclinic.core.audit import chain
from polyclinic.core.db import InsertStatement, Statement, run_later, run_sql, run_together
from polyclinic.core.models import AuditEntry, IdempotencyRecord
from polyclinic.core.prepared import Line, known
from polyclinic.scheduling import actions
from polyclinic.scheduling.models import Appointment, Reservation
from tests.house import House

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]
_insert = InsertStatement(IdempotencyRecord, "caller", "key", "fingerprint", "status", "answer", "at")


@pytest.fixture(autouse=True)
def _on_postgres() -> Iterator[None]:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no journey to share")
    yield
    assert connection.connection is None or not known(connection.connection).kept


def later(key: str) -> None:
    _insert.run_later("test", key, "", None, "", clock.now())


def keys() -> list[str]:
    return sorted(IdempotencyRecord.objects.values_list("key", flat=True))


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How often the database was waited for, by `core.prepared` and by psycopg itself for Django."""
    others = []
    wait = Line.wait

    def watched(self: Line, gen: Any, *given: Any, **named: Any) -> Any:
        # This one asks the database nothing.
        if gen.__name__ != "_set_autocommit_gen":
            others.append(gen.__name__)
        return wait(self, gen, *given, **named)

    monkeypatch.setattr(Line, "wait", watched)
    return lambda: known(connection.connection).trips + len(others)


@transaction.atomic
def lost() -> None:
    later("inside")
    raise RuntimeError


def test_what_is_kept_back_is_there_for_whoever_looks_and_after_the_commit() -> None:
    with transaction.atomic():
        later("a")
        assert known(connection.connection).kept
        assert keys() == ["a"]
        later("b")
        assert [row[0] for row in run_sql(Statement("SELECT key FROM core_idempotencyrecord"), ()).fetchall()] == [
            "a", "b"
        ]  # fmt: skip
        with connection.cursor() as cursor:
            later("c")
            cursor.execute("SELECT count(*) FROM core_idempotencyrecord")
            assert cursor.fetchone() == (3,)
        later("d")
    assert keys() == ["a", "b", "c", "d"]


def test_the_last_statements_and_the_commit_are_waited_for_once(waited: Callable[[], int]) -> None:
    with transaction.atomic():
        later("known before")
    before = waited()
    with transaction.atomic():
        later("a")
        later("b")
    assert waited() - before == 1


def test_a_savepoint_keeps_what_is_before_it_and_loses_what_is_in_it() -> None:
    with transaction.atomic():
        later("before")
        with pytest.raises(RuntimeError):
            lost()
        later("after")
    assert keys() == ["after", "before"]


def test_a_rollback_loses_what_was_kept_back() -> None:
    with pytest.raises(RuntimeError):
        lost()
    assert keys() == []


def test_what_is_refused_at_the_commit_takes_the_transaction_with_it() -> None:
    def twice() -> None:
        with transaction.atomic():
            later("a")
            later("same")
            later("same")

    with pytest.raises(IntegrityError):
        twice()
    assert keys() == []
    with transaction.atomic():
        later("same")
    assert keys() == ["same"]


def test_a_value_that_cannot_be_sent_loses_nothing_that_was_kept_back() -> None:
    """The transaction goes on after such a mistake, for the database has not heard of it."""
    with transaction.atomic():
        later("a")
        with pytest.raises(ProgrammingError):
            run_sql(Statement("SELECT %s"), [object()])
    assert keys() == ["a"]


def test_after_one_that_fails_none_of_the_rest_is_run() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        run_together((Statement("SELECT 1"), ()), *[_insert._asked(["test", "a", "", None, "", clock.now()])] * 2)
    assert keys() == []
    assert run_together((Statement("SELECT 1"), ()), (Statement("SELECT 2"), ())) == [[(1,)], [(2,)]]


def test_a_line_that_breaks_in_the_middle_is_given_up() -> None:
    """Nothing was committed, the failure is an OperationalError, and the next transaction has a new line."""
    from django.db import OperationalError

    def broken() -> None:
        with transaction.atomic():
            later("a")
            run_later(Statement("SELECT pg_terminate_backend(pg_backend_pid())"), ())

    with pytest.raises(OperationalError):
        broken()
    connection.close()
    assert keys() == []


def test_each_statement_sees_what_was_committed_before_it_began() -> None:
    """Who waits for a lock and looks in the same journey sees what the lock's holder has written meanwhile."""
    lock = (Statement("SELECT pg_advisory_xact_lock(%s)"), [4711])
    held, told = threading.Event(), []

    def rival() -> None:
        try:
            with transaction.atomic():
                # The transaction has begun, and looked, before the other one writes.
                told.append(keys())
                held.set()
                told.append(run_together(lock, (Statement("SELECT key FROM core_idempotencyrecord"), ()))[1])
        finally:
            connection.close()

    thread = threading.Thread(target=rival)
    with transaction.atomic():
        run_together(lock)
        thread.start()
        assert held.wait(20)
        later("written under the lock")
        while not _waiting():
            assert thread.is_alive()
    thread.join(20)
    assert told == [[], [("written under the lock",)]]


def _waiting() -> bool:
    asked = Statement("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = 4711")
    return bool(run_sql(asked, ()).fetchone()[0])


def test_a_booking_waits_for_the_database_five_times(committed_house: House, waited: Callable[[], int]) -> None:
    """Beginning and hours; whether the place knows them; lock, look, take, list and lane; the rest and the commit."""
    house = committed_house
    desk = house.person(house.receptionist)
    first, second, third = house.slot(0), house.slot(1), house.slot(2)

    def book(starts: Any) -> Appointment:
        return actions.book(
            actor=desk, patient_id=house.patient.pk, schedule_id=house.schedule.pk, starts=starts, reason="Cough"
        )

    # The first makes the statements known to this connection, and the patient to the doctor.
    book(first)
    before = waited()
    made = book(second)
    assert waited() - before <= 5
    assert Reservation.objects.filter(appointment=made).count() == 3
    assert AuditEntry.objects.filter(subject_id=str(made.pk)).count() == 1
    assert not list(chain.verify())
    before = waited()
    book(third)
    assert waited() - before <= 5
