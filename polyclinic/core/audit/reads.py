"""Reads of health data: each is recorded exactly once for a request and a thing, before the answer leaves.

A selector says `opened` for one thing or `listed` for several. While a request is served they are gathered in a
`Sightings` and kept when its answer is known: a refusal or a redirection has shown nothing, and what the request
itself changed is told by the change's own entry. Where nobody gathers (a job, a command) each is written at once.

Live events are not reads: they carry ids and times. What a screen then fetches because of one is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from uuid import UUID

import orjson

from polyclinic.core import clock, context
from polyclinic.core.actors import Person, Viewer
from polyclinic.core.audit import chain, groups
from polyclinic.core.audit.chain import Reading
from polyclinic.core.db import transactional

# A refusal that shows rows: whom a change would strand. A page that shows its form again shows what is around it.
_TELLING, _FORMS = 409, (412, 422)
_Key = tuple[str, str, UUID | None]
# The order of UUIDs, without asking two of them at a time.
_NUMBER = attrgetter("int")


@dataclass(slots=True)
class Sighting:
    """One thing, or one list at one facility, that a viewer was given to see."""

    viewer: Viewer
    action: str
    kind: str
    subject_id: str
    facility_id: UUID | None
    purpose: str
    patients: set[UUID]
    at: datetime


@dataclass(slots=True)
class Sightings:
    """What one request has looked at, and what it has changed as (kind, id)."""

    seen: dict[_Key, Sighting] = field(default_factory=dict)
    changed: set[tuple[str, str]] = field(default_factory=set)

    def told(self, status: int, kind: str = "") -> list[Sighting]:
        """Those to be kept for an answer of this status and content type."""
        if not self.seen or not shows(status, kind):
            return []
        if status >= 400 or not self.changed:
            # A change that was refused has been rolled back, and its entry with it.
            return list(self.seen.values())
        return [one for one in self.seen.values() if (one.kind, one.subject_id) not in self.changed]


# What the request has looked at so far; None where nobody gathers, as in a job or a command.
_gathered: ContextVar[Sightings | None] = ContextVar("sightings", default=None)


@contextmanager
def gathering() -> Iterator[Sightings]:
    """Gather what is looked at inside, for whoever then decides what of it was shown."""
    found = Sightings()
    token, changes = _gathered.set(found), context.changed.set(found.changed)
    try:
        yield found
    finally:
        _gathered.reset(token)
        context.changed.reset(changes)


def shows(status: int, kind: str = "") -> bool:
    """Whether an answer of this status and content type has shown its receiver anything."""
    if status in _FORMS:
        return kind.startswith("text/html")
    return (200 <= status < 300 and status not in (204, 205)) or status in (304, _TELLING)


def opened(
    viewer: Viewer,
    kind: str,
    subject_id: UUID,
    *,
    patient_id: UUID,
    facility_id: UUID | None = None,
    purpose: str = "",
) -> None:
    """The viewer is given one thing about one patient: their record, an appointment, a document."""
    _note(viewer, f"{kind}.read", kind, str(subject_id), {patient_id}, facility_id, purpose)


def listed(
    viewer: Viewer,
    kind: str,
    subject_id: UUID | None,
    rows: Iterable[tuple[UUID, UUID | None]],
    *,
    purpose: str = "",
) -> None:
    """The viewer is given a list: (patient, facility) of each row, `subject_id` whose list it is (a doctor, a patient).

    One entry for each facility, so that each one's auditor sees the part that is theirs. An empty list shows nobody.
    """
    places: dict[UUID | None, set[UUID]] = {}
    last, found = None, None
    for patient_id, facility_id in rows:
        # Mostly the very place of the row before. To ask a table by a UUID costs as much as to add the patient.
        if found is None or facility_id is not last:
            last, found = facility_id, places.setdefault(facility_id, set())
        found.add(patient_id)
    owner = "" if subject_id is None else str(subject_id)
    for facility_id, patients in places.items():
        _note(viewer, f"{kind}.list", kind, owner, patients, facility_id, purpose)


def _note(
    viewer: Viewer, action: str, kind: str, subject: str, patients: set[UUID], place: UUID | None, purpose: str
) -> None:
    if place is not None or not isinstance(viewer, Person):
        _note_at(viewer, action, kind, subject, patients, place, purpose)
        return
    for where, part in _by_place(viewer, patients).items():
        _note_at(viewer, action, kind, subject, part, where, purpose)


def _note_at(
    viewer: Viewer, action: str, kind: str, subject: str, patients: set[UUID], place: UUID | None, purpose: str
) -> None:
    gathering = _gathered.get()
    if gathering is None:
        keep([Sighting(viewer, action, kind, subject, place, purpose, patients, clock.now())])
        return
    key = (action, subject, place)
    found = gathering.seen.get(key)
    if found is None:
        gathering.seen[key] = Sighting(viewer, action, kind, subject, place, purpose, patients, clock.now())
    else:
        found.patients |= patients
        found.purpose = found.purpose or purpose


def _by_place(viewer: Person, patients: set[UUID]) -> dict[UUID | None, set[UUID]]:
    """A doctor's list belongs to no place: the patients by the place at which the reader has to do with each.

    Who works at one place alone is that one's. What nobody can say is put to one of the reader's places, so that no
    look by staff is without an auditor; one's own record belongs to no place.
    """
    places = {grant.facility_id for grant in viewer.grants if grant.facility_id} | viewer.workplaces
    if len(places) < 2:
        return {next(iter(places), None): patients}
    known = _whereabouts(viewer, patients)
    found: dict[UUID | None, set[UUID]] = {}
    for one in patients:
        where = None if one == viewer.patient_id else known.get(one) or min(places)
        found.setdefault(where, set()).add(one)
    return found


def _nowhere(_viewer: Person, _patients: Collection[UUID]) -> Mapping[UUID, UUID]:
    return {}


_whereabouts: Callable[[Person, Collection[UUID]], Mapping[UUID, UUID]] = _nowhere


def ask_whereabouts(known: Callable[[Person, Collection[UUID]], Mapping[UUID, UUID]]) -> None:
    """Name who knows at which of a reader's places each of some patients is seen by them."""
    global _whereabouts
    _whereabouts = known


@transactional
def keep(sightings: Sequence[Sighting]) -> None:
    """Write them into the audit now, all or none."""
    made = [reading(one) for one in sightings]
    groups.ensure({one.listed: members for one, members in made if one.listed})
    chain.append_readings([one for one, _members in made])


def reading(one: Sighting) -> tuple[Reading, list[UUID]]:
    """The audit entry of a sighting and, for a list of several patients, who they are in the order of their name."""
    members: list[UUID] = []
    listed_name, patient = "", None
    if len(one.patients) == 1:
        (patient,) = one.patients
    else:
        members = sorted(one.patients, key=_NUMBER)
        listed_name = group_name(members)
    viewer, detail = one.viewer, {}
    actor = viewer.label
    if isinstance(viewer, Person):
        if viewer.seen_by is not None:
            # Whoever looks through another's eyes is the one who has seen it.
            actor, detail["as"] = f"account:{viewer.seen_by}", viewer.label
        if patient is not None and any(patient == key and one.at < ends for key, ends in viewer.emergencies):
            detail["emergency"] = "yes"
    made = Reading(
        one.at, actor, viewer.via, one.action, one.kind, one.subject_id, patient, one.facility_id, one.purpose,
        context.request_id.get(), orjson.dumps(detail).decode() if detail else "", listed_name,
    )  # fmt: skip
    return made, members


def group_name(members: Sequence[UUID]) -> str:
    """The name of a list of patients, given in ascending order: SHA-256 over their ids."""
    return hashlib.sha256(b"".join([one.int.to_bytes(16) for one in members])).hexdigest()
