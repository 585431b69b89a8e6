"""The recent past in memory, the older past in the log: where a returning client is caught up from."""

from __future__ import annotations

from bisect import bisect_right
from operator import attrgetter

from polyclinic.core.outbox import log
from polyclinic.live.wire import Wired

RING = 20_000
TOO_FAR = 50_000
CHUNK = 500

_position = attrgetter("position")


class Ring:
    """The newest events, already encoded. Holds everything in (floor, head]; used on the event loop only."""

    def __init__(self, floor: int, size: int = RING) -> None:
        self.floor = floor
        self.head = floor
        self._size = size
        self._events: list[Wired] = []

    def add(self, event: Wired) -> None:
        self._events.append(event)
        self.head = event.position
        # Cut in quarters: dropping one from the front of a list for every event would copy it each time.
        if len(self._events) > self._size + self._size // 4:
            cut = len(self._events) - self._size
            self.floor = self._events[cut - 1].position
            del self._events[:cut]

    def holds(self, cursor: int) -> bool:
        """Whether everything after `cursor` is here."""
        return cursor >= self.floor

    def after(self, cursor: int, limit: int | None = None) -> list[Wired]:
        """Events after `cursor`, oldest first."""
        start = bisect_right(self._events, cursor, key=_position)
        return self._events[start : start + limit if limit is not None else None]


def resumable_from_log(cursor: int, ring_floor: int) -> bool:
    """Whether the log still has everything after `cursor`; asks the database."""
    oldest = log.oldest()
    return cursor + 1 >= oldest if oldest else cursor >= ring_floor


def read_log(cursor: int, until: int) -> tuple[list[Wired], int]:
    """The next chunk of the log in (cursor, until], and the cursor to go on from (`until` when done)."""
    rows = log.read_after(cursor, CHUNK)
    wired = [Wired(row) for row in rows if row.position <= until]
    done = len(rows) < CHUNK or rows[-1].position >= until
    return wired, until if done else rows[-1].position
