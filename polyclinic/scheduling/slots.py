"""A schedule as arithmetic: which stretches of a day are worked, and which slots they hold. No database here.

Everything inside is whole minutes since the epoch. Wall-clock ends of a stretch are turned into moments first and the
slots are stepped in real minutes between them, so a day of 23 or 25 hours needs no special case.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from polyclinic.facilities.hours import Stretches, wall
from polyclinic.scheduling.rows import WeeklyRow

Span = tuple[int, int]
_REMEMBERED_DAYS = 400


def minute_of(moment: datetime) -> int:
    """Whole minutes since the epoch of an aware moment; seconds are cut off."""
    return int(moment.timestamp()) // 60


def moment_of(minute: int) -> datetime:
    """The UTC moment of a minute since the epoch."""
    return datetime.fromtimestamp(minute * 60, UTC)


def wall_minute(day: date, wall: time, zone: ZoneInfo) -> int:
    """The minute at which the wall clock of `zone` shows `wall` on `day`.

    A time that clocks skip becomes the moment they jump. A time they show twice is the first of the two.
    """
    local = datetime.combine(day, wall, zone)
    minute = minute_of(local)
    if moment_of(minute).astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return minute
    # In the gap: the two readings of the wall clock lie on both sides of the jump. Find the jump between them.
    low, high = minute_of(local.replace(fold=1)), minute
    before = moment_of(low).astimezone(zone).utcoffset()
    while high - low > 1:
        middle = (low + high) // 2
        if moment_of(middle).astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high


def minus(spans: Sequence[Span], cuts: Sequence[Span]) -> list[Span]:
    """`spans` without what lies in `cuts`; both in any order."""
    left = sorted(spans)
    for cut_from, cut_to in cuts:
        kept: list[Span] = []
        for start, end in left:
            if cut_to <= start or end <= cut_from:
                kept.append((start, end))
                continue
            if start < cut_from:
                kept.append((start, cut_from))
            if cut_to < end:
                kept.append((cut_to, end))
        left = kept
    return left


def union(spans: Iterable[Span]) -> list[Span]:
    """Overlapping or touching spans made one, in order."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def opened(open_: Stretches, day: date, zone: ZoneInfo) -> list[Span]:
    """Opening hours of a day as moments; an end of 24:00 is the midnight that ends it."""
    return [(_wall(day, start, zone), _wall(day, end, zone)) for start, end in open_]


def _wall(day: date, minute: int, zone: ZoneInfo) -> int:
    at = wall(minute)
    return wall_minute(day, at, zone) if at is not None else wall_minute(day + timedelta(days=1), time(0), zone)


def within(spans: Iterable[Span], open_: Iterable[Span]) -> list[Span]:
    """What of `spans` lies in `open_`."""
    shared = [(max(start, low), min(end, high)) for start, end in spans for low, high in open_]
    return sorted((start, end) for start, end in shared if start < end)


# The last end a clock can write; hours until then are hours until midnight, or the day's last slot would be lost.
LAST_MINUTE: Final = time(23, 59)


@dataclass(frozen=True)
class Plan:
    """A schedule made ready: its zone, weekly rows, leave and openings (minutes), slot and buffer length in minutes."""

    zone: ZoneInfo
    weekly: tuple[WeeklyRow, ...]
    leave: tuple[Span, ...]
    openings: tuple[Span, ...]
    slot: int
    buffer: int
    # When the house is open, by day; None where nobody has said.
    house: Callable[[date], Stretches | None] | None = field(default=None, compare=False, repr=False)
    _days: dict[tuple[int, int], tuple[int, ...]] = field(default_factory=dict, compare=False, repr=False)

    def worked(self, day: date) -> list[Span]:
        """Stretches worked on `day`: weekly hours without breaks and leave, and one-off openings beside them."""
        first = wall_minute(day, time(0), self.zone)
        last = wall_minute(day + timedelta(days=1), time(0), self.zone)
        spans: dict[str, list[Span]] = {"hours": [], "break": []}
        for row in self.weekly:
            if row.weekday == day.weekday():
                ends = last if row.ends == LAST_MINUTE else wall_minute(day, row.ends, self.zone)
                spans[row.kind].append((wall_minute(day, row.starts, self.zone), ends))
        usual = minus(union(spans["hours"]), [*spans["break"], *_within(self.leave, first, last)])
        found = [span for span in union([*usual, *_within(self.openings, first, last)]) if span[0] < span[1]]
        # A doctor who opens an hour does not open the house.
        open_ = self.house(day) if self.house is not None else None
        return found if open_ is None else within(found, union(opened(open_, day, self.zone)))

    def starts(self, day: date, length: int) -> tuple[int, ...]:
        """Start minutes of the day's slots of `length` minutes, taken or not.

        A night shift of an autumn night is worked an hour longer and has an hour more of slots: real minutes count.
        Where the clock shows the same time twice, pages write the offset beside it.
        """
        key = (day.toordinal(), length)
        known = self._days.get(key)
        if known is not None:
            return known
        step = length + self.buffer
        found = [minute for start, end in self.worked(day) for minute in range(start, end - length + 1, step)]
        if len(self._days) > _REMEMBERED_DAYS:
            self._days.clear()
        made = self._days[key] = tuple(found)
        return made

    def offers(self, minute: int, length: int) -> bool:
        """Whether a slot of `length` minutes begins at `minute`."""
        day = moment_of(minute).astimezone(self.zone).date()
        return minute in self.starts(day, length)

    def covers(self, start: int, end: int) -> bool:
        """Whether the whole stretch is worked time, on the slot grid or not."""
        day = moment_of(start).astimezone(self.zone).date()
        return any(first <= start and end <= last for first, last in self.worked(day))

    def free(self, first_day: date, days: int, length: int, busy: Busy, earliest: int, latest: int) -> list[int]:
        """Start minutes in `earliest … latest` whose slot and buffer touch nothing in `busy`."""
        wanted: list[int] = []
        for number in range(days):
            starts = self.starts(first_day + timedelta(days=number), length)
            if not starts or starts[-1] < earliest:
                continue
            if starts[0] > latest:
                break
            if starts[0] < earliest or starts[-1] > latest:
                starts = starts[bisect_left(starts, earliest) : bisect_right(starts, latest)]
            wanted += starts
        if not wanted:
            return []
        first = wanted[0]
        blocked = busy.blocked(first, wanted[-1], length, self.buffer)
        return [minute for minute in wanted if not blocked[minute - first]]


class Busy:
    """Taken stretches of a doctor, of a room and of the members of pools of which one must be free; in any order."""

    __slots__ = ("_doctor", "_pools", "_room")

    def __init__(
        self, doctor: Iterable[Span] = (), room: Iterable[Span] = (), pools: Sequence[Sequence[Iterable[Span]]] = ()
    ) -> None:
        self._doctor, self._room, self._pools = doctor, room, pools

    def blocked(self, first: int, last: int, length: int, buffer: int) -> bytearray:
        """For every minute in `first … last`, 1 where no slot may begin.

        A slot beginning at m takes the doctor until m + length + buffer and the room until m + length, so a taken
        stretch (s, e) forbids every m with s - length - buffer < m < e. A pool forbids what all its members forbid.
        """
        marks = bytearray(last - first + 1)
        _mark(marks, self._doctor, first, length + buffer)
        _mark(marks, self._room, first, length)
        for pool in self._pools:
            together = int.from_bytes(b"\1" * len(marks))
            for spans in pool:
                one = bytearray(len(marks))
                _mark(one, spans, first, length)
                together &= int.from_bytes(one)
            marks = bytearray((together | int.from_bytes(marks)).to_bytes(len(marks)))
        return marks


def _mark(marks: bytearray, spans: Iterable[Span], first: int, reach: int) -> None:
    """Mark the minutes from `first` on at which something that long would touch one of the stretches."""
    size = len(marks)
    shift = reach - 1 + first
    for start, end in spans:
        begins = start - shift
        ends = end - first
        if begins < 0:
            begins = 0
        if ends > size:
            ends = size
        if begins < ends:
            marks[begins:ends] = b"\1" * (ends - begins)


def _within(spans: Iterable[Span], first: int, last: int) -> list[Span]:
    return [(max(start, first), min(end, last)) for start, end in spans if start < last and first < end]
