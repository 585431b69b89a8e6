"""A small simulator of discrete events: processes that wait, and stations at which only so many are served at once.

A process is a generator. It yields what it waits for and is sent the moment at which it goes on. Pure: it knows neither
patients nor a database, and what happens at one moment happens in the order in which it was asked for.
"""

from __future__ import annotations

import heapq
import inspect
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast


@dataclass(frozen=True, slots=True)
class Pause:
    """Go on after this many minutes."""

    minutes: float


@dataclass(frozen=True, slots=True)
class Seat:
    """Go on when there is room at the station; of those who wait, the smallest `rank` is first."""

    station: str
    rank: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Rise:
    """Make room at the station."""

    station: str


Asked = Pause | Seat | Rise
Process = Generator[Asked, datetime, None]


@dataclass(slots=True)
class _Station:
    free: int
    waiting: list[tuple[tuple[Any, ...], int, Process]] = field(default_factory=list)


class Engine:
    """Runs processes in the order of their time. `hold` makes the clock say the moment while a process runs."""

    def __init__(self, places: dict[str, int], hold: Callable[[datetime], AbstractContextManager[None]]) -> None:
        self._stations = {name: _Station(room) for name, room in places.items()}
        self._hold = hold
        self._due: list[tuple[datetime, int, Process]] = []
        self._count = 0
        # The moment of what is being done.
        self.now = datetime.min.replace(tzinfo=UTC)

    def begin(self, at: datetime, process: Process) -> None:
        """Let a process begin at a moment."""
        self._later(at, process)

    def next_at(self) -> datetime | None:
        """When something happens next; None when everything has ended or waits for ever."""
        return self._due[0][0] if self._due else None

    def run(self, until: datetime | None = None) -> Iterator[datetime]:
        """Do what is due up to and including `until`, or everything; gives the moment of each thing done."""
        while self._due and (until is None or self._due[0][0] <= until):
            at, _number, process = heapq.heappop(self._due)
            self.now = at
            with self._hold(at):
                self._go_on(at, process)
            yield at

    def _later(self, at: datetime, process: Process) -> None:
        self._count += 1
        heapq.heappush(self._due, (at, self._count, process))

    def _go_on(self, at: datetime, process: Process) -> None:
        """Run a process until it has to wait."""
        while True:
            # What has not begun has asked for nothing yet, and is sent nothing.
            sent = None if inspect.getgeneratorstate(process) == inspect.GEN_CREATED else at
            try:
                asked = process.send(cast("Any", sent))
            except StopIteration:
                return
            match asked:
                case Pause(minutes):
                    self._later(at + timedelta(minutes=minutes), process)
                    return
                case Seat(name, rank):
                    station = self._stations[name]
                    if not station.free:
                        self._count += 1
                        heapq.heappush(station.waiting, (rank, self._count, process))
                        return
                    station.free -= 1
                case Rise(name):
                    self._rise(at, self._stations[name])

    def _rise(self, at: datetime, station: _Station) -> None:
        if station.waiting:
            _rank, _number, process = heapq.heappop(station.waiting)
            self._later(at, process)
        else:
            station.free += 1
