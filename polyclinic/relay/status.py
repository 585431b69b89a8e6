"""How the relay is, for people and machines: read from the database, so any node can tell."""

from __future__ import annotations

from datetime import datetime

import msgspec
from django.conf import settings

from polyclinic.core import clock
from polyclinic.core.outbox import log
from polyclinic.relay import broker, cursor
from polyclinic.relay.models import RelayCursor


class RelayStatus(msgspec.Struct, frozen=True, rename="camel"):
    """`state`: off (no broker set), idle (nobody has begun yet), ok, or waiting (the broker is away).

    `waiting` counts events in the log that the broker has not confirmed.
    """

    state: str
    waiting: int = 0
    position: int = 0
    sent: int = 0
    failure: str = ""
    failing_since: datetime | None = None
    confirmed_at: datetime | None = None


def relay() -> RelayStatus:
    """The relay as it stands in the database."""
    if not settings.BROKER_URL:
        return RelayStatus("off")
    row = RelayCursor.objects.filter(name=cursor.NAME).first()
    if row is None:
        return RelayStatus("idle")
    state = "waiting" if row.failing_since else "ok" if row.holder else "idle"
    return RelayStatus(
        state, max(0, log.head() - row.position), row.position, row.sent, row.failure, row.failing_since,
        row.confirmed_at,
    )  # fmt: skip


def away_for(now: RelayStatus) -> int:
    """Seconds since the broker went away; 0 while it answers."""
    return int((clock.now() - now.failing_since).total_seconds()) if now.failing_since else 0


def reach() -> str:
    """Try the broker now. What is wrong, in a few words; empty when it answers. For `polyclinic doctor`."""
    try:
        line = broker.open_line(settings.BROKER_URL, settings.BROKER_EXCHANGE)
        line.connect()
    except broker.NotInstalled:
        raise
    except broker.Away as failure:
        return str(failure)
    line.close()
    return ""
