"""Every refusal is a line that an operator can follow, and none of them says a name, an address or a word."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

import pytest

from polyclinic.web import refusals
from tests.api.calling import bearer, call, cookies
from tests.house import House
from tests.server import CSRF


@pytest.fixture(autouse=True)
def _full_again() -> Iterator[None]:
    refusals.reset()
    yield
    refusals.reset()


Said = Callable[[], list[str]]


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> Said:
    """The lines of refusals so far."""
    caplog.set_level(logging.INFO, logger="polyclinic.refused")
    return lambda: [one.getMessage() for one in caplog.records if one.name == "polyclinic.refused"]


def test_a_right_one_has_not_is_noted_with_whose_and_where(house: House, said: Said) -> None:
    call("GET", "/api/audit", headers=bearer(house.patient))
    assert house.patient.account
    assert said() == [f"403 forbidden: GET /api/audit by account {house.patient.account.pk} from 203.0.113.0/24"]
    call("GET", "/admin/people", headers=cookies(house.patient))
    assert said()[1].startswith("403 forbidden: GET /admin/people by account")


def test_a_thing_of_others_is_noted_as_one_that_is_not_there(house: House, said: Said) -> None:
    at = "/api/appointments/00000000-0000-0000-0000-000000000000"
    call("GET", at, headers=bearer(house.patient))
    assert len(said()) == 1
    assert "404 not_found: GET /api/appointments/" in said()[0]
    assert "00000000" not in said()[0]
    # A visitor who mistypes an address is nobody to look at.
    call("GET", "/nowhere")
    call("GET", "/doctors/00000000-0000-0000-0000-000000000000")
    assert len(said()) == 1


@pytest.mark.parametrize(("email", "password"), [("meera@example.org", "wrong"), ("nobody@example.org", "wrong")])
@pytest.mark.parametrize("way", ["page", "api"])
def test_each_wrong_password_is_one_line_without_what_was_typed(
    house: House, said: Said, email: str, password: str, way: str
) -> None:
    if way == "api":
        call("POST", "/api/auth/login", body={"email": email, "password": password})
    else:
        form = f"email={email.replace('@', '%40')}&password={password}&csrfmiddlewaretoken={CSRF}".encode()
        head = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": f"polyclinic_csrf={CSRF}"}
        call("POST", "/sign-in", body=form, headers=head)
    assert len(said()) == 1
    line = said()[0]
    assert line.startswith("sign-in: wrong password for ")
    assert line.endswith(" from 203.0.113.0/24")
    assert email not in line
    # The same name has the same sign, so that guesses at one account are seen to belong together.
    call("POST", "/api/auth/login", body={"email": email.upper(), "password": "other"})
    assert said()[1] == line


def test_forged_and_unreadable_requests_are_noted(house: House, said: Said) -> None:
    call("GET", "/api/auth/me", headers={"Authorization": "Bearer x.y.z"})
    call("POST", "/sign-out", headers={**cookies(house.patient), "X-CSRFToken": "x" * 32})
    call("POST", "/api/appointments", body=b"{", headers={**bearer(house.patient), "Content-Type": "application/json"})
    call("GET", "/doctors?q=%00")
    assert [one.partition(":")[0] for one in said()] == [
        "401 invalid_token", "403 csrf_failed", "400 unreadable", "400 bad_request",
    ]  # fmt: skip


def test_an_ordinary_day_writes_nothing(house: House, said: Said) -> None:
    call("GET", "/my")
    call("GET", "/api/auth/me")
    call("GET", "/my", headers=cookies(house.patient))
    call("POST", "/api/appointments", body={}, headers=bearer(house.patient))
    assert len(said()) == 0


def test_nobody_fills_the_disk_and_what_was_left_out_is_said(
    house: House, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr("polyclinic.web.refusals.time.monotonic", lambda: now[0])
    refusals.reset()
    for _time in range(refusals._BURST + 40):
        call("GET", "/api/auth/me", headers={"Authorization": "Bearer x"})
    assert len(said()) == refusals._BURST
    now[0] += 60
    call("GET", "/api/auth/me", headers={"Authorization": "Bearer x"})
    assert said()[-1].endswith("(40 more were not written)")
