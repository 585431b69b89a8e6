"""Slots against a slow clerk who walks the day minute by minute and looks at the clock on the wall."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from polyclinic.scheduling.rows import WeeklyRow
from polyclinic.scheduling.slots import Busy, Plan, Span, minute_of, moment_of, wall_minute

# One without summer time, one that shifts by half an hour, one that shifts at midnight, both hemispheres.
ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "America/Havana",
    "Pacific/Auckland",
)
FALL, SPRING = date(2026, 10, 25), date(2027, 3, 28)  # clocks change in Berlin, 03:00 to 02:00 and 02:00 to 03:00
BERLIN = ZoneInfo("Europe/Berlin")


@cache
def changes(zone: str) -> tuple[date, ...]:
    """Days from mid-2026 to mid-2027 on which the clocks of `zone` change; a plain day where they never do."""
    at = [datetime.combine(date(2026, 6, 1) + timedelta(days=n), time(0), ZoneInfo(zone)) for n in range(366)]
    return tuple(a.date() for a, b in itertools.pairwise(at) if a.utcoffset() != b.utcoffset()) or (FALL,)


def plan(
    *rows: WeeklyRow, zone: ZoneInfo = BERLIN, slot: int = 30, buffer: int = 0, leave: tuple[Span, ...] = ()
) -> Plan:
    return Plan(zone=zone, weekly=rows, leave=leave, openings=(), slot=slot, buffer=buffer)


def every_day(starts: int, ends: int, kind: str = "hours") -> list[WeeklyRow]:
    return [WeeklyRow(day, time(starts), time(ends), kind) for day in range(7)]


def walked(day: date, hours: list[tuple[int, int]], breaks: list[tuple[int, int]], zone: ZoneInfo) -> list[int]:
    """The minutes of `day` at which the clock on the wall says that the doctor works."""
    first = int(datetime.combine(day, time(12), zone).timestamp()) // 60 - 26 * 60
    found = []
    for minute in range(first, first + 52 * 60):
        local = datetime.fromtimestamp(minute * 60, UTC).astimezone(zone)
        at_work = any(low <= local.hour < high for low, high in hours)
        if local.date() == day and at_work and not any(low <= local.hour < high for low, high in breaks):
            found.append(minute)
    return found


stretch = st.tuples(st.integers(0, 23), st.integers(0, 23)).map(sorted).filter(lambda pair: pair[0] < pair[1])


@st.composite
def days(draw: st.DrawFn) -> tuple[ZoneInfo, date]:
    zone = draw(st.sampled_from(ZONES))
    near = draw(st.sampled_from(changes(zone))) + timedelta(days=draw(st.sampled_from([0, 0, 0, -1, 1, 30])))
    return ZoneInfo(zone), near


@settings(max_examples=150, deadline=None)
@given(
    where=days(),
    hours=st.lists(stretch, min_size=1, max_size=2),
    breaks=st.lists(stretch, max_size=2),
    slot=st.sampled_from([10, 15, 20, 45, 60]),
    buffer=st.sampled_from([0, 5, 10]),
)
def test_slots_fill_exactly_the_minutes_worked(
    where: tuple[ZoneInfo, date], hours: list[list[int]], breaks: list[list[int]], slot: int, buffer: int
) -> None:
    zone, day = where
    rows = [row for low, high in hours for row in every_day(low, high)]
    rows += [row for low, high in breaks for row in every_day(low, high, "break")]
    made = plan(*rows, zone=zone, slot=slot, buffer=buffer)
    minutes = walked(day, [(a, b) for a, b in hours], [(a, b) for a, b in breaks], zone)
    assert [m for start, end in made.worked(day) for m in range(start, end)] == minutes
    starts = made.starts(day, slot)
    assert all(b - a >= slot + buffer for a, b in itertools.pairwise(starts))
    covered = [minute for start in starts for minute in range(start, start + slot)]
    assert set(covered) <= set(minutes)
    # Nothing vanishes: no stretch left over could take one more slot.
    expected = sum((end - start + buffer) // (slot + buffer) for start, end in made.worked(day) if end - start >= slot)
    assert len(starts) == expected
    assert all(made.offers(start, slot) and not made.offers(start + 1, slot) for start in starts)


def test_the_long_night_has_an_hour_more_and_the_short_one_an_hour_less() -> None:
    shift = plan(*every_day(1, 4))

    def local(day: date) -> list[str]:
        return [moment_of(at).astimezone(BERLIN).strftime("%H:%M%z") for at in shift.starts(day, 30)]

    usual = local(FALL - timedelta(days=1))
    assert len(usual) == 6
    long = local(FALL)
    assert long == [
        "01:00+0200", "01:30+0200", "02:00+0200", "02:30+0200", "02:00+0100", "02:30+0100", "03:00+0100", "03:30+0100",
    ]  # fmt: skip
    assert len(set(long)) == 8
    assert local(SPRING) == ["01:00+0100", "01:30+0100", "03:00+0200", "03:30+0200"]


def test_a_skipped_time_is_the_moment_clocks_jump_and_a_repeated_one_the_first() -> None:
    jump = minute_of(datetime(2027, 3, 28, 1, 0, tzinfo=UTC))
    for minutes in (0, 1, 30, 59):
        assert wall_minute(SPRING, time(2, minutes), BERLIN) == jump
    assert wall_minute(SPRING, time(3), BERLIN) == jump
    assert moment_of(wall_minute(FALL, time(2, 30), BERLIN)) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


spans = st.lists(st.tuples(st.integers(0, 600), st.integers(1, 60)), max_size=12)


@settings(max_examples=200, deadline=None)
@given(taken=spans, length=st.integers(5, 60), buffer=st.sampled_from([0, 10]))
def test_free_means_that_slot_and_buffer_touch_nothing(taken: list[tuple[int, int]], length: int, buffer: int) -> None:
    made = plan(*every_day(9, 17), buffer=buffer)
    day = date(2026, 6, 1)
    origin = wall_minute(day, time(9), BERLIN)
    busy: list[Span] = []
    for offset, size in sorted(taken):
        start = origin - 60 + offset
        if not busy or start >= busy[-1][1]:
            busy.append((start, start + size))
    free = made.free(day, 1, length, Busy(busy), origin - 1440, origin + 1440)
    for start in made.starts(day, length):
        hit = any(low < start + length + buffer and start < high for low, high in busy)
        assert (start in free) == (not hit)


def test_leave_takes_its_part_and_the_grid_begins_again_after_it() -> None:
    day = date(2026, 6, 1)
    low = wall_minute(day, time(10), BERLIN)
    made = plan(*every_day(9, 12), leave=((low, low + 45),))
    assert [moment_of(at).astimezone(BERLIN).strftime("%H:%M") for at in made.starts(day, 30)] == [
        "09:00", "09:30", "10:45", "11:15",
    ]  # fmt: skip
    assert made.covers(low - 30, low)
    assert not made.covers(low - 30, low + 1)


def test_hours_until_the_last_minute_are_hours_until_midnight() -> None:
    """A clock writes no later end than 23:59, and the night goes on in the next day's hours."""
    night = plan(WeeklyRow(0, time(22), time(23, 59)), WeeklyRow(1, time(0), time(2)))
    monday = date(2026, 11, 23)
    late = [moment_of(minute).astimezone(BERLIN).time() for minute in night.starts(monday, 30)]
    assert late == [time(22), time(22, 30), time(23), time(23, 30)]
    until_58 = plan(WeeklyRow(0, time(22), time(23, 58)))
    assert len(until_58.starts(monday, 30)) == 3
    midnight = wall_minute(monday + timedelta(days=1), time(0), BERLIN)
    assert night.worked(monday) == [(midnight - 120, midnight)]
    # In autumn the night is an hour longer, in spring an hour shorter; the day still ends at its own midnight.
    for day, hours in ((FALL, 25), (SPRING, 23)):
        whole = plan(WeeklyRow(6, time(0), time(23, 59)))
        assert len(whole.starts(day, 60)) == hours
