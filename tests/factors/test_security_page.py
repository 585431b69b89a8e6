"""The page of one's own factors: adding, naming, removing, codes that are shown once, and staff who must have one."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from polyclinic.core import clock
from polyclinic.core.actors import Person
from polyclinic.core.models import AuditEntry
from polyclinic.facilities import identity
from polyclinic.factors import actions, selectors, totp
from polyclinic.factors.models import Passkey, RecoveryCode, RememberedDevice, Totp
from polyclinic.notify.models import Notice
from polyclinic.people.models import Account, Session
from tests.api.calling import call, cookies
from tests.factors.authenticator import Authenticator
from tests.factors.conftest import App, Phone, add_app, add_passkey, sign_in
from tests.house import House
from tests.portals.conftest import form, forms, send

HOME = "/account/security"
# By itself: an id in an address may hold digits in the same groups.
CODE = re.compile(r"(?<![\w-])[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}(?![\w-])")


@pytest.fixture
def client(house: House) -> Client:
    """The doctor, just signed in by password."""
    made = Client(enforce_csrf_checks=True)
    sign_in(made, house)
    return made


def test_an_app_is_added_by_its_code_and_its_picture_is_gone(client: Client, person: Person) -> None:
    page = client.get(send(client, client.get(HOME), f"{HOME}/app").headers["Location"])
    body = page.content.decode()
    secret = Totp.objects.get().secret
    assert totp.grouped(secret) in body
    assert "<svg" in body
    assert "style=" not in body
    address = page.request["PATH_INFO"]
    assert send(client, page, address, code="000000", name="").status_code == 422
    assert not selectors.has_second_factor(person.account_id)
    done = send(client, page, address, code=totp.code_at(secret, totp.step_of(clock.now())), name="My telephone")
    assert len(set(CODE.findall(done.content.decode()))) == 10
    assert done.headers["Cache-Control"] == "no-store"
    assert client.get(address).status_code == 404
    assert secret not in client.get(HOME).content.decode()
    assert "My telephone" in client.get(HOME).content.decode()
    assert Notice.objects.filter(account_id=person.account_id, kind="factor_added").count() == 1
    assert AuditEntry.objects.filter(action="factor.add").count() == 1


def test_a_second_factor_makes_no_new_codes(client: Client, person: Person, app: App, phone: Phone) -> None:
    page = client.get(f"{HOME}/number")
    sent = send(client, page, f"{HOME}/number", number="+49 151 2345678", name="Old phone")
    page = client.get(sent.headers["Location"])
    assert "•••678" in page.content.decode()
    assert send(client, page, page.request["PATH_INFO"], code="12").status_code == 422
    done = send(client, page, page.request["PATH_INFO"], code=phone.code)
    assert (done.status_code, done.headers["Location"]) == (303, HOME)
    listed = client.get(HOME).content.decode()
    assert "Old phone" in listed
    assert "2345678" not in listed


def test_a_passkey_is_made_on_the_page(client: Client, person: Person) -> None:
    page = client.get(f"{HOME}/passkey")
    token = form(page, f"{HOME}/passkey")["fields"]["csrfmiddlewaretoken"]
    question = client.post(f"{HOME}/passkey/question", headers={"x-csrftoken": token}).json()
    assert question["user"]["name"] == Account.objects.get(pk=person.account_id).email
    answer = json.dumps(Authenticator().create(question))
    assert send(client, page, f"{HOME}/passkey", credential="{}").status_code == 422
    done = send(client, page, f"{HOME}/passkey", credential=answer, name="Laptop")
    assert done.status_code == 200
    assert Passkey.objects.get().name == "Laptop"
    assert CODE.search(done.content.decode())


def test_rename_and_remove(client: Client, person: Person, app: App) -> None:
    key = add_passkey(person)
    row = Passkey.objects.get()
    page = client.get(f"{HOME}/passkey/{row.pk}")
    assert send(client, page, f"{HOME}/passkey/{row.pk}", name=" \t").status_code == 422
    send(client, page, f"{HOME}/passkey/{row.pk}", name=" My\tkey ")
    assert Passkey.objects.get().name == "My key"
    page = client.get(f"{HOME}/passkey/{row.pk}")
    assert send(client, page, f"{HOME}/passkey/{row.pk}/remove").headers["Location"] == HOME
    assert not Passkey.objects.exists()
    assert Notice.objects.filter(account_id=person.account_id, kind="factor_removed").count() == 1
    assert key


def test_the_last_one_takes_codes_and_devices_with_it(client: Client, person: Person, app: App) -> None:
    actions.remember(actor=person, user_agent="Firefox Windows")
    assert "Firefox on Windows" in client.get(HOME).content.decode()
    page = client.get(f"{HOME}/totp/{app.factor}")
    send(client, page, f"{HOME}/totp/{app.factor}/remove")
    assert (RecoveryCode.objects.count(), RememberedDevice.objects.count()) == (0, 0)
    assert "No second step yet" in client.get(HOME).content.decode()


def test_a_password_chosen_beside_a_factor_is_chosen_again_without_it(person: Person, app: App) -> None:
    """Eight characters do with a second factor and do not alone."""
    Account.objects.filter(pk=person.account_id).update(password_changed_at=clock.now())
    actions.remove(actor=person, kind="totp", factor_id=app.factor)
    assert Account.objects.get(pk=person.account_id).must_change_password


def test_an_older_password_may_stay(person: Person) -> None:
    Account.objects.filter(pk=person.account_id).update(password_changed_at=clock.now() - timedelta(days=1))
    app, _codes = add_app(person)
    actions.remove(actor=person, kind="totp", factor_id=app.factor)
    assert not Account.objects.get(pk=person.account_id).must_change_password


def test_devices_are_forgotten_one_by_one_or_all(client: Client, person: Person, app: App) -> None:
    for agent in ("Firefox Windows", "Chrome Linux", "Safari iPhone"):
        actions.remember(actor=person, user_agent=agent)
    page = client.get(HOME)
    one = [found["action"] for found in forms(page) if re.search(r"devices/.+/forget", found["action"])]
    send(client, page, one[0])
    assert RememberedDevice.objects.count() == 2
    send(client, page, f"{HOME}/devices/forget")
    assert RememberedDevice.objects.count() == 0


def test_there_is_an_end_to_adding(client: Client, person: Person) -> None:
    for _nth in range(actions.MOST_OF_A_KIND):
        add_passkey(person)
    answer = client.post(f"{HOME}/passkey/question", headers={"x-csrftoken": client.cookies["polyclinic_csrf"].value})
    assert answer.status_code == 409


@pytest.fixture
def required(settings: Any) -> None:
    settings.STAFF_SECOND_FACTOR = True


def by_password(who: Any) -> dict[str, str]:
    """Somebody who signed in with the password alone."""
    headers = cookies(who)
    Session.objects.update(aal=1)
    identity.forget()
    return headers


@pytest.mark.usefixtures("required")
def test_staff_without_a_factor_are_led_to_add_one(house: House) -> None:
    for who in (house.doctor, house.receptionist, house.staff["auditor"]):
        headers = by_password(who)
        for path in ("/home", "/account", "/account/notices"):
            answer = call("GET", path, headers=headers)
            assert (answer.status, answer.headers.get("location")) == (303, HOME), path
        for path in (HOME, f"{HOME}/number", "/step-up", "/doctors"):
            assert call("GET", path, headers=headers).status == 200, path
        assert call("GET", "/api/appointments", headers=headers).code == "factor_needed"
        assert call("GET", "/api/auth/me", headers=headers).status == 200
    assert "Until then no other page is open" in call("GET", HOME, headers=by_password(house.doctor)).body.decode()


@pytest.mark.usefixtures("required")
def test_patients_and_those_who_have_one_go_on(house: House, person: Person, app: App) -> None:
    assert call("GET", "/my", headers=cookies(house.patient)).status == 200
    assert call("GET", "/doctor", headers=by_password(house.doctor)).status == 200


def test_without_the_setting_nobody_is_led_anywhere(house: House) -> None:
    """Negative control of the two above."""
    assert call("GET", "/doctor", headers=by_password(house.doctor)).status == 200


@pytest.mark.usefixtures("required")
def test_adding_one_opens_the_door_at_once(house: House, client: Client, person: Person) -> None:
    assert client.get("/doctor").headers["Location"] == HOME
    page = client.get(send(client, client.get(HOME), f"{HOME}/app").headers["Location"])
    code = totp.code_at(Totp.objects.get().secret, totp.step_of(clock.now()))
    send(client, page, page.request["PATH_INFO"], code=code, name="")
    assert client.get("/doctor").status_code == 200


@pytest.mark.usefixtures("required")
def test_the_last_one_stays_where_work_needs_it(house: House, client: Client, person: Person, app: App) -> None:
    page = client.get(f"{HOME}/totp/{app.factor}")
    send(client, page, f"{HOME}/totp/{app.factor}/remove")
    assert selectors.has_second_factor(person.account_id)
    assert "Add another one before" in client.get(HOME).content.decode()
    assert identity.person_of_account(person.account_id)


@pytest.mark.usefixtures("required")
def test_who_must_add_one_hears_what_a_visitor_hears(house: House, person: Person) -> None:
    from polyclinic.live import callers

    header = by_password(house.doctor)["Cookie"]
    assert callers.person_of(header, "") is None
    add_app(person)
    identity.forget()
    assert callers.person_of(header, "") is not None
