"""Inviting a doctor, the doctor's answer, leave and the week, as browsers send them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from polyclinic.core import clock
from polyclinic.facilities import identity
from polyclinic.people.models import Doctor
from polyclinic.scheduling import actions, leaves
from polyclinic.scheduling.models import Appointment, DoctorInvitation, LeaveRequest, Schedule, ScheduleException
from tests.house import House
from tests.portals.conftest import form, send


@pytest.fixture
def manager(house: House, browser_of: Any) -> Client:
    """The manager's browser, who has just shown who they are."""
    client: Client = browser_of(house.manager)
    session = client.session
    session["stepped_up_at"] = clock.now().isoformat()
    session.save()
    identity.forget()
    return client


def words(response: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def invite(house: House, client: Client, **more: Any) -> Any:
    address = f"/admin/doctors/invite/{house.stranger_doctor.pk}?place={house.facility.pk}"
    page = client.get(address)
    assert page.status_code == 200
    given = {"days": ["0", "1", "2", "3", "4"], **more}
    return client.post(address, {**form(page, "")["fields"], **given})


def test_from_the_search_to_the_booking(house: House, manager: Client, browser_of: Any) -> None:
    found = manager.get("/admin/doctors/invite?q=stranger")
    assert "Dr Sam Stranger" in words(found)
    assert f"/admin/doctors/invite/{house.stranger_doctor.pk}" in found.content.decode()
    assert "Already here" in words(manager.get("/admin/doctors/invite?q=rao"))
    sent = invite(house, manager, department=str(house.department.pk))
    assert sent.status_code == 303
    page = manager.get("/admin/doctors")
    assert "Mon, Tue, Wed, Thu, Fri 09:00–17:00" in words(page)
    assert "Waiting" in words(page)
    doctor = browser_of(house.stranger_doctor)
    assert 'data-badge="invitations"><span data-badge-count>1<' in doctor.get("/doctor").content.decode()
    own = doctor.get("/doctor/invitations")
    assert "Riverside Clinic" in words(own)
    answered = send(doctor, own, "/accept")
    schedule = Schedule.objects.get(doctor=house.stranger_doctor, facility=house.facility)
    assert answered["Location"] == f"/doctor/schedule/{schedule.pk}"
    assert "patients can book them now" in words(doctor.get(answered["Location"]))
    assert 'data-badge="invitations" hidden' in doctor.get("/doctor").content.decode()
    page = words(manager.get("/admin/doctors/list"))
    assert "Accepted" in page
    assert "Dr Sam Stranger General practice" in page
    slot = f"{schedule.pk}@{house.slot().isoformat()}"
    patient = browser_of(house.patient)
    choose = patient.get(f"/book/time?doctor={house.stranger_doctor.pk}&place={house.facility.pk}")
    assert slot.split("@")[0] in choose.content.decode()


def test_declining_and_taking_back(house: House, manager: Client, browser_of: Any) -> None:
    invite(house, manager)
    doctor = browser_of(house.stranger_doctor)
    stale = doctor.get("/doctor/invitations")
    page = manager.get("/admin/doctors")
    assert send(manager, page, "/revoke").status_code == 303
    assert "Taken back" in words(manager.get("/admin/doctors/list"))
    late = send(doctor, stale, "/accept")
    assert late.status_code == 409
    assert not Schedule.objects.filter(doctor=house.stranger_doctor, facility=house.facility).exists()
    invite(house, manager)
    send(doctor, doctor.get("/doctor/invitations"), "/reject")
    assert DoctorInvitation.objects.filter(state="rejected").count() == 1
    assert "Declined" in words(manager.get("/admin/doctors/list"))


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"days": []}, "Choose at least one day."),
        ({"from": "17:00", "until": "09:00"}, "The end must be after the beginning."),
        ({"from": "soon"}, "Write both times as hours and minutes"),
        ({"slot_minutes": "3"}, "Choose between 5 and 480 minutes."),
    ],
    ids=["days", "order", "words", "slot"],
)
def test_a_bad_proposal_says_what_is_wrong(house: House, manager: Client, wrong: dict[str, Any], sentence: str) -> None:
    answer = invite(house, manager, **wrong)
    assert answer.status_code == 422
    assert sentence in words(answer)
    assert not DoctorInvitation.objects.exists()


def test_a_second_invitation_is_refused_in_words(house: House, manager: Client) -> None:
    invite(house, manager)
    again = invite(house, manager)
    assert again.status_code == 409
    assert "already invited" in words(again)


def test_travel_is_set_by_the_doctor(house: House, browser_of: Any) -> None:
    doctor = browser_of(house.doctor)
    page = doctor.get("/doctor/invitations")
    assert send(doctor, page, "/doctor/travel", minutes="35").status_code == 303
    assert Doctor.objects.get(pk=house.doctor.pk).travel_minutes == 35
    for wrong in ("241", "soon"):
        refused = send(doctor, page, "/doctor/travel", minutes=wrong)
        assert refused.status_code == 422
        assert wrong in refused.content.decode()
    assert Doctor.objects.get(pk=house.doctor.pk).travel_minutes == 35


def asked(house: House, browser_of: Any, **more: str) -> Any:
    doctor = browser_of(house.doctor)
    page = doctor.get("/doctor/leave")
    given = {"schedule": str(house.schedule.pk), "kind": "annual", "from_day": str(house.workday()), **more}
    return send(doctor, page, "", **given)


def test_leave_is_asked_for_and_granted(house: House, manager: Client, browser_of: Any) -> None:
    assert asked(house, browser_of, note="Wedding").status_code == 303
    assert "Waiting" in words(manager.get("/admin/leave"))
    one = LeaveRequest.objects.get()
    page = manager.get(f"/admin/leave/{one.pk}")
    assert "Wedding" in words(page)
    done = manager.post(f"/admin/leave/{one.pk}", {**form(page, "")["fields"], "deed": "approve", "answer": "Have fun"})
    assert done.status_code == 303
    own = words(browser_of(house.doctor).get("/doctor/leave"))
    assert "Approved" in own
    assert "Have fun" in own
    assert ScheduleException.objects.filter(schedule=house.schedule, kind="leave").count() == 1


def test_patients_are_shown_before_leave_is_granted(house: House, manager: Client, browser_of: Any) -> None:
    booked = actions.book(
        actor=house.person(house.patient), patient_id=house.patient.pk, schedule_id=house.schedule.pk,
        starts=house.slot(),
    )  # fmt: skip
    asked(house, browser_of)
    one = LeaveRequest.objects.get()
    page = manager.get(f"/admin/leave/{one.pk}")
    # A refusal takes back the transaction it happens in; here that is a part of the test's own.
    with transaction.atomic():
        asks = manager.post(f"/admin/leave/{one.pk}", {**form(page, "")["fields"], "deed": "approve"})
        transaction.set_rollback(True)
    assert asks.status_code == 409
    assert "PILLAI, Meera" in words(asks)
    assert not ScheduleException.objects.exists()
    final = send(manager, asks, f"/admin/leave/{one.pk}", resolution="cancel")
    assert final.status_code == 303
    assert Appointment.objects.get(pk=booked.pk).state == "cancelled"
    assert LeaveRequest.objects.get().state == "approved"


def test_leave_is_declined_or_withdrawn(house: House, manager: Client, browser_of: Any) -> None:
    asked(house, browser_of)
    one = LeaveRequest.objects.get()
    page = manager.get(f"/admin/leave/{one.pk}")
    manager.post(f"/admin/leave/{one.pk}", {**form(page, "")["fields"], "deed": "decline", "answer": "Not now"})
    assert LeaveRequest.objects.get().state == "declined"
    asked(house, browser_of)
    doctor = browser_of(house.doctor)
    assert send(doctor, doctor.get("/doctor/leave"), "/withdraw").status_code == 303
    assert LeaveRequest.objects.filter(state="withdrawn").count() == 1
    refused = asked(house, browser_of, from_day="")
    assert refused.status_code == 422
    assert "Write the day" in words(refused)


def test_two_managers_decide_and_the_second_is_told(house: House, manager: Client, browser_of: Any) -> None:
    asked(house, browser_of)
    one = LeaveRequest.objects.get()
    stale = form(manager.get(f"/admin/leave/{one.pk}"), "")["fields"]
    leaves.decline(actor=house.person(house.manager), request_id=one.pk)
    late = manager.post(f"/admin/leave/{one.pk}", {**stale, "deed": "approve"})
    assert late.status_code == 409
    assert not ScheduleException.objects.exists()


def test_the_week_by_department(house: House, manager: Client) -> None:
    Schedule.objects.filter(pk=house.schedule.pk).update(department=house.department)
    every = words(manager.get(f"/admin/rota?week={house.workday()}"))
    assert "Dr Anil Rao" in every
    assert "Dr Grace Okafor" in every
    assert "09:00–12:00" in every
    one = words(manager.get(f"/admin/rota?week={house.workday()}&department={house.department.pk}"))
    assert "Dr Grace Okafor" not in one
    number = house.workday().isocalendar()
    named = words(manager.get(f"/admin/rota?week={number.year}-W{number.week:02d}"))
    assert f"Week {number.week}" in named
    for wrong in ("2026-W99", "soon"):
        assert manager.get(f"/admin/rota?week={wrong}").status_code == 422
    assert manager.get(f"/admin/rota?place={house.elsewhere.pk}").status_code == 404
