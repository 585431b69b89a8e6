"""The small drawings of signs through time: what is drawn where, and what says it without colours."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from polyclinic.records import news2, trends
from polyclinic.records.trends import Point

START = datetime(2026, 11, 1, 8, tzinfo=UTC)


def drawn(name: str, *values: str, banded: bool = True) -> str:
    made = [Point(START + timedelta(hours=nth), Decimal(value), banded) for nth, value in enumerate(values)]
    return str(trends.draw(name, made, made[0].at, made[-1].at, "words"))


@pytest.mark.parametrize(("name", "bands"), [
    ("respiration", news2.RESPIRATION), ("systolic", news2.SYSTOLIC), ("pulse", news2.PULSE),
    ("temperature", news2.TEMPERATURE), ("spo2", news2.SPO2_SCALE_1),
])  # fmt: skip
def test_the_band_is_where_the_score_gives_no_points(name: str, bands: tuple[news2.Band, ...]) -> None:
    low, high = trends.SCORES_NOTHING[name]
    step = Decimal("0.1") if name == "temperature" else Decimal(1)
    assert news2.in_band(bands, low) == news2.in_band(bands, high) == 0
    assert news2.in_band(bands, low - step) > 0
    assert name == "spo2" or news2.in_band(bands, high + step) > 0


def test_a_value_outside_has_another_shape_and_the_ends_of_the_band_have_not() -> None:
    found = drawn("pulse", "51", "90", "50", "91")
    assert found.count('class="trend-in"') == found.count('class="trend-out"') == 2
    assert 'class="trend-band"' in found


def test_for_whom_the_score_is_not_meant_there_is_no_band() -> None:
    found = drawn("pulse", "140", "50", banded=False)
    assert "trend-band" not in found
    assert "trend-out" not in found


@pytest.mark.parametrize("values", [("36.6",), ("36.6", "36.6"), ("24", "45"), ("0.3", "500")])
def test_everything_lies_inside_the_drawing(values: tuple[str, ...]) -> None:
    for name in ("temperature", "weight", "pulse", "spo2"):
        found = drawn(name, *values)
        numbers = [float(one) for one in re.findall(r'c[xy]="([\d.-]+)"|d="M([\d.-]+) ', found) for one in one if one]
        assert all(0 <= one <= 320 for one in numbers), found
        assert "nan" not in found


def test_time_is_drawn_as_it_passed_and_words_are_escaped() -> None:
    made = [Point(START + timedelta(days=day), Decimal(80)) for day in (0, 1, 10)]
    found = str(trends.draw("pulse", made, made[0].at, made[-1].at, '<b>"'))
    first, second, last = (float(one) for one in re.findall(r'cx="([\d.]+)"', found))
    assert abs((second - first) * 10 - (last - first)) < 1
    assert '<b>"' not in found


def test_signs_are_taken_apart_oldest_first() -> None:
    later, earlier = START + timedelta(hours=1), START
    found = trends.points([(later, {"pulse": "80", "pain": "3"}, True), (earlier, {"pulse": "70"}, False)])
    assert list(found) == ["pulse"]
    assert [(str(one.value), one.banded) for one in found["pulse"]] == [("70", False), ("80", True)]
