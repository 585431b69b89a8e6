"""The second step of a sign-in: nobody is in before it, and every wrong code is answered alike."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from polyclinic.core import clock
from polyclinic.core.actors import Person
from polyclinic.factors import actions, tickets
from polyclinic.factors.models import RememberedDevice, Ticket, WrongCodes
from polyclinic.people.models import Account, Session
from tests.factors.authenticator import Authenticator
from tests.factors.conftest import App, Phone, add_app, add_number, sign_in
from tests.house import House
from tests.portals.conftest import form, send

SECOND = "/sign-in/second"


def enter(client: Client, **given: str) -> Any:
    """Send the form of the second step with these values."""
    page = client.get(SECOND)
    fields = form(page, SECOND)["fields"]
    return client.post(SECOND, {**fields, "next": "/doctor/patients", **given})


def session_of(client: Client) -> Session:
    return Session.objects.get(session_key=client.cookies["polyclinic_session"].value)


def test_without_a_second_factor_the_password_is_enough(house: House) -> None:
    client = Client(enforce_csrf_checks=True)
    assert sign_in(client, house).headers["Location"] == "/doctor/patients"
    assert (session_of(client).aal, session_of(client).stepped_up_at is not None) == (1, True)


def test_halfway_is_not_in(halfway: Client) -> None:
    assert "polyclinic_session" not in halfway.cookies
    assert halfway.get("/doctor").headers["Location"].startswith("/sign-in")
    cookie = halfway.cookies["polyclinic_second"]
    assert (cookie["httponly"], cookie["path"], cookie["max-age"]) == (True, "/sign-in", 600)
    assert cookie.value not in Ticket.objects.values_list("digest", flat=True)


def test_a_code_lets_in_where_one_wanted_to_go(halfway: Client, app: App) -> None:
    answer = enter(halfway, code=app.code())
    assert (answer.status_code, answer.headers["Location"]) == (303, "/doctor/patients")
    assert halfway.get("/doctor").status_code == 200
    assert session_of(halfway).aal == 2
    assert session_of(halfway).stepped_up_at is not None
    assert not Ticket.objects.exists()


def test_what_the_session_knows_outlives_its_next_save(halfway: Client, app: App) -> None:
    """Saving a session writes its whole row: the assurance must be in what is saved."""
    enter(halfway, code=app.code())
    session = halfway.session
    session["something"] = "else"
    session.save()
    assert session_of(halfway).aal == 2


def test_each_way_lets_in(house: House, person: Person, phone: Phone) -> None:
    app, recovery = add_app(person)
    number = add_number(person, phone)
    with clock.fixed(clock.now() + timedelta(minutes=2)):
        for way in ("totp", "recovery", "sms"):
            client = Client(enforce_csrf_checks=True)
            sign_in(client, house)
            if way == "sms":
                page = send(client, client.get(SECOND), f"{SECOND}/text")
                assert page.headers["Location"].startswith(f"{SECOND}?by=sms")
                assert str(number) in client.get(SECOND).content.decode()
            code = {"totp": app.code, "recovery": lambda: recovery[0], "sms": lambda: phone.code}[way]()
            assert enter(client, code=code).status_code == 303
            assert client.get("/doctor").status_code == 200


def test_a_passkey_is_a_second_step_too(house: House, person: Person, passkey: Authenticator) -> None:
    client = Client()
    sign_in(client, house)
    question = client.post(f"{SECOND}/question").json()
    assert len(question["allowCredentials"]) == 1
    answer = client.post(SECOND, {"credential": json.dumps(passkey.answer(question)), "next": "/doctor"})
    assert answer.status_code == 303
    assert session_of(client).aal == 2


def test_a_passkey_alone_signs_in(house: House, person: Person, passkey: Authenticator) -> None:
    client = Client()
    question = client.post("/sign-in/passkey/question").json()
    sent = {"credential": json.dumps(passkey.answer(question)), "next": "/doctor"}
    assert client.post("/sign-in/passkey", sent).headers["Location"] == "/doctor"
    assert session_of(client).aal == 2
    again = Client()
    assert again.post("/sign-in/passkey", sent).headers["Location"] == "/sign-in"
    assert "was not accepted" in again.get("/sign-in").content.decode()


def test_five_wrong_codes_lead_back_to_the_beginning(halfway: Client, app: App) -> None:
    for _try in range(5):
        assert enter(halfway, code="12345").status_code == 422
    answer = halfway.post(SECOND, {"code": app.code(), "csrfmiddlewaretoken": halfway.cookies["polyclinic_csrf"].value})
    assert answer.headers["Location"].startswith("/sign-in?")
    assert "start again" in halfway.get("/sign-in").content.decode()
    assert halfway.get("/doctor").status_code == 303


def test_ten_minutes_later_one_starts_again(halfway: Client) -> None:
    with clock.fixed(clock.now() + tickets.LIFETIME):
        assert halfway.get(SECOND).headers["Location"].startswith("/sign-in?")


def test_a_new_password_ends_halfway_sign_ins(halfway: Client, person: Person) -> None:
    Account.objects.filter(pk=person.account_id).update(password_changed_at=clock.now() + timedelta(seconds=1))
    assert halfway.get(SECOND).headers["Location"].startswith("/sign-in?")


def test_a_ticket_is_of_no_use_elsewhere(house: House, halfway: Client) -> None:
    stranger = Client()
    stranger.cookies["polyclinic_second"] = "x" * 43
    assert stranger.get(SECOND).headers["Location"].startswith("/sign-in?")
    assert stranger.post(f"{SECOND}/question", headers={"accept": "application/json"}).status_code == 401
    assert stranger.post(f"{SECOND}/text").headers["Location"].startswith("/sign-in?")


ODD = [
    "",
    " ",
    "0",
    "12345",
    "1234567",
    "12345a",
    "١٢٣٤٥٦",
    "𝟙𝟚𝟛𝟜𝟝𝟞",
    "-12345",
    "12.345",
    "1e5",
    "null",
    "'; --",
    "é" * 6,
]


@pytest.mark.wide
def test_two_hundred_malformed_codes_are_answered_alike(house: House, person: Person, app: App) -> None:
    texts = [
        *ODD,
        *("9" * length for length in range(7, 100)),
        *(chr(number) * 6 for number in range(0x100, 0x100 + 93)),
    ]
    assert len(texts) == 200
    seen = set()
    client = Client()
    for nth, text in enumerate(texts):
        WrongCodes.objects.all().delete()
        if nth % 5 == 0:
            client.cookies["polyclinic_second"] = tickets.begin_second(person.account_id)
        answer = client.post(f"{SECOND}?by=totp", {"code": text, "next": "/home"})
        seen.add((answer.status_code, answer.content))
    assert {status for status, _body in seen} == {422}
    # The same page, but for the masked token of its forms.
    assert len({len(body) for _status, body in seen}) == 1


def test_a_remembered_device_is_not_asked_and_does_not_count_as_shown(house: House, halfway: Client, app: App) -> None:
    answer = enter(halfway, code=app.code(), remember="yes")
    cookie = answer.cookies["polyclinic_remembered"]
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Lax", 30 * 24 * 3600)
    assert RememberedDevice.objects.get().digest != cookie.value
    client = Client(enforce_csrf_checks=True)
    client.cookies["polyclinic_remembered"] = cookie.value
    assert sign_in(client, house).headers["Location"] == "/doctor/patients"
    found = session_of(client)
    assert (found.aal, found.stepped_up_at) == (1, None)
    assert client.get("/account/security/passkey").headers["Location"].startswith("/step-up?")


@pytest.mark.parametrize("why", ["over", "new password", "forgotten", "another's", "no cookie"])
def test_a_device_is_believed_no_longer(house: House, person: Person, app: App, why: str) -> None:
    other = house.person(house.other_doctor)
    token = actions.remember(actor=other if why == "another's" else person, user_agent="")
    if why == "forgotten":
        actions.forget_devices(actor=person)
    if why == "new password":
        Account.objects.filter(pk=person.account_id).update(password_changed_at=clock.now() + timedelta(seconds=1))
    client = Client(enforce_csrf_checks=True)
    client.cookies["polyclinic_remembered"] = "" if why == "no cookie" else token
    with clock.fixed(clock.now() + (timedelta(days=30) if why == "over" else timedelta(minutes=1))):
        assert sign_in(client, house).headers["Location"].startswith(SECOND)


def test_the_right_device_is_believed_for_thirty_days(house: House, person: Person, app: App) -> None:
    """Negative control of the table above."""
    token = actions.remember(actor=person, user_agent="")
    client = Client(enforce_csrf_checks=True)
    client.cookies["polyclinic_remembered"] = token
    with clock.fixed(clock.now() + timedelta(days=29)):
        assert sign_in(client, house).headers["Location"] == "/doctor/patients"
