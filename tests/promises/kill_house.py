"""Rows for T1, and what the database says afterwards. Run inside a server's settings; prints JSON."""

from __future__ import annotations

import json
import sys
from datetime import date, datetime, time, timedelta
from typing import Any

import django

RECEPTIONIST = "front@example.org"
DOCTORS, SLOT_MINUTES = 20, 5
SLOTS_A_DAY = 23 * 60 // SLOT_MINUTES


def fill() -> dict[str, Any]:
    """Twenty doctors who see patients around the clock, two patients for each, and a receptionist's session."""
    from polyclinic.core import clock
    from polyclinic.core.access.rules import Role
    from polyclinic.facilities.models import Facility, Membership
    from polyclinic.people.models import Account, Doctor, Patient
    from polyclinic.scheduling.models import Schedule, WeeklyHours
    from tests.seeding import sign_in

    facility = Facility.objects.create(
        slug="always", name="Always Open", time_zone="UTC", slot_minutes=SLOT_MINUTES, buffer_minutes=0
    )
    # Nobody here signs in by password, and hashing sixty would take a quarter of a minute.
    desk = Account.objects.create_user(RECEPTIONIST, name="Front Desk")
    Membership.objects.create(account=desk, facility=facility, role=Role.RECEPTIONIST)
    schedules, patients = [], []
    for number in range(DOCTORS):
        account = Account.objects.create_user(f"dr.{number}@example.org", name=f"Dr {number}")
        doctor = Doctor.objects.create(account=account, family_name="Busy", given_name=f"D{number}", specialty="gp")
        schedule = Schedule.objects.create(doctor=doctor, facility=facility)
        WeeklyHours.objects.bulk_create(
            WeeklyHours(schedule=schedule, weekday=day, starts=time(0), ends=time(23)) for day in range(7)
        )
        schedules.append(str(schedule.pk))
        pair = [
            Patient.objects.create(
                mrn=f"MRN{number}-{rival}", family_name="Many", given_name="P", born=date(1980, 5, 17)
            )
            for rival in (0, 1)
        ]
        patients.append([str(patient.pk) for patient in pair])
    first_day = clock.now().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=2)
    return {
        "session": sign_in([RECEPTIONIST])[RECEPTIONIST],
        "schedules": schedules,
        "patients": patients,
        "firstDay": first_day.isoformat(),
    }


def facts() -> dict[str, Any]:
    """Everything the checker of T1 compares a history with."""
    from polyclinic.core.audit import chain
    from polyclinic.core.models import AuditEntry
    from polyclinic.core.outbox import log
    from polyclinic.scheduling.models import Appointment, Reservation

    log.assign_positions()
    events, cursor = [], 0
    while batch := log.read_after(cursor, 2000):
        cursor = batch[-1].position
        events += [[row.stream, row.stream_seq, row.type] for row in batch if row.stream.startswith("appointment:")]
    reserved = Reservation.objects.order_by("resource_id", "starts").values_list("resource_id", "starts", "ends")
    return {
        "appointments": {
            str(key): [str(schedule), str(patient), _text(starts), state]
            for key, schedule, patient, starts, state in Appointment.objects.values_list(
                "pk", "schedule_id", "patient_id", "starts", "state"
            )
        },
        "reservations": [[str(resource), _text(starts), _text(ends)] for resource, starts, ends in reserved],
        "events": events,
        "audited": list(
            AuditEntry.objects.filter(subject_kind="appointment", to_state="booked").values_list(
                "subject_id", flat=True
            )
        ),
        "broken": [f"chain {found.lane}, entry {found.seq}: {found.why}" for found in chain.verify()],
    }


def _text(moment: datetime) -> str:
    return moment.isoformat()


if __name__ == "__main__":
    django.setup(set_prefix=False)
    print(json.dumps(fill() if sys.argv[1:] == ["fill"] else facts()))
