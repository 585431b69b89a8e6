"""One's own account: password, address, language, sessions and notices, as its person uses them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from polyclinic.core import clock
from polyclinic.facilities import identity
from polyclinic.notify import actions as notices
from polyclinic.notify import worker
from polyclinic.notify.models import Notice
from polyclinic.people import emails
from polyclinic.people.models import Account, Device, EmailCheck, Session
from tests.api.calling import bearer, call
from tests.house import PASSWORD, House
from tests.portals.conftest import send

Browser = Callable[[Any], Client]
NEW = "violet lantern harbour"


def sign_in(client: Client, email: str, password: str = PASSWORD, agent: str = "") -> Any:
    page = client.get("/sign-in")
    headers = {"User-Agent": agent} if agent else {}
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.content.decode())
    assert found
    form = {"csrfmiddlewaretoken": found[1], "email": email, "password": password}
    return client.post("/sign-in", form, headers=headers)


def link(pattern: str) -> str:
    """The link of the newest mail that waits, sent now."""
    worker.deliver_due()
    found = re.search(rf"https?://[^/]+({pattern}\S+)", mail.outbox[-1].body)
    assert found, mail.outbox[-1].body
    return found[1]


def test_the_page_leads_everywhere(house: House, browser_of: Browser) -> None:
    client = browser_of(house.receptionist)
    home = client.get("/account").content.decode()
    assert "front@example.org" in home
    for path in ("/account/password", "/account/email", "/account/sessions", "/account/notices"):
        assert f'href="{path}"' in home
        assert client.get(path).status_code == 200


def test_changing_the_password_keeps_this_browser_and_ends_the_others(house: House, browser_of: Browser) -> None:
    here, there = browser_of(house.patient), browser_of(house.patient)
    page = here.get("/account/password")
    assert "At least 15 characters" in page.content.decode()
    for current, password, sentence in (
        ("wrong", NEW, "not your current password"),
        (PASSWORD, "short", "at least 15 characters"),
        (PASSWORD, "MeeraPillai1980!", "first that others would try"),
        (PASSWORD, "x" * 129, "longer than 128"),
    ):
        refused = send(here, page, "", current=current, password=password)
        assert refused.status_code == 422
        assert sentence in refused.content.decode()
    assert send(here, page, "", current=PASSWORD, password=NEW).status_code == 303
    identity.forget()
    assert here.get("/my").status_code == 200
    assert there.get("/my").status_code == 303
    assert Notice.objects.get().kind == "password_changed"
    assert sign_in(Client(), house.patient.account.email, NEW).status_code == 303


def test_a_password_given_by_another_leads_to_choosing_and_nowhere_else(house: House, browser_of: Browser) -> None:
    Account.objects.filter(pk=house.patient.account.pk).update(must_change_password=True)
    client = browser_of(house.patient)
    for path in ("/my", "/account", "/account/password", "/book/check/x", "/home"):
        assert client.get(path).headers["Location"] == "/password/choose", path
    assert client.get("/doctors").status_code == 200
    refused = call("GET", "/api/appointments", headers=bearer(house.patient))
    assert (refused.status, refused.code) == (403, "password_change_needed")
    page = client.get("/password/choose")
    assert send(client, page, "/password/choose", password=PASSWORD).status_code == 422, (
        "the given one is not one's own"
    )
    assert send(client, page, "/password/choose", password=NEW).headers["Location"] == "/home"
    identity.forget()
    assert client.get("/my").status_code == 200
    assert not Account.objects.get(pk=house.patient.account.pk).must_change_password


def test_an_unconfirmed_address_is_asked_for_and_one_books_meanwhile(house: House, browser_of: Browser) -> None:
    client = browser_of(house.patient)
    page = client.get("/my")
    assert "Please confirm your email address" in page.content.decode()
    assert client.get("/book").status_code == 200
    send(client, page, "/account/email/again")
    address = link("/email/verify/")
    # Opening it, as mail programs do by themselves, uses nothing up.
    visitor = Client(enforce_csrf_checks=True)
    for _time in range(2):
        assert house.patient.account.email in visitor.get(address).content.decode()
    assert send(visitor, visitor.get(address), address).status_code == 303
    identity.forget()
    assert "Please confirm" not in client.get("/my").content.decode()
    assert visitor.get(address).status_code == 410


def test_a_link_lives_a_day_and_the_newest_alone(house: House, browser_of: Browser) -> None:
    client = browser_of(house.patient)
    page = client.get("/account")
    send(client, page, "/account/email/again")
    first = link("/email/verify/")
    send(client, page, "/account/email/again")
    second = link("/email/verify/")
    assert client.get(first).status_code == 410
    assert client.get(second).status_code == 200
    EmailCheck.objects.update(made_at=clock.now() - timedelta(hours=24))
    assert client.get(second).status_code == 410
    assert emails.forget_old() == 0
    EmailCheck.objects.update(made_at=clock.now() - timedelta(hours=49))
    assert emails.forget_old() == 1


@pytest.mark.parametrize("token", ["x", "x:y", "00000000-0000-0000-0000-000000000000:abc", "%00", "é" * 300])
def test_a_made_up_link_is_gone(house: House, token: str) -> None:
    assert Client().get(f"/email/verify/{token}").status_code in (400, 410)


def test_a_new_address_counts_once_it_is_confirmed_and_the_old_one_is_told(house: House, browser_of: Browser) -> None:
    client, account = browser_of(house.patient), house.patient.account
    page = client.get("/account/email")
    wrong = send(client, page, "/account/email", email="new@example.org", password="wrong")
    assert (wrong.status_code, EmailCheck.objects.count()) == (422, 0)
    assert send(client, page, "/account/email", email="New@Example.org", password=PASSWORD).status_code == 303
    account.refresh_from_db()
    assert account.email == "meera@example.org"
    address = link("/email/verify/")
    assert mail.outbox[-1].to == ["New@example.org"]
    send(client, client.get(address), address)
    account.refresh_from_db()
    assert (account.email, account.email_verified_at is not None) == ("New@example.org", True)
    worker.deliver_due()
    assert (mail.outbox[-1].to, mail.outbox[-1].subject) == (["meera@example.org"], "Your email address was changed")


def test_whose_address_it_is_already_is_told_to_that_address_alone(house: House, browser_of: Browser) -> None:
    client = browser_of(house.patient)
    answers = [
        send(client, client.get("/account/email"), "/account/email", email=email, password=PASSWORD)
        for email in ("bento@example.org", "free@example.org")
    ]
    assert answers[0].headers["Location"] == answers[1].headers["Location"] == "/account"
    worker.deliver_due()
    assert {one.to[0]: one.subject for one in mail.outbox} == {
        "bento@example.org": "You have an account already", "free@example.org": "Confirm your email address",
    }  # fmt: skip


def test_an_address_taken_meanwhile_is_a_conflict(house: House, browser_of: Browser) -> None:
    client = browser_of(house.patient)
    send(client, client.get("/account/email"), "/account/email", email="late@example.org", password=PASSWORD)
    address = link("/email/verify/")
    page = client.get(address)
    Account.objects.create_user("LATE@example.org", PASSWORD, name="Quicker")
    assert send(client, page, address).status_code == 409
    assert Account.objects.get(pk=house.patient.account.pk).email == "meera@example.org"


def test_a_new_browser_is_told_of_and_a_known_one_is_not(house: House) -> None:
    email = house.patient.account.email
    chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36"
    firefox = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:130.0) Gecko/20100101 Firefox/130.0"
    first, second = Client(enforce_csrf_checks=True), Client(enforce_csrf_checks=True)
    assert sign_in(first, email, agent=chrome).status_code == 303
    assert Notice.objects.count() == 0, "the very first is no news"
    cookie = first.cookies["polyclinic_device"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    assert sign_in(second, email, agent=firefox).status_code == 303
    assert "Firefox on Windows" in Notice.objects.get().detail["browser"]
    for client in (first, second):
        send(client, client.get("/my"), "/sign-out")
        assert sign_in(client, email, agent=chrome).status_code == 303
    assert Notice.objects.count() == 1
    assert Device.objects.count() == 2
    assert set(Session.objects.values_list("network", flat=True)) == {"127.0.0.0/24"}


def test_the_notices_are_read_and_the_number_goes(house: House, browser_of: Browser) -> None:
    for _time in range(2):
        notices.tell(house.doctor.account.pk, "password_changed", mail=False)
    client = browser_of(house.doctor)
    assert "<span data-badge-count>2</span>" in client.get("/doctor").content.decode()
    page = client.get("/account/notices")
    assert page.content.decode().count("Your password was changed") >= 2
    row = Notice.objects.order_by("-at").first()
    assert row is not None
    seen = send(client, page, f"/account/notices/{row.pk}/read", follow="1")
    assert seen.headers["Location"] == "/account/sessions"
    assert "<span data-badge-count>1</span>" in client.get("/account/notices/count").content.decode()
    send(client, client.get("/account/notices"), "/account/notices/read")
    identity.forget()
    assert "<span data-badge-count>0</span>" in client.get("/account/notices/count").content.decode()
    told = call("GET", "/api/notices", headers=bearer(house.doctor)).json
    assert [one["kind"] for one in told["data"]] == ["password_changed"] * 2
    assert all(one["readAt"] for one in told["data"])


def test_the_language_is_the_persons_own(house: House, browser_of: Browser) -> None:
    client = browser_of(house.patient)
    assert send(client, client.get("/account"), "/account/language", language="en").status_code == 303
    assert Account.objects.get(pk=house.patient.account.pk).language == "en"
    assert send(client, client.get("/account"), "/account/language", language="xx").status_code == 422


def test_the_api_says_whether_the_address_is_confirmed(house: House) -> None:
    assert call("GET", "/api/auth/me", headers=bearer(house.patient)).json["emailVerified"] is False
    Account.objects.update(email_verified_at=clock.now())
    identity.forget()
    assert call("GET", "/api/auth/me", headers=bearer(house.patient)).json["emailVerified"] is True


def test_ending_ones_own_session_from_the_list_signs_out(house: House, browser_of: Browser) -> None:
    client, other = browser_of(house.patient), browser_of(house.patient)
    page = client.get("/account/sessions")
    send(client, page, "/account/sessions/others/end")
    identity.forget()
    assert other.get("/my").status_code == 303
    assert client.get("/my").status_code == 200
