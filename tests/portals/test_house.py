"""Setting up a house as its manager without JavaScript does: hours, holidays, rules, undoing, and two at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from polyclinic.core import clock
from polyclinic.facilities.models import SettingVersion
from tests.house import House
from tests.portals.conftest import form, send
from tests.scheduling.test_booking import book

Browser = Callable[[Any], Client]


@pytest.fixture
def manager(house: House, browser_of: Browser) -> Client:
    return browser_of(house.manager)


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode())).replace("\u00a0", " ")


def test_a_rule_from_tomorrow_on_and_its_undoing(house: House, manager: Client) -> None:
    page = manager.get("/admin/house")
    assert "Notice to cancel or move" in text(page)
    page = manager.get("/admin/house/notice_hours")
    day = clock.now().date() + timedelta(days=2)
    answer = send(manager, page, "/notice_hours", value="48", from_day=day.isoformat(), from_time="9:30", note="Calls")
    assert answer.status_code == 303
    page = manager.get(answer.headers["Location"])
    assert "It is set." in text(page)
    assert "Planned 48 hours" in text(page)
    assert "before: 24 hours" in text(page)
    assert SettingVersion.objects.get().effective_from == house.local(day, 9, 30)
    assert send(manager, page, "/notice_hours/undo").status_code == 303
    page = text(manager.get("/admin/house/notice_hours"))
    assert "Replaced before it began" in page
    assert "An undoing" in page


def test_who_saves_an_old_page_is_shown_both_values_and_keeps_what_was_typed(
    house: House, manager: Client, browser_of: Browser
) -> None:
    other = browser_of(house.staff["admin"])
    page = other.get("/admin/house/notice_hours")
    send(manager, manager.get("/admin/house/notice_hours"), "/notice_hours", value="48")
    late = send(other, page, "/notice_hours", value="12")
    assert late.status_code == 409
    shown = text(late)
    assert "You wanted 12 hours" in shown
    assert "It is set to 48 hours" in shown
    assert "By Bo Boss" in shown
    assert form(late, "/admin/house/notice_hours")["fields"]["value"] == "12"
    # Knowing of the other's value, they may set theirs.
    assert send(other, late, "/admin/house/notice_hours").status_code == 303
    assert SettingVersion.objects.count() == 2


def test_shorter_hours_ask_first_and_patients_see_them(house: House, manager: Client) -> None:
    made = book(house, starts=house.slot(ahead=4))
    page = manager.get("/admin/house/opening_hours")
    days = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "13:00-17:00")
    asked = send(manager, page, "/opening_hours", **days)
    assert asked.status_code == 409
    assert "PILLAI, Meera" in text(asked)
    assert not SettingVersion.objects.exists()
    answer = send(manager, asked, "/opening_hours", resolution="cancel")
    assert answer.status_code == 303
    made.refresh_from_db()
    assert made.state == "cancelled"
    public = text(Client().get("/hospitals/riverside"))
    assert "Opening hours Today" in public
    assert "13:00–17:00" in public


def test_holidays_are_added_and_removed(house: House, manager: Client) -> None:
    day = house.workday(20)
    page = manager.get("/admin/house/holidays")
    answer = send(
        manager, page, "/admin/house/holidays", day=day.isoformat(), name="Founders' Day", hours="09:00-12:00"
    )
    assert answer.status_code == 303
    assert "Founders&#39; Day: 09:00–12:00" in Client().get("/hospitals/riverside").content.decode()
    page = manager.get("/admin/house/holidays")
    twice = manager.post("/admin/house/holidays", {**form(page, "/admin/house/holidays")["fields"], "remove": "",
        "day": day.isoformat(), "name": "Again", "hours": ""})  # fmt: skip
    assert twice.status_code == 422
    assert "There is a holiday on this day already." in text(twice)
    assert send(manager, page, "/admin/house/holidays", remove=day.isoformat()).status_code == 303
    assert SettingVersion.objects.get(number=2).value == ""


@pytest.mark.parametrize(
    ("key", "sent", "said"),
    [
        ("notice_hours", {"value": "many"}, "Choose a whole number between 0 and 336."),
        ("notice_hours", {"value": "48", "from_day": "soon"}, "Write the day as year-month-day"),
        ("notice_hours", {"value": "48", "from_day": "2001-01-01"}, "This time has passed."),
        ("opening_hours", {"mon": "9 to 5"}, "Write hours like 08:00-12:00"),
        ("holidays", {"day": "1 May", "name": "Labour Day"}, "Write the day as year-month-day"),
        ("holidays", {"day": "2031-05-01", "name": "<script>"}, "Name the holiday in at most 60 letters"),
    ],
)
def test_what_is_wrong_is_said_beside_what_was_typed(
    manager: Client, key: str, sent: dict[str, str], said: str
) -> None:
    answer = send(manager, manager.get(f"/admin/house/{key}"), f"/admin/house/{key}", **sent)
    assert answer.status_code == 422
    assert said in text(answer)
    assert not SettingVersion.objects.exists()


def test_a_department_s_own_hours_and_who_may_not_set_them(house: House, manager: Client, browser_of: Browser) -> None:
    unit = house.department.pk
    page = manager.get(f"/admin/house/opening_hours?unit={unit}")
    assert "General practice" in text(page)
    assert send(manager, page, "/opening_hours", mon="09:00-10:00").status_code == 303
    assert SettingVersion.objects.get().department_id == unit
    # An administrator reads them, and finds no form.
    admin = browser_of(house.staff["admin"])
    page = admin.get(f"/admin/house/opening_hours?unit={unit}")
    assert page.status_code == 200
    assert "Save the hours" not in text(page)
    refused = admin.post("/admin/house/opening_hours", {"csrfmiddlewaretoken": form(page, "/")["fields"]
        ["csrfmiddlewaretoken"], "seen": "0", "mon": "09:00-12:00"})  # fmt: skip
    assert refused.status_code == 403
    assert manager.get(f"/admin/house/opening_hours?unit={house.doctor.pk}").status_code == 404
    assert manager.get("/admin/house/no_such_thing").status_code == 404
    assert browser_of(house.receptionist).get("/admin/house").status_code == 403
