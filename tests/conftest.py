"""Fixtures every test may use. The house is built once a session and given back untouched by rollback."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric import rsa
from django.db import connection
from hypothesis import HealthCheck, settings

from polyclinic.core import ids
from polyclinic.core.audit import guard
from polyclinic.facilities import identity
from polyclinic.privacy import closing
from polyclinic.tokens import apikeys, signing
from tests import house as houses
from tests import schema

SERVICES = ("service", "browser", "postgres")
CHROMIUM = Path("/usr/bin/chromium")


# A machine that tests much at once may take a second for what else takes a millisecond: no property is about time.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def pytest_configure(config: pytest.Config) -> None:
    """Let the tests begin at nine (UTC) of the day it is, and time run on from there.

    A test that looks ahead by minutes would else cross midnight, in one zone or another, when run late.
    """
    morning = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0)
    travel = time_machine.travel(morning)
    travel.start()
    config.add_cleanup(travel.stop)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Programs of their own keep the machine's time, and so do the tests that start them."""
    # Ids never go back: what a test gave out in a year it travelled to must not hold the next test's there.
    ids._last = 0
    if not any(map(item.get_closest_marker, ("service", "browser"))):
        return (yield)
    with time_machine.travel(time_machine.escape_hatch.datetime.datetime.now(UTC)):
        return (yield)


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
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> Iterator[None]:
    """Let each runner's database begin as a copy of a migrated one instead of being migrated anew."""
    if connection.vendor == "postgresql":
        connection.settings_dict["TEST"]["TEMPLATE"] = schema.template()
        yield
        return
    making: Any = connection.creation
    create, kept = making._create_test_db, []

    def filled(*given: Any, **options: Any) -> Any:
        name = create(*given, **options)
        kept.append(schema.fill(name))
        return name

    making._create_test_db = filled
    yield
    for one in kept:
        one.close()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> None:
    """Let the runner empty the append-only tables between tests.

    The triggers are lifted for the flush alone and stand again in every test.
    """
    kind = type(connection.ops)
    flush = kind.sql_flush

    def lifted(ops: Any, style: Any, tables: Any, **options: Any) -> list[str]:
        emptying = flush(ops, style, tables, **options)
        if connection.vendor == "postgresql":
            kept = [table for table in guard.TABLES if table in tables]
            off, on = ([f"ALTER TABLE {table} {verb} TRIGGER USER" for table in kept] for verb in ("DISABLE", "ENABLE"))
            return [*off, *emptying, *on]
        with connection.cursor() as cursor:
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND sql LIKE '%append-only%'")
            triggers = cursor.fetchall()
        drops = [f"DROP TRIGGER {name}" for name, _sql in triggers]
        return [*drops, *emptying, *(sql for _name, sql in triggers)]

    # For every connection: while a browser is driven, its event loop gives this thread another one than before.
    kind.sql_flush = lifted  # type: ignore[method-assign]


@pytest.fixture
def house(db: None) -> houses.House:
    """A small hospital, in a transaction that is rolled back after the test."""
    return houses.build()


@pytest.fixture
def committed_house(transactional_db: None) -> houses.House:
    """The same hospital really committed, for tests with threads or several connections."""
    return houses.build()


@pytest.fixture(scope="session")
def _one_private_key() -> rsa.RSAPrivateKey:
    return signing.generate()


@pytest.fixture(autouse=True)
def _no_remembered_sessions(monkeypatch: pytest.MonkeyPatch, _one_private_key: rsa.RSAPrivateKey) -> Iterator[None]:
    """Sessions and keys of one test must not be believed in the next. Making a key pair is slow: one does for all."""
    monkeypatch.setattr(signing, "generate", lambda: _one_private_key)
    _forget()
    yield
    _forget()


def _forget() -> None:
    # The database is empty of restrictions here; a test that makes one is asked anew.
    closing.believe_none()
    identity.forget()
    signing.forget()
    apikeys.forget()


@pytest.fixture
def catalogue(tmp_path: Path, settings: Any) -> Iterator[Callable[[dict[str, str]], str]]:
    """Makes a language: `catalogue({"Today": "Hodiaŭ"})` is its code, to be made active."""
    from tests.catalogue import catalogues  # Babel takes a while to load

    with catalogues(tmp_path, settings) as make:
        yield make
