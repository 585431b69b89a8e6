"""Merging loses nothing, and a percentile is within the promised share of the true one."""

from __future__ import annotations

from math import ceil

from hypothesis import given, settings
from hypothesis import strategies as st

from polyclinic.analytics.cells import ERROR, Cell, cells, encode, join, merge, read

SECONDS = st.lists(st.integers(0, 60 * 60 * 24 * 40), min_size=1, max_size=80)


def of(values: list[int]) -> Cell:
    made = Cell()
    for value in values:
        made.lasted(value)
    return made


@settings(deadline=None)
@given(SECONDS, st.sampled_from((0.01, 0.5, 0.9, 0.95, 1.0)))
def test_a_percentile_is_within_its_error_of_the_value_at_its_rank(values: list[int], share: float) -> None:
    true = sorted(values)[max(1, ceil(share * len(values))) - 1]
    found = of(values).percentile(share)
    assert found is not None
    assert abs(found - true) <= ERROR * true * (1 + 1e-5)


@settings(deadline=None)
@given(st.lists(SECONDS, min_size=1, max_size=5))
def test_merged_days_are_what_one_long_day_would_be(days: list[list[int]]) -> None:
    bodies = []
    for values in days:
        one = cells()
        one["wait"] = of(values)
        bodies.append(encode(one))
    whole = of([value for values in days for value in values])
    assert merge(map(read, bodies))["wait"] == whole
    assert join(merge((read(body),)) for body in bodies)["wait"] == whole
    assert not merge(map(read, bodies), only={"visit"})


def test_nothing_has_no_percentile_and_is_not_written_down() -> None:
    empty = cells()
    assert (empty["wait"].percentile(0.5), empty["wait"].mean, encode(empty)) == (None, None, "{}")
    assert Cell() != "a cell"
    assert repr(Cell(1, 2)) == "Cell(1, 2, {})"
