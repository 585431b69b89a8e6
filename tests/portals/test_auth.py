"""Coming in, going out, and forgetting one's password."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from polyclinic.people.models import Account, Patient
from tests.house import PASSWORD, House
from tests.portals.conftest import send

SENTENCE = "This email address and password do not match"
PERSON = {
    "given_name": "Zoë",
    "family_name": "Núñez",
    "born_day": "14",
    "born_month": "Jul",
    "born_year": "1985",
    "sex": "female",
    "email": "zoe@example.org",
    "password": "four calm words here",
}


def sign_in(client: Client, email: str, password: str, **more: str) -> Any:
    return send(client, client.get("/sign-in"), "/sign-in", email=email, password=password, **more)


def test_each_comes_to_their_own_place(house: House) -> None:
    for who, place in ((house.patient, "/my"), (house.doctor, "/doctor")):
        client = Client(enforce_csrf_checks=True)
        answer = sign_in(client, who.account.email.upper(), PASSWORD)
        assert answer.status_code == 303
        assert client.get("/home").headers["Location"] == place
        assert client.get(place).status_code == 200


def test_unknown_and_wrong_are_answered_alike(house: House) -> None:
    answers = [
        sign_in(Client(), email, "wrong wrong wrong wrong").content.decode()
        for email in (house.patient.account.email, "nobody@example.org")
    ]
    assert all(SENTENCE in page for page in answers)


def test_next_leads_only_within_this_site(house: House) -> None:
    for target, expected in (
        ("/my/appointments", "/my/appointments"),
        ("https://evil.example/", "/home"),
        ("//evil.example", "/home"),
        ("/\\evil.example", "/home"),
    ):
        answer = sign_in(Client(enforce_csrf_checks=True), house.patient.account.email, PASSWORD, next=target)
        assert answer.headers["Location"] == expected


def test_signing_out_is_immediate_and_needs_a_post(house: House) -> None:
    client = Client(enforce_csrf_checks=True)
    sign_in(client, house.patient.account.email, PASSWORD)
    assert client.get("/sign-out").status_code == 405
    assert send(client, client.get("/my"), "/sign-out").status_code == 303
    assert client.get("/my").headers["Location"].startswith("/sign-in?next=")


def test_sign_up_makes_a_patient_and_signs_in(house: House) -> None:
    client = Client(enforce_csrf_checks=True)
    answer = send(client, client.get("/sign-up?next=/book"), "/sign-up", **PERSON)
    assert answer.status_code == 303, answer.content.decode()
    assert answer.headers["Location"] == "/book"
    made = Patient.objects.get(account__email="zoe@example.org")
    assert (made.family_name, made.born.isoformat()) == ("Núñez", "1985-07-14")
    assert client.get("/my").status_code == 200


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"born_day": "30", "born_month": "2"}, "no such day"),
        ({"born_month": "Smarch"}, "Write the month"),
        ({"born_year": "85"}, "four-digit year"),
        ({"born_year": "2190"}, ""),
        ({"password": "short"}, "15 characters"),
        ({"email": "not an address"}, "valid email"),
        ({"family_name": ""}, "required"),
        ({"given_name": "x" * 81}, "80 characters"),
    ],
)
def test_bad_sign_up_is_explained_and_leaves_nothing(house: House, changes: dict[str, str], sentence: str) -> None:
    before = Account.objects.count()
    client = Client(enforce_csrf_checks=True)
    answer = send(client, client.get("/sign-up"), "/sign-up", **{**PERSON, **changes})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert sentence in page
    assert "There is a problem" in page
    assert Account.objects.count() == before


def mailed(count: int) -> list[Any]:
    """The mails, once `count` have arrived; they are sent beside the answer."""
    end = time.monotonic() + 5
    while len(mail.outbox) < count and time.monotonic() < end:
        time.sleep(0.01)
    return mail.outbox


def test_a_forgotten_password_is_reset_once(house: House) -> None:
    before = Client(enforce_csrf_checks=True)
    sign_in(before, house.patient.account.email, PASSWORD)
    client = Client(enforce_csrf_checks=True)
    answer = send(client, client.get("/password/reset"), "/password/reset", email=house.patient.account.email)
    assert answer.headers["Location"] == "/password/reset/sent"
    link = re.search(r"https?://[^/]+(/password/reset/\S+)", mailed(1)[0].body)
    assert link
    moved = client.get(link[1])
    assert moved.status_code == 303
    assert moved.headers["Location"].endswith("/choose")
    page = client.get(moved.headers["Location"])
    address = moved.headers["Location"]
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.content.decode())
    assert token
    weak = client.post(address, {"csrfmiddlewaretoken": token[1], "password": "short"})
    assert weak.status_code == 422
    done = client.post(address, {"csrfmiddlewaretoken": token[1], "password": "a brand new long one"})
    assert done.headers["Location"] == "/sign-in"
    # Whoever else was signed in with the old password is not any more, and the link is spent.
    assert before.get("/my").status_code == 303
    assert Client().get(link[1]).status_code == 410
    assert sign_in(Client(), house.patient.account.email, "a brand new long one").status_code == 303


def test_an_unknown_address_is_answered_the_same_and_gets_no_mail(house: House) -> None:
    client = Client(enforce_csrf_checks=True)
    answer = send(client, client.get("/password/reset"), "/password/reset", email="nobody@example.org")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/password/reset/sent")
    assert mail.outbox == []


@pytest.mark.parametrize("path", ["/password/reset/x/y", "/password/reset/AAAA/choose", "/password/reset/%00/z"])
def test_a_broken_link_is_said_to_be_broken(house: House, path: str) -> None:
    assert Client().get(path).status_code == 410
