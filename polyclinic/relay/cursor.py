"""The relay's place in the log and its lease, in the database that all nodes share.

One node sends at a time. It holds a lease and extends it with every step; when it dies another takes over once the
lease has run out. Every write says who it is by: one who has lost the lease changes nothing any more.
"""

from __future__ import annotations

from typing import Final

from django.db import connection, transaction

from polyclinic.core import clock
from polyclinic.core.db import adapt, is_postgres
from polyclinic.core.outbox import log
from polyclinic.relay.models import RelayCursor

NAME: Final = "broker"


def _clock() -> str:
    """Milliseconds by the database's clock: of several nodes, whose clocks differ, all ask the same one."""
    if is_postgres():
        return "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)"
    return "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"


def make() -> bool:
    """Begin where the log ends now, unless there is a place already. True once there is one."""
    if not RelayCursor.objects.filter(name=NAME).exists():
        log.assign_positions()
        RelayCursor.objects.bulk_create([RelayCursor(name=NAME, position=log.head())], ignore_conflicts=True)
    return True


def take(holder: str, seconds: float) -> int | None:
    """Take or extend the lease. The confirmed position; None when another holds it."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE relay_relaycursor SET holder = %s, until = {_clock()} + %s "  # noqa: S608 - one of two constants
            f"WHERE name = %s AND (holder = %s OR until < {_clock()}) RETURNING position",
            [holder, int(seconds * 1000), NAME, holder],
        )
        row = cursor.fetchone()
    return None if row is None else int(row[0])


def advance(holder: str, position: int, many: int, seconds: float) -> bool:
    """The broker has confirmed everything up to `position`. False when the lease is another's by now."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE relay_relaycursor SET position = %s, sent = sent + %s, confirmed_at = %s, failure = '', "  # noqa: S608
            f"failing_since = NULL, until = {_clock()} + %s WHERE name = %s AND holder = %s AND position <= %s",
            [position, many, adapt(clock.now()), int(seconds * 1000), NAME, holder, position],
        )
        return bool(cursor.rowcount == 1)


def failing(holder: str, why: str) -> None:
    """Note that the broker is away, and since when."""
    row = RelayCursor.objects.filter(name=NAME, holder=holder).first()
    if row is not None:
        RelayCursor.objects.filter(name=NAME, holder=holder).update(
            failure=why, failing_since=row.failing_since or clock.now()
        )


def well(holder: str) -> None:
    """The broker answers again."""
    RelayCursor.objects.filter(name=NAME, holder=holder).exclude(failure="").update(failure="", failing_since=None)


def give_up(holder: str) -> None:
    """End the lease now, so that another need not wait for its end."""
    RelayCursor.objects.filter(name=NAME, holder=holder).update(holder="", until=0)


def rewind(position: int) -> bool:
    """Send everything after `position` again. Whoever sends now loses the lease and reads the place anew."""
    return bool(
        RelayCursor.objects.filter(name=NAME, position__gte=position).update(position=position, holder="", until=0)
    )
