"""What chance has in store for each patient of a simulated day. Everything is drawn before the day begins.

So a day is replayed by its seed, whatever the people who watch it do meanwhile. Shares and times are those of a busy
outpatient clinic as we imagine one; they are nobody's measurements.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

# Of a day's patients, how many in each hour since the doors opened: a wave in the morning, a lower one after lunch.
ARRIVALS: Final = (8, 16, 17, 14, 9, 6, 11, 11, 8)
# A day of which the last hour is the fullest: what one finds who comes in while it is under way.
UNDER_WAY: Final = (6, 8, 11, 15)
PANELS: Final = ("cbc", "lytes", "renal", "liver", "urine", "lipids", "thyroid", "diabetes")
SINGLES: Final = ("crp", "gluc", "hba1c", "esr", "trop", "ferr")
WEIGHTS: Final = (30, 14, 12, 10, 14, 8, 6, 6)


@dataclass(frozen=True, slots=True)
class Times:
    """Minutes that each step takes once it has begun."""

    desk: float
    check: float
    draw: float
    bench: float
    doctor: float
    pharmacy: float
    walk: float


@dataclass(frozen=True, slots=True)
class Fate:
    """One patient's day. `fee`: cash, card, refused (the card is, and cash is paid), later, waived, leaves or mistake.

    `medicine`: none, dispense, part (the rest is not in stock) or decline. `unheard`: nobody answers the critical
    result. `missed` is how many calls are not heard; with `gone` the patient went home before the last of them.
    """

    number: int
    arrives: datetime
    emergency: bool
    fee: str
    patience: float
    missed: int
    gone: bool
    tests: tuple[str, ...]
    rejected: bool
    critical: bool
    unheard: bool
    more_tests: tuple[str, ...]
    medicine: str
    times: Times
    seed: int


@dataclass(frozen=True, slots=True)
class Comer:
    """Who comes with this fate, to whom, and for which booking. Without a patient somebody new is registered."""

    fate: Fate
    patient_id: UUID | None
    doctor_id: UUID
    appointment_id: UUID | None = None


def draw(rng: random.Random, number: int, arrives: datetime, **chosen: object) -> Fate:
    """One fate; what is `chosen` is not left to chance."""
    emergency = rng.random() < 0.03
    tests = _tests(rng) if rng.random() < 0.42 else ()
    missed = rng.choices((0, 1, 2), (93, 5, 2))[0]
    drawn: dict[str, object] = {
        "emergency": emergency,
        "fee": rng.choices(("cash", "card", "refused", "later", "waived", "leaves", "mistake"),
                           (34, 26, 4, 28, 5, 2, 1))[0],
        "patience": rng.choices((1_000.0, 95.0, 40.0), (93, 5, 2))[0],
        "missed": missed,
        "gone": missed == 2 and rng.random() < 0.6,
        "tests": tests,
        "rejected": bool(tests) and rng.random() < 0.06,
        "critical": bool(tests) and rng.random() < 0.05,
        "unheard": False,
        "more_tests": (rng.choice(SINGLES),) if rng.random() < 0.08 else (),
        "medicine": rng.choices(("dispense", "none", "part", "decline"), (74, 17, 5, 4))[0],
        "times": _times(rng),
        "seed": rng.getrandbits(32),
    }  # fmt: skip
    return Fate(number=number, arrives=arrives, **{**drawn, **chosen})  # type: ignore[arg-type]


def _tests(rng: random.Random) -> tuple[str, ...]:
    if rng.random() < 0.5:
        return tuple(rng.sample(SINGLES, rng.choice((1, 1, 2))))
    return (rng.choices(PANELS, WEIGHTS)[0], *((rng.choice(SINGLES),) if rng.random() < 0.3 else ()))


def _times(rng: random.Random) -> Times:
    # Most are short and some are long: a gamma distribution, as service times are usually found to be.
    def minutes(mean: float, least: float = 0.5) -> float:
        return round(max(least, rng.gammavariate(4, mean / 4)), 2)

    return Times(minutes(2.5), minutes(5), minutes(4), minutes(22, 8), minutes(10, 3), minutes(3), minutes(0.8, 0.2))


def arrivals(rng: random.Random, opens: datetime, count: int, shares: tuple[int, ...] = ARRIVALS) -> list[datetime]:
    """When each of `count` people comes, in order; `shares` are of the hours since the doors opened."""
    chosen = rng.choices(range(len(shares)), shares, k=count)
    return sorted(opens + timedelta(hours=hour, seconds=rng.randrange(3600)) for hour in chosen)
