"""Identifiers: UUID version 7 (RFC 9562), so that keys made one after another sort one after another."""

from __future__ import annotations

import os
import threading
import time
from uuid import UUID

_lock = threading.Lock()
_last = 0


def new_id() -> UUID:
    """A fresh UUIDv7, strictly increasing within this process.

    48 bits of Unix milliseconds, then a 12-bit counter (RFC 9562, 6.2 method 1) so that ids of one millisecond
    keep their order, then 62 random bits. A clock that steps back does not make ids go back.
    """
    global _last
    with _lock:
        tick = max(time.time_ns() // 1_000_000 << 12, _last + 1)
        _last = tick
    value = (tick >> 12) << 80 | 0x7 << 76 | (tick & 0xFFF) << 64
    value |= 0b10 << 62 | int.from_bytes(os.urandom(8)) >> 2
    return UUID(int=value)


def parse_id(text: object) -> UUID | None:
    """The UUID in `text`, or None: a malformed id is answered like a missing object, never with an error."""
    try:
        return UUID(str(text))
    except ValueError:
        return None
