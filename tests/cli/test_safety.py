"""Production refuses to start unsafe, each risk with one line and a remedy; every check can fail and can pass."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from polyclinic.commands import safety
from polyclinic.core.crypto.ring import ring
from polyclinic.demo import accounts
from tests.crypto.conftest import fresh, keys
from tests.house import account

__all__ = ["keys"]


@pytest.fixture
def safe(keys: Path, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, db: None) -> Any:
    """Settings as they should be in production."""
    tmp_path.chmod(0o700)
    settings.DEMO, settings.DATA, settings.DEBUG = False, tmp_path, False
    settings.PUBLIC_URL, settings.ALLOWED_HOSTS = "https://clinic.example.org", ["clinic.example.org"]
    settings.SECRET_KEY = "fW3nB8qLx2Vt7Kp0Zs5Rj9Hd4Gy6Mc1A"
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    for name in ("DATABASE_URL", "KEY_VAULT_URL", "INSECURE_HTTP", "MAIL_TO_CONSOLE"):
        monkeypatch.delenv(name, raising=False)
    ring.root()
    return settings


def told(listening: str = "0.0.0.0") -> str:
    found = safety.require(listening)
    assert all(risk.remedy and "\n" not in risk.what for risk in found)
    return " | ".join(risk.what for risk in found)


def test_a_proper_installation_starts(safe: Any) -> None:
    assert told() == ""


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("PUBLIC_URL", "http://clinic.example.org", "PUBLIC_URL"),
        ("PUBLIC_URL", "http://localhost:8000", "PUBLIC_URL"),  # for it listens to everybody
        ("SECRET_KEY", "short", "SECRET_KEY"),
        ("SECRET_KEY", "a" * 60, "SECRET_KEY"),
        ("SECRET_KEY", "django-insecure-" + "fW3nB8qLx2Vt7Kp0Zs5Rj9Hd4Gy6Mc1A", "SECRET_KEY"),
        ("ALLOWED_HOSTS", ["*"], "ALLOWED_HOSTS"),
        ("DEBUG", True, "DEBUG"),
        ("EMAIL_BACKEND", "django.core.mail.backends.console.EmailBackend", "EMAIL_URL"),
        ("KMS_URL", "http://kms.example.org/v1/transit/poly", "KMS_URL"),
    ],
)
def test_an_unsafe_setting_is_refused(safe: Any, name: str, value: object, says: str) -> None:
    setattr(safe, name, value)
    assert told().startswith(says)
    safe.DEMO = True
    assert told() == ""


@pytest.mark.parametrize("password", ["", "postgres", "changeme", "Password"])
def test_a_usual_database_password_is_refused(safe: Any, monkeypatch: pytest.MonkeyPatch, password: str) -> None:
    monkeypatch.setenv("DATABASE_URL", f"postgres://clinic:{password}@db.example.org/clinic")
    assert "DATABASE_URL" in told()
    monkeypatch.setenv("DATABASE_URL", "postgres://clinic:9wQmT4xZb7Lp@db.example.org/clinic?sslmode=verify-full")
    assert told() == ""
    monkeypatch.setenv("DATABASE_URL", f"postgres://clinic:{password}@127.0.0.1/clinic")
    assert told() == ""


@pytest.mark.parametrize("name", ["DATABASE_URL", "KEY_VAULT_URL"])
def test_a_database_elsewhere_must_show_who_it_is(safe: Any, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    at = "postgres://clinic:9wQmT4xZb7Lp@db.example.org/clinic"
    for way in ("", "?sslmode=disable", "?sslmode=prefer", "?sslmode=require", "?sslmode="):
        monkeypatch.setenv(name, at + way)
        assert told().startswith(f"{name} leads to another machine")
    monkeypatch.setenv("PLAIN_LINES", "yes")
    assert told() == ""
    monkeypatch.delenv("PLAIN_LINES")
    for way in ("?sslmode=verify-full", "?sslmode=verify-ca&sslrootcert=/etc/ca.pem"):
        monkeypatch.setenv(name, at + way)
        assert told() == ""
    for near in ("postgres://clinic:x@127.0.0.1/clinic", "postgres://clinic:x@localhost/clinic", "postgres:///clinic"):
        monkeypatch.setenv(name, near)
        assert told() == ""


def test_a_mail_server_elsewhere_is_talked_to_encrypted(safe: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    safe.EMAIL_HOST, safe.EMAIL_USE_TLS = "mail.example.org", False
    assert told().startswith("EMAIL_URL leads to another machine unencrypted")
    monkeypatch.setenv("PLAIN_LINES", "yes")
    assert told() == ""
    monkeypatch.delenv("PLAIN_LINES")
    safe.EMAIL_USE_TLS = True
    assert told() == ""
    safe.EMAIL_HOST, safe.EMAIL_USE_TLS = "127.0.0.1", False
    assert told() == ""


def test_a_broker_elsewhere_is_talked_to_encrypted(safe: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    safe.BROKER_URL = "amqp://house:x@broker.example.org/events"
    assert told().startswith("BROKER_URL leads to another machine unencrypted")
    monkeypatch.setenv("PLAIN_LINES", "yes")
    assert told() == ""
    monkeypatch.delenv("PLAIN_LINES")
    for well in ("amqps://house:x@broker.example.org/events", "amqp://guest:guest@127.0.0.1:5672/", ""):
        safe.BROKER_URL = well
        assert told() == ""


@pytest.mark.parametrize(
    ("address", "plain", "tls"),
    [("smtp://mail.example.org", "no", True), ("smtp://mail.example.org", "yes", False),
     ("smtp://u:p@mail.example.org", "yes", True), ("smtp://localhost:1025", "no", False), ("console:", "no", False)],
)  # fmt: skip
def test_mail_leaves_encrypted_unless_somebody_says_otherwise(
    tmp_path: Path, address: str, plain: str, tls: bool
) -> None:
    asked = "import polyclinic.settings.base as s; print(s.EMAIL_USE_TLS)"
    env = {**os.environ, "EMAIL_URL": address, "PLAIN_LINES": plain, "POLYCLINIC_DATA": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", asked], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(tls)


@pytest.mark.parametrize("name", ["", "keys", "keys/master.json", "keys/vault.sqlite3"])
def test_what_others_may_read_is_refused(safe: Any, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.chmod(path.stat().st_mode | 0o004)
    assert str(path) in told()


def test_keys_that_do_not_open_the_vault_are_refused(safe: Any, keys: Path) -> None:
    (keys / "master.json").unlink()
    fresh()
    assert "keys cannot be used" in told()


def test_demo_accounts_are_refused(safe: Any) -> None:
    account(accounts.ACCOUNTS[0].email, "Meera Pillai")
    assert "demo accounts" in told()


def test_plain_http_is_for_this_machine(safe: Any) -> None:
    for address in ("http://localhost:8000", "http://127.0.0.1:8000", "http://[::1]:8000"):
        safe.PUBLIC_URL = address
        assert told("127.0.0.1") == ""
        assert "PUBLIC_URL" in told("192.168.1.5")


def test_a_risk_is_taken_only_by_its_own_name_and_logged(
    safe: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    safe.PUBLIC_URL, safe.ALLOWED_HOSTS = "http://clinic.example.org", ["*"]
    monkeypatch.setenv("INSECURE_HTTP", "yes")
    with caplog.at_level(logging.WARNING, logger="polyclinic.safety"):
        assert told().startswith("ALLOWED_HOSTS")
    assert "taken on purpose: INSECURE_HTTP" in caplog.text
    monkeypatch.setenv("INSECURE_HTTP", "no")
    assert told().startswith("PUBLIC_URL")
