"""Flags and the delta check at their boundaries."""

from __future__ import annotations

from decimal import Decimal

import pytest

from polyclinic.core.errors import Invalid
from polyclinic.laboratory.catalogue import TESTS
from polyclinic.laboratory.flags import Value, delta, flag, parse, read

K, LOW, HIGH = TESTS["k"], Decimal("3.5"), Decimal("5.0")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.0", "LL"), ("2.5", "LL"), ("2.6", "L"), ("3.4", "L"), ("3.5", ""), ("4.2", ""), ("5.0", ""), ("5.1", "H"),
        ("6.4", "H"), ("6.5", "HH"), ("12", "HH"), ("<2.5", "LL"), ("<3.5", "L"), ("<3.6", ""), ("<9", ""),
        (">5.0", "H"), (">4.9", ""), (">6.5", "HH"), (">1", ""),
    ],
)  # fmt: skip
def test_the_flag_at_every_boundary(text: str, expected: str) -> None:
    assert flag(K, read(K, text), LOW, HIGH) == expected


def test_critical_limits_hold_without_a_range() -> None:
    assert flag(K, read(K, "7"), None, None) == "HH"
    assert flag(K, read(K, "5.9"), None, None) == ""


def test_words_are_flagged_when_they_are_not_the_expected_ones() -> None:
    assert flag(TESTS["hbsag"], Value(answer="not_reactive"), None, None) == ""
    assert flag(TESTS["hbsag"], Value(answer="reactive"), None, None) == "A"
    assert flag(TESTS["hbsag"], Value(answer="indeterminate"), None, None) == "A"
    assert flag(TESTS["group"], Value(answer="o_neg"), None, None) == ""


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("4,2", "no_number"), ("", "no_number"), ("four", "no_number"), ("1e2", "no_number"), ("٤", "no_number"),
        ("4.25", "too_exact"), ("42", "not_possible"), ("-1", "not_possible"), ("nan", "no_number"),
    ],
)  # fmt: skip
def test_slips_of_the_hand_are_refused(text: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        read(K, text, field="value-x")
    assert (refused.value.code, refused.value.field) == (code, "value-x")


@pytest.mark.parametrize("text", ["4.2", "<2.5", ">6", "negative"])
def test_a_value_is_read_back_as_it_was_stored(text: str) -> None:
    assert parse(text).text() == text


@pytest.mark.parametrize(
    ("code", "now", "before", "days", "jumps"),
    [
        ("na", "140", "130", 7, False), ("na", "141", "130", 7, True), ("na", "141", "130", 7.01, False),
        ("plt", "150", "100", 1, False), ("plt", "151", "100", 1, True), ("plt", "50", "100", 1, False),
        ("plt", "49", "100", 1, True), ("plt", "49", "0", 1, False), ("cl", "140", "98", 1, False),
        ("na", "<141", "130", 1, False),
    ],
)  # fmt: skip
def test_the_delta_check(code: str, now: str, before: str, days: float, jumps: bool) -> None:
    assert delta(TESTS[code], parse(now), parse(before), days) is jumps
