"""The hospital before its first patient calls: places, services, people, hours. Rows put in as a fresh start.

There is no history yet that an audit row could tell of; everything after this (each booking and what follows) goes
through the same actions as anyone's.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib.auth.hashers import make_password

from polyclinic.core import clock
from polyclinic.core.access.rules import Role
from polyclinic.core.crypto import ring
from polyclinic.demo import accounts, crowd, places
from polyclinic.demo.seed import Seeded
from polyclinic.facilities.models import Department, Facility, Membership, Room, Service
from polyclinic.people.models import Account, Doctor, Patient, PatientNumber
from polyclinic.scheduling.models import Schedule, ScheduleException, WeeklyHours

FIRST_NUMBER: Final = 10_001
_WORKING_NOW: Final = 5


@dataclass
class Hospital:
    """What was installed, for the steps after."""

    facilities: dict[str, Facility] = field(default_factory=dict)
    departments: dict[tuple[str, str], Department] = field(default_factory=dict)
    services: dict[str, list[Service]] = field(default_factory=dict)
    doctors: list[Doctor] = field(default_factory=list)
    schedules: list[Schedule] = field(default_factory=list)
    # The demo account behind a schedule, by its id; empty for the others.
    keys: dict[UUID, str] = field(default_factory=dict)
    patients: list[Patient] = field(default_factory=list)
    meera: Patient | None = None


class Installer:
    """Puts the tables of `places` and a drawn crowd into an empty database, in the caller's transaction."""

    def __init__(self, seeded: Seeded) -> None:
        self.seeded = seeded
        self.hospital = Hospital()
        self._now = clock.now()
        self._opened = self._now - timedelta(days=6 * 365)
        # Argon2 is slow on purpose; the demo accounts share one password and so one hash.
        self._password = make_password(accounts.PASSWORD)
        self._rooms: dict[str, int] = {}

    def places(self) -> None:
        """Facilities, departments and services."""
        for place in places.PLACES:
            facility = Facility.objects.create(
                id=self.seeded.new_id(), slug=place.slug, name=place.name, address=place.address, city=place.city,
                phone=place.phone, emergency_phone=place.emergency_phone, time_zone=place.time_zone,
                slot_minutes=place.slot_minutes, buffer_minutes=place.buffer_minutes,
                notice_hours=place.notice_hours, lead_minutes=place.lead_minutes,
            )  # fmt: skip
            self.hospital.facilities[place.slug] = facility
            for slug, name in place.departments:
                self.hospital.departments[place.slug, slug] = Department.objects.create(
                    id=self.seeded.new_id(), facility=facility, slug=slug, name=name
                )
        for offer in places.OFFERS:
            service = Service.objects.create(
                id=self.seeded.new_id(), slug=offer.slug, name=offer.name, specialty=offer.specialty,
                minutes=offer.minutes, about=offer.about,
            )  # fmt: skip
            self.hospital.services.setdefault(offer.specialty, []).append(service)

    def staff(self) -> None:
        """Doctors with their schedules, and somebody in each other role at the home facility."""
        home = self.hospital.facilities[places.HOME]
        for key, role in ((key, Role(key)) for key in accounts.STAFF):
            account = self._account(accounts.account(key).email, accounts.account(key).name, usable=True)
            Membership.objects.create(
                id=self.seeded.new_id(), account=account, facility=home, role=role, started_at=self._opened
            )
        self._colleagues()
        for number, entry in enumerate(places.PHYSICIANS):
            demo = accounts.account(entry.account) if entry.account else None
            email = demo.email if demo else f"dr{number:02d}@staff.demo.example"
            doctor = Doctor.objects.create(
                id=self.seeded.new_id(),
                account=self._account(email, f"{entry.title} {entry.given} {entry.family}", usable=demo is not None),
                title=entry.title,
                family_name=entry.family,
                given_name=entry.given,
                specialty=entry.specialty,
                languages=entry.languages,
            )
            self.hospital.doctors.append(doctor)
            self._schedule(doctor, entry.place, entry.pattern, entry.slot_minutes, entry.account)
            if entry.elsewhere:
                self._schedule(doctor, *entry.elsewhere, None, "")
        self._absences()
        self._present_hours()

    def _colleagues(self) -> None:
        """Somebody in each role of a visit at the other facilities too; nobody signs in as them."""
        away = [place for place in self.hospital.facilities if place != places.HOME]
        for place, names in zip(away, places.COLLEAGUES, strict=True):
            for role, name in zip(places.ROLES, names, strict=True):
                account = self._account(f"{role}@{place}.demo.example", name, usable=False)
                Membership.objects.create(
                    id=self.seeded.new_id(), account=account, facility=self.hospital.facilities[place], role=role,
                    started_at=self._opened,
                )  # fmt: skip

    def crowd(self, size: int) -> None:
        """Patients: first the one with a demo account, then the town."""
        today = self._now.date()
        demo = accounts.account("patient")
        given, family = demo.name.split(" ")
        meera = Patient(
            id=self.seeded.new_id(),
            account=self._account(demo.email, demo.name, usable=True),
            mrn=_mrn(0), family_name=family, given_name=given, born=date(1958, 7, 14),
            sex="female", phone="555-0142", created_at=self._opened,
        )  # fmt: skip
        drawn = [crowd.draw_patient(self.seeded, number, today, _mrn(number)) for number in range(1, size)]
        self.hospital.meera, self.hospital.patients = meera, [meera, *drawn]
        # One write to the key vault for all of them, not one each at the first thing that is sealed.
        ring.ring.make(ring.patient(patient.pk) for patient in self.hospital.patients)
        Patient.objects.bulk_create(self.hospital.patients, batch_size=500)
        PatientNumber.objects.update_or_create(pk=1, defaults={"last": FIRST_NUMBER + size - 1})

    def _account(self, email: str, name: str, *, usable: bool) -> Account:
        # An unusable password starts with "!": nobody signs in as the other doctors.
        return Account.objects.create(
            id=self.seeded.new_id(), email=email, name=name, created_at=self._opened, email_verified_at=self._opened,
            password=self._password if usable else "!" + "demo" * 10,
        )  # fmt: skip

    def _schedule(self, doctor: Doctor, place: str, pattern: str, slot_minutes: int | None, key: str) -> None:
        facility = self.hospital.facilities[place]
        self._rooms[place] = number = self._rooms.get(place, 0) + 1
        schedule = Schedule.objects.create(
            id=self.seeded.new_id(),
            doctor=doctor,
            facility=facility,
            department=self.hospital.departments.get((place, doctor.specialty)),
            room=Room.objects.create(id=self.seeded.new_id(), facility=facility, name=f"Room {number}"),
            slot_minutes=slot_minutes,
        )
        self.hospital.schedules.append(schedule)
        self.hospital.keys[schedule.pk] = key
        rows = []
        for hours in places.PATTERNS[pattern]:
            for weekday in hours.weekdays:
                rows.append(WeeklyHours(schedule=schedule, weekday=weekday, starts=hours.starts, ends=hours.ends))
                if hours.pause:
                    rows.append(
                        WeeklyHours(
                            schedule=schedule, kind=WeeklyHours.Kind.BREAK, weekday=weekday,
                            starts=hours.pause[0], ends=hours.pause[1],
                        )
                    )  # fmt: skip
        WeeklyHours.objects.bulk_create(rows)

    def _absences(self) -> None:
        """Leave for every fifth schedule, a free afternoon for some, an extra Saturday for others."""
        kinds = ScheduleException.Kind
        for place, schedule in enumerate(self.hospital.schedules[2:]):
            rng, day = self.seeded.rng, self.seeded.rng.randint(-30, 35)
            if place % 5 == 0:
                self._except(schedule, kinds.LEAVE, day, time(0), 24 * rng.randint(3, 10), "Annual leave")
            elif place % 5 == 1:
                self._except(schedule, kinds.LEAVE, day, time(13), 6, "Training")
            elif place % 5 == 2:
                saturday = day + (5 - (self._local(schedule) + timedelta(days=day)).weekday()) % 7
                self._except(schedule, kinds.OPENING, saturday, time(15), 3, "Extra Saturday clinic")

    def _present_hours(self) -> None:
        """The demo doctors and three colleagues work right now, whatever the hour at which the demo is loaded."""
        home = self.hospital.facilities[places.HOME]
        here = [schedule for schedule in self.hospital.schedules if schedule.facility_id == home.pk]
        places_of = Counter(schedule.doctor_id for schedule in self.hospital.schedules)
        # Not those who may be at their other place today: nobody is in two towns at once.
        resident = [schedule for schedule in here if places_of[schedule.doctor_id] == 1]
        resident.sort(key=lambda schedule: not self.hospital.keys[schedule.pk])
        for schedule in resident[:_WORKING_NOW]:
            local = self._local(schedule)
            if local.weekday() < 5 and 10 <= local.hour < 14:
                continue
            first, last = max(local.hour - 4, 0), min(local.hour + 6, 23)
            self._except(schedule, ScheduleException.Kind.OPENING, 0, time(first), last - first, "Open day")

    def _local(self, schedule: Schedule) -> datetime:
        return self._now.astimezone(ZoneInfo(schedule.facility.time_zone))

    def _except(self, schedule: Schedule, kind: str, day: int, at: time, hours: int, note: str) -> None:
        """An exception from a wall-clock time `day` days from today, lasting whole hours of the wall clock."""
        zone = ZoneInfo(schedule.facility.time_zone)
        starts = datetime.combine(self._local(schedule).date() + timedelta(days=day), at)
        ends = starts + timedelta(hours=hours)
        ScheduleException.objects.create(
            id=self.seeded.new_id(), schedule=schedule, kind=kind, note=note,
            starts=starts.replace(tzinfo=zone), ends=ends.replace(tzinfo=zone),
        )  # fmt: skip


def _mrn(number: int) -> str:
    return f"MRN{FIRST_NUMBER + number:07d}"
