"""Somebody with second factors, and a browser that is halfway in."""

from __future__ import annotations

import json
from typing import Any

import pyotp
import pytest
from django.test import Client

from polyclinic.core import clock
from polyclinic.core.actors import Person
from polyclinic.factors import actions, totp
from polyclinic.factors.models import Totp
from polyclinic.web import texting
from tests.factors.authenticator import Authenticator
from tests.house import PASSWORD, House
from tests.portals.conftest import send


@pytest.fixture
def person(house: House) -> Person:
    """The doctor of the house."""
    return house.person(house.doctor)


class App:
    """An authenticator app: somebody else's implementation, with the secret as it was shown."""

    def __init__(self, secret: str, factor: Any) -> None:
        self.totp, self.factor = pyotp.TOTP(secret), factor

    def code(self, steps: int = 0) -> str:
        """The code of now, or of some steps away."""
        return self.totp.at(clock.now(), counter_offset=steps)


def add_app(person: Person) -> tuple[App, list[str]]:
    """Enrol an app. Its first code was used up long ago. Returns it and the recovery codes."""
    factor = actions.begin_totp(actor=person)
    app = App(actions.secret_of(person, factor), factor)
    made = actions.confirm_totp(actor=person, factor_id=factor, code=app.code())
    Totp.objects.filter(pk=factor).update(last_step=totp.step_of(clock.now()) - 9)
    return app, made


@pytest.fixture
def app(person: Person) -> App:
    return add_app(person)[0]


def add_passkey(person: Person) -> Authenticator:
    key = Authenticator()
    actions.add_passkey(actor=person, answer=json.dumps(key.create(actions.begin_passkey(actor=person))), name="Laptop")
    return key


@pytest.fixture
def passkey(person: Person) -> Authenticator:
    return add_passkey(person)


class Phone:
    """Gets what is sent by text message."""

    def __init__(self) -> None:
        self.got: list[tuple[str, str]] = []

    @property
    def code(self) -> str:
        return self.got[-1][1][:6]


@pytest.fixture
def phone(monkeypatch: pytest.MonkeyPatch) -> Phone:
    found = Phone()
    monkeypatch.setattr(texting, "_send", lambda number, text: found.got.append((number, text)))
    return found


def add_number(person: Person, phone: Phone, number: str = "+49 151 2345678") -> Any:
    made = actions.begin_number(actor=person, number=number)
    texting.send_code(person.account_id, made)
    actions.confirm_number(actor=person, factor_id=made, code=phone.code)
    return made


def sign_in(client: Client, house: House, path: str = "/sign-in?next=/doctor/patients") -> Any:
    """Give the doctor's password, as the page asks for it."""
    assert house.doctor.account
    return send(client, client.get(path), "/sign-in", email=house.doctor.account.email, password=PASSWORD)


@pytest.fixture
def halfway(house: House, app: App) -> Client:
    """A browser in which the doctor's password was right and the second step is asked for."""
    client = Client(enforce_csrf_checks=True)
    answer = sign_in(client, house)
    assert answer.headers["Location"].startswith("/sign-in/second?")
    return client
