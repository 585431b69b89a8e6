"""The pages of figures without JavaScript: ranges, tables, going down, files for spreadsheets."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from polyclinic.analytics import following
from polyclinic.portals.analytics import drawing, words
from polyclinic.portals.sheets import sheet
from tests.analytics import past
from tests.house import House

Browser = Callable[[Any], Client]
ONE = timedelta(days=1)


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode())).replace("\u00a0", " ")


@pytest.fixture
def boss(house: House, browser_of: Browser) -> Client:
    now = past.today(house)
    house.schedule.department = house.department
    house.schedule.save()
    past.appointment(house, now - ONE, "no_show")
    past.appointment(house, now - ONE, "completed", hour=10)
    past.appointment(house, now, "checked_in")
    past.visit(house, now - ONE, 1, 12)
    while following.catch_up(5):
        pass
    return browser_of(house.manager)


def test_from_the_house_down_to_a_day_and_into_a_file(house: House, boss: Client) -> None:
    now = past.today(house)
    page = boss.get("/analytics?days=7&compare=previous")
    assert page.status_code == 200
    for part in (
        "Appointments today 1",
        "Checked in 1",
        "Did not come 33.3 %",
        "before: –",
        "Median wait for a doctor",
    ):
        assert part in text(page), part
    body = page.content.decode()
    assert body.count("<svg viewBox") == body.count("<desc id=") == body.count("The same as a table") == 5
    assert "PILLAI" not in body
    assert "Pillai" not in body
    yesterday = f"from={now - ONE}&amp;to={now - ONE}"
    assert yesterday in body
    page = boss.get(f"/analytics/departments?from={now - ONE}&to={now - ONE}")
    found = re.search(r'href="(/analytics/doctors[^"]+)">General practice', page.content.decode())
    assert found
    page = boss.get(found[1].replace("&amp;", "&"))
    assert "Rao" in text(page)
    found = re.search(r'href="(/analytics/day[^"]+)"', page.content.decode())
    assert found
    page = boss.get(found[1].replace("&amp;", "&"))
    assert "09:00 Consultation Did not come" in text(page)
    assert "Pillai" not in page.content.decode()
    rows = boss.get(f"/analytics/days.csv?from={now - ONE}&to={now}").content.decode().splitlines()
    assert rows[0].startswith("day,appointments,no_shows,visits")
    assert rows[1].startswith(f"{now - ONE},2,1,1,")
    assert len(rows) == 3
    doctors = boss.get(f"/analytics/doctors.csv?department={house.department.pk}").content.decode()
    assert "Rao,3,33.3,1," in doctors


def test_bad_days_are_said_beside_the_form_and_the_rest_stands(house: House, boss: Client) -> None:
    late = past.today(house) + ONE
    for query, sentence in (
        (f"from={late}&to={late}", "not in the future"), ("from=soon", "year-month-day"),
        ("from=2020-01-01", "1 to 731 days"),
    ):  # fmt: skip
        page = boss.get(f"/analytics?{query}")
        assert (page.status_code, sentence in text(page)) == (422, True), query
        assert "Appointments today" in text(page)
    assert boss.get("/analytics?place=" + str(house.elsewhere.pk)).status_code == 404
    assert boss.get("/analytics/day").status_code == 404


def test_a_file_runs_no_formula_and_a_doctor_sees_their_own(house: House, browser_of: Browser, boss: Client) -> None:
    made = sheet("x", ("name", "sum"), [("=1+1", -5), ("@x", None), ("Rao", 1)]).content.decode()
    assert made.splitlines() == ["name,sum", "'=1+1,-5", "'@x,", "Rao,1"]
    page = browser_of(house.doctor).get("/doctor/figures")
    assert "No median is shown: fewer than 5" in text(page)
    assert "Appointments 3" in text(page)


def test_figures_read_as_people_say_them() -> None:
    for seconds, said in ((None, "–"), (42, "42 s"), (3540, "59 min"), (3599, "1 h 00 min"), (7500, "2 h 05 min")):
        assert words.duration(seconds) == said
    assert [drawing.ceiling(values) for values in ([], [0], [3], [7.0], [24], [0.2], [1000])] == [
        1, 1, 5, 10, 25, 0.2, 1000,
    ]  # fmt: skip
