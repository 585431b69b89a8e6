"""Each thing the house leans on, broken: `polyclinic doctor` and the system's page name it and the way out."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import DatabaseError
from django.test import override_settings

from polyclinic.commands import doctor
from polyclinic.core import clock
from polyclinic.core.crypto.problems import CryptoError
from polyclinic.core.outbox import log
from polyclinic.relay import cursor, rabbit
from polyclinic.relay.broker import Away
from polyclinic.web import dependencies
from tests.relay.facts import fact

BROKER = {"BROKER_URL": "amqp://house:canary@127.0.0.1:1/", "BROKER_EXCHANGE": "polyclinic.test"}


@pytest.fixture
def nobody() -> Iterator[int]:
    """A port at which nobody answers."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def test_doctor_asks_for_each() -> None:
    for check in dependencies.ASKING:
        assert check in doctor.CHECKS


@pytest.mark.django_db
def test_all_is_well_in_a_house_that_is_well() -> None:
    # The tests' clock is turned, and a database server's is not.
    looked_at = [check for check in dependencies.QUICK if check is not dependencies.time]
    assert [found for check in looked_at if (found := check()).remedy] == []


def test_a_mail_server_that_is_away(nobody: int) -> None:
    smtp = "django.core.mail.backends.smtp.EmailBackend"
    with override_settings(EMAIL_BACKEND=smtp, EMAIL_HOST="127.0.0.1", EMAIL_PORT=nobody):
        found = dependencies.mail()
    assert (f"127.0.0.1:{nobody}" in found.what, "EMAIL_URL" in found.remedy) == (True, True)
    assert dependencies.mail().remedy == ""


@pytest.mark.django_db
def test_a_broker_that_is_away_says_how_many_wait_and_no_password() -> None:
    cursor.make()
    for number in range(3):
        log.append(fact(1, number))
    log.assign_positions()
    with override_settings(**BROKER):
        found = dependencies.broker()
    assert "127.0.0.1:1 does not answer" in found.what
    assert "3 events wait" in found.what
    assert "none is lost" in found.remedy
    assert "canary" not in found.what + found.remedy


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("why", "remedy"),
    [
        ("ProbableAuthenticationError", "user, password"),
        ("ChannelPreconditionFailed", "BROKER_EXCHANGE"),
        ("TimeoutError", "start it"),
    ],
)
def test_the_remedy_fits_what_the_broker_said(monkeypatch: pytest.MonkeyPatch, why: str, remedy: str) -> None:
    def refuse(_self: object) -> None:
        raise Away(why)

    monkeypatch.setattr(rabbit.Rabbit, "connect", refuse)
    with override_settings(**BROKER):
        assert remedy in dependencies.broker().remedy


@pytest.mark.django_db
def test_a_folder_that_takes_nothing(tmp_path: Path) -> None:
    missing = tmp_path / "gone"
    with override_settings(DATA=missing):
        found = dependencies.storage()
    assert str(missing) in found.what
    assert "make the folder" in found.remedy
    with override_settings(AUDIT_CHECKPOINTS=missing):
        assert str(missing) in dependencies.storage().what


def test_a_disk_that_is_nearly_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dependencies.shutil, "disk_usage", lambda _path: SimpleNamespace(free=1 << 28))
    assert "make room" in dependencies.disk().remedy


@pytest.mark.parametrize(("ahead", "wrong"), [(-60, True), (60, True), (0, False), (-1, False)])
def test_clocks_that_differ(monkeypatch: pytest.MonkeyPatch, ahead: int, wrong: bool) -> None:
    there = clock.now() + timedelta(seconds=ahead)

    class Cursor:
        def __enter__(self) -> Cursor:
            return self

        def __exit__(self, *_given: object) -> None:
            pass

        def execute(self, _sql: str) -> None:
            pass

        def fetchone(self) -> tuple[Any]:
            return (there,)

    monkeypatch.setattr(dependencies, "connection", SimpleNamespace(vendor="postgresql", cursor=Cursor))
    found = dependencies.time()
    assert bool(found.remedy) == wrong
    assert ("60 s apart" in found.what) == wrong


@pytest.mark.parametrize("failure", [CryptoError("the vault is of another house"), DatabaseError("gone")])
def test_keys_that_do_not_open(monkeypatch: pytest.MonkeyPatch, failure: Exception) -> None:
    def refuse() -> None:
        raise failure

    monkeypatch.setattr(dependencies, "ring", SimpleNamespace(root=refuse))
    assert dependencies.keys().remedy
