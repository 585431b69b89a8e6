"""The simulator beneath the simulated day: order of time, places, and who is next. No hospital in sight."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta

from polyclinic.demo import fates
from polyclinic.demo.engine import Engine, Pause, Process, Rise, Seat
from tests.demo.chance import drawn

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def minutes(since: datetime) -> float:
    return (since - NOON).total_seconds() / 60


def visitor(engine: Engine, name: str, rank: int, told: list[tuple[str, float]]) -> Process:
    yield Seat("desk", (rank,))
    told.append((name, minutes(engine.now)))
    yield Pause(10)
    yield Rise("desk")


def test_one_is_served_at_a_time_and_the_smallest_rank_is_next() -> None:
    engine = Engine({"desk": 1}, lambda _at: nullcontext())
    told: list[tuple[str, float]] = []
    for name, at, rank in (("first", 0, 5), ("late", 1, 3), ("urgent", 2, 1)):
        engine.begin(NOON + timedelta(minutes=at), visitor(engine, name, rank, told))
    list(engine.run())
    assert told == [("first", 0), ("urgent", 10), ("late", 20)]


def test_two_places_serve_two() -> None:
    engine = Engine({"desk": 2}, lambda _at: nullcontext())
    told: list[tuple[str, float]] = []
    for place in range(3):
        engine.begin(NOON, visitor(engine, str(place), place, told))
    list(engine.run())
    assert told == [("0", 0), ("1", 0), ("2", 10)]


def test_the_clock_says_each_moment_and_nothing_runs_beyond_the_end() -> None:
    held: list[datetime] = []

    @contextmanager
    def hold(at: datetime) -> Iterator[None]:
        held.append(at)
        yield

    engine = Engine({"desk": 1}, hold)
    engine.begin(NOON, visitor(engine, "one", 1, []))
    engine.begin(NOON + timedelta(hours=2), visitor(engine, "two", 1, []))
    list(engine.run(NOON + timedelta(hours=1)))
    assert held == [NOON, NOON + timedelta(minutes=10)]
    assert engine.next_at() == NOON + timedelta(hours=2)


def test_a_day_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_everything_that_can_befall_somebody_befalls_somebody() -> None:
    day = drawn(1, 600)
    assert {fate.fee for fate in day} == {"cash", "card", "refused", "later", "waived", "leaves", "mistake"}
    assert {fate.medicine for fate in day} == {"dispense", "none", "part", "decline"}
    for name in ("emergency", "rejected", "critical", "gone"):
        assert any(getattr(fate, name) for fate in day), name
    assert any(fate.patience < 60 for fate in day)
    assert 0.3 < sum(bool(fate.tests) for fate in day) / len(day) < 0.55


def test_arrivals_follow_the_hours() -> None:
    day = drawn(3, 900)
    hours = [int((fate.arrives - NOON).total_seconds() // 3600) for fate in day]
    assert min(hours) == 0
    assert max(hours) == len(fates.ARRIVALS) - 1
    # The third hour is the fullest by the table, about four times the first two quarters of the lunch hour.
    assert hours.count(2) > hours.count(5) * 1.8
