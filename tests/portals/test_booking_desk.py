"""Booking for a patient at the desk and in the practice: one time, a series with exceptions, one extra patient."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from polyclinic.scheduling import actions
from polyclinic.scheduling.models import Appointment, AppointmentSeries, Overbooking, Schedule
from polyclinic.scheduling.states import BOOKED
from tests.house import House
from tests.portals.conftest import form, send


def words(response: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def slot(house: House, nth: int = 0) -> str:
    from polyclinic.portals.patient.strip import slot_value

    return slot_value(house.schedule.pk, house.slot(nth))


def known(house: House, nth: int = 20, patient: Any = None) -> Appointment:
    one = patient or house.patient
    return actions.book(
        actor=house.person(one), patient_id=one.pk, schedule_id=house.schedule.pk,
        starts=house.slot(nth % 9, 3 + nth // 9),
    )  # fmt: skip


def test_the_desk_books_a_time_for_somebody_it_knows(house: House, browser_of: Any) -> None:
    known(house)
    desk = browser_of(house.receptionist)
    address = f"/bookings/{house.patient.pk}?place={house.facility.pk}"
    assert (
        f"/bookings/{house.patient.pk}"
        in send(desk, desk.get("/reception/find"), "/reception/find", q=house.patient.mrn).content.decode()
    )
    page = desk.get(f"{address}&from={house.workday()}&schedule={house.schedule.pk}")
    assert slot(house, 3) in page.content.decode()
    assert "Beside a time that is taken" not in words(page)
    given = form(page, address)["fields"]
    sent = desk.post(address, {**given, "slot": slot(house, 3), "deed": "one", "reason": "Check"})
    assert sent.status_code == 303
    assert Appointment.objects.get(starts=house.slot(3)).patient_id == house.patient.pk
    again = desk.post(address, {**given, "slot": slot(house, 3), "deed": "one"})
    assert again.status_code == 409
    assert "taken" in words(again)
    assert desk.get(f"/bookings/{house.stranger_patient.pk}?place={house.facility.pk}").status_code == 404


def test_who_has_no_business_there_finds_nothing(house: House, browser_of: Any) -> None:
    known(house)
    assert browser_of(house.other_doctor).get(f"/bookings/{house.patient.pk}").status_code == 404
    assert browser_of(house.stranger_receptionist).get(f"/bookings/{house.patient.pk}").status_code == 404
    assert browser_of(house.manager).get(f"/bookings/{house.patient.pk}").status_code in (403, 404)


def test_a_series_from_the_first_time_to_its_end(committed_house: House, browser_of: Any) -> None:
    house = committed_house
    known(house)
    third = house.slot(2) + timedelta(weeks=2)
    actions.book(
        actor=house.person(house.other_patient), patient_id=house.other_patient.pk, schedule_id=house.schedule.pk,
        starts=third,
    )  # fmt: skip
    doctor, address = browser_of(house.doctor), f"/bookings/{house.patient.pk}"
    page = doctor.get(f"{address}?from={house.workday()}")
    given = form(page, address)["fields"]
    rule = {"every": "1", "unit": "week", "count": "4"}
    looked = doctor.post(address, {**given, **rule, "slot": slot(house, 2), "deed": "series"})
    assert looked.status_code == 303
    plan = doctor.get(looked["Location"])
    assert words(plan).count("Free") == 3
    assert "Taken" in words(plan)
    fields = form(plan, "")["fields"]
    # The taken date cannot stay as it is: sent without a choice, nothing at all is booked.
    refused = doctor.post(looked["Location"], fields)
    assert refused.status_code == 409
    assert not AppointmentSeries.objects.exists()
    near = house.slot(3) + timedelta(weeks=2)
    made = doctor.post(looked["Location"], {**fields, "date-3": near.isoformat(), "date-4": "out"})
    assert made.status_code == 303
    one = doctor.get(made["Location"])
    assert words(one).count("Cancel from here on") == 3
    assert "Moved" in words(one)
    assert "Left out" in words(one)
    patient = browser_of(house.patient)
    first = Appointment.objects.get(starts=house.slot(2), patient=house.patient)
    own = patient.get(f"/my/appointments/{first.pk}")
    assert "One of a series of 4" in words(own)
    dates = form(patient.get(made["Location"]), made["Location"])["fields"]
    assert patient.post(made["Location"], {**dates, "first": "2"}).status_code == 303
    states = list(
        Appointment.objects.filter(series_occurrence__isnull=False).order_by("starts").values_list("state", flat=True)
    )
    assert states == [BOOKED, "cancelled", "cancelled"]
    assert browser_of(house.other_patient).get(made["Location"]).status_code == 404


def test_a_rule_that_makes_no_sense_names_its_field(house: House, browser_of: Any) -> None:
    known(house)
    doctor = browser_of(house.doctor)
    for field, rule in (("count", {"count": "1"}), ("every", {"every": "x"}), ("unit", {"unit": "year"})):
        asked = {
            "schedule": house.schedule.pk,
            "starts": house.slot(2).isoformat(),
            "every": 1,
            "unit": "week",
            "count": 4,
        }
        answer = doctor.get(f"/bookings/{house.patient.pk}/series?{urlencode({**asked, **rule})}")
        assert answer.status_code in (400, 422), field


def test_one_extra_patient_with_a_reason(house: House, browser_of: Any) -> None:
    doctor, address = browser_of(house.doctor), f"/bookings/{house.patient.pk}"
    known(house)
    known(house, 0, house.other_patient)
    page = doctor.get(f"/doctor/schedule/{house.schedule.pk}")
    limit = form(page, "/extra")
    assert doctor.post(limit["action"], {**limit["fields"], "overbookLimit": "21"}).status_code == 422
    assert doctor.post(limit["action"], {**limit["fields"], "overbookLimit": "1"}).status_code == 303
    assert Schedule.objects.get(pk=house.schedule.pk).overbook_limit == 1
    page = doctor.get(f"{address}?from={house.workday()}")
    assert "Beside a time that is taken" in words(page)
    given = {**form(page, address)["fields"], "taken": slot(house), "deed": "extra"}
    silent = doctor.post(address, {**given, "overbook": " "})
    assert silent.status_code == 422
    assert "Say why" in words(silent)
    assert doctor.post(address, {**given, "overbook": "Sudden pain"}).status_code == 303
    assert Overbooking.objects.get().reason == "Sudden pain"
    assert "Beside a time that is taken" not in words(doctor.get(f"{address}?from={house.workday()}"))
