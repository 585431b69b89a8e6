"""Changing hours: nobody who is booked is lost on the way."""

from __future__ import annotations

from datetime import time, timedelta

import pytest

from polyclinic.core import clock
from polyclinic.core.actors import Anonymous
from polyclinic.core.errors import Forbidden, Invalid, NotFound, StaleEdit
from polyclinic.core.models import AuditEntry, OutboxEvent
from polyclinic.scheduling import actions, schedules, selectors
from polyclinic.scheduling.models import Schedule
from polyclinic.scheduling.problems import PatientsStranded
from polyclinic.scheduling.rows import WeeklyRow
from tests.house import House
from tests.scheduling.test_booking import book

AFTERNOONS = [WeeklyRow(day, time(13), time(17)) for day in range(5)]


def save(house: House, who: object = None, **more: object) -> Schedule:
    asked: dict[str, object] = {
        "schedule_id": house.schedule.pk,
        "weekly": AFTERNOONS,
        "slot_minutes": None,
        "buffer_minutes": None,
        "version": 1,
        **more,
    }
    return schedules.set_weekly(actor=house.person(who or house.doctor), **asked)  # type: ignore[arg-type]


def test_new_hours_show_at_once_and_are_recorded(house: House) -> None:
    def firsts() -> time:
        free = selectors.free_slots(Anonymous(), schedule_id=house.schedule.pk, first_day=house.workday(), days=1)
        return free[0].starts.astimezone(house.slot().tzinfo).time()

    assert firsts() == time(9)
    assert save(house).version == 2
    assert firsts() == time(13)
    assert OutboxEvent.objects.filter(type="schedule.changed").count() == 1
    assert AuditEntry.objects.get(action="schedule.set_weekly").detail
    with pytest.raises(StaleEdit):
        save(house)


def test_booked_patients_are_listed_and_kept_or_cancelled(house: House) -> None:
    made = book(house)
    doctor = house.person(house.doctor)
    assert [row.id for row in schedules.affected_by(doctor, house.schedule.pk, weekly=AFTERNOONS)] == [made.pk]
    # Each in its own savepoint: a refusal ends the transaction it happened in.
    from django.db import transaction

    with pytest.raises(PatientsStranded) as refused, transaction.atomic():
        save(house)
    assert [row["id"] for row in refused.value.extra["appointments"]] == [str(made.pk)]
    assert selectors.schedule(doctor, house.schedule.pk).version == 1
    save(house, acknowledged={made.pk})
    kept = selectors.appointment(doctor, made.pk)
    assert (kept.status, kept.attention) == ("booked", "outside_hours")
    # Decided once: the next change does not ask again.
    save(house, version=2)


def test_leave_can_cancel_whom_it_concerns(house: House) -> None:
    made = book(house)
    doctor = house.person(house.doctor)
    schedules.add_exception(
        actor=doctor, schedule_id=house.schedule.pk, kind="leave", starts=house.slot(), ends=house.slot(3),
        note="conference", version=1, acknowledged={made.pk}, resolution="cancel",
    )  # fmt: skip
    assert selectors.appointment(doctor, made.pk).status == "cancelled"
    free = selectors.free_slots(Anonymous(), schedule_id=house.schedule.pk, first_day=house.workday(), days=1)
    assert free[0].starts == house.slot(3)
    leave = selectors.schedule(doctor, house.schedule.pk).exceptions[0]
    schedules.remove_exception(actor=doctor, exception_id=leave.id, version=2)
    free = selectors.free_slots(Anonymous(), schedule_id=house.schedule.pk, first_day=house.workday(), days=1)
    assert free[0].starts == house.slot()


@pytest.mark.parametrize(
    ("weekly", "field"),
    [
        ([WeeklyRow(0, time(9), time(9))], "weekly.0.ends"),
        ([WeeklyRow(7, time(9), time(10))], "weekly.0.weekday"),
        ([WeeklyRow(0, time(9), time(12)), WeeklyRow(0, time(11), time(13))], "weekly.1.starts"),
        ([WeeklyRow(0, time(9), time(12), "party")], "weekly.0.kind"),
    ],
)
def test_senseless_hours_are_refused_by_name(house: House, weekly: list[WeeklyRow], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        save(house, weekly=weekly)
    assert refused.value.field == field
    for minutes in (4, 481):
        with pytest.raises(Invalid) as refused:
            save(house, slot_minutes=minutes)
        assert refused.value.field == "slotMinutes"
    with pytest.raises(Invalid) as refused:
        schedules.add_exception(
            actor=house.person(house.doctor), schedule_id=house.schedule.pk, kind="leave", version=1,
            starts=house.slot(), ends=house.slot() - timedelta(hours=1),
        )  # fmt: skip
    assert refused.value.field == "ends"


def test_who_may_change_hours(house: House) -> None:
    for stranger in (house.other_doctor, house.patient, house.stranger_receptionist):
        with pytest.raises(NotFound):
            save(house, stranger)
    with pytest.raises(Forbidden):
        save(house, house.receptionist)
    assert save(house, house.manager).version == 2


def test_a_manager_may_cancel_whom_closed_hours_concern(house: House) -> None:
    made = book(house)
    # An hour before, when the patient could no longer cancel: illness does not keep the clinic's notice.
    with clock.fixed(made.starts - timedelta(hours=1)):
        schedules.add_exception(
            actor=house.person(house.manager), schedule_id=house.schedule.pk, kind="leave", starts=made.starts,
            ends=made.ends, version=1, acknowledged={made.pk}, resolution="cancel",
        )  # fmt: skip
    assert selectors.appointment(house.person(house.patient), made.pk).status == "cancelled"
    told = OutboxEvent.objects.get(type="appointment.cancelled")
    assert f"patient:{house.patient.pk}" in told.audience.split()


def test_a_manager_may_not_cancel_elsewhere(house: House) -> None:
    made = book(house)
    with pytest.raises(NotFound):
        actions.take(actor=house.person(house.stranger_receptionist), appointment_id=made.pk, action="cancel")
    with pytest.raises(Forbidden):
        actions.take(actor=house.person(house.manager), appointment_id=made.pk, action="decline")


def test_a_kept_patient_shows_on_staff_screens_by_the_schedules_event(house: House) -> None:
    made = book(house)
    before = OutboxEvent.objects.count()
    save(house, acknowledged={made.pk})
    told = list(OutboxEvent.objects.order_by("id")[before:])
    assert [event.type for event in told] == ["schedule.changed"]
    rooms = told[0].audience.split()
    assert f"doctor:{house.doctor.pk}" in rooms
    assert any("receptionist" in room and str(house.facility.pk) in room for room in rooms)
    # The appointment itself has not changed for the patient: same time, same place.
    assert f"patient:{house.patient.pk}" not in rooms
