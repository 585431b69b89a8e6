"""The bed board and the pages of a stay, as a nurse without JavaScript uses them: forms, links and what they say."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from polyclinic.core import clock
from polyclinic.inpatient import actions
from polyclinic.inpatient.models import Bed, BedStay, Ward
from polyclinic.people import search
from polyclinic.visits import actions as visits
from tests.house import House, missing
from tests.inpatient.wing import Wing
from tests.portals.conftest import form, forms, send

Browser = Callable[[Any], Client]


@pytest.fixture
def wing(house: House) -> Wing:
    return Wing(house)


@pytest.fixture
def nurse(wing: Wing, browser_of: Browser) -> Client:
    return browser_of(wing.house.staff["nurse"])


@pytest.fixture
def head(wing: Wing, browser_of: Browser) -> Client:
    return browser_of(wing.house.staff["main_doctor"])


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode())).replace("\u00a0", " ")


def tile(page: Any, wing: Wing, name: str) -> str:
    found = re.search(rf'<li id="bed-{wing.beds[name].pk}".*?</li>', page.content.decode(), re.DOTALL)
    assert found, name
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found[0]))


def test_a_bed_from_the_request_to_the_clean_bed_by_forms(wing: Wing, nurse: Client, head: Client) -> None:
    search.catch_up()
    page = nurse.get("/beds/request")
    found = send(nurse, page, "/beds/request", q="pillai")
    assert "PILLAI, Meera" in text(found)
    address = re.search(r'href="(/beds/request/[^"]+)"', found.content.decode())
    assert address
    page = nurse.get(address[1])
    answer = send(nurse, page, "", priority="urgent", needs="oxygen", reason="Pneumonia")
    assert answer.status_code == 303
    stay = BedStay.objects.get()
    assert (stay.oxygen, stay.priority, stay.reason) == (True, "urgent", "Pneumonia")
    page = nurse.get(answer.url)
    assert "PILLAI, Meera" in text(page)
    # What fits stands first: the bed with oxygen in the room, then the one of intensive care.
    assert text(page).index("Ward A, A3") < text(page).index("Ward I, I1") < text(page).index("Ward A, A1")
    send(nurse, page, "/take", how="reserve", bed=str(wing.beds["A3"].pk))
    board = nurse.get("/beds")
    assert "PILLAI, Meera" in tile(board, wing, "A3")
    assert "Reserved" in tile(board, wing, "A3")
    assert send(nurse, board, f"/beds/stays/{stay.pk}/admit").url.startswith("/beds?place=")
    page = head.get(f"/beds/stays/{stay.pk}")
    send(head, page, "/order-discharge")
    board = nurse.get("/beds?feature=leaving")
    assert "May leave" in tile(board, wing, "A3")
    send(nurse, board, f"/beds/stays/{stay.pk}/depart")
    bed = wing.beds["A3"].pk
    send(nurse, nurse.get("/beds"), f"/beds/{bed}/cleaning")
    assert "Being cleaned" in tile(nurse.get("/beds"), wing, "A3")
    send(nurse, nurse.get("/beds"), f"/beds/{bed}/cleaned")
    board = nurse.get("/beds")
    assert "Bed A3 is clean and free." in text(board)
    assert "Free" in tile(board, wing, "A3")


def test_a_manager_sees_beds_and_nobody_in_them(wing: Wing, browser_of: Browser) -> None:
    wing.put("A1", expected_on=clock.now().date() + timedelta(days=1), reason="Pneumonia")
    boss = browser_of(wing.house.manager)
    for path in ("/beds", "/beds/side", "/beds/figures", f"/beds/tile/{wing.beds['A1'].pk}"):
        page = boss.get(path)
        assert page.status_code == 200
        for secret in ("PILLAI", wing.house.patient.mrn, str(wing.house.patient.pk), "Pneumonia"):
            assert secret not in page.content.decode(), path
    assert "leaves" in tile(boss.get("/beds"), wing, "A1")
    assert "Occupied" in tile(boss.get("/beds"), wing, "A1")


def test_the_live_tile_is_the_one_of_the_board(wing: Wing, nurse: Client) -> None:
    wing.put("A1")
    board, bed = nurse.get("/beds"), wing.beds["A1"].pk
    part = nurse.get(f"/beds/tile/{bed}?place={wing.house.facility.pk}")
    assert tile(part, wing, "A1") == tile(board, wing, "A1")
    # On a board of free beds it stands no more.
    assert nurse.get(f"/beds/tile/{bed}?state=available").status_code == 204
    assert nurse.get(f"/beds/tile/{missing()}").status_code == 404
    assert nurse.get("/beds?state=lost").status_code == 422


@pytest.mark.parametrize("path", ["/beds", "/beds/side", "/beds/figures"])
def test_the_live_parts_say_what_they_follow(wing: Wing, nurse: Client, path: str) -> None:
    page = nurse.get(path).content.decode()
    assert 'data-live-types="bed. stay."' in page
    assert f'data-live-match="facilityId:{wing.house.facility.pk}"' in page


def test_a_bed_that_does_not_fit_asks_why(wing: Wing, nurse: Client) -> None:
    wing.put("A1", wing.house.other_patient)
    stay = wing.ask()
    page = nurse.get(f"/beds/stays/{stay.pk}")
    assert "somebody of another sex lies in this room" in text(page)
    link = re.search(r'href="(/beds/stays/[^"]+/take\?[^"]+)"', page.content.decode())
    assert link
    asked = nurse.get(link[1].replace("&amp;", "&"))
    refused = send(nurse, asked, "/take", despite=" ")
    assert refused.status_code == 409
    assert "does not fit" in text(refused)
    answer = send(nurse, refused, "/take", despite="Nothing else is free")
    assert answer.status_code == 303
    assert BedStay.objects.get(pk=stay.pk).state == "reserved"


def test_who_comes_second_is_told_and_chooses_again(wing: Wing, nurse: Client) -> None:
    stay, other = wing.ask(), wing.ask(wing.house.other_patient)
    page = nurse.get(f"/beds/stays/{stay.pk}")
    actions.reserve(actor=wing.nurse, stay_id=other.pk, bed_id=wing.beds["A1"].pk)
    answer = send(nurse, page, "/take", how="reserve", bed=str(wing.beds["A1"].pk))
    page = nurse.get(answer.url)
    assert "Bed A1 is not free any more." in text(page)
    # The other one is a man: his room is no longer for her.
    assert BedStay.objects.get(pk=stay.pk).state == "requested"
    # A page from before somebody else changed the stay does nothing.
    actions.admit(actor=wing.nurse, stay_id=stay.pk, bed_id=wing.beds["I1"].pk)
    send(nurse, page, "/take", how="admit", bed=str(wing.beds["A1"].pk))
    assert BedStay.objects.get(pk=stay.pk).bed_id == wing.beds["I1"].pk


def test_a_transfer_by_the_page(wing: Wing, nurse: Client) -> None:
    stay = wing.put("A1")
    page = nurse.get(f"/beds/stays/{stay.pk}")
    send(nurse, page, "/take", how="transfer", bed=str(wing.beds["A2"].pk))
    assert [wing.bed(name).state for name in ("A1", "A2")] == ["cleaning", "occupied"]


@pytest.mark.parametrize(
    ("path", "state", "who"),
    [("leave", "departed", "nurse"), ("stay-on", "admitted", "main_doctor"), ("cancel", "cancelled", "nurse")],
)
def test_what_needs_a_reason_asks_for_it(wing: Wing, browser_of: Browser, path: str, state: str, who: str) -> None:
    stay = wing.ask() if path == "cancel" else wing.put("A1")
    if path == "stay-on":
        actions.order_discharge(actor=wing.head, stay_id=stay.pk)
    client = browser_of(wing.house.staff[who])
    page = client.get(f"/beds/stays/{stay.pk}/{path}")
    refused = send(client, page, "", reason=" ")
    assert refused.status_code == 422
    assert "Say why." in text(refused)
    assert send(client, refused, "", reason="As it is").status_code == 303
    assert BedStay.objects.get().state == state


def test_the_day_of_leaving_is_kept_and_taken_back(wing: Wing, nurse: Client) -> None:
    stay = wing.put("A1")
    page = nurse.get(f"/beds/stays/{stay.pk}")
    day = clock.now().date() + timedelta(days=3)
    send(nurse, page, "/plan", expected_on=day.isoformat())
    assert BedStay.objects.get().expected_on == day
    send(nurse, page, "/plan", expected_on="2020-01-01")
    assert "Choose a day from today on" in text(nurse.get(f"/beds/stays/{stay.pk}"))
    send(nurse, page, "/plan", expected_on="")
    assert BedStay.objects.get().expected_on is None


def test_a_bed_is_blocked_with_a_reason(wing: Wing, nurse: Client) -> None:
    bed = wing.beds["A2"].pk
    page = nurse.get(f"/beds/{bed}/block")
    assert send(nurse, page, "", why="other").status_code == 422
    send(nurse, page, "", why="repair")
    board = nurse.get("/beds")
    assert "Broken or being repaired" in tile(board, wing, "A2")
    send(nurse, board, f"/beds/{bed}/unblock")
    assert Bed.objects.get(pk=bed).state == "cleaning"


def test_a_bed_is_asked_for_from_a_visit(wing: Wing, browser_of: Browser) -> None:
    house = wing.house
    visit = visits.register(
        actor=house.person(house.receptionist), facility_id=house.facility.pk, patient_id=house.patient.pk,
        doctor_id=house.doctor.pk,
    )  # fmt: skip
    client = browser_of(house.doctor)
    page = client.get(f"/beds/visits/{visit.pk}")
    assert "PILLAI, Meera" in text(page)
    answer = send(client, page, "", priority="emergency", needs="isolation")
    stay = BedStay.objects.get()
    assert (stay.visit_id, stay.doctor_id, stay.isolation) == (visit.pk, house.doctor.pk, True)
    # Their doctor sees the stay, and chooses no bed.
    page = client.get(answer.url)
    assert page.status_code == 200
    assert not [one for one in forms(page) if "/take" in one["action"]]
    again = send(client, client.get(f"/beds/visits/{visit.pk}"), "", priority="routine")
    assert again.status_code == 409
    assert f"/beds/stays/{stay.pk}" in again.content.decode()
    assert browser_of(house.other_doctor).get(f"/beds/visits/{visit.pk}").status_code == 404
    assert browser_of(house.patient).get(f"/beds/stays/{stay.pk}").status_code in (403, 404)


def test_wards_and_beds_are_set_up(wing: Wing, browser_of: Browser) -> None:
    boss = browser_of(wing.house.manager)
    page = boss.get("/beds/wards")
    assert send(boss, page, "", name="Ward A", kind="general", sex="any").status_code == 422
    send(boss, page, "", name="Children", kind="children", sex="any")
    ward = Ward.objects.get(name="Children")
    page = boss.get("/beds/wards")
    send(boss, page, f"/beds/wards/{ward.pk}/beds", name="C1", room="Room 9", has="oxygen")
    bed = Bed.objects.get(name="C1")
    assert (bed.children, bed.oxygen, bed.state) == (True, True, "available")
    send(boss, boss.get("/beds/wards"), f"/beds/{bed.pk}/retire")
    page = boss.get("/beds/wards")
    send(boss, page, f"/beds/wards/{ward.pk}/end")
    assert "Children" not in [row.name for row in Ward.objects.filter(ended_at=None)]
    send(boss, page, f"/beds/wards/{wing.ward.pk}/beds", name="A1")
    assert "There is a bed of this name in the ward." in text(boss.get("/beds/wards"))


def test_nothing_of_it_is_for_strangers(wing: Wing, browser_of: Browser) -> None:
    stay = wing.put("A1")
    far = browser_of(wing.house.stranger_receptionist)
    assert "PILLAI" not in text(far.get("/beds"))
    for path in (f"/beds?place={wing.house.facility.pk}", f"/beds/stays/{stay.pk}", f"/beds/tile/{stay.bed_id}"):
        assert far.get(path).status_code == 404
    page = far.get("/beds/request")
    token = form(page, "/beds/request")["fields"]["csrfmiddlewaretoken"]
    answer = far.post(f"/beds/stays/{stay.pk}/release", {"csrfmiddlewaretoken": token})
    assert answer.status_code == 404
