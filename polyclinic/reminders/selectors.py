"""Reading: who said that they come, one's own choice of reminders, and one's calendar."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
from django.db.models import F

from polyclinic.core import clock
from polyclinic.core.access import policy
from polyclinic.core.actors import Person, Viewer
from polyclinic.core.db import CompiledQuery
from polyclinic.core.errors import Forbidden, NotFound, Unauthenticated
from polyclinic.core.ids import new_id
from polyclinic.facilities import identity, ruling
from polyclinic.facilities.reminding import OFFSETS, in_order
from polyclinic.reminders import actions, letters, links
from polyclinic.reminders.models import AgreedTime, CalendarFeed, ReminderChoice
from polyclinic.scheduling import selectors as scheduling
from polyclinic.scheduling.rows import AppointmentRow

# What a calendar shows of the past; ahead it shows all there is, up to so many pages.
_BACK: Final = timedelta(days=7)
MOST_AT_ONCE: Final = 200
_PAGES: Final = 10
_coming = CompiledQuery(
    lambda doctor, low, high: AgreedTime.objects.filter(
        appointment__doctor_id=doctor, appointment__starts__gte=low, appointment__starts__lt=high,
        starts=F("appointment__starts"), coming_at__isnull=False,
    ).values_list("appointment_id"),
    new_id(), datetime(2001, 1, 1, tzinfo=UTC), datetime(2002, 1, 1, tzinfo=UTC),
)  # fmt: skip
_one = CompiledQuery(
    lambda key: AgreedTime.objects.filter(
        appointment_id=key, starts=F("appointment__starts"), coming_at__isnull=False
    ).values_list("coming_at"),
    new_id(),
)


class ChoiceRow(msgspec.Struct, frozen=True, rename="camel"):
    """Which reminders a person gets of those that houses send. `version` 0: never chosen, so all of them."""

    reminders: tuple[str, ...]
    version: int


class LinkRow(msgspec.Struct, frozen=True, rename="camel"):
    """What whoever has the link of a reminder is shown: when and where, never with whom or why."""

    starts: datetime
    time_zone: str
    facility_name: str
    address: str
    phone: str
    coming: bool
    cancellable: bool
    notice_hours: int


class FeedRow(msgspec.Struct, frozen=True, rename="camel"):
    """The private address of a calendar: `path` on this site, and since when."""

    path: str
    made_at: datetime


def coming(rows: Collection[AppointmentRow]) -> frozenset[UUID]:
    """Of the rows of one doctor that the caller was given, those whose patients said that they come. One keyed read."""
    if not rows:
        return frozenset()
    doctors = {row.doctor_id for row in rows}
    low, high = min(row.starts for row in rows), max(row.starts for row in rows) + timedelta(seconds=1)
    return frozenset(key for doctor in doctors for (key,) in _coming.rows(doctor, low, high))


def coming_at(row: AppointmentRow) -> datetime | None:
    """When the patient of this row, which the caller was given, said that they come at its time; None: not yet."""
    found = _one.rows(row.id)
    return found[0][0] if found else None


def answer(viewer: Viewer, appointment_id: UUID) -> datetime | None:
    """The same by the id. Raises NotFound alike for a missing appointment and for a foreign one."""
    return coming_at(scheduling.appointment(viewer, appointment_id))


def by_link(token: str) -> LinkRow:
    """What the link of a reminder shows. Raises NotFound, LinkOver."""
    found = actions.by_link(token)
    row, now = found.appointment, clock.now()
    hours = ruling.value(row.facility, "notice_hours", now)
    return LinkRow(
        row.starts, row.facility.time_zone, row.facility.name, letters.place_line(row), row.facility.phone,
        found.coming_at is not None, row.starts - now >= timedelta(hours=hours), hours,
    )  # fmt: skip


def choice(viewer: Viewer) -> ChoiceRow:
    """The viewer's own."""
    person = _oneself(viewer)
    row = ReminderChoice.objects.filter(pk=person.account_id).first()
    return ChoiceRow(tuple(OFFSETS), 0) if row is None else ChoiceRow(in_order(row.wanted), row.version)


def feed(viewer: Viewer) -> FeedRow | None:
    """The viewer's own calendar; None when it has no address."""
    person = _oneself(viewer)
    row = CalendarFeed.objects.filter(account_id=person.account_id).first()
    return FeedRow(f"/calendar/{links.feed_token(row.pk)}.ics", row.made_at) if row else None


def feed_rows(token: str) -> tuple[Person, list[AppointmentRow], list[AppointmentRow]]:
    """Whose calendar it is, their appointments as a patient (or for whom they act) and as a doctor.

    Read with that person's own rights of this moment, on record as theirs. Raises NotFound for every other text alike.
    """
    key = links.feed_of(token)
    account = CalendarFeed.objects.filter(pk=key).values_list("account_id", flat=True).first() if key else None
    person = identity.person_of_account(account, via="calendar") if account else None
    if person is None:
        raise NotFound()
    patients = [*([person.patient_id] if person.patient_id else []), *sorted(person.delegated)]
    mine = [row for patient in patients for row in _all(person, patient_id=patient)]
    return person, mine, _all(person, doctor_id=person.doctor_id) if person.doctor_id else []


def _all(person: Person, *, patient_id: UUID | None = None, doctor_id: UUID | None = None) -> list[AppointmentRow]:
    found: list[AppointmentRow] = []
    since = clock.now() - _BACK
    for page in range(1, _PAGES + 1):
        part = scheduling.appointments(
            person, patient_id=patient_id, doctor_id=doctor_id, from_=since, page=page, limit=MOST_AT_ONCE
        )
        found += part.rows
        if page >= part.pages:
            break
    return found


def may_answer(viewer: Viewer, row: AppointmentRow) -> bool:
    """Whether the viewer may say that this patient comes."""
    subject = policy.Subject(row.patient_id, row.doctor_id, row.facility_id)
    return isinstance(viewer, Person) and policy.allowed(viewer, "appointment.answer", subject)


def _oneself(viewer: Viewer) -> Person:
    if not isinstance(viewer, Person):
        raise Unauthenticated()
    if viewer.seen_by is not None or viewer.scopes is not None:
        # The address of a calendar opens it: it is for its own person's eyes.
        raise Forbidden()
    return viewer
