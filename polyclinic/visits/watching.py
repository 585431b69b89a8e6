"""What somebody sees who has a code and no account: a ticket's place in the queue, a hall's tokens and rooms.

No name, no complaint, no doctor: whoever finds a slip on the floor learns that a token waits.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from polyclinic.core import clock
from polyclinic.core.errors import NotFound
from polyclinic.core.outbox import rooms
from polyclinic.visits import fairness, queues, tickets, waits
from polyclinic.visits.models import HallBoard, QueueEntry, Visit
from polyclinic.visits.states import CALLED, SERVING, WAITING

# A ticket shows the end of its visit for a while, and then nothing.
AFTERWARDS: Final = timedelta(hours=6)
# With this many before, one had better come back to the hall.
NEAR: Final = 2
SHOWN_CALLED: Final = 8
SHOWN_NEXT: Final = 12


class Ticket(msgspec.Struct, frozen=True, rename="camel"):
    """A visit as its ticket shows it. `state` is the queue's, or `over`; `least` and `most` are minutes from now."""

    token: str
    facility_name: str
    facility_id: UUID
    time_zone: str
    line: str
    state: str
    counter: str
    ahead: int
    least: int
    most: int
    known: bool
    near: bool
    # The wait is going on beyond what was said when it began.
    slipped: bool
    at: datetime


class Call(msgspec.Struct, frozen=True, rename="camel"):
    """A token that is called or being seen. `name` is empty unless the hall shows names."""

    token: str
    line: str
    counter: str
    called_at: datetime
    recalls: int
    serving: bool
    name: str


class Hall(msgspec.Struct, frozen=True, rename="camel"):
    """What a hall's screen shows: who is called, the newest first, and who is next."""

    name: str
    facility_name: str
    facility_id: UUID
    time_zone: str
    called: tuple[Call, ...]
    following: tuple[str, ...]
    waiting: int


def ticket(code: str) -> Ticket:
    """The place in the queue of a ticket. Raises NotFound for a code that is none, or was one yesterday."""
    visit = Visit.objects.select_related("facility").filter(ticket=tickets.digest(code)).first()
    now = clock.now()
    if visit is None or (visit.closed_at is not None and visit.closed_at + AFTERWARDS < now):
        raise NotFound()
    return of(visit)


def of(visit: Visit) -> Ticket:
    """The place in the queue of a visit, for whom has a right to know it."""
    now, entry = clock.now(), queues.open_entry(visit.pk)
    wait = waits.of(entry) if entry else waits.Wait(0, 0, 0, True)
    waiting = entry is not None and entry.state == WAITING
    return Ticket(
        token=visit.token,
        facility_name=visit.facility.name,
        facility_id=visit.facility_id,
        time_zone=visit.facility.time_zone,
        line=entry.line if entry else "",
        state=entry.state if entry else "over",
        counter=entry.counter.name if entry and entry.counter else "",
        ahead=wait.ahead,
        least=wait.least,
        most=wait.most,
        known=wait.known,
        near=waiting and wait.ahead <= NEAR,
        slipped=waiting and entry is not None and _slipped(entry, wait, now),
        at=now,
    )


def _slipped(entry: QueueEntry, wait: waits.Wait, now: datetime) -> bool:
    return entry.told_until is not None and now + timedelta(minutes=wait.least) > entry.told_until


def hall(code: str) -> Hall:
    """What a hall's screen shows. Raises NotFound for a code that is none, or whose screen was closed."""
    board = _board(code)
    rows = QueueEntry.objects.filter(facility_id=board.facility_id, ended_at__isnull=True)
    lines = [line for line in board.lines.split(",") if line]
    rows = (rows.filter(line__in=lines) if lines else rows).select_related("visit__patient", "counter")
    called = sorted(
        (row for row in rows if row.state in (CALLED, SERVING)),
        key=lambda row: (row.state == SERVING, -(row.called_at or row.enqueued_at).timestamp()),
    )
    waiting = sorted(
        (row for row in rows if row.state == WAITING), key=lambda row: fairness.key(row.priority, row.since)
    )
    return Hall(
        name=board.name,
        facility_name=board.facility.name,
        facility_id=board.facility_id,
        time_zone=board.facility.time_zone,
        called=tuple(_call(row, board.names) for row in called[:SHOWN_CALLED]),
        following=tuple(row.visit.token for row in waiting[:SHOWN_NEXT]),
        waiting=len(waiting),
    )


def _call(row: QueueEntry, names: bool) -> Call:
    patient = row.visit.patient
    return Call(
        token=row.visit.token,
        line=row.line,
        counter=row.counter.name if row.counter else "",
        called_at=row.called_at or row.enqueued_at,
        recalls=row.recalls,
        serving=row.state == SERVING,
        # Never whole: the given name and a letter tell a waiting person, and nobody else.
        name=f"{patient.given_name} {patient.family_name[:1]}." if names else "",
    )


def rooms_of(code: str) -> set[str]:
    """The live rooms that a ticket's or a screen's code opens. Raises NotFound for a code that is none."""
    try:
        return {rooms.queues(ticket(code).facility_id)}
    except NotFound:
        return {rooms.queues(_board(code).facility_id)}


def _board(code: str) -> HallBoard:
    board = HallBoard.objects.select_related("facility").filter(code=tickets.digest(code), ended_at=None).first()
    if board is None:
        raise NotFound()
    return board
