"""Doctors asked to another hospital: sent, reminded, answered, taken back, lapsed; and bookable after accepting."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from polyclinic.core import clock
from polyclinic.core.access.rules import Role
from polyclinic.core.actors import Anonymous, SystemActor
from polyclinic.core.errors import Conflict, Forbidden, IllegalTransition, Invalid, NotFound, StaleEdit, Unauthenticated
from polyclinic.core.models import AuditEntry, OutboxEvent
from polyclinic.facilities import selectors as directory
from polyclinic.facilities.models import Department, Membership, Room
from polyclinic.notify.models import Notice
from polyclinic.scheduling import actions, asked, inviting, rota, selectors
from polyclinic.scheduling.models import DoctorInvitation, Schedule
from polyclinic.scheduling.rows import WeeklyRow
from tests import house as houses
from tests.house import House, missing

WEEK = [
    row for day in range(5) for row in (WeeklyRow(day, time(9), time(17)), WeeklyRow(day, time(12), time(13), "break"))
]


def invited(house: House, who: Any = None, **more: Any) -> DoctorInvitation:
    """`stranger_doctor`, who works at the other hospital, is asked to ours."""
    given = {"facility_id": house.facility.pk, "doctor_id": house.stranger_doctor.pk, "weekly": WEEK, **more}
    return inviting.invite(actor=house.person(who or house.manager), **given)


def answer(
    house: House, made: DoctorInvitation, text: str = "accept", who: Any = None, **more: Any
) -> DoctorInvitation:
    person = house.person(who or house.stranger_doctor)
    return inviting.respond(actor=person, invitation_id=made.pk, answer=text, **more)


def test_a_patient_books_the_doctor_right_after_they_accepted(house: House) -> None:
    room = Room.objects.create(facility=house.facility, name="Room 9")
    made = invited(house, department_id=house.department.pk, room_id=room.pk, slot_minutes=30)
    doctor = house.person(house.stranger_doctor)
    assert asked.waiting_invitations(doctor) == 1
    seen = asked.invitations_to(doctor, house.stranger_doctor.pk)
    assert [(row.hospital_name, row.status, row.answerable, row.department_name) for row in seen] == [
        ("Riverside Clinic", "sent", True, "General practice")
    ]
    assert house.facility.pk not in doctor.workplaces
    answered = answer(house, made)
    assert answered.state == "accepted"
    assert asked.waiting_invitations(doctor) == 0
    schedule = Schedule.objects.get(doctor=house.stranger_doctor, facility=house.facility)
    assert (schedule.department_id, schedule.room_id, schedule.slot_minutes) == (house.department.pk, room.pk, 30)
    assert answered.schedule_id == schedule.pk
    # The directory, the search and the booking know of it at once.
    found = directory.doctors(Anonymous(), facility_id=house.facility.pk, search="Stranger").rows
    assert [row.id for row in found] == [house.stranger_doctor.pk]
    free = selectors.free_slots(
        Anonymous(), doctor_id=house.stranger_doctor.pk, facility_id=house.facility.pk, first_day=house.workday(),
        days=1,
    )  # fmt: skip
    assert free[0].starts == house.slot()
    booked = actions.book(
        actor=house.person(house.patient), patient_id=house.patient.pk, schedule_id=schedule.pk, starts=free[0].starts
    )
    assert booked.ends - booked.starts == timedelta(minutes=30)
    assert house.facility.pk in house.person(house.stranger_doctor).workplaces
    assert "Dr Sam Stranger" in [row.name for row in rota.members(house.person(house.manager), house.facility.pk)]


def test_each_step_is_recorded_and_told_to_both_sides(house: House) -> None:
    made = invited(house)
    answer(house, made)
    told = OutboxEvent.objects.filter(type__startswith="doctor_invitation.").order_by("id")
    assert list(told.values_list("type", flat=True)) == ["doctor_invitation.sent", "doctor_invitation.accepted"]
    for event in told:
        assert f"user:{house.stranger_doctor.account_id}" in event.audience
        assert f"facility:{house.facility.pk}:may:staff.list" in event.audience
    assert AuditEntry.objects.filter(action="doctor_invitation.accept", to_state="accepted").count() == 1
    assert AuditEntry.objects.filter(action="schedule.open").count() == 1
    assert OutboxEvent.objects.filter(type="schedule.changed").count() == 1
    assert OutboxEvent.objects.filter(type="staff.changed").count() == 1
    kinds = Notice.objects.filter(account_id=house.stranger_doctor.account_id).values_list("kind", flat=True)
    assert list(kinds) == ["doctor_invited"]
    assert Notice.objects.filter(account=house.manager, kind="doctor_accepted").count() == 1


def test_who_declines_comes_to_nothing_and_can_be_asked_again(house: House) -> None:
    made = invited(house)
    assert answer(house, made, "rejected").state == "rejected"
    assert not Schedule.objects.filter(doctor=house.stranger_doctor, facility=house.facility).exists()
    with pytest.raises(IllegalTransition):
        answer(house, made)
    assert invited(house).state == "sent"


def test_one_open_invitation_of_one_doctor_to_one_house(house: House) -> None:
    made = invited(house)
    with pytest.raises(Conflict) as refused, transaction.atomic():
        invited(house)
    assert refused.value.code == "already_invited"
    # The constraint says so too, whoever comes past the look.
    twin = DoctorInvitation(
        facility=house.facility, doctor=house.stranger_doctor, state="sent", invited_by=house.manager,
        expires_at=clock.now(),
    )  # fmt: skip
    with pytest.raises(IntegrityError, match=r"doctor_invitation_once|UNIQUE"), transaction.atomic():
        twin.save(force_insert=True)
    inviting.revoke(actor=house.person(house.manager), invitation_id=made.pk)
    assert invited(house).pk != made.pk
    with pytest.raises(Conflict) as refused, transaction.atomic():
        invited(house, doctor_id=house.doctor.pk)
    assert refused.value.code == "already_here"


def test_reminding_is_limited(house: House) -> None:
    made = invited(house)
    manager = house.person(house.manager)

    def remind() -> DoctorInvitation:
        return inviting.remind(actor=manager, invitation_id=made.pk)

    begin = clock.now()
    with pytest.raises(Conflict) as refused, transaction.atomic():
        remind()
    assert refused.value.code == "reminded_lately"
    for day in (1, 2, 3):
        with clock.fixed(begin + timedelta(days=day, minutes=1)):
            assert remind().reminders == day
            with pytest.raises(Conflict), transaction.atomic():
                remind()
    with clock.fixed(begin + timedelta(days=5)):
        with pytest.raises(Conflict) as refused, transaction.atomic():
            remind()
        assert refused.value.code == "reminded_enough"
    assert Notice.objects.filter(kind="doctor_reminded").count() == 3


def test_it_runs_out_by_itself(house: House) -> None:
    made = invited(house)
    job = SystemActor("invitation")
    assert inviting.expire(actor=job) == 0
    with clock.fixed(made.expires_at + timedelta(seconds=1)):
        with pytest.raises(Conflict) as refused, transaction.atomic():
            answer(house, made)
        assert refused.value.code == "invitation_over"
        assert not Schedule.objects.filter(doctor=house.stranger_doctor, facility=house.facility).exists()
        assert asked.waiting_invitations(house.person(house.stranger_doctor)) == 0
        assert inviting.expire(actor=job) == 1
    made.refresh_from_db()
    assert made.state == "expired"


def test_what_is_taken_back_cannot_be_accepted(house: House) -> None:
    made = invited(house)
    with pytest.raises(StaleEdit):
        inviting.revoke(actor=house.person(house.manager), invitation_id=made.pk, version=7)
    inviting.revoke(actor=house.person(house.manager), invitation_id=made.pk, version=1)
    with pytest.raises(IllegalTransition):
        answer(house, made)


def test_nobody_else_answers_or_sees_it(house: House) -> None:
    made = invited(house)
    for who in (house.doctor, house.manager, house.patient):
        with pytest.raises(NotFound):
            answer(house, made, who=who)
    far = houses.account("far.boss@example.com", "Far Boss")
    Membership.objects.create(account=far, facility=house.elsewhere, role=Role.MANAGER)
    for who in (house.doctor, house.patient, house.receptionist, far):
        person = house.person(who)
        assert asked.doctor_invitations(person) == []
        with pytest.raises(NotFound):
            asked.doctor_invitation(person, made.pk)
    for who in (house.receptionist, house.doctor, far):
        for step in (inviting.remind, inviting.revoke):
            with pytest.raises(NotFound):
                step(actor=house.person(who), invitation_id=made.pk)
        with pytest.raises(NotFound):
            invited(house, who, doctor_id=house.stranger_doctor.pk)
    with pytest.raises(Unauthenticated):
        inviting.respond(actor=Anonymous(), invitation_id=made.pk, answer="accept")
    with pytest.raises(Forbidden):
        inviting.expire(actor=SystemActor("hold-sweeper"))


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"weekly": []}, "weekly"),
        ({"weekly": [WeeklyRow(0, time(12), time(13), "break")]}, "weekly"),
        ({"weekly": [WeeklyRow(0, time(12), time(11))]}, "weekly.0.ends"),
        ({"slot_minutes": 4}, "slotMinutes"),
    ],
    ids=["empty", "only-a-break", "backwards", "too-short"],
)
def test_a_senseless_proposal_is_refused_by_name(house: House, wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        invited(house, **wrong)
    assert refused.value.field == field
    assert not DoctorInvitation.objects.exists()


def test_rooms_and_departments_are_the_house_s_own(house: House) -> None:
    far_room = Room.objects.create(facility=house.elsewhere, name="Far")
    far_department = Department.objects.create(facility=house.elsewhere, slug="far", name="Far")
    for wrong, field in (
        ({"room_id": far_room.pk}, "roomId"), ({"department_id": far_department.pk}, "departmentId"),
        ({"room_id": missing()}, "roomId"),
    ):  # fmt: skip
        with pytest.raises(Invalid) as refused:
            invited(house, **wrong)
        assert refused.value.field == field
    with pytest.raises(NotFound):
        invited(house, doctor_id=missing())
    with pytest.raises(Invalid):
        answer(house, invited(house), "perhaps")
