"""Amounts as people write and read them."""

from __future__ import annotations

import pytest

from polyclinic.billing import money
from polyclinic.core.errors import Invalid


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("12.50", "EUR", 1250), ("12,5", "EUR", 1250), ("1 200", "EUR", 120000), ("1.200,50", "EUR", 120050),
        ("1,200.50", "EUR", 120050), ("EUR 7", "EUR", 700), ("7", "JPY", 7), ("1.250", "KWD", 1250), ("0", "EUR", 0),
        ("12.50", "INR", 1250), ("١٢", "EUR", 1200),
    ],
)  # fmt: skip
def test_read(text: str, currency: str, minor: int) -> None:
    assert money.read(text, currency) == minor


@pytest.mark.parametrize(
    ("text", "currency"),
    [("", "EUR"), ("-1", "EUR"), ("12.505", "EUR"), ("1.5", "JPY"), ("abc", "EUR"), ("1e9", "EUR"),
     ("9999999999999", "EUR"), ("1..2", "EUR"), ("nan", "EUR")],
)  # fmt: skip
def test_what_is_no_amount_is_refused_by_name(text: str, currency: str) -> None:
    with pytest.raises(Invalid) as refusal:
        money.read(text, currency, "fee")
    assert refusal.value.field == "fee"


def test_shown_and_plain() -> None:
    assert money.shown(123450, "EUR") == "EUR\u00a01,234.50"
    assert money.shown(-100, "EUR") == "EUR\u00a0-1.00"
    assert (money.shown(700, "JPY"), money.plain(1250, "KWD"), money.shown(None, "EUR")) == (
        "JPY\u00a0700",
        "1.250",
        "–",
    )
