"""Ways in that were found by attacking the house, each closed; a way that opens again fails here."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from polyclinic.consent import actions as sharing
from polyclinic.core.access.rules import Role
from polyclinic.core.actors import Anonymous, SystemActor
from polyclinic.core.errors import Forbidden, Problem, StaleEdit, TooMany
from polyclinic.core.models import OutboxEvent
from polyclinic.core.outbox import rooms
from polyclinic.facilities import actions as facilities
from polyclinic.facilities import identity
from polyclinic.factors import tickets
from polyclinic.live import callers
from polyclinic.people import actions, emails
from polyclinic.people.models import Account, EmailCheck, Session
from polyclinic.privacy import actions as requests
from polyclinic.tokens import apikeys
from polyclinic.web import stepup
from tests.api.calling import call
from tests.house import PASSWORD, House
from tests.seeding import sign_in

CREDENTIALS = {"email": "meera@example.org", "password": PASSWORD}
NEW = "violet lantern harbour"


def session_in(token: str) -> str:
    """What everybody can read who has a token: the session it names."""
    part = token.split(".")[1]
    return str(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))["sid"])


def test_the_session_named_in_a_token_is_no_cookie(house: House) -> None:
    """A token lives for fifteen minutes; the session it names for up to thirty days."""
    token = call("POST", "/api/auth/login", body=CREDENTIALS).json["accessToken"]
    assert call("GET", "/api/auth/me", headers={"Authorization": f"Bearer {token}"}).status == 200
    stolen = f"polyclinic_session={session_in(token)}"
    assert call("GET", "/api/auth/me", headers={"Cookie": stolen}).status == 401
    assert call("GET", "/my", headers={"Cookie": stolen}).status in (302, 303)
    assert callers.person_of(stolen, "") is None
    # Control: a browser's own session is one.
    own = f"polyclinic_session={sign_in(['meera@example.org'])['meera@example.org']}"
    assert call("GET", "/api/auth/me", headers={"Cookie": own}).status == 200
    assert callers.person_of(own, "") is not None


def test_the_name_of_an_api_key_is_no_cookie(house: House, settings: Any) -> None:
    """A key's id stands in lists; what is remembered under it must not be had without the key."""
    key = identity.open_api_session(house.doctor.account)
    stepup.mark(key, 1)
    actor = identity.person_of_session(key)
    assert actor is not None
    made = apikeys.make(actor=actor, name="Robot", scopes=["appointment.view"], days=1)
    assert call("GET", "/api/auth/me", headers={"Authorization": f"Bearer {made.secret}"}).status == 200
    assert identity.person_of_key(made.secret, "") is not None
    assert callers.person_of(f"polyclinic_session=key:{made.row.id}", "") is None


def asked_for(account: Account, address: str) -> str:
    """The link of a change of address."""
    account.set_password(PASSWORD)
    account.save()
    me = identity.person_of_account(account.pk)
    assert me is not None
    emails.ask_change(actor=me, email=address, password=PASSWORD)
    return emails.token_of(str(EmailCheck.objects.get(account=account, email=address).pk))


@pytest.mark.parametrize("by", ["owner", "link", "administrator"])
def test_a_change_of_address_ends_with_the_password_it_was_asked_with(house: House, by: str) -> None:
    """Else a thief who is noticed opens the link later, and has the account by a reset sent to himself."""
    account = house.staff["nurse"]
    link = asked_for(account, "thief@example.net")
    me = identity.person_of_account(account.pk)
    assert me is not None
    if by == "owner":
        actions.change_password(actor=me, account_id=account.pk, password=NEW, current=PASSWORD)
    elif by == "link":
        actions.change_password(actor=Anonymous(), account_id=account.pk, password=NEW)
    else:
        facilities.reset_password(actor=house.person(house.staff["admin"]), account_id=account.pk)
    with pytest.raises(Problem) as refused:
        emails.confirm(link)
    assert refused.value.code == "link_gone"
    assert Account.objects.get(pk=account.pk).email == account.email


def test_a_password_change_leaves_the_link_for_the_present_address(house: House) -> None:
    account = house.patient.account
    assert account
    emails.begin(account, account.email)
    actions.change_password(actor=Anonymous(), account_id=account.pk, password=NEW)
    assert EmailCheck.objects.filter(account=account).count() == 1


def test_a_sign_in_halfway_ends_when_an_administrator_takes_the_password_away(house: House) -> None:
    account = house.staff["nurse"]
    ticket = tickets.begin_second(account.pk)
    assert tickets.account_of(ticket) == account.pk
    facilities.reset_password(actor=house.person(house.staff["admin"]), account_id=account.pk)
    assert tickets.account_of(ticket) is None


@pytest.mark.parametrize("where", ["password", "email"])
def test_an_open_session_is_no_place_to_guess_the_password(house: House, where: str) -> None:
    account = house.patient.account
    assert account
    me = house.person(account)

    def guess(text: str) -> None:
        if where == "password":
            actions.change_password(actor=me, account_id=account.pk, password=NEW, current=text)
        else:
            emails.ask_change(actor=me, email="new@example.org", password=text)

    for number in range(5):
        with pytest.raises(Problem) as wrong:
            guess(f"guess {number}")
        assert wrong.value.code == "wrong_password"
    # Not even the right one now: else the sixth answer would tell.
    with pytest.raises(TooMany):
        guess(PASSWORD)
    # The person at another browser is not kept out.
    assert call("POST", "/api/auth/login", body=CREDENTIALS).status == 200


def test_the_right_password_forgets_the_wrong_ones(house: House) -> None:
    account = house.patient.account
    assert account
    me = house.person(account)
    for address in ("a@example.org", "b@example.org"):
        for _time in range(4):
            with pytest.raises(Problem):
                emails.ask_change(actor=me, email=address, password="wrong")
        emails.ask_change(actor=me, email=address, password=PASSWORD)


def test_a_reset_link_sets_one_password(house: House) -> None:
    """Both of two who open the link at once pass its check; the second to write is too late."""
    before = Account.objects.get(email="meera@example.org")
    pk, was = before.pk, before.password
    actions.change_password(actor=Anonymous(), account_id=pk, password=NEW, before=was)
    with pytest.raises(StaleEdit):
        actions.change_password(actor=Anonymous(), account_id=pk, password="another harbour lantern", before=was)
    assert Account.objects.get(pk=before.pk).check_password(NEW)


def test_the_page_of_a_reset_says_so_when_it_is_too_late(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client()
    client.post("/password/reset", {"email": "meera@example.org"})
    from polyclinic.notify import worker

    worker.deliver_due()
    found = re.search(r"/password/reset/\S+", str(mail.outbox[-1].body))
    assert found
    page = client.get(found.group(), follow=True).redirect_chain[-1][0]
    real = actions.passwords.check

    def meanwhile(password: str, account: Account) -> None:
        other = Account.objects.get(pk=account.pk)
        other.set_password(NEW)
        other.save()
        real(password, account)

    monkeypatch.setattr(actions.passwords, "check", meanwhile)
    assert client.post(page, {"password": "another harbour lantern"}).status_code == 422
    assert Account.objects.get(email="meera@example.org").check_password(NEW)


def test_whoever_begins_to_work_here_signs_in_anew_on_the_phone(house: House) -> None:
    """A patient's app stays signed in for thirty days, used or not; staff sign in each day."""
    held = call("POST", "/api/auth/login", body=CREDENTIALS).json
    account = house.patient.account
    assert account
    assert Session.objects.get(account_id=account.pk).kind == identity.APP
    browser = sign_in([account.email])[account.email]
    facilities.grant_role(
        actor=SystemActor("operator"), account_id=account.pk, facility_slug="riverside", role=Role.NURSE
    )
    bearer = {"Authorization": f"Bearer {held['accessToken']}"}
    assert call("GET", "/api/auth/me", headers=bearer).status == 401
    body = {"refreshToken": held["refreshToken"], "device": held["device"]}
    assert call("POST", "/api/auth/refresh", body=body).status == 401
    assert identity.person_of_session(browser) is not None


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost.evil.example"])
def test_a_foreign_page_signs_nobody_in_with_cookies(house: House, origin: str) -> None:
    """A form of another site, sent as text/plain, would leave its visitor signed in as the form's author."""
    body = json.dumps({**CREDENTIALS, "cookie": True}).encode()
    headers = {"Origin": origin, "Content-Type": "text/plain"}
    refused = call("POST", "/api/auth/login", body=body, headers=headers)
    assert (refused.status, refused.code, refused.cookies) == (403, "foreign_origin", ())


def test_the_listed_portals_and_our_own_pages_do(house: House, settings: Any) -> None:
    settings.CORS_ORIGINS = ["https://portal.example"]
    for origin in ("https://portal.example", settings.PUBLIC_URL, ""):
        headers = {"Origin": origin} if origin else {}
        entered = call("POST", "/api/auth/login", body={**CREDENTIALS, "cookie": True}, headers=headers)
        assert entered.status == 200
        assert len(entered.cookies) == 3


def test_a_carer_does_not_hear_what_only_the_patient_decides(house: House) -> None:
    """With whom a record is shared, what is asked of privacy officers and who else acts: not for a carer to see."""
    _made, code = sharing.propose(
        actor=house.person(house.patient), patient_id=house.patient.pk, email="bento@example.org", kind="carer",
        rights="book",
    )  # fmt: skip
    sharing.accept(actor=house.person(house.other_patient), code=code)
    start = OutboxEvent.objects.count()
    me, here = house.person(house.patient), house.facility.pk
    sharing.grant(actor=me, patient_id=house.patient.pk, facility_id=here, purpose="treatment", categories=["all"])
    requests.request(actor=me, patient_id=house.patient.pk, facility_id=here, kind="access")
    sharing.propose(
        actor=me, patient_id=house.patient.pk, email="other@example.org", kind="carer", rights="view"
    )  # fmt: skip
    rows = OutboxEvent.objects.order_by("pk")[start:]
    told = [set(row.audience.split()) for row in rows if row.type != "notice.created"]
    assert len(told) == 3
    carer = rooms.own_rooms(house.person(house.other_patient))
    assert [bool(audience & carer) for audience in told] == [False] * 3
    assert all(audience & rooms.own_rooms(me) for audience in told)
    # Control: what a carer may see, they hear.
    assert rooms.patient(house.patient.pk) in carer


@pytest.mark.parametrize("step", ["take", "answer", "refuse"])
def test_an_officer_does_not_answer_what_they_ask_for_their_child(house: House, step: str) -> None:
    """Else a record is erased or corrected without a second person."""
    officer = house.person(house.staff["privacy_officer"])
    made = requests.request(
        actor=house.person(house.patient), patient_id=house.patient.pk, facility_id=house.facility.pk,
        kind="restriction", words="Please",
    )  # fmt: skip
    given = {} if step == "take" else {"text": "Agreed"}
    with pytest.raises(Forbidden):
        getattr(requests, step)(
            actor=replace(officer, represents=frozenset({house.patient.pk})), request_id=made.pk, **given
        )
    getattr(requests, step)(actor=officer, request_id=made.pk, **given)
