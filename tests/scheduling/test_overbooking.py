"""One extra patient beside a taken time: who may, how many a day, and what happens when the first one cancels."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection, transaction

from polyclinic.core.errors import Conflict, Forbidden, Invalid, NotFound
from polyclinic.core.models import AuditEntry, OutboxEvent
from polyclinic.facilities.models import Facility
from polyclinic.portals.doctor import lines
from polyclinic.scheduling import actions, overbooking, selectors
from polyclinic.scheduling.models import Appointment, Overbooking, Reservation, Schedule
from polyclinic.scheduling.problems import PatientBusy, SlotTaken
from tests import house as houses
from tests.house import House

WHY = "Chest pain since the morning"


@pytest.fixture
def full(house: House) -> Appointment:
    """The first slot is taken, and the doctor allows two extra patients a day; both patients are the doctor's."""
    Schedule.objects.filter(pk=house.schedule.pk).update(overbook_limit=2)
    for nth, one in ((20, house.other_patient), (0, house.patient)):
        actions.book(
            actor=house.person(one),
            patient_id=one.pk,
            schedule_id=house.schedule.pk,
            starts=house.slot(nth % 9, 3 + nth // 9),
        )
    return Appointment.objects.get(patient=house.patient)


def squeeze(house: House, nth: int = 0, *, patient: Any = None, who: Any = None, why: str = WHY) -> Appointment:
    return actions.book(
        actor=house.person(who or house.doctor), patient_id=(patient or house.other_patient).pk,
        schedule_id=house.schedule.pk, starts=house.slot(nth), overbook=why,
    )  # fmt: skip


def test_a_doctor_takes_one_more_beside_a_taken_time(house: House, full: Appointment) -> None:
    made = squeeze(house)
    assert (made.state, made.starts, made.ends) == ("booked", full.starts, full.ends)
    assert Overbooking.objects.get(pk=made.pk).reason == WHY
    day = selectors.doctor_day(house.person(house.doctor), house.doctor.pk, house.workday())
    assert {row.id: row.extra for row in day if row.starts == full.starts} == {full.pk: False, made.pk: True}
    drawn = str(lines.drawn([row for row in day if row.id == made.pk]))
    assert "Extra" in drawn
    assert "Extra" not in str(lines.drawn([row for row in day if row.id == full.pk]))
    mine = house.person(house.other_patient)
    assert overbooking.reasons(mine, house.other_patient.pk) == {made.pk: WHY}
    with pytest.raises(NotFound):
        overbooking.reasons(house.person(house.patient), house.other_patient.pk)
    entry = AuditEntry.objects.filter(action="appointment.overbook").get()
    assert entry.subject_id == str(made.pk) or str(made.pk) in str(entry.subject_id)
    told = OutboxEvent.objects.filter(type="appointment.booked").latest("pk")
    assert WHY not in str(told.payload)
    with pytest.raises(NotFound), transaction.atomic():
        squeeze(house, patient=house.stranger_patient)


def test_one_beside_each_time_and_no_more_a_day_than_the_schedule_says(house: House, full: Appointment) -> None:
    third = houses.patient(77, "Third", "Tess")
    known = actions.book(
        actor=house.person(third), patient_id=third.pk, schedule_id=house.schedule.pk, starts=house.slot(1)
    )
    squeeze(house)
    with pytest.raises(SlotTaken), transaction.atomic():
        squeeze(house, patient=third)
    Schedule.objects.filter(pk=house.schedule.pk).update(overbook_limit=1)
    with pytest.raises(Conflict) as refused, transaction.atomic():
        squeeze(house, 1)
    assert refused.value.code == "overbooked_enough"
    assert known.state == "booked"


def test_a_free_time_is_simply_booked(house: House, full: Appointment) -> None:
    made = squeeze(house, 4)
    assert not Overbooking.objects.filter(pk=made.pk).exists()
    assert Reservation.objects.filter(resource_id=house.doctor.pk, appointment=made).exists()


def test_whose_right_it_is_and_that_a_reason_is_said(house: House, full: Appointment) -> None:
    for who in (house.other_patient, house.receptionist):
        with pytest.raises(Forbidden), transaction.atomic():
            squeeze(house, who=who)
    for why in ("  ", "ok", "x" * 201):
        with pytest.raises(Invalid) as refused:
            squeeze(house, why=why)
        assert refused.value.field == "overbook"
    assert squeeze(house, who=house.staff["main_doctor"]).state == "booked"


def test_the_patient_cannot_be_at_two_places(house: House, full: Appointment) -> None:
    with pytest.raises(PatientBusy), transaction.atomic():
        squeeze(house, patient=house.patient)


def test_a_time_that_somebody_is_just_choosing_is_left_to_them(house: House, full: Appointment) -> None:
    actions.hold(actor=house.person(house.patient), schedule_id=house.schedule.pk, starts=house.slot(3))
    with pytest.raises(SlotTaken), transaction.atomic():
        squeeze(house, 3)


@pytest.mark.parametrize("way", ["cancel", "reschedule"])
def test_who_was_beside_moves_up_when_the_first_one_goes(house: House, full: Appointment, way: str) -> None:
    extra = squeeze(house)
    lakeside = Facility.objects.create(slug="lakeside", name="Lakeside", time_zone=house.facility.time_zone)
    there = houses.schedule(house.doctor, lakeside)
    if way == "cancel":
        actions.take(actor=house.person(house.doctor), appointment_id=full.pk, action="cancel")
    else:
        actions.reschedule(actor=house.person(house.doctor), appointment_id=full.pk, starts=house.slot(7))
    held = Reservation.objects.filter(appointment=extra)
    assert {row.kind for row in held} == {"doctor", "patient"} | ({"room"} if extra.room_id else set())
    # The doctor is busy, at every hospital; and the one who has moved up is no extra place any more.
    third = houses.patient(77, "Third", "Tess")
    with pytest.raises(SlotTaken), transaction.atomic():
        actions.book(actor=house.person(third), patient_id=third.pk, schedule_id=there.pk, starts=house.slot(0))
    assert not Reservation.objects.filter(resource_id=overbooking.beside(house.doctor.pk)).exists()


def test_cancelling_the_extra_one_leaves_the_first_alone(house: House, full: Appointment) -> None:
    extra = squeeze(house)
    actions.take(actor=house.person(house.doctor), appointment_id=extra.pk, action="cancel")
    assert Reservation.objects.filter(appointment=full, kind="doctor").exists()
    assert squeeze(house).state == "booked"


def test_an_extra_patient_who_moves_to_a_free_time_is_no_extra_one(house: House, full: Appointment) -> None:
    extra = squeeze(house)
    actions.reschedule(actor=house.person(house.doctor), appointment_id=extra.pk, starts=house.slot(6))
    assert not Overbooking.objects.exists()
    assert Reservation.objects.filter(appointment=extra, resource_id=house.doctor.pk).exists()


def test_the_times_that_could_take_one_more(house: House, full: Appointment) -> None:
    doctor = house.person(house.doctor)
    offered = overbooking.taken_times(doctor, house.schedule.pk, house.workday())
    assert [slot.starts for slot in offered] == [house.slot(0)]
    squeeze(house)
    assert overbooking.taken_times(doctor, house.schedule.pk, house.workday()) == []
    with pytest.raises(NotFound):
        overbooking.taken_times(house.person(house.receptionist), house.schedule.pk, house.workday())


@pytest.mark.django_db(transaction=True)
def test_of_many_who_press_at_once_one_is_the_extra_patient(committed_house: House) -> None:
    """Really committed, on threads: the constraint keeps it at one beside each time, whatever the limit allows."""
    house, told = committed_house, []
    Schedule.objects.filter(pk=house.schedule.pk).update(overbook_limit=9)
    people = [houses.patient(80 + number, f"Rival{number}", f"Rita{number}") for number in range(5)]
    for number, one in enumerate([house.patient, *people]):
        actions.book(
            actor=house.person(one), patient_id=one.pk, schedule_id=house.schedule.pk, starts=house.slot(number)
        )
    doctor, barrier = house.person(house.doctor), threading.Barrier(len(people))

    def rival(one: Any) -> None:
        try:
            barrier.wait(60)
            actions.book(
                actor=doctor, patient_id=one.pk, schedule_id=house.schedule.pk, starts=house.slot(0), overbook=WHY
            )
            told.append("booked")
        except SlotTaken:
            told.append("taken")
        finally:
            connection.close()

    threads = [threading.Thread(target=rival, args=(one,)) for one in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(told) == ["booked", *["taken"] * 4]
    assert Overbooking.objects.count() == 1
