"""Rows put in by hand as a past of so many days: what is read is looked at here, not how it came."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from polyclinic.core import clock
from polyclinic.facilities.models import Department
from polyclinic.people.models import Doctor
from polyclinic.scheduling.models import Appointment, Schedule
from polyclinic.visits.models import QueueEntry, Visit
from tests.house import House, doctor


def today(house: House) -> date:
    return clock.now().astimezone(house.local(date(2026, 1, 1), 0).tzinfo).date()


def appointment(house: House, day: date, state: str, schedule: Schedule | None = None, hour: int = 9) -> Appointment:
    which = schedule or house.schedule
    starts = house.local(day, hour)
    return Appointment.objects.create(
        patient=house.patient, doctor=which.doctor, facility=house.facility, schedule=which, service=house.service,
        state=state, starts=starts, ends=starts + timedelta(minutes=20), booked_by="system:demo",
    )  # fmt: skip


def visit(house: House, day: date, number: int, waited: int, by: Doctor | None = None) -> Visit:
    """A finished visit: so many minutes until the doctor called, and ten with them."""
    begun = house.local(day, 10)
    called = begun + timedelta(minutes=waited)
    over = called + timedelta(minutes=10)
    made = Visit.objects.create(
        facility=house.facility, patient=house.patient, day=day, number=number, token=f"A{number}", state="done",
        ticket=f"{day}{number}", opened_at=begun, closed_at=over, opened_by="system:demo",
        main_doctor=by or house.doctor,
    )  # fmt: skip
    QueueEntry.objects.create(**_entry(made, begun, called, over))
    return made


def _entry(made: Visit, begun: datetime, called: datetime, over: datetime) -> dict[str, Any]:
    return {
        "visit": made, "facility": made.facility, "line": "doctor", "doctor": made.main_doctor, "priority": "routine",
        "state": "served", "enqueued_at": begun, "since": begun, "called_at": called, "serving_at": called,
        "ended_at": over,
    }  # fmt: skip


def colleagues(house: House, many: int, department: Department | None) -> list[Schedule]:
    """So many further doctors of a department."""
    found = []
    for number in range(many):
        who = doctor("Colleague", f"Cora{number}")
        found.append(Schedule.objects.create(doctor=who, facility=house.facility, department=department))
    return found
