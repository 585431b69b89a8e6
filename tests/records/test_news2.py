"""NEWS2 at every boundary of the published chart.

Source: Royal College of Physicians. National Early Warning Score (NEWS) 2. London: RCP, 2017, charts 1 and 2. The
tables here are written out by hand from the charts, value by value, and not taken from the code.
"""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

import pytest

from polyclinic.records import chart, news2
from polyclinic.records.news2 import Risk, Signs, score

# (value, points): both sides of every boundary, and the far ends.
RESPIRATION = [(0, 3), (7, 3), (8, 3), (9, 1), (11, 1), (12, 0), (20, 0), (21, 2), (24, 2), (25, 3), (80, 3)]
SCALE_1 = [(30, 3), (91, 3), (92, 2), (93, 2), (94, 1), (95, 1), (96, 0), (100, 0)]
SCALE_2_AIR = [
    (30, 3), (83, 3), (84, 2), (85, 2), (86, 1), (87, 1), (88, 0), (92, 0), (93, 0), (94, 0), (95, 0), (96, 0), (97, 0),
    (100, 0),
]  # fmt: skip
SCALE_2_OXYGEN = [
    (30, 3), (83, 3), (84, 2), (85, 2), (86, 1), (87, 1), (88, 0), (92, 0), (93, 1), (94, 1), (95, 2), (96, 2), (97, 3),
    (100, 3),
]  # fmt: skip
SYSTOLIC = [(30, 3), (90, 3), (91, 2), (100, 2), (101, 1), (110, 1), (111, 0), (219, 0), (220, 3), (320, 3)]
PULSE = [
    (15, 3), (40, 3), (41, 1), (50, 1), (51, 0), (90, 0), (91, 1), (110, 1), (111, 2), (130, 2), (131, 3), (320, 3),
]  # fmt: skip
TEMPERATURE = [
    ("24.0", 3), ("35.0", 3), ("35.1", 1), ("36.0", 1), ("36.1", 0), ("38.0", 0), ("38.1", 1), ("39.0", 1), ("39.1", 2),
    ("45.0", 2),
]  # fmt: skip
CONSCIOUSNESS = [("A", 0), ("C", 3), ("V", 3), ("P", 3), ("U", 3)]
WELL: dict[str, Any] = {
    "respiration": Decimal(16), "spo2": Decimal(98), "oxygen": False, "systolic": Decimal(120), "pulse": Decimal(70),
    "consciousness": "A", "temperature": Decimal("37.0"),
}  # fmt: skip


def well(**other: Any) -> Signs:
    """Signs that score nothing, with some of them otherwise."""
    return Signs(**{**WELL, **other})


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("respiration", RESPIRATION),
        ("spo2", SCALE_1),
        ("systolic", SYSTOLIC),
        ("pulse", PULSE),
        ("temperature", TEMPERATURE),
    ],
)
def test_each_boundary_scores_as_the_chart_says(name: str, table: list[tuple[Any, int]]) -> None:
    for value, points in table:
        found = score(well(**{name: Decimal(value)}))
        assert (value, found.points[name], found.total) == (value, points, points)


@pytest.mark.parametrize(("oxygen", "table"), [(False, SCALE_2_AIR), (True, SCALE_2_OXYGEN)])
def test_scale_2_asks_whether_oxygen_is_given(oxygen: bool, table: list[tuple[int, int]]) -> None:
    for value, points in table:
        found = score(well(spo2=Decimal(value), oxygen=oxygen, scale=2))
        assert (value, found.points["spo2"]) == (value, points)
        assert found.total == points + (2 if oxygen else 0)


def test_consciousness_and_oxygen() -> None:
    assert [(level, score(well(consciousness=level)).points["consciousness"]) for level, _ in CONSCIOUSNESS] == (
        CONSCIOUSNESS
    )
    assert (score(well(oxygen=True)).points["oxygen"], score(well()).points["oxygen"]) == (2, 0)


@pytest.mark.parametrize(
    ("total", "highest", "risk"),
    [
        (0, 0, Risk.NONE),
        (1, 1, Risk.LOW),
        (4, 2, Risk.LOW),
        (3, 3, Risk.LOW_MEDIUM),
        (4, 3, Risk.LOW_MEDIUM),
        (5, 2, Risk.MEDIUM),
        (5, 3, Risk.MEDIUM),
        (6, 3, Risk.MEDIUM),
        (7, 2, Risk.HIGH),
        (7, 3, Risk.HIGH),
        (20, 3, Risk.HIGH),
    ],
)
def test_thresholds_and_triggers(total: int, highest: int, risk: Risk) -> None:
    assert news2.risk(total, highest) == risk


def test_the_worst_is_twenty_and_a_well_person_zero() -> None:
    worst = Signs(Decimal(25), Decimal(91), True, Decimal(90), Decimal(131), "U", Decimal("35.0"))
    assert (score(worst).total, score(worst).risk) == (20, Risk.HIGH)
    assert (score(well()).total, score(well()).risk, score(well()).version) == (0, Risk.NONE, "RCP-2017")
    # The worst there is, is a temperature of 35.0 or less; too hot is 2 at most.
    assert score(worst).total == news2.MAXIMUM


@pytest.mark.parametrize("name", news2.PARAMETERS)
def test_no_total_while_a_sign_is_missing(name: str) -> None:
    found = score(well(**{name: None}))
    assert (found.total, found.risk, found.missing) == (None, None, (name,))


def test_scale_2_is_not_scored_without_knowing_of_oxygen() -> None:
    assert score(well(oxygen=None, scale=2)).missing == ("spo2", "oxygen")
    assert score(well(oxygen=None)).missing == ("oxygen",)
    with pytest.raises(ValueError, match="scale 3"):
        score(well(scale=3))


def _ladder(table: list[tuple[int, int]], value: int) -> int:
    """The points of a whole number by a table of boundaries: those of the last entry not above it."""
    return [points for boundary, points in table if boundary <= value][-1]


@pytest.mark.wide
def test_every_value_between_the_boundaries() -> None:
    """Each whole number and each tenth of a degree, by the hand-written boundaries."""
    whole = {"respiration": RESPIRATION, "spo2": SCALE_1, "systolic": SYSTOLIC, "pulse": PULSE}
    for name, table in whole.items():
        for value in range(table[0][0], table[-1][0] + 1):
            assert score(well(**{name: Decimal(value)})).points[name] == _ladder(table, value), (name, value)
    tenths = [(int(Decimal(value) * 10), points) for value, points in TEMPERATURE]
    for tenth in range(240, 451):
        found = score(well(temperature=Decimal(tenth) / 10)).points["temperature"]
        assert found == _ladder(tenths, tenth), tenth
    for oxygen, table in ((False, SCALE_2_AIR), (True, SCALE_2_OXYGEN)):
        for value in range(30, 101):
            found = score(well(spo2=Decimal(value), oxygen=oxygen, scale=2)).points["spo2"]
            assert found == _ladder(table, value), (oxygen, value)


@pytest.mark.wide
def test_every_combination_of_points_adds_up() -> None:
    """One value for each band of each parameter: 5 × 4 × 2 × 5 × 6 × 2 × 5 combinations on scale 1."""
    choices = [
        [(Decimal(8), 3), (Decimal(9), 1), (Decimal(12), 0), (Decimal(21), 2), (Decimal(25), 3)],
        [(Decimal(91), 3), (Decimal(92), 2), (Decimal(94), 1), (Decimal(96), 0)],
        [(False, 0), (True, 2)],
        [(Decimal(90), 3), (Decimal(91), 2), (Decimal(101), 1), (Decimal(111), 0), (Decimal(220), 3)],
        [
            (Decimal(40), 3), (Decimal(41), 1), (Decimal(51), 0), (Decimal(91), 1), (Decimal(111), 2),
            (Decimal(131), 3),
        ],
        [("A", 0), ("C", 3)],
        [(Decimal("35.0"), 3), (Decimal("35.1"), 1), (Decimal("36.1"), 0), (Decimal("38.1"), 1), (Decimal("39.1"), 2)],
    ]  # fmt: skip
    count = 0
    for chosen in itertools.product(*choices):
        values, points = zip(*chosen, strict=True)
        found, total = score(Signs(*values)), sum(points)
        expected = (
            "high" if total >= 7 else "medium" if total >= 5 else "low_medium" if 3 in points else
            "low" if total else "none"
        )  # fmt: skip
        assert (found.total, found.risk) == (total, expected), values
        count += 1
    assert count == 12_000


def test_the_chart_has_one_row_for_every_value_and_it_scores_the_same() -> None:
    """What the chart colours and what the score counts cannot drift apart."""
    ranges: dict[str, Any] = {
        "respiration": range(81), "systolic": range(30, 321), "pulse": range(15, 321),
        "temperature": [Decimal(tenth) / 10 for tenth in range(240, 451)], "consciousness": "ACVPU",
        "oxygen": [False, True],
    }  # fmt: skip
    for part in chart.PARTS:
        if part.name in ("spo2_1", "spo2_2"):
            continue
        for value in ranges[part.name]:
            signs = well(**{part.name: value if isinstance(value, bool | str) else Decimal(value)})
            (row,) = [row for row in part.rows if row.holds(signs)]
            assert row.points == score(signs).points[part.name], (part.name, value)
    for scale, oxygen, value in itertools.product((1, 2), (False, True), range(30, 101)):
        signs = well(spo2=Decimal(value), oxygen=oxygen, scale=scale)
        (row,) = [row for part in chart.PARTS if part.name.startswith("spo2") for row in part.rows if row.holds(signs)]
        assert row.points == score(signs).points["spo2"], (scale, oxygen, value)


def test_the_chart_is_in_the_official_order() -> None:
    assert [(part.letter, part.name, len(part.rows)) for part in chart.PARTS] == [
        ("A+B", "respiration", 7),
        ("A+B", "spo2_1", 4),
        ("A+B", "spo2_2", 8),
        ("A+B", "oxygen", 2),
        ("C", "systolic", 14),
        ("C", "pulse", 12),
        ("D", "consciousness", 5),
        ("E", "temperature", 6),
    ]


def test_the_chart_is_drawn_and_escapes_what_it_is_given() -> None:
    signs = well(pulse=Decimal(131), oxygen=True)
    reading = chart.Reading("21-Nov-2026", "09:05", signs, score(signs), flow="<2>")
    names = {part.name: part.name for part in chart.PARTS}
    drawn = chart.draw([reading], names, 'NEWS2 "chart"', "Total")
    assert drawn.startswith('<svg class="news-chart"')
    assert drawn.count("<circle") == 7  # one dot for each parameter, on one of the two SpO₂ scales
    assert "&lt;2&gt;" in drawn
    assert "<2>" not in drawn
    assert 'class="news-sum">5<' in drawn
    assert "style=" not in drawn
