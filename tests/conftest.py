"""Fixtures every test may use. The house is built once a session and given back untouched by rollback."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from polyclinic.facilities import identity
from tests import house as houses

SERVICES = ("service", "browser", "postgres")
CHROMIUM = Path("/usr/bin/chromium")


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("browser") and not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not installed")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In continuous integration nothing that needs a service may be left out: there, to skip is to fail."""
    report = yield
    required = os.environ.get("REQUIRE_SERVICES") == "1"
    if report.skipped and required and any(map(item.get_closest_marker, SERVICES)):
        report.outcome, report.longrepr = "failed", f"skipped although services are required: {report.longrepr}"
    return report


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
