"""A small hospital in the database: two facilities, so that a leak between them shows.

Who is who: `patient` sees `doctor` at `facility`; `other_patient` and `other_doctor` are at the same place and
strangers to each other; `receptionist` and `manager` work there; `stranger_*` belong to `elsewhere`, another hospital
in another zone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from polyclinic.core import clock
from polyclinic.core.access.rules import HELD_AT_FACILITY, Role
from polyclinic.core.actors import Person
from polyclinic.facilities import identity
from polyclinic.facilities.models import Department, Facility, Membership, Room, Service
from polyclinic.people.models import Account, Doctor, Patient
from polyclinic.scheduling.models import Schedule, WeeklyHours

PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class House:
    """Everything a test needs to act; all rows are real."""

    facility: Facility
    elsewhere: Facility
    department: Department
    service: Service
    room: Room
    doctor: Doctor
    other_doctor: Doctor
    stranger_doctor: Doctor
    schedule: Schedule
    other_schedule: Schedule
    stranger_schedule: Schedule
    patient: Patient
    other_patient: Patient
    stranger_patient: Patient
    receptionist: Account
    manager: Account
    stranger_receptionist: Account
    # One account for each further role, by role, all at `facility`.
    staff: dict[str, Account] = field(default_factory=dict)

    def person(self, who: Account | Patient | Doctor, via: str = "test") -> Person:
        """The signed-in person behind an account, a patient or a doctor."""
        account = who if isinstance(who, Account) else who.account
        assert account is not None
        found = identity.person_of_account(account.pk, via=via)
        assert found is not None
        return found

    def local(self, day: date, hour: int, minute: int = 0) -> datetime:
        """A wall-clock time of `facility` as an aware moment."""
        return datetime.combine(day, time(hour, minute), ZoneInfo(self.facility.time_zone))

    def workday(self, ahead: int = 3) -> date:
        """A weekday at least `ahead` days from now in the facility's calendar (always a Monday to Friday)."""
        day = clock.now().astimezone(ZoneInfo(self.facility.time_zone)).date() + timedelta(days=ahead)
        while day.weekday() > 4:
            day += timedelta(days=1)
        return day

    def slot(self, nth: int = 0, ahead: int = 3) -> datetime:
        """The start of the nth free 20-minute slot (from 09:00) on a coming workday."""
        return self.local(self.workday(ahead), 9) + timedelta(minutes=20 * nth)


def account(email: str, name: str) -> Account:
    return Account.objects.create_user(email, PASSWORD, name=name)


def patient(number: int, family: str, given: str, born: date = date(1980, 5, 17), sex: str = "female") -> Patient:
    """A patient with an account."""
    return Patient.objects.create(
        account=account(f"{given.lower()}@example.org", f"{given} {family}"),
        mrn=f"MRN{number:07d}",
        family_name=family,
        given_name=given,
        born=born,
        sex=sex,
    )


def doctor(family: str, given: str, specialty: str = "general-practice") -> Doctor:
    return Doctor.objects.create(
        account=account(f"dr.{given.lower()}@example.org", f"Dr {given} {family}"),
        family_name=family,
        given_name=given,
        specialty=specialty,
    )


def schedule(who: Doctor, where: Facility, room: Room | None = None) -> Schedule:
    """Monday to Friday 09:00–12:00 and 13:00–17:00, as one stretch with a lunch break."""
    made = Schedule.objects.create(doctor=who, facility=where, room=room)
    WeeklyHours.objects.bulk_create(
        row
        for weekday in range(5)
        for row in (
            WeeklyHours(schedule=made, weekday=weekday, starts=time(9), ends=time(17)),
            WeeklyHours(schedule=made, kind="break", weekday=weekday, starts=time(12), ends=time(13)),
        )
    )
    return made


def build() -> House:
    """Fill an empty database. Deterministic but for the ids."""
    facility = Facility.objects.create(
        slug="riverside", name="Riverside Clinic", time_zone="Europe/Berlin", phone="555-0100",
        emergency_phone="555-0111", city="Riverside",
    )  # fmt: skip
    elsewhere = Facility.objects.create(
        slug="hilltop", name="Hilltop Hospital", time_zone="America/New_York", phone="555-0200"
    )
    department = Department.objects.create(facility=facility, slug="gp", name="General practice")
    room = Room.objects.create(facility=facility, name="Room 4")
    service = Service.objects.create(slug="consultation", name="Consultation", specialty="general-practice", minutes=20)
    doctors = doctor("Rao", "Anil"), doctor("Okafor", "Grace"), doctor("Stranger", "Sam")
    patients = (
        patient(1, "Pillai", "Meera"),
        patient(2, "Santos", "Bento", date(1951, 1, 2), "male"),
        patient(3, "Faraway", "Fay"),
    )
    receptionist, manager = account("front@example.org", "Asha Front"), account("boss@example.org", "Bo Boss")
    stranger = account("desk@example.com", "Far Desk")
    Membership.objects.bulk_create(
        [
            Membership(account=receptionist, facility=facility, role=Role.RECEPTIONIST),
            Membership(account=manager, facility=facility, role=Role.MANAGER),
            Membership(account=stranger, facility=elsewhere, role=Role.RECEPTIONIST),
        ]
    )
    return House(
        facility=facility,
        elsewhere=elsewhere,
        department=department,
        service=service,
        room=room,
        doctor=doctors[0],
        other_doctor=doctors[1],
        stranger_doctor=doctors[2],
        schedule=schedule(doctors[0], facility, room),
        other_schedule=schedule(doctors[1], facility),
        stranger_schedule=schedule(doctors[2], elsewhere),
        patient=patients[0],
        other_patient=patients[1],
        stranger_patient=patients[2],
        receptionist=receptionist,
        manager=manager,
        stranger_receptionist=stranger,
        staff=_staff(facility),
    )


def _staff(facility: Facility) -> dict[str, Account]:
    """Somebody in each role that is held at a facility and has no name of its own in the house."""
    roles = sorted(HELD_AT_FACILITY - {Role.RECEPTIONIST, Role.MANAGER})
    # They sign in by a session made for the test; a password is hashed only where one is typed.
    made = [Account(email=f"{role}@example.org", name=f"Some {role}", password="!") for role in roles]
    Account.objects.bulk_create(made)
    Membership.objects.bulk_create(
        Membership(account=one, facility=facility, role=role) for one, role in zip(made, roles, strict=True)
    )
    return {str(role): one for one, role in zip(made, roles, strict=True)}


def missing() -> UUID:
    """An id that nothing has."""
    return UUID(int=0)
