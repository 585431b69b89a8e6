"""The audit chain: append an entry in the running transaction, and verify whole chains.

Each entry's digest is SHA-256 over its own fields and the digest before it, so an edit, a deletion in the middle,
an insertion or a swap breaks the chain from there on. A cut tail or a full rewrite is seen by the checkpoints kept
outside the database (`core.audit.checkpoints`).
"""

from __future__ import annotations

import hashlib
import random
import threading
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from django.db import connection, transaction

from polyclinic.core import clock, context
from polyclinic.core.actors import Actor
from polyclinic.core.db import Asked, InsertStatement, Statement, here, is_postgres, run_together
from polyclinic.core.errors import OutsideTransaction
from polyclinic.core.models import AuditEntry

POSTGRES_LANES = 16
GENESIS = "0" * 64
_LOCK_SPACE = 0x706F6C79  # "poly": the advisory-lock namespace of audit lanes

_FIELDS = (
    "lane", "seq", "at", "actor", "via", "action", "subject_kind", "subject_id", "patient_id", "facility_id",
    "from_state", "to_state", "revision", "reason", "request_id", "detail", "previous", "listed",
)  # fmt: skip
_PREVIOUS, _AT = _FIELDS.index("previous"), _FIELDS.index("at")
_IDS = _FIELDS.index("patient_id"), _FIELDS.index("facility_id")
_AT_ONCE = 2000
_insert = InsertStatement(AuditEntry, *_FIELDS, "digest")
_HEAD = Statement("SELECT seq, digest FROM core_auditentry WHERE lane = %s ORDER BY seq DESC LIMIT 1")
# Of one lane, and then its head, in this order: the head is looked up by who has the lane.
_TAKE = Statement("SELECT pg_try_advisory_xact_lock(%s, %s)")
_WAIT = Statement("SELECT true FROM pg_advisory_xact_lock(%s, %s)")
Heads = dict[int, tuple[int, str]]
_choice = random.Random()  # noqa: S311 - spreads writers over lanes, guards nothing
_held = threading.local()


@dataclass(frozen=True, slots=True)
class Broken:
    """Where a chain stops being believable, and why."""

    lane: int
    seq: int
    why: str


def append(
    *,
    actor: Actor,
    action: str,
    subject_kind: str,
    subject_id: object,
    patient_id: UUID | None = None,
    facility_id: UUID | None = None,
    from_state: str = "",
    to_state: str = "",
    revision: int = 0,
    reason: str = "",
    detail: dict[str, object] | None = None,
    claim: Claim | None = None,
) -> None:
    """Write one audit entry into the running transaction, onto the lane of `claim` if something else took it already.

    Raises OutsideTransaction when there is none: an entry must live or die with the change it describes.
    """
    if not here().in_atomic_block:
        raise OutsideTransaction("audit.append needs a transaction")
    lane, seq, previous = claim or _take_lane()
    values: list[object] = [
        lane, seq + 1, clock.now(), actor.label, actor.via, action, subject_kind, str(subject_id), patient_id,
        facility_id, from_state, to_state, revision, reason,
        context.request_id.get(), orjson.dumps(detail).decode() if detail else "", previous, "",
    ]  # fmt: skip
    _insert.run_later(*values, digest(values))
    changed = context.changed.get()
    if changed is not None:
        changed.add((subject_kind, str(subject_id)))


class Claim(NamedTuple):
    """A lane that this transaction may extend until its end, and the entry it goes on from."""

    lane: int
    seq: int
    previous: str


class Reading(NamedTuple):
    """An entry that tells of looking, made before it is known where in the chain it will stand."""

    at: datetime
    actor: str
    via: str
    action: str
    subject_kind: str
    subject_id: str
    patient_id: UUID | None
    facility_id: UUID | None
    reason: str
    request_id: str
    detail: str
    listed: str = ""


def append_readings(readings: Sequence[Reading]) -> None:
    """Write many entries onto one lane with one statement. Raises OutsideTransaction like `append`."""
    if not here().in_atomic_block:
        raise OutsideTransaction("audit.append_readings needs a transaction")
    if not readings:
        return
    lane, seq, previous = _take_lane()
    rows = []
    for one in readings:
        seq += 1
        values: list[object] = [
            lane, seq, one.at, one.actor, one.via, one.action, one.subject_kind, one.subject_id, one.patient_id,
            one.facility_id, "", "", 0, one.reason, one.request_id, one.detail, previous, one.listed,
        ]  # fmt: skip
        previous = digest(values)
        rows.append([*values, previous])
    _insert.run_many(rows)


def digest(values: Sequence[object]) -> str:
    """SHA-256 over an entry's fields in their fixed order, as JSON with UTC times and hyphenated ids.

    The list's name is part of it where there is one: entries older than lists keep the digest they were given.
    """
    sealed = values if values[-1] else values[:-1]
    return hashlib.sha256(orjson.dumps(sealed, option=orjson.OPT_NAIVE_UTC)).hexdigest()


def asking() -> list[Asked]:
    """What takes a lane and finds its head, for who has other things to ask on PostgreSQL; `claimed` reads the answers.

    The claim is for the very next entry of this transaction.
    """
    lane = _first()
    return [(_TAKE, [_LOCK_SPACE, lane]), (_HEAD, [lane])]


def claimed(answers: Sequence[Any]) -> Claim | None:
    """The lane that was asked for, or None when somebody else had it."""
    taken, head = answers
    return Claim(_first(), *_read(head)) if taken[0][0] else None


def _head(lane: int) -> tuple[int, str]:
    return _read(run_together((_HEAD, [lane]))[0])


def _read(found: Sequence[Any]) -> tuple[int, str]:
    return (found[0][0], found[0][1]) if found else (0, GENESIS)


def _first() -> int:
    """The lane that this thread tries before the others."""
    first = getattr(_held, "lane", None)
    if first is None:
        first = _held.lane = _choice.randrange(POSTGRES_LANES)
    return int(first)


def _take_lane() -> Claim:
    """A chain this transaction may extend: the only one on SQLite, the first free one on PostgreSQL.

    The lock is held to commit, so no other writer can read the same head. When all are taken, wait for one.
    """
    if not is_postgres():
        return Claim(0, *_head(0))
    first = _first()
    for step in range(POSTGRES_LANES + 1):
        lane = (first + step) % POSTGRES_LANES
        how = _TAKE if step < POSTGRES_LANES else _WAIT
        taken, head = run_together((how, [_LOCK_SPACE, lane]), (_HEAD, [lane]))
        if taken[0][0]:
            return Claim(lane, *_read(head))
    raise AssertionError("unreachable")


def verify() -> Iterator[Broken]:
    """Walk every chain and yield what does not hold. Nothing yielded means every entry is as it was written."""
    yield from _walk("", [], {})


def verify_after(heads: Heads) -> Iterator[Broken]:
    """The same for what was written after these heads alone: lanes that grew since."""
    for lane in AuditEntry.objects.order_by().values_list("lane", flat=True).distinct():
        seq, _digest = heads.get(lane, (0, GENESIS))
        yield from _walk("WHERE lane = %s AND seq > %s", [lane, seq], heads)


def _walk(where: str, given: list[int], heads: Heads) -> Iterator[Broken]:
    lane, seq, previous = -1, 0, GENESIS
    plain = _plain if is_postgres() else _plain_text
    for row in _stored(where, given):
        if row[0] != lane:
            lane = row[0]
            seq, previous = heads.get(lane, (0, GENESIS))
        if row[1] != seq + 1:
            yield Broken(lane, row[1], f"expected entry {seq + 1}")
        elif row[_PREVIOUS] != previous:
            yield Broken(lane, row[1], "does not continue the entry before it")
        elif digest(plain(row)) != row[-1]:
            yield Broken(lane, row[1], "was altered after it was written")
        seq, previous = row[1], row[-1]


def _stored(where: str, given: list[int]) -> Iterator[Any]:
    """Entries as the database keeps them. Made into Python's dates and ids and back into text, a million take twice as
    long to verify."""
    # Named by no type of a column, SQLite's driver leaves the moment the text that it is.
    cells = ", ".join(f'"{name}"' if name != "at" or is_postgres() else "\"at\" || ''" for name in (*_FIELDS, "digest"))
    sql = f"SELECT {cells} FROM core_auditentry {where} ORDER BY lane, seq"  # noqa: S608 - our own names alone
    # A cursor on the server needs a transaction to live in.
    with transaction.atomic() if is_postgres() else nullcontext(), connection.chunked_cursor() as cursor:
        cursor.execute(sql, given)
        while rows := cursor.fetchmany(_AT_ONCE):
            yield from rows


def _plain(row: Any) -> list[object]:  # noqa: ANN401 - a row of the statement above
    cells = list(row[:-1])
    cells[_AT] = _utc(cells[_AT])
    return cells


def _plain_text(row: Any) -> list[object]:  # noqa: ANN401 - the same, of SQLite
    cells = list(row[:-1])
    cells[_AT] = f"{str(cells[_AT]).replace(' ', 'T', 1)}+00:00"
    for place in _IDS:
        if cells[place] is not None:
            text = str(cells[place])
            cells[place] = f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
    return cells


def holds(entry: AuditEntry) -> bool:
    """Whether this entry's digest fits its own fields."""
    return digest([_utc(getattr(entry, name)) for name in _FIELDS]) == entry.digest


def heads() -> Heads:
    """The last entry of every lane: its number and its digest."""
    found: Heads = {}
    for lane in range(POSTGRES_LANES if is_postgres() else 1):
        seq, sealed = _head(lane)
        if seq:
            found[lane] = (seq, sealed)
    return found


def _utc(value: object) -> object:
    return value.astimezone(UTC) if isinstance(value, datetime) else value
