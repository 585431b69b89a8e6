"""Holding, booking, moving and stepping, as each kind of person would."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from polyclinic.core import clock
from polyclinic.core.actors import Anonymous, SystemActor
from polyclinic.core.errors import Conflict, Forbidden, IllegalTransition, Invalid, NotFound, StaleEdit, Unauthenticated
from polyclinic.core.models import AuditEntry, OutboxEvent
from polyclinic.scheduling import actions, selectors
from polyclinic.scheduling.models import Appointment, CareLink, Hold, Reservation
from polyclinic.scheduling.problems import NotASlot, PatientBusy, SlotTaken
from tests.house import House, missing


def book(house: House, nth: int = 0, **more: object) -> Appointment:
    asked = {"patient_id": house.patient.pk, "schedule_id": house.schedule.pk, "starts": house.slot(nth), **more}
    return actions.book(actor=house.person(house.patient), **asked)  # type: ignore[arg-type]


def test_a_booking_puts_the_patient_in_the_list_and_tells_of_it(house: House) -> None:
    made = book(house, reason="  cough ")
    doctor = house.person(house.doctor)
    day = selectors.doctor_day(doctor, house.doctor.pk, house.workday())
    assert [(row.id, row.status, row.patient_name, row.reason) for row in day] == [
        (made.pk, "booked", "PILLAI, Meera", "cough")
    ]
    assert list(OutboxEvent.objects.order_by("id").values_list("type", flat=True)) == [
        "appointment.booked",
        "patient.attached",
        "availability.changed",
    ]
    assert AuditEntry.objects.filter(action="appointment.book", to_state="booked").count() == 1
    assert Reservation.objects.filter(appointment=made).count() == 3
    assert selectors.new_patient_count(doctor, house.doctor.pk) == 1
    assert actions.mark_patients_seen(actor=doctor, doctor_id=house.doctor.pk) == 1
    assert selectors.new_patient_count(doctor, house.doctor.pk) == 0
    book(house, 1)
    assert CareLink.objects.count() == 1
    assert OutboxEvent.objects.filter(type="patient.attached").count() == 1


def test_the_loser_gets_the_next_three_free_times(house: House) -> None:
    book(house)
    with pytest.raises(SlotTaken) as refused:
        actions.book(
            actor=house.person(house.other_patient),
            patient_id=house.other_patient.pk,
            schedule_id=house.schedule.pk,
            starts=house.slot(),
        )
    assert refused.value.status == 409
    offered = [datetime.fromisoformat(slot["starts"]) for slot in refused.value.extra["slots"]]
    assert offered == [house.slot(1), house.slot(2), house.slot(3)]
    assert Appointment.objects.count() == 1


@pytest.mark.parametrize("minutes", [-20, 5, 180, 480])
def test_only_offered_times_can_be_booked(house: House, minutes: int) -> None:
    with pytest.raises(NotASlot) as refused:
        book(house, starts=house.slot() + timedelta(minutes=minutes))
    assert refused.value.field == "starts"
    assert len(refused.value.extra["slots"]) == 3


def test_times_that_mean_nothing_are_named(house: House) -> None:
    for starts, code in (
        (house.slot().replace(tzinfo=None), "naive_time"),
        (clock.now() - timedelta(days=7), "slot_in_past"),
        (house.slot(ahead=120), "beyond_horizon"),
    ):
        with pytest.raises(Invalid) as refused:
            book(house, starts=starts)
        assert (refused.value.code, refused.value.field) == (code, "starts")
    assert Appointment.objects.count() == 0


def test_a_patient_cannot_be_in_two_places(house: House) -> None:
    book(house)
    with pytest.raises(PatientBusy):
        book(house, schedule_id=house.other_schedule.pk)
    assert Reservation.objects.count() == 3


def test_who_may_book_for_whom(house: House) -> None:
    def attempt(actor: object, patient: object, schedule: object, nth: int) -> Appointment:
        return actions.book(
            actor=actor,  # type: ignore[arg-type]
            patient_id=patient,  # type: ignore[arg-type]
            schedule_id=schedule,  # type: ignore[arg-type]
            starts=house.slot(nth),
        )

    mine, theirs = house.schedule.pk, house.other_schedule.pk
    with pytest.raises(Unauthenticated):
        attempt(Anonymous(), house.patient.pk, mine, 0)
    for foreign in (house.other_patient.pk, missing()):
        with pytest.raises(NotFound):
            attempt(house.person(house.patient), foreign, mine, 0)
        with pytest.raises(NotFound):
            attempt(house.person(house.doctor), foreign, mine, 0)
        with pytest.raises(NotFound):
            attempt(house.person(house.manager), foreign, mine, 0)
    with pytest.raises(NotFound):
        attempt(house.person(house.patient), house.patient.pk, missing(), 0)
    with pytest.raises(NotFound):
        attempt(house.person(house.stranger_receptionist), house.patient.pk, mine, 0)
    book(house)
    attempt(house.person(house.doctor), house.patient.pk, mine, 1)
    attempt(house.person(house.receptionist), house.patient.pk, theirs, 2)
    attempt(house.person(house.receptionist), house.other_patient.pk, mine, 3)
    with pytest.raises(Forbidden):
        attempt(house.person(house.doctor), house.patient.pk, theirs, 4)
    assert Appointment.objects.count() == 4


def test_a_hold_keeps_the_slot_until_it_expires(house: House) -> None:
    patient, other = house.person(house.patient), house.person(house.other_patient)
    kept = actions.hold(actor=patient, schedule_id=house.schedule.pk, starts=house.slot())
    with pytest.raises(SlotTaken):
        actions.hold(actor=other, schedule_id=house.schedule.pk, starts=house.slot())
    with pytest.raises(NotFound):
        actions.book(actor=other, patient_id=house.other_patient.pk, hold_id=kept.pk)
    later = clock.now() + timedelta(minutes=6)
    with clock.fixed(later):
        with pytest.raises(Conflict) as refused:
            actions.extend_hold(actor=patient, hold_id=kept.pk)
        assert refused.value.code == "hold_expired"
        second = actions.hold(actor=other, schedule_id=house.schedule.pk, starts=house.slot())
    assert list(Hold.objects.values_list("pk", flat=True)) == [second.pk]


def test_a_hold_becomes_the_booking(house: House) -> None:
    patient = house.person(house.patient)
    first = actions.hold(actor=patient, schedule_id=house.schedule.pk, starts=house.slot())
    kept = actions.hold(actor=patient, schedule_id=house.schedule.pk, starts=house.slot(1))
    assert not Hold.objects.filter(pk=first.pk).exists()
    for _again in range(2):
        actions.extend_hold(actor=patient, hold_id=kept.pk)
    with pytest.raises(Conflict):
        actions.extend_hold(actor=patient, hold_id=kept.pk)
    made = actions.book(actor=patient, patient_id=house.patient.pk, hold_id=kept.pk)
    assert made.starts == house.slot(1)
    assert Hold.objects.count() == 0
    assert Reservation.objects.filter(appointment=made).count() == 3


def test_released_and_swept_holds_free_the_time(house: House) -> None:
    patient = house.person(house.patient)
    kept = actions.hold(actor=patient, schedule_id=house.schedule.pk, starts=house.slot())
    with pytest.raises(NotFound):
        actions.release_hold(actor=house.person(house.other_patient), hold_id=kept.pk)
    actions.release_hold(actor=patient, hold_id=kept.pk)
    assert Reservation.objects.count() == 0
    actions.hold(actor=patient, schedule_id=house.schedule.pk, starts=house.slot())
    sweeper = SystemActor("hold-sweeper")
    assert actions.sweep_holds(actor=sweeper) == 0
    with clock.fixed(clock.now() + timedelta(minutes=6)):
        assert actions.sweep_holds(actor=sweeper) == 1
    assert (Hold.objects.count(), Reservation.objects.count()) == (0, 0)


def test_moving_keeps_the_id_and_frees_the_old_time(house: House) -> None:
    patient = house.person(house.patient)
    made = book(house)
    book(house, 2)
    with pytest.raises(Invalid) as same:
        actions.reschedule(actor=patient, appointment_id=made.pk, starts=house.slot())
    assert same.value.code == "same_time"
    with pytest.raises(SlotTaken) as taken:
        actions.reschedule(actor=patient, appointment_id=made.pk, starts=house.slot(2))
    assert taken.value.extra["slots"]


def test_a_failed_move_leaves_everything(committed_house: House) -> None:
    house = committed_house
    made, _rival = book(house), book(house, 2)
    before = list(Reservation.objects.order_by("pk").values_list())
    with pytest.raises(SlotTaken):
        actions.reschedule(actor=house.person(house.patient), appointment_id=made.pk, starts=house.slot(2))
    assert list(Reservation.objects.order_by("pk").values_list()) == before
    with pytest.raises(StaleEdit):
        actions.reschedule(actor=house.person(house.patient), appointment_id=made.pk, starts=house.slot(3), version=9)
    assert list(Reservation.objects.order_by("pk").values_list()) == before
    moved = actions.reschedule(
        actor=house.person(house.patient), appointment_id=made.pk, starts=house.slot(3), version=1
    )
    assert (moved.pk, moved.version, moved.starts) == (made.pk, 2, house.slot(3))
    free = selectors.free_slots(Anonymous(), schedule_id=house.schedule.pk, first_day=house.workday(), days=1)
    assert house.slot() in {slot.starts for slot in free}
    assert house.slot(3) not in {slot.starts for slot in free}


def test_each_step_by_each_person(house: House) -> None:
    made = book(house)
    who = {
        "patient": house.person(house.patient),
        "doctor": house.person(house.doctor),
        "receptionist": house.person(house.receptionist),
        "other patient": house.person(house.other_patient),
        "other doctor": house.person(house.other_doctor),
        "foreign desk": house.person(house.stranger_receptionist),
    }
    for name in ("other patient", "other doctor", "foreign desk"):
        for step in actions.STEPS:
            with pytest.raises(NotFound):
                actions.take(actor=who[name], appointment_id=made.pk, action=step)
    for step in ("confirm", "decline", "check_in", "complete", "no_show"):
        with pytest.raises((Forbidden, IllegalTransition)):
            actions.take(actor=who["patient"], appointment_id=made.pk, action=step)
    assert actions.take(actor=who["receptionist"], appointment_id=made.pk, action="confirm").state == "confirmed"
    with pytest.raises(StaleEdit):
        actions.take(actor=who["doctor"], appointment_id=made.pk, action="decline", version=1)
    assert actions.take(actor=who["patient"], appointment_id=made.pk, action="cancel").state == "cancelled"
    assert Reservation.objects.count() == 0
    with pytest.raises(IllegalTransition):
        actions.take(actor=who["doctor"], appointment_id=made.pk, action="confirm")
    with pytest.raises(Invalid):
        actions.take(actor=who["doctor"], appointment_id=made.pk, action="delete")
    assert book(house).pk != made.pk
