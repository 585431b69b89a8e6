"""The tools over the connection: prepared statements equal the ORM, and the write lock is always given back."""

from __future__ import annotations

import re
import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext

from polyclinic.core import clock
from polyclinic.core.db import CompiledQuery, InsertStatement, Statement, lock_keys, run_sql, transactional
from polyclinic.core.ids import new_id
from polyclinic.core.models import IdempotencyRecord
from polyclinic.facilities.models import Facility
from polyclinic.people.models import Account, Patient
from polyclinic.scheduling.models import Schedule
from tests.house import House

NOW = clock.now()


@pytest.mark.django_db
def test_a_compiled_query_gives_what_the_orm_gives(house: House) -> None:
    def build(pk: object) -> Any:
        return Patient.objects.filter(pk=pk).values_list(
            "id", "mrn", "family_name", "born", "created_at", "account__email", "account__is_active"
        )

    compiled = CompiledQuery(build, new_id())
    for who in (house.patient, house.other_patient, house.patient):
        assert [tuple(row) for row in compiled.rows(who.pk)] == list(build(who.pk))
    assert compiled.rows(new_id()) == []


@pytest.mark.django_db
def test_a_compiled_query_knows_its_parameters_apart(house: House) -> None:
    """Two of one kind, one date, a constant of the query's own and a repeated parameter."""

    def build(first: object, second: object, since: object) -> Any:
        rows = Patient.objects.filter(created_at__gte=since, sex="female")
        return (rows.filter(pk=first) | rows.filter(pk=second)).order_by("mrn").values_list("mrn")

    compiled = CompiledQuery(build, new_id(), new_id(), NOW - timedelta(days=999))
    ids, since = (house.patient.pk, house.stranger_patient.pk), clock.now() - timedelta(days=1)
    assert [tuple(row) for row in compiled.rows(*ids, since)] == list(build(*ids, since))
    assert len(compiled.rows(*ids, since)) == 2
    assert compiled.rows(*ids, clock.now() + timedelta(days=1)) == []


@pytest.mark.django_db
def test_values_are_parameters_and_never_sql(house: House) -> None:
    compiled = CompiledQuery(lambda mrn: Patient.objects.filter(mrn=mrn).values_list("id"), "marker-mrn")
    assert compiled.rows("' OR 1=1 --") == []
    assert len(compiled.rows(house.patient.mrn)) == 1


@pytest.mark.django_db
def test_an_insert_statement_writes_what_the_orm_would_read() -> None:
    columns = ("id", "email", "name", "password", "language", "is_active", "created_at")
    insert = InsertStatement(Account, *columns, "password_changed_at", "must_change_password")
    pk, moment = new_id(), clock.now()
    insert.run(pk, "a@example.org", "فاطمة O'Brien 🦋", "!", "en", True, moment, moment, False)
    row = Account.objects.get(pk=pk)
    assert (row.name, row.is_active, row.created_at) == ("فاطمة O'Brien 🦋", True, moment)
    with pytest.raises(ValueError, match="zip"):
        insert.run(pk)


def _rival_can_write() -> bool:
    """Whether another thread gets to write within two seconds."""
    done = threading.Event()

    def write() -> None:
        try:
            with transaction.atomic():
                IdempotencyRecord.objects.create(caller="rival", key=str(new_id()), fingerprint="", at=clock.now())
            done.set()
        finally:
            connection.close()

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    return done.wait(30)


@pytest.mark.django_db(transaction=True)
def test_the_write_lock_is_given_back_after_every_kind_of_end() -> None:
    with transaction.atomic():
        Facility.objects.create(slug="one", name="One")
    assert _rival_can_write()

    with transaction.atomic():
        transaction.set_rollback(True)
    assert _rival_can_write()

    with pytest.raises(IntegrityError), transaction.atomic():
        Facility.objects.create(slug="one", name="Again")
    assert _rival_can_write()

    with pytest.raises(DatabaseError), transaction.atomic():
        connection.cursor().execute("SELECT nothing FROM nowhere")
    assert _rival_can_write()

    with transaction.atomic():
        with pytest.raises(IntegrityError), transaction.atomic():
            Facility.objects.create(slug="one", name="Again")
        Facility.objects.create(slug="two", name="Two")
    assert _rival_can_write()


@pytest.mark.django_db(transaction=True)
def test_a_broken_transaction_gives_the_write_lock_back_on_close() -> None:
    transaction.set_autocommit(False)
    try:
        Facility.objects.create(slug="lost", name="Lost")
    finally:
        transaction.rollback()
        transaction.set_autocommit(True)
    assert not Facility.objects.exists()
    assert _rival_can_write()


@pytest.mark.django_db(transaction=True)
def test_while_a_transaction_is_open_a_rival_waits() -> None:
    """The negative control of the two above: the lock is really there."""
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL has many writers")
    entered, leave, order = threading.Event(), threading.Event(), []

    def first() -> None:
        try:
            with transaction.atomic():
                entered.set()
                leave.wait(10)
                order.append("first")
        finally:
            connection.close()

    def second() -> None:
        try:
            with transaction.atomic():
                order.append("second")
        finally:
            connection.close()

    holder, rival = threading.Thread(target=first), threading.Thread(target=second)
    holder.start()
    assert entered.wait(10)
    rival.start()
    rival.join(0.3)
    assert rival.is_alive()
    assert order == []
    leave.set()
    holder.join(10)
    rival.join(10)
    assert order == ["first", "second"]


@pytest.mark.django_db(transaction=True)
def test_a_deadlock_runs_the_outermost_call_again() -> None:
    class Deadlock(Exception):
        sqlstate = "40P01"

    tries: list[int] = []

    @transactional
    def unlucky(times: int) -> str:
        tries.append(1)
        Facility.objects.create(slug=f"try-{len(tries)}", name="x")
        if len(tries) <= times:
            raise OperationalError("deadlock") from Deadlock()
        return "done"

    assert unlucky(2) == "done"
    assert list(Facility.objects.values_list("slug", flat=True)) == ["try-3"]
    tries.clear()
    Facility.objects.all().delete()
    with pytest.raises(OperationalError):
        unlucky(99)
    assert not Facility.objects.exists()
    assert len(tries) == 8


@pytest.mark.django_db(transaction=True)
def test_other_database_errors_are_not_tried_again() -> None:
    tries: list[int] = []

    @transactional
    def broken() -> None:
        tries.append(1)
        raise OperationalError("disk full")

    with pytest.raises(OperationalError):
        broken()
    assert len(tries) == 1


@pytest.mark.django_db
def test_locking_keys_in_any_order_is_the_same_lock(house: House) -> None:
    keys = [*(schedule.pk for schedule in Schedule.objects.all()), new_id(), new_id()]
    taken = []
    for order in (keys, list(reversed(keys))):
        with CaptureQueriesContext(connection) as seen:
            lock_keys(order)
        taken.append([query["sql"] for query in seen])
    assert taken[0] == taken[1]
    asked = [int(number) for sql in taken[0] for number in re.findall(r"\(\s*(-?\d+)::bigint\)", sql)]
    assert asked == sorted(asked)
    # In one round trip, and nothing at all where the write lock is held anyway.
    on_postgres = connection.vendor == "postgresql"
    assert (len(taken[0]), len(set(asked))) == ((1, len(keys)) if on_postgres else (0, 0))


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_who_waits_for_one_lock_holds_those_before_it_and_none_after() -> None:
    """One statement must lock as many statements would: taken in another order, two rivals wait for each other."""
    keys = [new_id() for _ in range(5)]
    numbers = sorted(_locked(keys))
    held: list[int] = []

    def rival() -> None:
        with transaction.atomic():
            held.append(int(run_sql(Statement("SELECT pg_backend_pid()"), ()).fetchone()[0]))
            lock_keys(keys)
        connection.close()

    thread = threading.Thread(target=rival)
    with transaction.atomic():
        run_sql(Statement("SELECT pg_advisory_xact_lock(%s)"), [numbers[2]])
        thread.start()
        until = time.monotonic() + 20
        while time.monotonic() < until and not (held and _advisory(held[0], granted=False)):
            time.sleep(0.01)
        assert _advisory(held[0], granted=False) == numbers[2:3]
        assert _advisory(held[0], granted=True) == numbers[:2]
    thread.join(20)
    assert not thread.is_alive()


def _locked(keys: list[Any]) -> list[int]:
    with transaction.atomic():
        lock_keys(keys)
        return _advisory(int(run_sql(Statement("SELECT pg_backend_pid()"), ()).fetchone()[0]), granted=True)


def _advisory(pid: int, *, granted: bool) -> list[int]:
    """The advisory locks that a connection holds or waits for."""
    told = run_sql(
        Statement(
            "SELECT ((classid::bigint << 32) | objid::bigint) FROM pg_locks "
            "WHERE locktype = 'advisory' AND pid = %s AND granted = %s"
        ),
        [pid, granted],
    ).fetchall()
    return sorted(int(row[0]) for row in told)
