"""The doctor's day, patients and schedule."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from polyclinic.core import clock
from polyclinic.portals.doctor.lines import line
from polyclinic.scheduling import actions, selectors
from polyclinic.scheduling.models import Appointment, CareLink, ScheduleException, WeeklyHours
from tests.house import House
from tests.portals.conftest import form, forms, send


def book(house: House, nth: int = 0, ahead: int = 3, who: Any = None) -> Appointment:
    patient = who or house.patient
    return actions.book(
        actor=house.person(patient), patient_id=patient.pk, schedule_id=house.schedule.pk, starts=house.slot(nth, ahead)
    )


def test_day_shows_names_states_and_steps(house: House, browser_of: Any) -> None:
    made = book(house)
    client = browser_of(house.doctor)
    page = client.get(f"/doctor?day={house.workday()}")
    text = page.content.decode()
    assert "PILLAI, Meera" in text
    assert f'id="appointment-{made.pk}"' in text
    assert "Waiting for confirmation" in text
    answer = send(client, page, f"/doctor/appointments/{made.pk}/confirm")
    assert answer.headers["Location"] == f"/doctor?day={house.workday()}"
    made.refresh_from_db()
    assert made.state == "confirmed"


def test_row_partial_comes_and_goes(house: House, browser_of: Any) -> None:
    made = book(house)
    client = browser_of(house.doctor)
    day = house.workday()
    row = client.get(f"/doctor/day/row/{made.pk}?day={day}")
    assert row.status_code == 200
    assert "data-live-row" in row.content.decode()
    assert client.get(f"/doctor/day/row/{made.pk}?day={day + timedelta(days=1)}").status_code == 204
    actions.take(actor=house.person(house.doctor), appointment_id=made.pk, action="decline")
    assert client.get(f"/doctor/day/row/{made.pk}?day={day}").status_code == 204


def test_another_doctors_rows_do_not_exist(house: House, browser_of: Any) -> None:
    made = book(house)
    other = browser_of(house.other_doctor)
    assert other.get(f"/doctor/day/row/{made.pk}").status_code == 404
    assert other.get(f"/doctor/patients/{house.patient.pk}").status_code == 404
    assert other.get(f"/doctor/appointments/{made.pk}/decline").status_code == 404
    assert other.get(f"/doctor/schedule/{house.schedule.pk}").status_code == 404
    assert "PILLAI" not in other.get(f"/doctor?day={house.workday()}").content.decode()


def test_a_stale_button_is_told_so(house: House, browser_of: Any) -> None:
    made = book(house)
    client = browser_of(house.doctor)
    page = client.get(f"/doctor?day={house.workday()}")
    actions.take(actor=house.person(house.doctor), appointment_id=made.pk, action="confirm")
    answer = send(client, page, f"/doctor/appointments/{made.pk}/confirm")
    text = client.get(answer.headers["Location"]).content.decode()
    assert 'role="alert"' in text
    assert "Confirmed" in text


def test_declining_asks_first_and_keeps_the_reason(house: House, browser_of: Any) -> None:
    made = book(house)
    client = browser_of(house.doctor)
    ask = client.get(f"/doctor/appointments/{made.pk}/decline")
    assert "PILLAI, Meera" in ask.content.decode()
    fields = next(f for f in forms(ask) if "reason" in f["fields"])["fields"]
    client.post(f"/doctor/appointments/{made.pk}/decline", {**fields, "reason": "on call"})
    made.refresh_from_db()
    assert made.state == "declined"


def test_steps_follow_the_clock(house: House, browser_of: Any) -> None:
    made = book(house)
    actions.take(actor=house.person(house.doctor), appointment_id=made.pk, action="confirm")
    row = selectors.appointment(house.person(house.doctor), made.pk)

    def steps() -> set[str]:
        found = line(row)
        return {step.action for step in (found.main, *found.more) if step}

    assert steps() == {"decline", "cancel"}
    with clock.fixed(made.starts + timedelta(minutes=1)):
        assert steps() == {"check_in", "complete", "no_show", "decline"}
    with clock.fixed(made.ends + timedelta(days=1)):
        assert steps() == {"complete", "no_show"}


def test_new_patients_are_counted_until_seen(house: House, browser_of: Any) -> None:
    book(house)
    client = browser_of(house.doctor)
    page = client.get("/doctor/patients")
    text = page.content.decode()
    assert "PILLAI, Meera" in text
    assert ">1<" in client.get("/doctor/new-count").content.decode()
    send(client, page, "/doctor/patients")
    assert CareLink.objects.get().seen_at is not None
    assert "hidden" in client.get("/doctor/new-count").content.decode()
    assert "PILLAI" in client.get("/doctor/patients?q=pill").content.decode()
    assert "Nobody found" in client.get("/doctor/patients?q=zzz").content.decode()
    assert client.get(f"/doctor/patients/row/{house.patient.pk}").status_code == 200


def test_patient_page_has_the_banner_and_only_own_appointments(house: House, browser_of: Any) -> None:
    book(house)
    text = browser_of(house.doctor).get(f"/doctor/patients/{house.patient.pk}").content.decode()
    assert "17-May-1980" in text
    assert house.patient.mrn in text
    assert browser_of(house.doctor).get(f"/doctor/patients/{house.other_patient.pk}").status_code == 404


def schedule(house: House) -> str:
    return f"/doctor/schedule/{house.schedule.pk}"


def test_hours_are_saved(house: House, browser_of: Any) -> None:
    client = browser_of(house.doctor)
    page = client.get(schedule(house))
    answer = send(client, page, schedule(house), hours_0_0_from="08:00", slot_minutes="30")
    assert answer.status_code == 303, answer.content.decode()
    assert WeeklyHours.objects.filter(schedule=house.schedule, weekday=0, kind="hours").get().starts.hour == 8


def test_whom_a_change_touches_is_shown_first(committed_house: House, browser_of: Any) -> None:
    # Committed, because the refusal must really roll the change back.
    house = committed_house
    made = book(house)
    client = browser_of(house.doctor)
    day = house.workday().weekday()
    empty = {f"{kind}_{day}_0_{part}": "" for kind in ("hours", "break") for part in ("from", "until")}
    asked = send(client, client.get(schedule(house)), schedule(house), **empty)
    assert asked.status_code == 409
    assert "PILLAI, Meera" in asked.content.decode()
    assert WeeklyHours.objects.filter(schedule=house.schedule, weekday=day).exists()
    answer = send(client, asked, schedule(house), resolution="cancel")
    assert answer.status_code == 303, answer.content.decode()
    assert not WeeklyHours.objects.filter(schedule=house.schedule, weekday=day).exists()
    made.refresh_from_db()
    assert made.state == "cancelled"


def test_kept_patients_are_marked(committed_house: House, browser_of: Any) -> None:
    # Committed, because the refusal must really roll the change back.
    house = committed_house
    made = book(house)
    client = browser_of(house.doctor)
    day = house.workday().isoformat()
    asked = send(client, client.get(schedule(house)), "/exceptions", kind="leave", from_day=day, until_day=day)
    assert asked.status_code == 409
    assert send(client, asked, "/exceptions", resolution="keep").status_code == 303
    made.refresh_from_db()
    assert (made.state, made.attention) == ("booked", "outside_hours")
    leave = ScheduleException.objects.get()
    removed = send(client, client.get(schedule(house)), f"{leave.pk}/remove")
    assert removed.status_code == 303
    assert not ScheduleException.objects.exists()


def test_two_tabs_cannot_overwrite_each_other(house: House, browser_of: Any) -> None:
    client = browser_of(house.doctor)
    first, second = client.get(schedule(house)), client.get(schedule(house))
    assert send(client, first, schedule(house), slot_minutes="30").status_code == 303
    answer = send(client, second, schedule(house), slot_minutes="15")
    assert answer.status_code == 412
    assert "changed by someone else" in answer.content.decode()
    state = client.get(f"{schedule(house)}/state?seen=1").content.decode()
    assert "changed elsewhere" in state


def test_bad_hours_name_the_field_and_change_nothing(house: House, browser_of: Any) -> None:
    client = browser_of(house.doctor)
    page = client.get(schedule(house))
    for changes in (
        {"hours_0_0_from": "18:00"},
        {"hours_0_0_from": "nine"},
        {"slot_minutes": "4"},
        {"slot_minutes": "a"},
        {"hours_0_0_from": ""},
        {"version": "x"},
    ):
        answer = send(client, page, schedule(house), **changes)
        assert answer.status_code == 422, changes
    bad = send(client, page, "/exceptions", kind="leave", from_day="2027-02-30")
    assert bad.status_code == 422
    assert "a day that exists" in bad.content.decode()
    backwards = send(client, page, "/exceptions", kind="leave", from_day="2027-03-02", until_day="2027-03-01")
    assert backwards.status_code == 422
    assert WeeklyHours.objects.filter(schedule=house.schedule).count() == 10
    assert form(client.get(schedule(house)), schedule(house))["fields"]["version"] == "1"
