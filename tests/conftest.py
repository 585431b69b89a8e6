"""Fixtures every test may use. The house is built once a session and given back untouched by rollback."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from polyclinic.facilities import identity
from tests import house as houses


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> None:
    """Let the runner empty the append-only table between tests on SQLite, where emptying means DELETE.

    The triggers are lifted for the flush alone and stand again in every test.
    """
    if connection.vendor != "sqlite":
        return
    flush = type(connection.ops).sql_flush

    def lifted(style: Any, tables: Any, **options: Any) -> list[str]:
        if "core_auditentry" not in tables:
            return flush(connection.ops, style, tables, **options)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'core_auditentry'"
            )
            triggers = cursor.fetchall()
        drops = [f"DROP TRIGGER {name}" for name, _sql in triggers]
        return [*drops, *flush(connection.ops, style, tables, **options), *(sql for _name, sql in triggers)]

    connection.ops.sql_flush = lifted  # type: ignore[method-assign]


@pytest.fixture
def house(db: None) -> houses.House:
    """A small hospital, in a transaction that is rolled back after the test."""
    return houses.build()


@pytest.fixture
def committed_house(transactional_db: None) -> houses.House:
    """The same hospital really committed, for tests with threads or several connections."""
    return houses.build()


@pytest.fixture(autouse=True)
def _no_remembered_sessions() -> Iterator[None]:
    """Sessions of one test must not be believed in the next."""
    identity.forget()
    yield
    identity.forget()
