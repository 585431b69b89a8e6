"""Who comes next: need first, nobody for ever last; and how long it will take, told honestly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from polyclinic.visits import fairness, waits
from polyclinic.visits.words import Priority

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
MINUTES = st.integers(0, 600).map(lambda minutes: NOON + timedelta(minutes=minutes))
CLASSES = st.sampled_from([one for one in Priority.values if one != Priority.EMERGENCY])


def test_need_goes_first_and_then_who_came_first() -> None:
    came = [(Priority.ROUTINE, 0), (Priority.URGENT, 30), (Priority.PRIORITY, 20), (Priority.APPOINTMENT, 15)]
    came.append((Priority.EMERGENCY, 60))
    order = sorted(came, key=lambda one: fairness.key(one[0], NOON + timedelta(minutes=one[1])))
    assert [str(name) for name, _at in order] == ["emergency", "urgent", "priority", "appointment", "routine"]


@given(CLASSES, MINUTES, CLASSES, MINUTES)
def test_nobody_is_overtaken_by_who_comes_beyond_the_head_start(
    mine: str, at: datetime, other: str, then: datetime
) -> None:
    if then > at + max(fairness.HEAD_START.values()):
        assert fairness.key(mine, at) < fairness.key(other, then)


@given(MINUTES, MINUTES)
def test_skipping_costs_a_little_and_never_the_future(since: datetime, now: datetime) -> None:
    after = fairness.after_skip(since, now)
    assert after <= now
    assert after <= since + fairness.SKIP_COST


def test_a_wait_is_a_range_that_grows_with_those_before() -> None:
    few, many = waits.estimate(0, [8.0] * 10), waits.estimate(5, [8.0] * 10)
    assert (few.least, few.most, few.known) == (10, 15, True)
    assert (many.least, many.most) == (50, 55)
    assert waits.estimate(0, []).known is False
    assert waits.estimate(3, [5.0, 25.0] * 5).most - waits.estimate(3, [15.0] * 10).most > 10


def test_an_empty_hall_says_nothing_about_the_pace() -> None:
    minute = timedelta(minutes=1)
    called = [(NOON, NOON), (NOON + 6 * minute, NOON - minute), (NOON + 90 * minute, NOON + 80 * minute)]
    assert waits.gaps(called) == [6.0]
