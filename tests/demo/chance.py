"""Fates of a day that begins at noon."""

from __future__ import annotations

import random
from datetime import UTC, datetime

from polyclinic.demo import fates

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def drawn(seed: int, count: int = 40) -> list[fates.Fate]:
    rng = random.Random(seed)
    return [fates.draw(rng, number, at) for number, at in enumerate(fates.arrivals(rng, NOON, count))]
