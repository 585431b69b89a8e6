"""The audit chain: append an entry in the running transaction, and verify whole chains.

Each entry's digest is SHA-256 over its own fields and the digest before it, so an edit, a deletion in the middle,
an insertion or a swap breaks the chain from there on. A cut tail or a full rewrite needs a checkpoint kept
elsewhere to be seen.
"""

from __future__ import annotations

import hashlib
import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import orjson
from django.db import connection

from polyclinic.core import clock, context
from polyclinic.core.actors import Actor
from polyclinic.core.db import InsertStatement, Statement, is_postgres, run_sql
from polyclinic.core.errors import OutsideTransaction
from polyclinic.core.models import AuditEntry

POSTGRES_LANES = 16
GENESIS = "0" * 64
_LOCK_SPACE = 0x706F6C79  # "poly": the advisory-lock namespace of audit lanes

_FIELDS = (
    "lane", "seq", "at", "actor", "via", "action", "subject_kind", "subject_id", "patient_id", "facility_id",
    "from_state", "to_state", "revision", "reason", "request_id", "detail", "previous",
)  # fmt: skip
_insert = InsertStatement(AuditEntry, *_FIELDS, "digest")
_HEAD = Statement("SELECT seq, digest FROM core_auditentry WHERE lane = %s ORDER BY seq DESC LIMIT 1")
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
) -> None:
    """Write one audit entry into the running transaction.

    Raises OutsideTransaction when there is none: an entry must live or die with the change it describes.
    """
    if not connection.in_atomic_block:
        raise OutsideTransaction("audit.append needs a transaction")
    lane = _take_lane()
    seq, previous = _head(lane)
    values: list[object] = [
        lane, seq + 1, clock.now(), actor.label, actor.via, action, subject_kind, str(subject_id), patient_id,
        facility_id, from_state, to_state, revision, reason,
        context.request_id.get(), orjson.dumps(detail).decode() if detail else "", previous,
    ]  # fmt: skip
    _insert.run(*values, digest(values))


def digest(values: list[object]) -> str:
    """SHA-256 over an entry's fields in their fixed order, as JSON with UTC times and hyphenated ids."""
    return hashlib.sha256(orjson.dumps(values, option=orjson.OPT_NAIVE_UTC)).hexdigest()


def _head(lane: int) -> tuple[int, str]:
    row = run_sql(_HEAD, [lane]).fetchone()
    return (row[0], row[1]) if row else (0, GENESIS)


def _take_lane() -> int:
    """A chain this transaction may extend: the only one on SQLite, the first free one on PostgreSQL.

    The lock is held to commit, so no other writer can read the same head. When all are taken, wait for one.
    """
    if not is_postgres():
        return 0
    first = getattr(_held, "lane", None)
    if first is None:
        first = _held.lane = _choice.randrange(POSTGRES_LANES)
    with connection.cursor() as cursor:
        for step in range(POSTGRES_LANES):
            lane = (first + step) % POSTGRES_LANES
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [_LOCK_SPACE, lane])
            if cursor.fetchone()[0]:
                return lane
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK_SPACE, first])
    return int(first)


def verify() -> Iterator[Broken]:
    """Walk every chain and yield what does not hold. Nothing yielded means every entry is as it was written."""
    lane, seq, previous = -1, 0, GENESIS
    rows = AuditEntry.objects.order_by("lane", "seq").values_list(*_FIELDS, "digest")
    for row in rows.iterator(chunk_size=2000):
        if row[0] != lane:
            lane, seq, previous = row[0], 0, GENESIS
        if row[1] != seq + 1:
            yield Broken(lane, row[1], f"expected entry {seq + 1}")
        elif row[-2] != previous:
            yield Broken(lane, row[1], "does not continue the entry before it")
        elif digest([_utc(value) for value in row[:-1]]) != row[-1]:
            yield Broken(lane, row[1], "was altered after it was written")
        seq, previous = row[1], row[-1]


def _utc(value: object) -> object:
    return value.astimezone(UTC) if isinstance(value, datetime) else value
