"""The front desk: search, register, open a visit, take the fee, call; the ticket and the hall follow."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from polyclinic.billing.models import Price
from polyclinic.people.models import Patient
from polyclinic.visits import actions, known, queues, tickets
from polyclinic.visits.models import QueueEntry, Visit
from tests.house import House
from tests.portals.conftest import forms, send

pytestmark = pytest.mark.django_db
NEW = {
    "family_name": "Okonkwo", "given_name": "Ada", "born_day": "3", "born_month": "4", "born_year": "1990",
    "sex": "female",
}  # fmt: skip


@pytest.fixture
def desk(house: House, browser_of: Any) -> Client:
    client: Client = browser_of(house.receptionist)
    return client


def opened(house: House, patient: Any = None, **more: str) -> Visit:
    return actions.register(
        actor=house.person(house.receptionist), facility_id=house.facility.pk,
        patient_id=(patient or house.patient).pk, **more,
    )  # fmt: skip


def test_home_is_the_board(desk: Client) -> None:
    assert desk.get("/home").headers["Location"] == "/reception"
    assert "Nobody is waiting" in desk.get("/reception").content.decode()


def test_search_first_then_register_then_open_a_visit(house: House, desk: Client) -> None:
    page = desk.get("/reception/find")
    found = send(desk, page, "/reception/find", q="okonkwo ada")
    assert "Nobody like this" in found.content.decode()
    form = desk.get("/reception/register")
    made = send(desk, form, "", **NEW)
    assert made.status_code == 303
    opening = desk.get(made.headers["Location"])
    assert "OKONKWO, Ada" in opening.content.decode()
    visit = send(desk, opening, "", complaint="Rash")
    assert visit.status_code == 303
    page = desk.get(visit.headers["Location"]).content.decode()
    assert "A001" in page
    assert "Rash" in page
    board = desk.get("/reception").content.decode()
    assert "OKONKWO, Ada" in board
    assert "Rash" not in board
    assert "OKONKWO, Ada" in send(desk, desk.get("/reception/find"), "/reception/find", q="okonkvo").content.decode()


def test_a_second_registration_is_warned_of_and_can_be_overruled(house: House, desk: Client) -> None:
    send(desk, desk.get("/reception/register"), "", **NEW)
    again = send(desk, desk.get("/reception/register"), "", **NEW)
    assert again.status_code == 422
    assert "Is it one of these?" in again.content.decode()
    assert Patient.objects.filter(family_name="Okonkwo").count() == 1
    assert send(desk, again, "", **NEW, new_because="Twin sister").status_code == 303
    assert Patient.objects.filter(family_name="Okonkwo").count() == 2


def test_the_fee_is_billed_and_settling_it_moves_the_visit(house: House, desk: Client) -> None:
    Price.objects.create(
        facility=house.facility, code="consultation", name="Consultation", kind="consultation", amount_minor=5000,
        currency="EUR",
    )  # fmt: skip
    made = opened(house)
    page = desk.get(f"/reception/visits/{made.pk}").content.decode()
    assert "/cashier/invoices/" in page
    waived = actions.waive_fee(actor=house.person(house.staff["main_doctor"]), visit_id=made.pk, reason="Poor")
    assert waived.state == "paid"
    assert "/waive" not in desk.get(f"/reception/visits/{made.pk}").content.decode()


def test_without_a_price_the_desk_says_that_nothing_is_owed(house: House, desk: Client) -> None:
    made = opened(house)
    page = desk.get(f"/reception/visits/{made.pk}")
    send(desk, page, f"/reception/visits/{made.pk}/paid")
    made.refresh_from_db()
    assert made.state == "paid"
    assert QueueEntry.objects.get(ended_at=None).line == "check"


def test_calling_from_the_board_reaches_ticket_and_hall(house: House, desk: Client) -> None:
    made = opened(house)
    entry = QueueEntry.objects.get()
    code = tickets.code(made.pk)
    anybody = Client()
    assert "You are next" in anybody.get(f"/t/{code}").content.decode()
    arrange = desk.get("/reception/arrange")
    assert send(desk, arrange, "/reception/arrange", name="Window 1", line="desk").status_code == 303
    boards = [form for form in forms(arrange) if form["fields"].get("what") == "board"]
    desk.post("/reception/arrange", {**boards[0]["fields"], "name": "Ground floor"})
    arranged = desk.get("/reception/arrange").content.decode()
    hall = arranged.split('href="/display/')[1].split('"')[0]
    assert "A001" in anybody.get(f"/display/{hall}").content.decode()
    counter = desk.get("/reception")
    send(desk, counter, "/reception/counter", counter=arranged.split('name="id" value="')[1].split('"')[0])
    board = desk.get("/reception")
    assert send(desk, board, f"/reception/queue/{entry.pk}/call").status_code == 303
    shown = anybody.get(f"/display/{hall}/state").content.decode()
    assert "Window 1" in shown
    assert "It is your turn: Window 1" in anybody.get(f"/t/{code}/state").content.decode()
    for page in (shown, anybody.get(f"/t/{code}").content.decode()):
        assert "Pillai" not in page
        assert "Meera" not in page


def test_nobody_watches_with_a_code_that_is_none(house: House) -> None:
    opened(house)
    for address in ("/t/x", "/t/" + "A" * 22, "/display/" + "A" * 22, f"/t/{Visit.objects.get().pk}"):
        assert Client().get(address).status_code == 404
        assert Client().get(f"{address}/state").status_code == 404


def test_another_hospitals_desk_sees_none_of_it(house: House, browser_of: Any) -> None:
    made = opened(house)
    entry = QueueEntry.objects.get()
    stranger = browser_of(house.stranger_receptionist)
    known.remember(house.patient.pk, house.facility.pk)
    assert "PILLAI" not in stranger.get("/reception").content.decode()
    for address in (
        f"/reception?place={house.facility.pk}", f"/reception/row/{made.pk}", f"/reception/visits/{made.pk}",
        f"/reception/visits/{made.pk}/slip", f"/reception/open/{house.patient.pk}",
    ):  # fmt: skip
        assert stranger.get(address).status_code == 404, address
    page = stranger.get("/reception")
    token = page.content.decode().split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    given = {"csrfmiddlewaretoken": token}
    stranger.post(f"/reception/queue/{entry.pk}/call", given)
    assert stranger.post(f"/reception/visits/{made.pk}/leave", {**given, "reason": "x"}).status_code == 404
    entry.refresh_from_db()
    assert entry.state == "waiting"


def test_an_unknown_patient_gets_a_visit(house: House, desk: Client) -> None:
    made = send(desk, desk.get("/reception/register"), "/reception/unknown", sex="male", years="40")
    page = desk.get(made.headers["Location"])
    assert "UNKNOWN, male ~40" in page.content.decode()
    assert "Temporary" in page.content.decode()
    assert send(desk, page, "", priority="emergency").status_code == 303
    assert Visit.objects.get().token == "E001"


def test_a_row_comes_alone_and_goes_when_the_visit_is_over(house: House, desk: Client) -> None:
    made = opened(house)
    row = desk.get(f"/reception/row/{made.pk}")
    assert row.content.decode().count("<tr") == 1
    assert desk.get(f"/reception/row/{made.pk}?line=lab").status_code == 204
    page = desk.get(f"/reception/visits/{made.pk}")
    send(desk, page, f"/reception/visits/{made.pk}/leave", reason="Could not wait")
    assert desk.get(f"/reception/row/{made.pk}").status_code == 204
    for part in ("figures", "calls"):
        assert desk.get(f"/reception/{part}").status_code == 200


def test_what_waits_longer_than_said_says_so(house: House) -> None:
    made = opened(house)
    page = f"/t/{tickets.code(made.pk)}"
    assert "longer than we said" not in Client().get(page).content.decode()
    entry = QueueEntry.objects.get()
    QueueEntry.objects.update(told_until=entry.enqueued_at - timedelta(minutes=1))
    opened(house, house.other_patient, priority="urgent")
    assert "longer than we said" in Client().get(page).content.decode()
    queues.take(actor=house.person(house.receptionist), entry_id=entry.pk, action="hold")
    assert "Your place is kept" in Client().get(page).content.decode()
