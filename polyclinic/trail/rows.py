"""What the trail's selectors answer with."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec


class EntryRow(msgspec.Struct, frozen=True, rename="camel"):
    """One entry of the audit. `actor` is the account or job, `actorName` who that is; `at` is UTC.

    `mrn` where it is about one patient; `patients` counts those of a list. `cursor` goes on after this row.
    """

    id: int
    at: datetime
    actor: str
    actor_name: str
    via: str
    action: str
    kind: str
    subject_id: str
    mrn: str
    patients: int
    facility_id: UUID | None
    facility_name: str
    from_state: str
    to_state: str
    reason: str
    detail: str
    request_id: str
    cursor: str


class TrailPage(msgspec.Struct, frozen=True, rename="camel"):
    """Entries, newest first; `next` is the cursor of the next page, empty at the end."""

    rows: list[EntryRow]
    next: str


class Proof(msgspec.Struct, frozen=True, rename="camel"):
    """Where an entry stands in its chain, and whether it and its neighbours still say so.

    `holds`: its digest fits its fields, it continues the one before it, and the one after continues it. `checkpoint` is
    the number of the first signed checkpoint after it, 0 while there is none.
    """

    lane: int
    seq: int
    previous: str
    digest: str
    following: str
    holds: bool
    checkpoint: int
    checkpoint_at: str


class EntryView(msgspec.Struct, frozen=True, rename="camel"):
    """One entry whole, with the record numbers of a list's patients."""

    row: EntryRow
    proof: Proof
    mrns: list[str]


class Verified(msgspec.Struct, frozen=True, rename="camel"):
    """The last checkpoint: until when the chains were checked and signed. `since` counts entries not yet signed.

    `sink` says whether copies go to another machine; then `sent_at` and `sent_number` tell of the last that arrived
    there, and `attempts` how often the next one has failed.
    """

    at: datetime | None
    number: int
    since: int
    sink: bool = False
    sent_at: datetime | None = None
    sent_number: int = 0
    attempts: int = 0


class Access(msgspec.Struct, frozen=True, rename="camel"):
    """One time that somebody looked at a patient's record or changed it, as the patient reads it.

    `role` is what they are at that hospital; `own` the patient's own; `emergency` by break-glass.
    """

    at: datetime
    who: str
    role: str
    facility_name: str
    time_zone: str
    action: str
    reason: str
    own: bool
    emergency: bool
    in_list: bool


class AccessPage(msgspec.Struct, frozen=True, rename="camel"):
    """Accesses, newest first; `next` is the cursor of the next page, empty at the end."""

    rows: list[Access]
    next: str
