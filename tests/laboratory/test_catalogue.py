"""The catalogue is whole: right check digits, units, sources, and limits that do not contradict each other."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from polyclinic.laboratory import catalogue, ranges, units
from polyclinic.laboratory.calculating import FORMULAS
from polyclinic.laboratory.catalogue import PANELS, TESTS
from polyclinic.laboratory.sources import SOURCES


def check_digit(number: str) -> int:
    """LOINC's own: Luhn mod 10 over the digits before the hyphen."""
    total = 0
    for place, digit in enumerate(reversed(number)):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled // 10 + doubled % 10
    return -total % 10


def test_the_catalogue_is_as_large_as_a_general_hospitals() -> None:
    assert len(TESTS) >= 60
    assert len(PANELS) >= 10


@pytest.mark.parametrize("code", sorted(TESTS))
def test_a_row_is_whole(code: str) -> None:
    test = TESTS[code]
    number, _hyphen, digit = test.loinc.partition("-")
    assert check_digit(number) == int(digit)
    low, high = test.possible
    limits = [low, test.critical_low, *_ends(code), test.critical_high, high]
    assert test.answers or test.unit
    if not test.answers:
        known = [limit for limit in limits if limit is not None]
        assert known == sorted(known)


def _ends(code: str) -> list[Decimal | None]:
    """The widest range of a test."""
    rows = ranges.ROWS.get(code, ())
    lows = [row.low for row in rows if row.low is not None]
    highs = [row.high for row in rows if row.high is not None]
    return [min(lows, default=None), max(highs, default=None)]


def test_the_check_digit_is_seen() -> None:
    """Negative control: two digits swapped."""
    assert check_digit("718") == 7
    assert check_digit("781") != 7


def test_no_code_is_there_twice() -> None:
    loinc = [test.loinc for test in TESTS.values()]
    assert len(set(loinc)) == len(loinc)
    assert not set(TESTS) & set(PANELS)


def test_every_range_names_a_known_source_and_a_known_test() -> None:
    for code, rows in ranges.ROWS.items():
        assert code in TESTS
        assert all(row.source in SOURCES for row in rows)
    assert all(formula.source in SOURCES for formula in FORMULAS.values())


def test_panels_hold_what_their_calculated_tests_need() -> None:
    for panel in PANELS.values():
        for code in panel.tests:
            assert code in TESTS
            if code in FORMULAS:
                assert set(FORMULAS[code].needs) <= set(panel.tests)


def test_a_panel_is_its_tests_once() -> None:
    assert catalogue.expand(["lytes", "na", "renal"]).count("na") == 1
    with pytest.raises(KeyError):
        catalogue.expand(["nonsense"])


@pytest.mark.parametrize(
    ("sex", "years", "pregnancy", "low"),
    [
        ("female", 30, "", "12.0"),
        ("male", 30, "", "13.0"),
        ("female", 30, "first", "11.0"),
        ("female", 30, "second", "10.5"),
        ("female", 16, "third", "11.0"),
        ("male", 14.99, "", "12.0"),
        ("male", 15, "", "13.0"),
        ("female", 1, "", "10.5"),
        ("other", 13, "", "12.0"),
    ],
)
def test_the_range_follows_age_sex_and_pregnancy(sex: str, years: float, pregnancy: str, low: str) -> None:
    found = ranges.find("hb", sex=sex, age_days=ranges.years(years), pregnancy=pregnancy)
    assert found is not None
    assert found.low == Decimal(low)


def test_nobody_gets_a_range_that_is_not_theirs() -> None:
    """A grown-up's range says nothing about a child, nor a man's about a person whose sex is not known."""
    assert ranges.find("crea", sex="female", age_days=ranges.years(5)) is None
    assert ranges.find("hb", sex="unknown", age_days=ranges.years(30)) is None
    assert ranges.find("hb", sex="female", age_days=30) is None


def test_units_are_shown_as_people_write_them() -> None:
    """Rows and the API keep UCUM; what stands on a page has no brackets, and nothing that is on ISMP's list."""
    for test in catalogue.TESTS.values():
        seen = units.shown(test.unit)
        assert not set("[]{}*µ") & set(seen), test.code
        assert not re.search(r"\b(m?I?U)\b", seen), test.code
    assert units.shown("10*6/uL") == "×10⁶/mcL"
    assert units.shown("mmol/L") == "mmol/L"
    assert units.shown("[pH]") == ""
    assert units.SHOWN.keys() <= {test.unit for test in catalogue.TESTS.values()}
