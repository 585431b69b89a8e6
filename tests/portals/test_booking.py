"""A patient books in short pages, without JavaScript, and changes their mind."""

from __future__ import annotations

from typing import Any

from django.test import Client
from icalendar import Calendar

from polyclinic.core.models import AuditEntry
from polyclinic.scheduling import actions
from polyclinic.scheduling.models import Appointment, Hold
from tests.house import House
from tests.portals.conftest import form, forms, send


def times(client: Client, house: House) -> Any:
    """The page of times of the house's doctor, in a week with free times."""
    return client.get(f"/book/time?service={house.service.pk}&doctor={house.doctor.pk}&from={house.workday()}")


def pick(page: Any, number: int = 0) -> str:
    return str(form(page, "/book/hold")["radios"]["slot"][number])


def held(client: Client, house: House, number: int = 0) -> Any:
    """The page that asks to check and book, with a time held."""
    page = times(client, house)
    answer = send(client, page, "/book/hold", slot=pick(page, number))
    assert answer.status_code == 303, answer.content.decode()
    return client.get(answer.headers["Location"])


def booked(client: Client, house: House, number: int = 0) -> Appointment:
    page = held(client, house, number)
    answer = send(client, page, page.request["PATH_INFO"], reason="knee")
    assert answer.status_code == 303, answer.content.decode()
    return Appointment.objects.get(pk=answer.headers["Location"].split("/")[3])


def test_from_the_reason_to_the_confirmation(house: House, browser_of: Any) -> None:
    client = browser_of(house.patient)
    why = client.get("/book").content.decode()
    assert f"/book/where?service={house.service.pk}" in why
    where = client.get(f"/book/where?service={house.service.pk}").content.decode()
    assert "First free" in where
    assert f"doctor={house.doctor.pk}" in where
    check = held(client, house)
    assert "Kept for you until" in check.content.decode()
    answer = send(client, check, check.request["PATH_INFO"], reason="knee")
    page = client.get(answer.headers["Location"]).content.decode()
    assert "Your time is booked" in page
    assert "<svg" in page
    made = Appointment.objects.get()
    assert (made.state, made.reason, made.patient_id) == ("booked", "knee", house.patient.pk)
    assert AuditEntry.objects.filter(action="appointment.book").count() == 1
    assert Hold.objects.count() == 0


def test_anonymous_chooses_first_and_signs_in_then(house: House, browser_of: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    page = times(client, house)
    slot = pick(page, 3)
    answer = send(client, page, "/book/hold", slot=slot)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/sign-in?next=%2Fbook%2Ftime")
    sign_in = client.get(answer.headers["Location"])
    back = send(
        client, sign_in, "/sign-in", email=house.patient.account.email, password="correct horse battery"
    ).headers["Location"]
    again = client.get(back)
    assert form(again, "/book/hold")["fields"]["slot"] == slot
    assert Hold.objects.count() == 0


def test_a_double_click_books_once(house: House, browser_of: Any) -> None:
    client = browser_of(house.patient)
    page = held(client, house)
    first = send(client, page, page.request["PATH_INFO"], reason="knee")
    second = send(client, page, page.request["PATH_INFO"], reason="knee")
    assert first.headers["Location"] == second.headers["Location"]
    assert Appointment.objects.count() == 1


def test_a_lost_time_comes_with_three_others(house: House, browser_of: Any) -> None:
    client, other = browser_of(house.patient), browser_of(house.other_patient)
    page = times(client, house)
    slot = pick(page)
    booked(other, house)
    answer = send(client, page, "/book/hold", slot=slot)
    assert answer.status_code == 409
    offers = [found for found in forms(answer) if found["action"] == "/book/hold"]
    assert len(offers) == 3
    taken = client.post("/book/hold", offers[0]["fields"])
    assert taken.headers["Location"].startswith("/book/check/")


def test_a_hold_can_be_extended_and_given_back(house: House, browser_of: Any) -> None:
    client = browser_of(house.patient)
    page = held(client, house)
    assert send(client, page, "/extend").status_code == 303
    assert Hold.objects.get().extended == 1
    assert send(client, page, "/release").headers["Location"].startswith("/book/time?")
    assert Hold.objects.count() == 0


def test_anothers_hold_does_not_exist(house: House, browser_of: Any) -> None:
    page = held(browser_of(house.patient), house)
    stranger = browser_of(house.other_patient)
    assert stranger.get(page.request["PATH_INFO"]).status_code == 404


def test_nonsense_times_are_refused(house: House, browser_of: Any) -> None:
    client = browser_of(house.patient)
    page = times(client, house)
    for slot in ("", "x", f"{house.schedule.pk}@", f"{house.schedule.pk}@2026-02-30T09:00:00Z", "@20261101T090000Z"):
        answer = send(client, page, "/book/hold", slot=slot)
        assert answer.status_code in (303, 422)
    assert send(client, page, "/book/hold", slot=f"{house.schedule.pk}@20200101T090000Z").status_code in (409, 422)
    assert Hold.objects.count() == 0


def test_own_appointments_and_nobody_elses(house: House, browser_of: Any) -> None:
    client = browser_of(house.patient)
    made = booked(client, house)
    for path in ("/my", "/my/appointments", "/my/appointments/coming", "/my/next"):
        assert str(made.pk) in client.get(path).content.decode()
    stranger = browser_of(house.other_patient)
    for path in ("", "/state", "/booked", "/calendar.ics", "/cancel", "/reschedule"):
        assert client.get(f"/my/appointments/{made.pk}{path}").status_code == 200
        assert stranger.get(f"/my/appointments/{made.pk}{path}").status_code == 404


def test_cancel(house: House, browser_of: Any) -> None:
    client = browser_of(house.patient)
    made = booked(client, house)
    page = client.get(f"/my/appointments/{made.pk}/cancel")
    token = [one for one in forms(page) if one["method"] == "post"][-1]["fields"]
    stale = client.post(f"/my/appointments/{made.pk}/cancel", {**token, "version": "99"}, follow=True)
    assert "changed by someone else" in stale.content.decode()
    assert client.post(f"/my/appointments/{made.pk}/cancel", token).headers["Location"] == "/my/appointments"
    made.refresh_from_db()
    assert made.state == "cancelled"


def test_too_late_names_the_phone(house: House, browser_of: Any) -> None:
    client = browser_of(house.patient)
    made = booked(client, house)
    type(house.facility).objects.update(notice_hours=24 * 60)
    page = client.get(f"/my/appointments/{made.pk}/cancel").content.decode()
    assert "tel:555-0100" in page
    assert "Cancel the appointment</span></button>" not in page


def test_reschedule_keeps_the_old_time_until_confirmed(house: House, browser_of: Any) -> None:
    client = browser_of(house.patient)
    made = booked(client, house)
    page = client.get(f"/my/appointments/{made.pk}/reschedule?from={house.workday()}")
    slot = form(page, "/reschedule")["radios"]["slot"][-1]
    check = client.get(f"/my/appointments/{made.pk}/reschedule", {"slot": slot})
    assert "New time" in check.content.decode()
    before = made.starts
    made.refresh_from_db()
    assert made.starts == before
    moved = send(client, check, "/reschedule")
    assert moved.status_code == 303
    made.refresh_from_db()
    assert made.starts != before
    assert made.rescheduled == 1


def test_calendar_file_follows_the_appointment_and_says_nothing_of_health(house: House, browser_of: Any) -> None:
    client = browser_of(house.patient)
    made = booked(client, house)

    def read() -> Any:
        return Calendar.from_ical(client.get(f"/my/appointments/{made.pk}/calendar.ics").content)

    first = read()
    event = first.walk("VEVENT")[0]
    assert first["METHOD"] == "PUBLISH"
    assert str(event["SUMMARY"]) == "Appointment, Riverside Clinic"
    assert event["DTSTART"].dt == made.starts
    assert "knee" not in first.to_ical().decode()
    actions.take(actor=house.person(house.patient), appointment_id=made.pk, action="cancel")
    second = read()
    gone = second.walk("VEVENT")[0]
    assert second["METHOD"] == "CANCEL"
    assert gone["STATUS"] == "CANCELLED"
    assert gone["UID"] == event["UID"]
    assert gone["SEQUENCE"] > event["SEQUENCE"]


def test_a_doctor_without_patient_record_has_no_patient_pages(house: House, browser_of: Any) -> None:
    client = browser_of(house.doctor)
    assert client.get("/my").status_code == 404
    assert client.get("/my/appointments").status_code == 404
