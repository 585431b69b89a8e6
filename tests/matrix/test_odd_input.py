"""What no person types into a page: days at the edge of the calendar, NUL. A clear refusal, never a failure of ours."""

from __future__ import annotations

import pytest

from polyclinic.scheduling import actions
from tests.api.calling import call, cookies
from tests.house import House


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "9999-12-30", "2026-02-30", "today", "%20"])
def test_a_day_that_no_calendar_here_has(house: House, day: str) -> None:
    doctor, key = cookies(house.doctor), house.doctor.pk
    for address in (f"/doctor?day={day}", f"/doctor/day/figures?day={day}", f"/book/time?doctor={key}&from={day}"):
        assert call("GET", address, headers=doctor).status == 422, address
    for address in (f"/doctors/{key}/days?from={day}", f"/doctors/{key}?day={day}"):
        assert call("GET", address).status in (200, 422), address


@pytest.mark.parametrize(
    "moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "x", "", "2026-03-02T09:00"]
)
def test_a_slot_that_was_never_offered(house: House, moment: str) -> None:
    form = f"slot={house.schedule.pk}%40{moment.replace('+', '%2B')}&wish=".encode()
    headers = {**cookies(house.patient), "Content-Type": "application/x-www-form-urlencoded"}
    answer = call("POST", "/book/hold", body=form, headers=headers)
    assert (answer.status, answer.headers["location"]) == (303, "/book/time?")


@pytest.mark.parametrize("address", ["/doctors?q=%00", "/doctors?specialty=%00", "/doctor/patients?q=a%00b"])
def test_a_nul_in_an_address_is_refused(house: House, address: str) -> None:
    assert call("GET", address, headers=cookies(house.doctor)).status == 400
    assert call("GET", address.replace("%00", "x"), headers=cookies(house.doctor)).status == 200


def test_a_nul_in_a_form_is_refused(house: House) -> None:
    headers = {**cookies(house.patient), "Content-Type": "application/x-www-form-urlencoded"}
    kept = actions.hold(actor=house.person(house.patient), schedule_id=house.schedule.pk, starts=house.slot(0))
    for form in (b"key=%00&reason=a", b"key=a&reason=%00"):
        assert call("POST", f"/book/check/{kept.pk}", body=form, headers=headers).status == 400
    assert call("POST", f"/book/check/{kept.pk}", body=b"key=a&reason=a", headers=headers).status == 303


def test_a_session_cookie_with_a_nul_is_nobodys(house: House) -> None:
    """Cookies can spell any character as an octal number."""
    headers = {"Cookie": 'polyclinic_session="\\000abc"'}
    assert call("GET", "/my", headers=headers).status == 400
    assert call("GET", "/api/auth/me", headers=headers).status == 401
