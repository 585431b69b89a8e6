"""The page of the system and its settings: it says how things are, and no secret."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client, override_settings

from polyclinic.core import clock
from polyclinic.core.actors import Anonymous
from polyclinic.core.errors import Forbidden, Unauthenticated
from polyclinic.notify.models import Delivery
from polyclinic.relay import cursor
from polyclinic.relay.models import RelayCursor
from polyclinic.settings.declared import SETTINGS
from polyclinic.web import status
from tests.api.calling import bearer, call
from tests.house import House

SECRETS = {
    "SECRET_KEY": "canary-one", "MASTER_KEY": "k1=canary-two", "STRIPE_SECRET_KEY": "sk_canary",
    "DATABASE_URL": "postgres://someone:canary@db.example.org:5432/clinic?password=canary",
    "BROKER_URL": "amqps://house:canary@broker.example.org/events", "METRICS_TOKEN": "canary-three",
    "EMAIL_URL": "smtp://post:canary@mail.example.org:587", "SMS_URL": "https://sms.example.org/send#canary,body",
}  # fmt: skip


def test_no_secret_is_told(house: House, monkeypatch: pytest.MonkeyPatch, browser_of: Callable[[Any], Client]) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("KMS_TOKEN_FILE", "/run/secrets/kms")
    admin = house.staff["admin"]
    rows = {row.name: row for row in status.in_force(house.person(admin))}
    assert "canary" not in str(rows)
    assert (rows["DATABASE_URL"].source, rows["KMS_TOKEN"].source, rows["CURRENCY"].source) == (
        "environment", "file", "default",
    )  # fmt: skip
    assert rows["DATABASE_URL"].value.startswith("postgres://•••@db.example.org:5432/clinic")
    for answer in (
        browser_of(admin).get("/admin/system").content.decode(),
        call("GET", "/api/admin/settings?limit=200", headers=bearer(admin)).body.decode(),
    ):
        assert "canary" not in answer
        assert "mail.example.org" in answer


def test_whatever_is_named_like_a_secret_is_one() -> None:
    for setting in SETTINGS:
        if any(word in setting.name for word in ("SECRET", "TOKEN", "PASSWORD", "MASTER_KEY")):
            assert setting.secret, setting.name


def test_mails_that_wait_and_failed_are_counted(house: House) -> None:
    Delivery.objects.all().delete()
    Delivery.objects.create(kind="x", to="a@example.org", next_at=clock.now() - timedelta(minutes=2))
    Delivery.objects.create(kind="x", to="", state="failed")
    told = call("GET", "/api/admin/system-status", headers=bearer(house.staff["admin"])).json
    assert (told["mailsWaiting"], told["mailsFailed"], told["mailsOldestWait"] >= 120) == (1, 1, True)
    assert told["live"] == "stopped"
    assert told["status"] == "degraded"
    assert told["diskTotal"] >= told["diskFree"] > 0


def test_who_looks_after_nothing_sees_nothing(house: House) -> None:
    admin = house.person(house.staff["admin"])
    for viewer in (house.person(house.manager), replace(admin, seen_by=admin.account_id)):
        with pytest.raises(Forbidden):
            status.system(viewer)
    with pytest.raises(Unauthenticated):
        status.in_force(Anonymous())


def test_the_page_and_the_api_say_the_same(house: House, browser_of: Callable[[Any], Client]) -> None:
    admin = house.staff["admin"]
    cursor.make()
    RelayCursor.objects.update(failing_since=clock.now(), failure="TimeoutError", holder="x", until=2**60)
    with override_settings(BROKER_URL="amqp://house:canary@127.0.0.1:1/"):
        page = browser_of(admin).get("/admin/system").content.decode()
        told = call("GET", "/api/admin/system-status", headers=bearer(admin)).json
    assert "Broker 127.0.0.1:1 does not answer (TimeoutError)" in page
    assert "none is lost" in page
    assert told["broker"]["state"] == "waiting"
    assert any("does not answer" in one["what"] and one["remedy"] for one in told["findings"])
    assert "canary" not in page + str(told)
