"""Identifiers: UUID version 7 (RFC 9562), so that keys made one after another sort one after another."""

from __future__ import annotations

import os
import threading
import time
from datetime import UTC, datetime
from uuid import UUID

_lock = threading.Lock()
_last = 0
# Random bytes are asked for many ids at a time: each call to the system lets go of the interpreter, and the event
# loop, which names every request, then waits for a worker to give it back.
_AHEAD = 4096
_random = b""
_used = 0


def _forget() -> None:
    """A forked child draws its own random bytes; it would give out its parent's a second time."""
    global _random
    _random = b""


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def new_id() -> UUID:
    """A fresh UUIDv7, strictly increasing within this process.

    48 bits of Unix milliseconds, then a 12-bit counter (RFC 9562, 6.2 method 1) so that ids of one millisecond
    keep their order, then 62 random bits. A clock that steps back does not make ids go back.
    """
    global _last, _random, _used
    with _lock:
        tick = max(time.time_ns() // 1_000_000 << 12, _last + 1)
        _last = tick
        if _used + 8 > len(_random):
            _random, _used = os.urandom(_AHEAD), 0
        drawn = _random[_used : _used + 8]
        _used += 8
    value = (tick >> 12) << 80 | 0x7 << 76 | (tick & 0xFFF) << 64
    value |= 0b10 << 62 | int.from_bytes(drawn) >> 2
    return UUID(int=value)


def made_at(value: UUID | None) -> datetime | None:
    """When an id of ours was made, to the millisecond; None for an id of another kind."""
    if value is None or value.version != 7:
        return None
    return datetime.fromtimestamp((value.int >> 80) / 1000, tz=UTC)


def parse_id(text: object) -> UUID | None:
    """The UUID in `text`, or None: a malformed id is answered like a missing object, never with an error."""
    try:
        return UUID(str(text))
    except ValueError:
        return None
