"""PostgreSQL's prepared statements: values, answers and refusals are those of psycopg's own cursor."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.transaction import TransactionManagementError

from polyclinic.core.db import Statement, run_sql
from polyclinic.facilities.models import Facility
from tests.house import House

pytestmark = pytest.mark.postgres
KEY = UUID("018f6b1c-7c1e-7000-8000-00000000beef")
VALUES: list[tuple[str, Any]] = [
    ("text", "O'Brien 100 % 'ok' \\ ñ"),
    ("text", ""),
    ("uuid", KEY),
    ("timestamptz", datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
    ("date", date(1951, 1, 2)),
    ("bigint", 2**40),
    ("int", -1),
    ("smallint", 7),
    ("boolean", True),
    ("numeric", Decimal("12.50")),
    ("text", None),
    ("uuid", None),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("kind", "value"), VALUES, ids=str)
def test_values_come_back_as_they_went(kind: str, value: Any) -> None:
    asked = Statement(f"SELECT %s::{kind}, '100 %%'")
    # More often than psycopg would wait before it prepares, and once through Django beside it.
    for _time in range(7):
        assert run_sql(asked, [value]).fetchone() == (value, "100 %")
    with connection.cursor() as cursor:
        cursor.execute(asked.format_style, [value])
        assert run_sql(asked, [value]).fetchall() == cursor.fetchall()


@pytest.mark.django_db
def test_one_statement_takes_values_of_several_types() -> None:
    asked = Statement("SELECT %s::bigint + 1")
    for value in (1, 40_000, 2**40, None, 2):
        assert run_sql(asked, [value]).fetchone() == (None if value is None else value + 1,)


@pytest.mark.django_db
def test_rows_are_read_like_those_of_a_cursor(house: House) -> None:
    rows = run_sql(Statement("SELECT n FROM generate_series(1, 3) AS n"), ())
    assert (rows.rowcount, rows.fetchone(), rows.fetchall()) == (3, (1,), [(2,), (3,)])
    assert (rows.fetchone(), rows.fetchall()) == (None, [])
    changed = run_sql(Statement("UPDATE facilities_facility SET phone = %s WHERE id = %s"), ["1", house.facility.pk])
    assert (changed.rowcount, changed.fetchone()) == (1, None)
    assert Facility.objects.get(pk=house.facility.pk).phone == "1"


@pytest.mark.django_db(transaction=True)
def test_it_stands_in_the_transaction_and_goes_with_it() -> None:
    made = Statement("INSERT INTO core_outboxevent (stream, stream_seq, type, version, at, audience, payload) "
                     "VALUES (%s, 1, 'x', 1, now(), '', '{}')")  # fmt: skip
    many = Statement("SELECT count(*) FROM core_outboxevent WHERE stream = %s")
    with transaction.atomic():
        # Django has not begun the transaction by a statement of its own: this one must.
        run_sql(made, ["gone"])
        assert run_sql(many, ["gone"]).fetchone() == (1,)
        transaction.set_rollback(True)
    assert run_sql(many, ["gone"]).fetchone() == (0,)
    with transaction.atomic():
        run_sql(made, ["kept"])
    # Prepared in a transaction that was given up, it is still known.
    assert run_sql(many, ["kept"]).fetchone() == (1,)


@pytest.mark.django_db(transaction=True)
def test_refusals_are_django_s_and_the_transaction_is_over(house: House) -> None:
    asked = Statement("UPDATE facilities_facility SET slug = %s WHERE id = %s")
    with transaction.atomic():
        with pytest.raises(IntegrityError, match="slug"):
            run_sql(asked, [house.elsewhere.slug, house.facility.pk])
        transaction.set_rollback(True)
        with pytest.raises(TransactionManagementError):
            run_sql(asked, ["other", house.facility.pk])
    run_sql(asked, ["other", house.facility.pk])
    assert Facility.objects.get(pk=house.facility.pk).slug == "other"


@pytest.mark.django_db(transaction=True)
def test_a_lost_connection_says_so_and_the_next_one_works() -> None:
    asked = Statement("SELECT pg_backend_pid()")
    pid = run_sql(asked, ()).fetchone()[0]
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
    other.close()
    with pytest.raises(OperationalError):
        run_sql(asked, ())
    connection.close_if_unusable_or_obsolete()
    assert run_sql(asked, ()).fetchone()[0] != pid
