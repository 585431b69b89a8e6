"""The second step over the API: a ticket, a code, a token; and one answer for everything that is wrong."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from polyclinic.core import clock
from polyclinic.core.actors import Person
from polyclinic.factors.models import WrongCodes
from polyclinic.people.models import Session
from tests.api.calling import Answer, bearer, call
from tests.factors.conftest import App, Phone, add_number
from tests.house import PASSWORD, House

SECOND = "/api/auth/second"


def login(house: House) -> Answer:
    assert house.doctor.account
    return call("POST", "/api/auth/login", body={"email": house.doctor.account.email, "password": PASSWORD})


@pytest.fixture
def ticket(house: House, app: App) -> str:
    answer = login(house)
    assert (answer.status, answer.code) == (401, "second_factor_needed")
    return str(answer.json["ticket"])


def test_without_a_factor_a_login_is_whole(house: House) -> None:
    assert "accessToken" in login(house).json


def test_a_ticket_and_a_code_make_a_token(house: House, app: App, ticket: str) -> None:
    answer = call("POST", SECOND, body={"ticket": ticket, "code": app.code()})
    assert answer.status == 200
    headers = {"Authorization": f"Bearer {answer.json['accessToken']}"}
    told = call("GET", "/api/auth/factors", headers=headers).json
    assert (told["assurance"], told["recoveryCodesLeft"], [row["kind"] for row in told["factors"]]) == (2, 10, ["totp"])
    assert app.totp.secret not in str(told)
    assert Session.objects.get(kind="api").stepped_up_at is not None
    assert call("POST", SECOND, body={"ticket": ticket, "code": app.code(1)}).code == "sign_in_again"


def test_the_login_says_which_ways_there_are(house: House, person: Person, app: App, phone: Phone) -> None:
    number = add_number(person, phone)
    told = login(house).json
    assert told["ways"] == ["totp", "recovery", "sms"]
    assert told["numbers"] == [{"id": str(number), "hint": "•••678"}]
    with clock.fixed(clock.now() + timedelta(minutes=1)):
        assert call("POST", f"{SECOND}/sms", body={"ticket": told["ticket"]}).status == 204
        assert call("POST", f"{SECOND}/sms", body={"ticket": told["ticket"]}).code == "sent_just_now"
        assert call("POST", f"{SECOND}/sms", body={"ticket": told["ticket"], "number": "x"}).status == 404
        assert call("POST", SECOND, body={"ticket": told["ticket"], "code": phone.code}).status == 200


def test_five_wrong_codes_spend_the_ticket(app: App, ticket: str) -> None:
    for _try in range(5):
        assert call("POST", SECOND, body={"ticket": ticket, "code": "1"}).code == "wrong_code"
    assert call("POST", SECOND, body={"ticket": ticket, "code": app.code()}).code == "sign_in_again"


ODD: list[Any] = [None, 7, 123456, True, [], {}, [1, 2], {"a": "b"}, "", "12345", "é" * 6, "1" * 10_000, "\u0000", 1.5]


def test_malformed_codes_are_answered_alike(house: House, app: App) -> None:
    answers = set()
    for odd in ODD:
        WrongCodes.objects.all().delete()
        answer = call("POST", SECOND, body={"ticket": login(house).json["ticket"], "code": odd})
        answers.add((answer.status, answer.body))
    assert len(answers) == 1
    assert answer.status == 422
    assert answer.code == "wrong_code"


def test_malformed_tickets_are_answered_alike(app: App, ticket: str) -> None:
    answers = [
        call("POST", SECOND, body={"ticket": odd, "code": app.code()}) for odd in [*ODD, ticket[:-1], f"{ticket}x"]
    ]
    assert {(one.status, one.code) for one in answers} == {(401, "sign_in_again")}
    assert len({one.body for one in answers}) == 1


def test_too_many_codes_say_how_long_to_wait(house: House, person: Person, app: App) -> None:
    for _try in range(10):
        answer = call("POST", SECOND, body={"ticket": login(house).json["ticket"], "code": "1"})
    answer = call("POST", SECOND, body={"ticket": login(house).json["ticket"], "code": app.code()})
    assert (answer.status, answer.code) == (429, "too_many_codes")
    assert 0 < int(answer.headers["retry-after"]) <= 901


def test_a_token_steps_up(house: House, person: Person, app: App) -> None:
    headers = bearer(house.doctor)
    assert call("POST", "/api/auth/step-up", body={"password": PASSWORD}, headers=headers).code == "wrong_code"
    assert call("POST", "/api/auth/step-up", body={"code": app.code()}, headers=headers).status == 204
    found = Session.objects.get(account_id=person.account_id)
    assert (found.aal, found.stepped_up_at is not None, found.kind) == (2, True, "api")
    assert call("GET", "/api/auth/me", headers=headers).status == 200


def test_without_a_factor_the_password_steps_up(house: House, person: Person) -> None:
    headers = bearer(house.doctor)
    for odd in ("", "wrong", 7, None):
        answer = call("POST", "/api/auth/step-up", body={"password": odd}, headers=headers)
        assert answer.code == "wrong_password"
    assert call("POST", "/api/auth/step-up", body={"password": PASSWORD}, headers=headers).status == 204
    found = Session.objects.get(account_id=person.account_id)
    assert (found.aal, found.stepped_up_at is not None) == (1, True)
