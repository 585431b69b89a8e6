"""What is set for a hospital over REST."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from polyclinic.core import clock
from polyclinic.facilities.models import SettingVersion
from tests.api.calling import Answer, bearer, call
from tests.house import House
from tests.scheduling.test_booking import book

pytestmark = pytest.mark.django_db


def put(house: House, key: str, who: Any = None, **body: Any) -> Answer:
    address = f"/api/hospitals/{house.facility.pk}/settings/{key}"
    return call("PUT", address, body=body, headers=bearer(who or house.manager))


def test_set_from_tomorrow_conflict_and_undo(house: House) -> None:
    place, manager = f"/api/hospitals/{house.facility.pk}", bearer(house.manager)
    tomorrow = clock.now() + timedelta(days=1)
    answer = put(house, "notice_hours", value="48", seen=0, effectiveFrom=tomorrow)
    assert (answer.status, answer.json["value"], answer.json["planned"]) == (200, "24", "48 hours")
    late = put(house, "notice_hours", value="12", seen=0)
    assert (late.status, late.json["code"], late.json["mine"], late.json["theirs"]) == (
        412, "setting_changed", "12 hours", "48 hours",
    )  # fmt: skip
    undone = call("POST", f"{place}/settings/notice_hours/undo", body={"number": 0, "seen": 1}, headers=manager)
    assert (undone.status, undone.json["planned"], undone.json["version"]) == (200, None, 2)
    versions = call("GET", f"{place}/settings/notice_hours/versions", headers=manager).json["data"]
    assert [(row["number"], row["status"], row["madeBy"]) for row in versions] == [
        (2, "in_force", "Bo Boss"), (1, "replaced", "Bo Boss"),
    ]  # fmt: skip
    keys = [row["key"] for row in call("GET", f"{place}/settings", headers=manager).json["data"]]
    assert keys[:2] == ["opening_hours", "holidays"]


def test_a_holiday_asks_about_the_patients_and_anyone_reads_the_hours(house: House) -> None:
    made = book(house, starts=house.slot(ahead=4))
    value = f"{house.slot(ahead=4).date()} closed Flood"
    asked = put(house, "holidays", value=value, seen=0)
    assert (asked.status, [row["id"] for row in asked.json["appointments"]]) == (409, [str(made.pk)])
    assert not SettingVersion.objects.exists()
    assert put(house, "holidays", value=value, seen=0, acknowledged=[made.pk]).status == 200
    hours = call("GET", f"/api/hospitals/{house.facility.pk}/hours").json
    assert [(row["holiday"], row["open"]) for row in hours["holidays"]] == [("Flood", [])]


@pytest.mark.parametrize(
    ("key", "body", "status", "field"),
    [
        ("notice_hours", {"value": "x", "seen": 0}, 422, "value"), ("notice_hours", {"value": "48"}, 422, "seen"),
        ("notice_hours", {"value": "48", "seen": -1}, 422, "seen"), ("nothing", {"value": "48", "seen": 0}, 404, "key"),
        ("notice_hours", {"value": "48", "seen": 0, "effectiveFrom": "2001-01-01T00:00Z"}, 422, "effectiveFrom"),
        ("opening_hours", {"value": "mon 9-5", "seen": 0}, 422, "value"),
    ],
)  # fmt: skip
def test_bad_input_names_its_field(house: House, key: str, body: dict[str, Any], status: int, field: str) -> None:
    answer = put(house, key, **body)
    assert (answer.status, answer.json["field"]) == (status, field)
    assert not SettingVersion.objects.exists()
