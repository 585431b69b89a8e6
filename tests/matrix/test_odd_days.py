"""A day at the edge of the calendar, or none at all, in a page's address: a clear refusal, never a failure of ours."""

from __future__ import annotations

import pytest

from tests.api.calling import call, cookies
from tests.house import House


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "9999-12-30", "2026-02-30", "today", "%00"])
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
