"""Limits: so many at once, then as many as flow back; each caller for themselves; nothing learned about accounts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from polyclinic.core.errors import TooMany
from polyclinic.web import ratelimit


@pytest.fixture
def now(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """The limiter's clock, in seconds, to be moved by hand; limits are on."""
    settings.RATE_LIMITS = True
    held = [1000.0]
    monkeypatch.setattr(ratelimit, "_clock", lambda: held[0])
    ratelimit.reset()
    yield held
    ratelimit.reset()


def allowed(**caller: str) -> int:
    """How many requests for a new password in a row are let through, up to a hundred."""
    for count in range(100):
        try:
            ratelimit.check("password-reset", **caller)
        except TooMany:
            return count
    return 100


def test_five_per_name_and_twenty_per_address(now: list[float]) -> None:
    assert allowed(account="Meera@example.org ") == 5
    assert allowed(account="meera@example.org") == 0
    assert allowed(account="bento@example.org") == 5
    assert allowed(ip="192.0.2.1") == 20
    assert allowed(ip="192.0.2.2") == 20


def test_a_name_nobody_has_is_counted_like_any_other(now: list[float]) -> None:
    assert allowed(account="nobody@example.org") == 5


def test_the_answer_says_how_long_to_wait_and_waiting_helps(now: list[float]) -> None:
    assert allowed(account="a") == 5
    with pytest.raises(TooMany) as refused:
        ratelimit.check("password-reset", account="a")
    assert refused.value.extra["retryAfter"] == 720
    now[0] += 719
    assert allowed(account="a") == 0
    now[0] += 1
    assert allowed(account="a") == 1
    now[0] += 3600
    assert allowed(account="a") == 5


def test_what_is_full_again_is_forgotten(now: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ratelimit, "_SWEEP_ABOVE", 50)
    for number in range(60):
        ratelimit.check("password-reset", account=f"n{number}")
    now[0] += 4000
    ratelimit.check("password-reset", account="last")
    assert len(ratelimit._full_at) == 1


def test_switched_off_it_counts_nothing(now: list[float], settings: Any) -> None:
    settings.RATE_LIMITS = False
    assert allowed(account="a") == 100
