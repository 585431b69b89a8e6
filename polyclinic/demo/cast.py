"""Who works at a facility on a simulated day: somebody in each role, the doctors, and the counters they call to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from polyclinic.core.access.rules import Role
from polyclinic.core.actors import Person
from polyclinic.core.errors import Conflict
from polyclinic.facilities import identity
from polyclinic.facilities.models import Facility, Membership
from polyclinic.people.models import Account
from polyclinic.scheduling.models import Schedule
from polyclinic.visits.models import Counter
from polyclinic.visits.words import Line

DOCTORS = 8


@dataclass(frozen=True, slots=True)
class Post:
    """A doctor at work: which rows they are, and what they treat."""

    person: Person
    doctor_id: UUID
    schedule_id: UUID
    department_id: UUID | None
    specialty: str


@dataclass(frozen=True, slots=True)
class Cast:
    """Everybody a day needs. Each acts with their own rights and nobody with the system's."""

    facility: Facility
    reception: Person
    nurse: Person
    checker: Person
    technician: Person
    head: Person
    pharmacist: Person
    posts: tuple[Post, ...]
    # The first so many of them see whoever comes; the others only those who are booked with them.
    walk_in: int = DOCTORS
    counters: dict[str, list[UUID]] = field(default_factory=dict)

    def post_of(self, doctor_id: UUID) -> Post:
        """The post of one of the doctors. KeyError for a doctor who is not at work."""
        return {post.doctor_id: post for post in self.posts}[doctor_id]

    def rooms(self) -> dict[str, int]:
        """How many can be served at once, by station; each doctor is a station of their own."""
        return {"desk": 3, "check": 4, "lab": 2, "pharmacy": 2, **{station_of(p.doctor_id): 1 for p in self.posts}}


def station_of(doctor_id: UUID) -> str:
    """The station at which one waits for this doctor."""
    return f"doctor:{doctor_id}"


def gather(facility: Facility, *, doctors: int = DOCTORS, also: Sequence[UUID] = ()) -> Cast:
    """The cast of a facility: for each role who has held it longest, those of the demo accounts first; `doctors` of the
    doctors, and those of `also` besides. Raises Conflict naming the role that nobody holds.
    """
    posts = _posts(facility, doctors, also)
    if not posts:
        raise Conflict("Nobody sees patients there: a simulated day needs at least one doctor.", code="no_doctor")
    counters: dict[str, list[UUID]] = {line: [] for line in Line.values}
    for key, line in (
        Counter.objects.filter(facility=facility, ended_at=None).order_by("name").values_list("pk", "line")
    ):
        counters[line].append(key)
    return Cast(
        facility=facility,
        reception=_holder(facility, Role.RECEPTIONIST),
        nurse=_holder(facility, Role.NURSE),
        checker=_holder(facility, Role.CHECKER_DOCTOR),
        technician=_holder(facility, Role.LAB_TECHNICIAN),
        head=_holder(facility, Role.MAIN_DOCTOR),
        pharmacist=_holder(facility, Role.PHARMACIST),
        posts=tuple(posts),
        walk_in=doctors,
        counters=counters,
    )


def _holder(facility: Facility, role: Role) -> Person:
    held = Membership.objects.filter(facility=facility, role=role, ended_at=None, account__is_active=True)
    account = held.order_by("started_at", "pk").values_list("account_id", flat=True).first()
    person = identity.person_of_account(account, via="demo") if account else None
    if person is None:
        raise Conflict(
            f"Nobody is {role.value.replace('_', ' ')} at {facility.name}: a simulated day needs one in each role.",
            code="role_empty",
        )
    return person


def _posts(facility: Facility, most: int, also: Sequence[UUID]) -> list[Post]:
    rows = Schedule.objects.filter(facility=facility, doctor__account__is_active=True).select_related("doctor")
    # Those whom a visitor can sign in as come first: their lists are the ones that are looked at.
    accounts = Account.objects.filter(doctor__schedules__facility=facility)
    usable = {account.pk for account in accounts if account.has_usable_password()}
    ordered = sorted(rows, key=lambda row: (row.doctor.account_id not in usable, row.pk))
    found = []
    for place, row in enumerate(ordered):
        if place < most or row.doctor_id in also:
            person = identity.person_of_account(row.doctor.account_id, via="demo")
            if person is not None:
                found.append(Post(person, row.doctor_id, row.pk, row.department_id, row.doctor.specialty))
    return found
