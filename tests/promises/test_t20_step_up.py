"""T20: what is grave asks for a factor shown within five minutes, on pages and over the API, whoever asks and however.

A remembered device, an old session, another's eyes and a key of a program do not stand in for the person.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.http import HttpRequest, HttpResponse
from pydantic.alias_generators import to_camel

from polyclinic.core import clock
from polyclinic.core.actors import Anonymous, Person
from polyclinic.core.errors import StepUpNeeded, Unauthenticated
from polyclinic.facilities import identity
from polyclinic.nursing.models import DischargeSummary
from polyclinic.nursing.words import SUMMARY
from polyclinic.people.models import Session
from polyclinic.people.sessions import SessionStore
from polyclinic.web import access, errors, stepup
from tests.api.calling import bearer, call, cookies
from tests.billing import desk as money
from tests.factors.conftest import add_app
from tests.house import PASSWORD, House
from tests.nursing.bedside import Bedside

# Pages whose whole purpose is grave. Each is asked by somebody who may, with an old session and with a fresh one.
GRAVE = (
    ("GET", "/account/security/number"),
    ("GET", "/account/security/passkey"),
    ("POST", "/account/security/app"),
    ("POST", "/account/security/codes"),
    ("POST", "/account/security/passkey/question"),
)


def request_of(viewer: object, method: str = "GET") -> HttpRequest:
    request = HttpRequest()
    request.method, request.path, request.path_info = method, "/grave", "/grave"
    request.META = {"SERVER_NAME": "localhost", "SERVER_PORT": "80"}
    request.viewer = viewer  # type: ignore[attr-defined]
    return request


def aged(headers: dict[str, str], age: timedelta | None) -> dict[str, str]:
    """The same session, its factor shown so long ago; None: never."""
    store = SessionStore(headers["Cookie"].partition("polyclinic_session=")[2].partition(";")[0])
    store["stepped_up_at"] = (clock.now() - age).isoformat() if age is not None else ""
    store.save()
    identity.forget()
    return headers


@pytest.mark.parametrize(("age", "fine"), [(0, True), (299, True), (300, False), (86_400, False), (None, False)])
def test_t20_five_minutes(house: House, age: int | None, fine: bool) -> None:
    person = replace(
        house.person(house.doctor), stepped_up_at=None if age is None else clock.now() - timedelta(seconds=age)
    )
    with clock.fixed(clock.now()):
        if fine:
            stepup.require(request_of(person))
        else:
            with pytest.raises(StepUpNeeded):
                stepup.require(request_of(person))


def test_t20_nobody_stands_in_for_the_person(house: House) -> None:
    fresh = replace(house.person(house.doctor), stepped_up_at=clock.now(), aal=2)
    stepup.require(request_of(fresh))
    for instead in (replace(fresh, seen_by=uuid4()), replace(fresh, scopes=frozenset({"appointment.view"}))):
        with pytest.raises(StepUpNeeded):
            stepup.require(request_of(instead))
    with pytest.raises(Unauthenticated):
        stepup.require(request_of(Anonymous()))


def test_t20_the_decorator_asks_before_the_view(house: House) -> None:
    asked: list[HttpRequest] = []

    @access.declare("signed-in")
    @stepup.needed
    def view(request: HttpRequest) -> HttpResponse:
        asked.append(request)
        return HttpResponse()

    with pytest.raises(StepUpNeeded):
        view(request_of(house.person(house.doctor)))
    assert asked == []
    view(request_of(replace(house.person(house.doctor), stepped_up_at=clock.now())))
    assert len(asked) == 1
    assert access.declared(view) == {"*": "signed-in"}


@pytest.mark.parametrize(("method", "path"), GRAVE)
def test_t20_grave_pages(house: House, method: str, path: str) -> None:
    for age in (timedelta(minutes=5), None):
        answer = call(method, path, headers=aged(cookies(house.doctor), age))
        assert answer.status == 303
        assert answer.headers["location"].startswith("/step-up?next=")
    # Negative control: with a fresh factor the same request gets through.
    answer = call(method, path, headers=cookies(house.doctor))
    assert not answer.headers.get("location", "").startswith("/step-up")


def test_t20_a_program_is_told_in_json(house: House) -> None:
    headers = {**aged(cookies(house.doctor), None), "Accept": "application/json"}
    answer = call("POST", "/account/security/passkey/question", headers=headers)
    assert (answer.status, answer.code) == (403, "step_up_needed")


@pytest.mark.parametrize(
    ("referer", "back"),
    [("http://localhost/my/people?a=1", "/my/people?a=1"), ("https://evil.example/x", "/home"), ("", "/home"),
     ("http://localhost//evil.example", "/home")],
)  # fmt: skip
def test_t20_after_a_form_one_returns_to_its_page(house: House, referer: str, back: str) -> None:
    headers = {**aged(cookies(house.doctor), None), "Referer": referer}
    target = call("POST", "/account/security/codes", headers=headers).headers["location"]
    fresh = {**cookies(house.doctor), "Content-Type": "application/x-www-form-urlencoded"}
    sent = f"password={PASSWORD.replace(' ', '+')}&{target.partition('?')[2]}".encode()
    answer = call("POST", "/step-up", body=sent, headers=fresh)
    assert (answer.status, answer.headers["location"]) == (303, back)


MONEY = ("refund", "write_off", "void")


@pytest.mark.parametrize("step", MONEY)
def test_t20_money_that_leaves(house: House, step: str) -> None:
    """Giving back, writing off, voiding: on the desk's page and over the API, and nothing happens without."""
    money.priced(house)
    bill = money.begun(house, "CONS")
    payment = money.paid(bill, house.person(house.receptionist), 10_00)
    old, fresh = aged(cookies(house.manager), timedelta(minutes=5)), cookies(house.manager)
    sent = {"step": step, "payment": str(payment.pk), "refund_amount": "10", "key": "k", f"{step}_reason": "x"}
    page = f"/cashier/invoices/{bill.pk}"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = call("POST", page, body=urlencode(sent).encode(), headers={**old, **form})
    assert (answer.status, answer.headers["location"].partition("?")[0]) == (303, "/step-up")
    api, body = (
        (f"/api/payments/{payment.pk}/refunds", {"amountMinor": 10_00, "reason": "x"})
        if step == "refund"
        else (f"/api/invoices/{bill.pk}/less", {"step": step, "reason": "x"})
    )
    method = "POST" if step == "refund" else "PUT"
    asked = call(method, api, body=body, headers={**old, "Accept": "application/json"})
    assert (asked.status, asked.code) == (403, "step_up_needed")
    bill.refresh_from_db()
    assert (bill.refunded_minor, bill.written_off_minor, bill.state) == (0, 0, "open")
    # Negative control: with a fresh factor the form is taken (a void is refused for money that is still held).
    answer = call("POST", page, body=urlencode(sent).encode(), headers={**fresh, **form})
    assert answer.status == (409 if step == "void" else 303)
    assert not answer.headers.get("location", "").startswith("/step-up")


def test_t20_a_discharge_is_signed_with_a_fresh_factor(house: House) -> None:
    """On the page and over the API; a draft asks for nothing."""
    stay, head = Bedside(house).stay, house.staff["main_doctor"]
    old, fresh = aged(cookies(head), timedelta(minutes=5)), cookies(head)
    page, api = f"/nursing/stays/{stay.pk}/summary", f"/api/bed-bookings/{stay.pk}/discharge-summary"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    parts = dict.fromkeys(SUMMARY, "As told")
    assert (
        call(
            "POST", page, body=urlencode({**parts, "do": "save", "version": 0}).encode(), headers={**old, **form}
        ).headers["location"]
        == page
    )
    signing = urlencode({**parts, "do": "sign", "version": 1}).encode()
    answer = call("POST", page, body=signing, headers={**old, **form})
    assert (answer.status, answer.headers["location"].partition("?")[0]) == (303, "/step-up")
    body = {to_camel(name): said for name, said in parts.items()} | {"sign": True, "version": 1}
    asked = call("PUT", api, body=body, headers={**old, "Accept": "application/json"})
    assert (asked.status, asked.code) == (403, "step_up_needed")
    summary = DischargeSummary.objects.get()
    assert (summary.state, summary.signed_at) == ("draft", None)
    # Negative control: with a fresh factor it is signed.
    assert call("POST", page, body=signing, headers={**fresh, **form}).headers["location"] == page
    summary.refresh_from_db()
    assert summary.signed_at is not None


def show(house: House, headers: dict[str, str], **given: str) -> Any:
    sent = "&".join(f"{name}={value.replace(' ', '+')}" for name, value in given.items()).encode()
    form = {**headers, "Content-Type": "application/x-www-form-urlencoded"}
    return call("POST", "/step-up", body=sent, headers=form)


def test_t20_with_a_second_factor_the_password_is_not_enough(house: House) -> None:
    app, recovery = add_app(house.person(house.doctor))
    for given, fine in (({"password": PASSWORD}, False), ({"code": app.code()}, True), ({"code": recovery[0]}, True)):
        headers = aged(cookies(house.doctor), None)
        answer = show(house, headers, **given)
        assert answer.status == (303 if fine else 422)
        opened = call("GET", "/account/security/number", headers=headers).status == 200
        assert opened is fine


def test_t20_a_step_up_holds_for_its_own_session_alone(house: House) -> None:
    one, other = aged(cookies(house.doctor), None), aged(cookies(house.doctor), None)
    assert show(house, one, password=PASSWORD).status == 303
    assert call("GET", "/account/security/number", headers=one).status == 200
    assert call("GET", "/account/security/number", headers=other).status == 303
    with clock.fixed(clock.now() + stepup.FRESH):
        identity.forget()
        assert call("GET", "/account/security/number", headers=one).status == 303


def test_t20_wrong_passwords_are_counted(house: House) -> None:
    headers = aged(cookies(house.doctor), None)
    answers = [show(house, headers, password="wrong").status for _try in range(11)]
    assert answers == [422] * 10 + [429]
    assert show(house, headers, password=PASSWORD).status == 429


def test_t20_a_sign_in_lasts_longer_than_its_step_up(house: House) -> None:
    headers = bearer(house.doctor)
    call("POST", "/api/auth/step-up", body={"password": PASSWORD}, headers=headers)
    row = Session.objects.get(account_id=house.person(house.doctor).account_id)
    with clock.fixed(clock.now() + timedelta(minutes=6)):
        identity.forget()
        person = identity.person_of_session(row.session_key, via="api")
        assert isinstance(person, Person)
        assert not stepup.is_fresh(person)


def test_t20_the_guard_is_what_stops(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: with the guard off, an old session opens the page."""
    opened: Callable[..., None] = lambda *_given: None  # noqa: E731
    monkeypatch.setattr(stepup, "require", opened)
    assert call("GET", "/account/security/number", headers=aged(cookies(house.doctor), None)).status == 200


def test_t20_the_error_names_its_code() -> None:
    assert errors.body(StepUpNeeded())["code"] == "step_up_needed"
