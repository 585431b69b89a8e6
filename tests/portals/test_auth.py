"""Coming in, going out, and forgetting one's password."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core import mail
from django.test import Client

from polyclinic.notify import worker
from polyclinic.people.models import Account, Patient
from tests.api.calling import call
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


def sign_up_link() -> str:
    """Where the last mail leads to."""
    worker.deliver_due()
    found = re.search(r"https?://[^/]+(/sign-up/confirm/\S+)", str(mail.outbox[-1].body))
    assert found
    return found[1]


def test_sign_up_goes_on_where_one_was_once_the_link_is_opened(house: House) -> None:
    client = Client(enforce_csrf_checks=True)
    back = "/book/time?service=1&pick=2"
    answer = send(client, client.get(f"/sign-up?{urlencode({'next': back})}"), "/sign-up", **PERSON)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-up/sent")
    assert "We have sent a mail" in client.get("/sign-up/sent").content.decode()
    assert client.get("/my").status_code == 303
    assert not Account.objects.filter(email=PERSON["email"]).exists()
    address = sign_up_link()
    # Opening it, as mail programs do by themselves, makes nothing.
    page = client.get(address)
    assert PERSON["email"] in page.content.decode()
    assert 'type="password"' not in page.content.decode()
    assert not Account.objects.filter(email=PERSON["email"]).exists()
    assert send(client, page, address).headers["Location"] == back
    made = Patient.objects.get(account__email="zoe@example.org")
    assert (made.family_name, made.born.isoformat()) == ("Núñez", "1985-07-14")
    assert "Please confirm your email address" not in client.get("/my").content.decode()
    assert client.get(address).status_code == 410


def test_another_browser_is_asked_for_the_password(house: House) -> None:
    client, phone = Client(enforce_csrf_checks=True), Client(enforce_csrf_checks=True)
    send(client, client.get("/sign-up"), "/sign-up", **PERSON)
    address = sign_up_link()
    for wrong in ("", "wrong wrong wrong"):
        page = send(phone, phone.get(address), address, password=wrong)
        assert page.status_code == 422
        assert "not the password you chose" in page.content.decode()
    assert send(phone, phone.get(address), address, password=PERSON["password"]).headers["Location"] == "/my"
    assert phone.get("/my").status_code == 200


def test_a_known_address_is_answered_as_any_other_and_its_owner_told(house: House) -> None:
    answers = []
    for email in (house.patient.account.email.upper(), "nobody@example.org"):
        client = Client(enforce_csrf_checks=True)
        answer = send(client, client.get("/sign-up"), "/sign-up", **{**PERSON, "email": email})
        pages = answer.content, client.get("/sign-up/sent").content
        headers = {name: value for name, value in answer.headers.items() if name != "X-Request-ID"}
        api = call("POST", "/api/auth/register", body={
            "email": email, "password": PERSON["password"], "givenName": "Zoe", "familyName": "N", "born": "1985-07-14",
        })  # fmt: skip
        cookie = answer.cookies["polyclinic_joining"]
        answers.append((answer.status_code, headers, pages, len(cookie.value), cookie["max-age"], api.status, api.body))
    assert answers[0] == answers[1]
    before = Account.objects.count()
    worker.deliver_due()
    told = {sent.to[0]: sent for sent in mail.outbox}
    assert "There is one under it already" in told["MEERA@example.org"].body
    assert "/sign-up/confirm/" not in told["MEERA@example.org"].body
    assert "/sign-up/confirm/" in told["nobody@example.org"].body
    assert Account.objects.count() == before


def test_an_app_signs_up_with_the_mailed_link(house: House) -> None:
    asked = {
        "email": "app@example.org", "password": PERSON["password"], "givenName": "Nia", "familyName": "New",
        "born": "1990-02-03",
    }  # fmt: skip
    assert call("POST", "/api/auth/register", body=asked).status == 202
    token = sign_up_link().rpartition("/")[2]
    wrong = call("POST", "/api/auth/register/confirm", body={"token": token, "password": "wrong wrong wrong"})
    assert (wrong.status, wrong.code) == (422, "wrong_password")
    sent = {"token": token, "password": PERSON["password"]}
    made = call("POST", "/api/auth/register/confirm", body=sent)
    assert (made.status, made.json["emailVerified"]) == (201, True)
    assert call("POST", "/api/auth/register/confirm", body=sent).status == 410
    entered = {"email": "app@example.org", "password": PERSON["password"]}
    assert call("POST", "/api/auth/login", body=entered).status == 200


@pytest.mark.parametrize("token", ["x", "x:y", "00000000-0000-0000-0000-000000000000:abc", "%00", "é" * 300])
def test_a_made_up_sign_up_link_is_gone(house: House, token: str) -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.get(f"/sign-up/confirm/{token}").status_code in (400, 410)
    assert call("POST", "/api/auth/register/confirm", body={"token": token[:200], "password": "x"}).status == 410


def test_a_demo_shows_the_mail_it_cannot_send(house: House, settings: Any) -> None:
    settings.DEMO = True
    client = Client(enforce_csrf_checks=True)
    send(client, client.get("/sign-up"), "/sign-up", **PERSON)
    found = re.search(r'href="(/sign-up/confirm/[^"]+)"', client.get("/sign-up/sent").content.decode())
    assert found
    assert send(client, client.get(found[1]), found[1]).headers["Location"] == "/my"
    other = Client(enforce_csrf_checks=True)
    send(other, other.get("/sign-up"), "/sign-up", **PERSON)
    assert "an account under this address already" in other.get("/sign-up/sent").content.decode()
    assert "/sign-up/confirm/" not in Client().get("/sign-up/sent").content.decode()


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
    """The mails that wait, sent now as the housekeeping would; there must be so many."""
    worker.deliver_due()
    assert len(mail.outbox) == count
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
    assert mailed(0) == []


@pytest.mark.parametrize("path", ["/password/reset/x/y", "/password/reset/AAAA/choose", "/password/reset/%00/z"])
def test_a_broken_link_is_said_to_be_broken(house: House, path: str) -> None:
    assert Client().get(path).status_code == 410
