"""Terms of services and equipment over REST."""

from __future__ import annotations

from typing import Any

import pytest

from polyclinic.facilities.models import Equipment, SettingVersion
from polyclinic.scheduling.models import Appointment
from tests.api.calling import Answer, bearer, call
from tests.house import House, missing

pytestmark = pytest.mark.django_db


def ask(house: House, method: str, path: str, who: Any = None, **body: Any) -> Answer:
    address = f"/api/hospitals/{house.facility.pk}/{path}"
    return call(method, address, body=body or None, headers=bearer(who or house.manager))


def test_a_device_a_service_its_terms_and_their_undoing(house: House) -> None:
    kind = ask(house, "POST", "equipment", name="Ultrasound", count=1)
    assert (kind.status, kind.json["count"], kind.json["version"]) == (201, 1, 1)
    made = ask(house, "POST", "services", name="Neck ultrasound", specialty="general-practice")
    assert (made.status, made.json["own"], made.json["said"], made.json["version"]) == (201, True, "As usual", 0)
    path = f"services/{made.json['id']}"
    given = {"equipment": [kind.json["id"]], "minutes": 40, "second": "role:nurse"}
    answer = ask(house, "PUT", path, seen=0, **given)
    assert (answer.status, answer.json["said"]) == (200, "40 minutes; Ultrasound; with a nurse")
    assert answer.json["terms"]["equipment"] == [kind.json["id"]]
    late = ask(house, "PUT", path, seen=0, minutes=20)
    assert (late.status, late.json["code"], late.json["theirs"]) == (412, "setting_changed", answer.json["said"])
    booked = call(
        "POST", "/api/appointments", headers=bearer(house.patient),
        body={
            "patientId": house.patient.pk, "scheduleId": house.schedule.pk, "starts": house.slot(),
            "serviceId": made.json["id"],
        },
    )  # fmt: skip
    assert booked.status == 201, booked.json
    asked = ask(house, "PUT", f"equipment/{kind.json['id']}", count=0, version=1)
    assert (asked.status, [row["id"] for row in asked.json["appointments"]]) == (409, [booked.json["id"]])
    gone = ask(
        house, "PUT", f"equipment/{kind.json['id']}", count=0, version=1, acknowledged=[booked.json["id"]],
        resolution="cancel",
    )  # fmt: skip
    assert (gone.status, gone.json["count"], gone.json["version"]) == (200, 0, 2)
    assert Appointment.objects.get().state == "cancelled"
    undone = ask(house, "POST", f"{path}/undo", number=0, seen=1)
    assert (undone.status, undone.json["said"], undone.json["version"]) == (200, "As usual", 2)
    rows = ask(house, "GET", "services").json["data"]
    assert [(row["name"], row["version"]) for row in rows] == [("Consultation", 0), ("Neck ultrasound", 2)]
    assert [row["name"] for row in ask(house, "GET", "equipment").json["data"]] == ["Ultrasound"]


def test_the_loser_of_a_device_gets_the_next_three_times(house: House) -> None:
    kind = ask(house, "POST", "equipment", name="Ultrasound")
    ask(house, "PUT", f"services/{house.service.pk}", seen=0, equipment=[kind.json["id"]])
    wish = {"starts": house.slot(), "serviceId": house.service.pk}
    for patient, schedule, status in (
        (house.patient, house.schedule, 201), (house.other_patient, house.other_schedule, 409),
    ):  # fmt: skip
        body = {**wish, "patientId": patient.pk, "scheduleId": schedule.pk}
        answer = call("POST", "/api/appointments", body=body, headers=bearer(patient))
        assert answer.status == status
    assert (answer.json["code"], len(answer.json["slots"])) == ("slot_taken", 3)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "field"),
    [
        ("POST", "equipment", {"name": ""}, 422, "name"),
        ("POST", "equipment", {"name": "A b", "count": -1}, 422, "count"),
        ("POST", "services", {"name": "Scan", "specialty": "x"}, 422, "specialty"),
        ("PUT", "services/{service}", {"seen": 0, "minutes": 1}, 422, "minutes"),
        ("PUT", "services/{service}", {"seen": 0, "second": "me"}, 422, "second"),
        ("PUT", "services/{service}", {"seen": 0, "rooms": ["00000000-0000-0000-0000-000000000000"]}, 422, "rooms"),
        ("PUT", "services/{service}", {"minutes": 20}, 422, "seen"),
        ("PUT", "services/00000000-0000-0000-0000-000000000000", {"seen": 0}, 404, None),
        ("PUT", "equipment/00000000-0000-0000-0000-000000000000", {"count": 1, "version": 1}, 404, None),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(
    house: House, method: str, path: str, body: dict[str, Any], status: int, field: str | None
) -> None:
    answer = ask(house, method, path.format(service=house.service.pk), **body)
    assert answer.status == status
    if field:
        assert field in str(answer.json)
    assert not SettingVersion.objects.exists()
    assert not Equipment.objects.exists()


def test_nobody_sets_it_for_another_house(house: House) -> None:
    assert missing() != house.facility.pk
    for who in (house.receptionist, house.patient, house.stranger_receptionist):
        assert ask(house, "GET", "services", who).status == 403
    assert ask(house, "PUT", f"services/{house.service.pk}", house.staff["admin"], seen=0, minutes=30).status == 403
