"""The event log: append inside the transaction, read afterwards in commit order, resume from any position.

Why not simply `id > last`: PostgreSQL gives ids before commit, so a slow transaction's row appears behind a reader
that has already gone past it. There, committed rows are numbered by `assign_positions`, one numberer at a time;
a row of a transaction still open cannot be seen, hence not numbered, hence not passed. SQLite has one writer, so its
ids already are commit order.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

import msgspec
from django.db import connection, transaction

from polyclinic.core import clock
from polyclinic.core.db import InsertStatement, Statement, here, is_postgres, run_sql
from polyclinic.core.errors import OutsideTransaction
from polyclinic.core.models import OutboxEvent
from polyclinic.core.outbox.events import Event

CHANNEL = "polyclinic_outbox"
_NUMBERER_LOCK = 0x706F6C796E756D  # "polynum"

_UNNUMBERED = Statement("SELECT 1 FROM core_outboxevent WHERE position IS NULL LIMIT 1")
_NUMBERER = Statement(f"SELECT pg_advisory_xact_lock({_NUMBERER_LOCK})")
# Number, and ring the bell of every node if there was something to number.
_NUMBER = Statement(
    f"""
    WITH fresh AS (
        SELECT id, row_number() OVER (ORDER BY id) AS n FROM core_outboxevent WHERE position IS NULL
    ), head AS (SELECT COALESCE(MAX(position), 0) AS top FROM core_outboxevent),
    numbered AS (
        UPDATE core_outboxevent AS e SET position = head.top + fresh.n
        FROM fresh, head WHERE e.id = fresh.id RETURNING 1
    ), many AS (SELECT count(*) AS n FROM numbered)
    SELECT n, CASE WHEN n > 0 THEN pg_notify('{CHANNEL}', '') END FROM many
    """  # noqa: S608 - constants
)
_insert = InsertStatement(OutboxEvent, "stream", "stream_seq", "type", "version", "at", "audience", "payload")
_encoder = msgspec.json.Encoder()
_wakers: list[Callable[[], None]] = []
_wakers_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Logged:
    """One event as read back from the log."""

    position: int
    stream: str
    stream_seq: int
    type: str
    version: int
    at: datetime
    audience: frozenset[str]
    payload: str


def append(event: Event) -> None:
    """Write `event` into the running transaction and wake readers once it has committed."""
    if not here().in_atomic_block:
        raise OutsideTransaction("outbox.append needs a transaction")
    _insert.run_later(
        event.stream(),
        event.stream_seq(),
        event.TYPE,
        event.VERSION,
        clock.now(),
        " ".join(event.audience()),
        _encoder.encode(event).decode(),
    )
    _wake_on_commit()


def _wake_on_commit() -> None:
    """Ask once per transaction. A hint only: a reader that misses it finds the rows at its next poll."""
    # One still asked for stands in a savepoint around us, with which our event would go too, or in one that was kept.
    if not any(asked[1] is wake for asked in here().run_on_commit):
        transaction.on_commit(wake)


def on_wake(waker: Callable[[], None]) -> Callable[[], None]:
    """Call `waker` after each commit of this process that logged something. Returns the way to stop it."""
    with _wakers_lock:
        _wakers.append(waker)

    def stop() -> None:
        with _wakers_lock:
            _wakers.remove(waker)

    return stop


def wake() -> None:
    """Tell readers that something was committed; across processes too on PostgreSQL."""
    for waker in tuple(_wakers):
        waker()
    if not _wakers and is_postgres():
        # No reader lives in this process (a command, a worker): ring the others' bell.
        with connection.cursor() as cursor:
            cursor.execute(f"NOTIFY {CHANNEL}")


def assign_positions() -> int:
    """Number committed events that have no position yet (PostgreSQL). Returns how many.

    The advisory lock is held to the end of the transaction: two numberers can never interleave, so positions grow in
    the order in which batches commit, and within a stream in the order of its rows. Safe to call from every node.
    """
    if not is_postgres():
        return 0
    if run_sql(_UNNUMBERED, ()).fetchone() is None:
        return 0
    with transaction.atomic():
        run_sql(_NUMBERER, ())
        # A statement of its own: it must see what whoever held the lock before us has committed.
        found = run_sql(_NUMBER, ()).fetchone()
    return int(found[0])


def head() -> int:
    """The newest position a reader can have; 0 for an empty log. Every page asks."""
    row = run_sql(_newest("position" if is_postgres() else "id"), ()).fetchone()
    return int(row[0] or 0) if row else 0


def oldest() -> int:
    """The oldest position still kept; a cursor before it cannot be resumed and must resync."""
    with connection.cursor() as cursor:
        column = "position" if is_postgres() else "id"
        cursor.execute(f"SELECT MIN({column}) FROM core_outboxevent")  # noqa: S608 - one of two constants
        row = cursor.fetchone()
    return int(row[0] or 0) if row else 0


def before(moment: datetime) -> int:
    """The position after which whatever was written from `moment` on is read; 0 for all there is.

    Found by halving: the log has no index by time, and grows about as time does. Transactions that were open then may
    be numbered a little later, so give a moment that is early enough.
    """
    low, high = 0, head()
    statement = _at("position" if is_postgres() else "id")
    while low < high:
        middle = (low + high) // 2
        row = run_sql(statement, [middle]).fetchone()
        if row is None or _moment(row[1]) >= moment:
            high = middle
        else:
            low = int(row[0])
    return low


def read_after(position: int, limit: int = 500) -> list[Logged]:
    """Events after `position` in commit order, at most `limit`."""
    rows = run_sql(_after("position" if is_postgres() else "id"), [position, limit]).fetchall()
    return [
        Logged(row[0], row[1], row[2], row[3], row[4], _moment(row[5]), frozenset(row[6].split()), row[7])
        for row in rows
    ]


@cache
def _newest(column: str) -> Statement:
    return Statement(f"SELECT MAX({column}) FROM core_outboxevent")  # noqa: S608 - one of two names


@cache
def _at(column: str) -> Statement:
    return Statement(
        f"SELECT {column}, at FROM core_outboxevent "  # noqa: S608 - one of two names
        f"WHERE {column} > %s ORDER BY {column} LIMIT 1"
    )


@cache
def _after(column: str) -> Statement:
    return Statement(
        f"SELECT {column}, stream, stream_seq, type, version, at, audience, payload "  # noqa: S608 - one of two names
        f"FROM core_outboxevent WHERE {column} > %s ORDER BY {column} LIMIT %s"
    )


def _moment(value: object) -> datetime:
    """An aware moment: SQLite hands back text or a naive datetime, both in UTC, PostgreSQL an aware one."""
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
