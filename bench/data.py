"""A large diary for measuring: 100 doctors, 5,000 patients, 100,000 appointments, in the product's own database.

Run inside a server's settings. `fill` makes it (always the same but for ids and dates), `passes` opens sessions and
prints, as JSON, what the load generator needs to know.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import django

DOCTORS, PATIENTS, DAYS, PER_DAY, SLOT_MINUTES = 100, 5_000, 20, 50, 10
# Days end at 23:50, so that the last slot does too and no slot crosses midnight.
SLOTS_A_DAY = 143
STATES = ("booked", "confirmed", "confirmed", "checked_in", "completed")
SPECIALTIES = ("general-practice", "cardiology", "paediatrics", "dermatology")
PASSWORD = "never used to sign in 1"


def fill() -> None:
    """Migrate an empty database and put the diary into it."""
    from django.core.management import call_command
    from django.db import connection

    from polyclinic.people import search

    call_command("migrate", interactive=False, verbosity=0)
    schedules, rooms = _places()
    patients = _patients()
    _diary(schedules, rooms, patients)
    # Registration does this for each patient; left to the housekeeper, it would be measured along with the bookings.
    while search.catch_up():
        pass
    if connection.vendor == "postgresql":
        # As a database is that has not been filled this very minute.
        with connection.cursor() as cursor:
            cursor.execute("VACUUM (ANALYZE)")
            cursor.execute("CHECKPOINT")


def _places() -> tuple[list[Any], list[Any]]:
    from polyclinic.facilities.models import Facility, Membership, Room
    from polyclinic.people.models import Account, Doctor
    from polyclinic.scheduling.models import Schedule, WeeklyHours

    facility = Facility.objects.create(
        slug="bench", name="Riverside Clinic", time_zone="UTC", slot_minutes=SLOT_MINUTES, phone="555-0100"
    )
    desk = Account.objects.create_user("desk@example.org", PASSWORD, name="Front Desk")
    Membership.objects.create(account=desk, facility=facility, role="receptionist")
    rooms = Room.objects.bulk_create(Room(facility=facility, name=f"Room {n}") for n in range(DOCTORS))
    accounts = Account.objects.bulk_create(
        Account(email=f"d{n}@example.org", name=f"Dr Given{n} Family{n}", password="!") for n in range(DOCTORS)
    )
    doctors = Doctor.objects.bulk_create(
        Doctor(account=a, given_name=f"Given{n}", family_name=f"Family{n}", specialty=SPECIALTIES[n % 4])
        for n, a in enumerate(accounts)
    )
    schedules = Schedule.objects.bulk_create(
        Schedule(doctor=d, facility=facility, room=r) for d, r in zip(doctors, rooms, strict=True)
    )
    WeeklyHours.objects.bulk_create(
        WeeklyHours(schedule=s, weekday=day, starts=time(0), ends=time(23, 50)) for s in schedules for day in range(7)
    )
    return schedules, rooms


def _patients() -> list[Any]:
    from polyclinic.people.models import Patient

    return Patient.objects.bulk_create(
        Patient(
            mrn=f"MRN{n:07d}", family_name=f"Family{n % 700}", given_name=f"Given{n % 300}",
            born=date(1940 + n % 80, 1 + n % 12, 1 + n % 28), sex="female" if n % 2 else "male",
        )
        for n in range(PATIENTS)
    )  # fmt: skip


def _diary(schedules: list[Any], rooms: list[Any], patients: list[Any]) -> None:
    """Appointments of the last days and today, what they reserve, and who has become whose patient."""
    from django.db import connection, transaction

    from polyclinic.core.crypto import fields, ring
    from polyclinic.core.ids import new_id
    from polyclinic.scheduling.models import Appointment, CareLink

    column = fields.column(Appointment, "reason")

    first = datetime.combine(datetime.now(UTC).date() - timedelta(days=DAYS - 1), time(8), UTC)
    booked_at = str(first.replace(tzinfo=None))

    def rows() -> Iterator[tuple[list[Any], list[list[Any]]]]:
        count = 0
        for day in range(DAYS):
            for place in range(PER_DAY):
                starts = (first + timedelta(days=day, minutes=SLOT_MINUTES * place)).replace(tzinfo=None)
                ends = starts + timedelta(minutes=SLOT_MINUTES)
                for schedule, room in zip(schedules, rooms, strict=True):
                    patient = patients[count % PATIENTS]
                    made = new_id()
                    key = made.hex
                    reason = column.seal(made, ring.patient(patient.pk), "Check-up")
                    span = [str(starts), str(ends)]
                    yield (
                        [
                            key, patient.pk.hex, schedule.doctor_id.hex, schedule.facility_id.hex, schedule.pk.hex,
                            room.pk.hex, STATES[count % len(STATES)], 1, *span, str(reason), "system:bench",
                            booked_at, 0, "",
                        ],
                        [
                            [schedule.doctor_id.hex, "doctor", *span, key],
                            [room.pk.hex, "room", *span, key],
                            [patient.pk.hex, "patient", *span, key],
                        ],
                    )  # fmt: skip
                    count += 1

    # As registration does for each patient: the first booking does not wait for a key.
    ring.ring.make(ring.patient(patient.pk) for patient in patients)
    with transaction.atomic(), connection.cursor() as cursor:
        appointments, reservations = [], []
        for appointment, taken in rows():
            appointments.append(appointment)
            reservations += taken
        cursor.executemany(
            "INSERT INTO scheduling_appointment (id, patient_id, doctor_id, facility_id, schedule_id, room_id, state, "
            "version, starts, ends, reason, booked_by, booked_at, rescheduled, attention) "
            f"VALUES ({', '.join(['%s'] * 15)})",
            appointments,
        )
        cursor.executemany(
            "INSERT INTO scheduling_reservation (resource_id, kind, starts, ends, appointment_id) "
            "VALUES (%s, %s, %s, %s, %s)",
            reservations,
        )
        CareLink.objects.bulk_create(
            CareLink(doctor_id=schedules[n % DOCTORS].doctor_id, patient=patient, seen_at=first)
            for n, patient in enumerate(patients)
        )
        cursor.execute("ANALYZE")


def passes() -> dict[str, Any]:
    """Fresh sessions and tokens, and the ids that requests are made of."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

    from polyclinic.api import tokens
    from polyclinic.people.models import Account, Patient
    from polyclinic.people.sessions import SessionStore
    from polyclinic.scheduling.models import Appointment, Schedule

    schedules = list(Schedule.objects.select_related("doctor__account").order_by("doctor__account__email"))
    cookies, bearers = [], []
    for schedule in schedules[:10]:
        account = schedule.doctor.account
        store = SessionStore()
        store[SESSION_KEY] = str(account.pk)
        store[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
        store[HASH_SESSION_KEY] = account.get_session_auth_hash()
        store.create()
        cookies.append(str(store.session_key))
        bearers.append(tokens.issue(account).token)
    booked = Appointment.objects.exclude(booked_by="system:bench").count()
    every = list(Appointment.objects.order_by("starts", "pk").values_list("pk", flat=True)[:100_000])
    return {
        "desk": tokens.issue(Account.objects.get(email="desk@example.org")).token,
        "doctors": [str(row.doctor_id) for row in schedules],
        "schedules": [str(row.pk) for row in schedules],
        "patients": [str(pk) for pk in Patient.objects.order_by("mrn").values_list("pk", flat=True)],
        "cookies": cookies,
        "bearers": bearers,
        # A prime step spreads 5,000 of them evenly over all days and doctors.
        "appointments": [str(every[n * 7919 % len(every)]) for n in range(5_000)],
        "today": str(Appointment.objects.filter(starts__lt=datetime.now(UTC)).latest("starts").starts.date()),
        "booked": booked,
    }


if __name__ == "__main__":
    django.setup(set_prefix=False)
    if sys.argv[1] == "fill":
        fill()
    else:
        print(json.dumps(passes()))
