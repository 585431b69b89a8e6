"""One's own: which reminders, saying that one comes after signing in, and the calendar under a private address."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from icalendar import Calendar

from polyclinic.core.errors import Conflict, Forbidden, Invalid, NotFound
from polyclinic.core.models import AuditEntry, OutboxEvent
from polyclinic.reminders import actions, selectors
from polyclinic.reminders.models import AgreedTime, CalendarFeed
from polyclinic.scheduling import actions as scheduling
from tests.api.calling import bearer, call
from tests.house import House
from tests.portals.conftest import browser_of, send  # noqa: F401 - a fixture
from tests.reminders.conftest import at, book

Browser = Callable[[Any], Client]


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode())).replace("\u00a0", " ")


def address(page: Any) -> str:
    found = re.search(r"http://localhost:8000(/calendar/\S+?\.ics)", page.content.decode())
    assert found is not None
    return found[1]


def test_a_patient_chooses_on_their_page(house: House, browser_of: Browser) -> None:  # noqa: F811
    client = browser_of(house.patient)
    page = client.get("/account/reminders")
    assert page.content.decode().count(" checked") == 5
    found = next(one for one in _forms(page) if one["action"] == "/account/reminders")
    answer = client.post("/account/reminders", {**found["fields"], "reminders": ["24h", "2h"]})
    assert answer.status_code == 303
    page = client.get("/account/reminders")
    assert page.content.decode().count(" checked") == 2
    # A page from before is refused, with what was chosen still ticked.
    late = client.post("/account/reminders", {**found["fields"], "reminders": ["7d"]})
    assert late.status_code == 409
    assert selectors.choice(house.person(house.patient)).reminders == ("24h", "2h")


def _forms(page: Any) -> list[dict[str, Any]]:
    from tests.portals.conftest import forms

    return forms(page)


def test_over_rest_a_choice_a_stale_one_and_an_unknown_one(house: House) -> None:
    mine = bearer(house.patient)
    read = call("GET", "/api/me/reminders", headers=mine)
    assert (read.status, read.json["version"], len(read.json["reminders"])) == (200, 0, 5)
    put = call("PUT", "/api/me/reminders", body={"reminders": ["2h", "7d"], "version": 0}, headers=mine)
    assert (put.status, put.json["reminders"], put.json["version"]) == (200, ["7d", "2h"], 1)
    assert call("PUT", "/api/me/reminders", body={"reminders": [], "version": 0}, headers=mine).status == 412
    wrong = call("PUT", "/api/me/reminders", body={"reminders": ["3w"]}, headers=mine)
    assert (wrong.status, wrong.json["field"]) == (422, "reminders")
    assert call("GET", "/api/me/reminders").status == 401


def test_say_that_one_comes_signed_in_and_over_rest(house: House, browser_of: Browser) -> None:  # noqa: F811
    row = book(house)
    client = browser_of(house.patient)
    page = client.get(f"/my/appointments/{row.pk}")
    assert send(client, page, "/coming").status_code == 303
    page = client.get(f"/my/appointments/{row.pk}")
    assert "You said that you come" in text(page)
    assert "/coming" not in page.content.decode()
    said = call("POST", f"/api/appointments/{row.pk}/answer", body={"answer": "coming"}, headers=bearer(house.patient))
    assert (said.status, said.json["comingAt"] is not None) == (200, True)
    assert OutboxEvent.objects.filter(type="appointment.answered").count() == 1
    seen = call("GET", f"/api/appointments/{row.pk}/answer", headers=bearer(house.doctor))
    assert seen.json == said.json
    assert call("GET", f"/api/appointments/{row.pk}/answer", headers=bearer(house.other_patient)).status == 404


def test_nobody_says_it_for_another_and_not_of_what_is_over(house: House, time_machine: Any) -> None:
    row = book(house)
    with pytest.raises(NotFound):
        actions.come(actor=house.person(house.other_patient), appointment_id=row.pk)
    for staff in (house.doctor, house.receptionist):
        with pytest.raises(Forbidden):
            actions.come(actor=house.person(staff), appointment_id=row.pk)
    assert not AgreedTime.objects.filter(coming_at__isnull=False).exists()
    at(time_machine, row.starts)
    with pytest.raises(Conflict):
        actions.come(actor=house.person(house.patient), appointment_id=row.pk)
    at(time_machine, row.booked_at)
    scheduling.take(actor=house.person(house.patient), appointment_id=row.pk, action="cancel")
    with pytest.raises(Conflict):
        actions.come(actor=house.person(house.patient), appointment_id=row.pk)
    with pytest.raises(Invalid):
        actions.choose(actor=house.person(house.patient), wanted=["booking", "<b>"])


def test_a_calendar_follows_changes_and_names_nobody(house: House, browser_of: Browser) -> None:  # noqa: F811
    row = book(house, reason="Chest pain at night")
    client, anyone = browser_of(house.patient), Client()
    send(client, client.get("/account/reminders"), "/account/calendar")
    path = address(client.get("/account/reminders"))
    answer = anyone.get(path)
    assert answer.headers["Content-Type"].startswith("text/calendar")
    assert "no-store" in answer.headers["Cache-Control"]
    for secret in ("Chest", "Rao", "Meera", "Pillai", "MRN"):
        assert secret not in answer.content.decode(), secret
    (event,) = Calendar.from_ical(answer.content).walk("VEVENT")
    assert (event["uid"], event.decoded("dtstart"), str(event["status"])) == (
        f"{row.pk}@polyclinic", row.starts, "TENTATIVE",
    )  # fmt: skip
    moved = scheduling.reschedule(actor=house.person(house.patient), appointment_id=row.pk, starts=house.slot(3))
    (event,) = Calendar.from_ical(anyone.get(path).content).walk("VEVENT")
    assert (event.decoded("dtstart"), int(event["sequence"])) == (moved.starts, 2)
    # Read as the person themselves, and on record.
    assert AuditEntry.objects.filter(action="calendar.open").count() == 1
    # Another address, and the one before shows nothing; then none at all.
    send(client, client.get("/account/reminders"), "/account/calendar")
    fresh = address(client.get("/account/reminders"))
    assert fresh != path
    assert (anyone.get(path).status_code, anyone.get(fresh).status_code) == (404, 200)
    send(client, client.get("/account/reminders"), "/account/calendar/end")
    assert anyone.get(fresh).status_code == 404
    assert not CalendarFeed.objects.exists()


def test_a_doctors_calendar_has_no_patients_name(house: House) -> None:
    book(house)
    actions.open_feed(actor=house.person(house.doctor))
    feed = selectors.feed(house.person(house.doctor))
    assert feed is not None
    answer = Client().get(feed.path)
    (event,) = Calendar.from_ical(answer.content).walk("VEVENT")
    assert str(event["summary"]) == "Patient, Riverside Clinic"
    for secret in ("Pillai", "Meera", "MRN", str(house.patient.pk)):
        assert secret not in answer.content.decode()


def test_a_closed_account_shows_no_calendar_and_an_administrator_no_address(house: House) -> None:
    actions.open_feed(actor=house.person(house.patient))
    feed = selectors.feed(house.person(house.patient))
    assert feed is not None
    assert Client().get(feed.path).status_code == 200
    account: Any = house.patient.account
    account.is_active = False
    account.save()
    assert Client().get(feed.path).status_code == 404
    with pytest.raises(Forbidden):
        actions.open_feed(actor=house.person(house.manager))


def test_the_calendar_over_rest(house: House) -> None:
    mine = bearer(house.patient)
    assert call("GET", "/api/me/calendar", headers=mine).status == 404
    made = call("POST", "/api/me/calendar", headers=mine)
    assert made.status == 200
    assert Client().get(made.json["address"].removeprefix("http://localhost:8000")).status_code == 200
    assert call("DELETE", "/api/me/calendar", headers=mine).status == 204
    assert call("GET", "/api/me/calendar", headers=mine).status == 404


def test_the_manager_chooses_reminders_by_ticking(house: House, browser_of: Browser) -> None:  # noqa: F811
    client = browser_of(house.manager)
    page = client.get("/admin/house/reminders")
    assert page.content.decode().count(" checked") == 5
    found = next(one for one in _forms(page) if one["action"] == "/admin/house/reminders")
    answer = client.post("/admin/house/reminders", {**found["fields"], "reminders": ["booking", "24h"]})
    assert answer.status_code == 303
    assert "when it is booked or moved, 24 hours before" in text(client.get("/admin/house/reminders"))
    page = client.get("/admin/house/quiet_hours")
    assert send(client, page, "/quiet_hours", value="22:00 to 6").status_code == 422
    assert send(client, page, "/quiet_hours", value="22:00-06:00").status_code == 303
    assert "22:00–06:00" in text(client.get("/admin/house/quiet_hours"))
