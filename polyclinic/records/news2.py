"""NEWS2, the National Early Warning Score 2, as it was published.

Source: Royal College of Physicians. National Early Warning Score (NEWS) 2: Standardising the assessment of acute-
illness severity in the NHS. Updated report of a working party. London: RCP, 2017. ISBN 978-1-86016-682-2. Charts 1
(scoring), 2 (thresholds and triggers), 3 (observation chart), 4 (clinical response). The report may be reproduced with
this acknowledgement; its numbers must not be changed, and are not settings here.

Not for anyone under 16 years nor in pregnancy (the report's own limits), and never from a set with a sign missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

# Kept beside every score: which edition of the rules it was worked out by.
VERSION: Final = "RCP-2017"
SOURCE: Final = "Royal College of Physicians. National Early Warning Score (NEWS) 2. London: RCP, 2017."
# In the order of the official chart, top to bottom. `spo2` is scored by one of two scales, air or oxygen on its own.
PARAMETERS: Final = ("respiration", "spo2", "oxygen", "systolic", "pulse", "consciousness", "temperature")
YOUNGEST: Final = 16
MAXIMUM: Final = 20


class Risk(StrEnum):
    """The thresholds of chart 2: `LOW_MEDIUM` is a single parameter of 3 with less than 5 in all."""

    NONE = "none"  # 0
    LOW = "low"  # 1–4
    LOW_MEDIUM = "low_medium"  # 3 in one parameter
    MEDIUM = "medium"  # 5–6
    HIGH = "high"  # 7 or more


@dataclass(frozen=True, slots=True)
class Band:
    """Values up to and with `top` (None: no end) that score `points`."""

    top: Decimal | None
    points: int


def _bands(*steps: tuple[str | None, int]) -> tuple[Band, ...]:
    return tuple(Band(None if top is None else Decimal(top), points) for top, points in steps)


# Chart 1. Each value belongs to the first band whose top it does not exceed.
RESPIRATION: Final = _bands(("8", 3), ("11", 1), ("20", 0), ("24", 2), (None, 3))
SPO2_SCALE_1: Final = _bands(("91", 3), ("93", 2), ("95", 1), (None, 0))
# Scale 2 (target 88–92 %, e.g. in hypercapnic respiratory failure): too much oxygen harms, and only when it is given.
SPO2_SCALE_2_AIR: Final = _bands(("83", 3), ("85", 2), ("87", 1), (None, 0))
SPO2_SCALE_2_OXYGEN: Final = _bands(("83", 3), ("85", 2), ("87", 1), ("92", 0), ("94", 1), ("96", 2), (None, 3))
SYSTOLIC: Final = _bands(("90", 3), ("100", 2), ("110", 1), ("219", 0), (None, 3))
PULSE: Final = _bands(("40", 3), ("50", 1), ("90", 0), ("110", 1), ("130", 2), (None, 3))
TEMPERATURE: Final = _bands(("35.0", 3), ("36.0", 1), ("38.0", 0), ("39.0", 1), (None, 2))
OXYGEN_POINTS: Final = 2
NOT_ALERT_POINTS: Final = 3


@dataclass(frozen=True, slots=True)
class Signs:
    """What the score needs; None is not measured. `scale` is 1, or 2 when a clinician has decided so."""

    respiration: Decimal | None = None
    spo2: Decimal | None = None
    oxygen: bool | None = None
    systolic: Decimal | None = None
    pulse: Decimal | None = None
    consciousness: str | None = None
    temperature: Decimal | None = None
    scale: int = 1


@dataclass(frozen=True, slots=True)
class Score:
    """Points by parameter in the chart's order, and what they come to. Without a `total`, `missing` says why."""

    points: Mapping[str, int]
    missing: tuple[str, ...]
    total: int | None
    risk: Risk | None
    scale: int
    version: str = VERSION


def score(signs: Signs) -> Score:
    """The score of one set of signs; no total while one of the seven is missing. ValueError for no such scale."""
    if signs.scale not in (1, 2):
        raise ValueError(f"there is no SpO₂ scale {signs.scale}")
    points = {name: found for name in PARAMETERS if (found := _points(name, signs)) is not None}
    missing = tuple(name for name in PARAMETERS if name not in points)
    if missing:
        return Score(points, missing, None, None, signs.scale)
    total = sum(points.values())
    return Score(points, (), total, risk(total, max(points.values())), signs.scale)


def risk(total: int, highest: int) -> Risk:
    """Chart 2: the aggregate decides from 5 on, below that a single 3 is looked at at once."""
    if total >= 7:
        return Risk.HIGH
    if total >= 5:
        return Risk.MEDIUM
    if highest == 3:
        return Risk.LOW_MEDIUM
    return Risk.LOW if total else Risk.NONE


def spo2_bands(scale: int, oxygen: bool) -> tuple[Band, ...]:
    """How a saturation is scored on this scale, on air or on oxygen."""
    if scale == 1:
        return SPO2_SCALE_1
    return SPO2_SCALE_2_OXYGEN if oxygen else SPO2_SCALE_2_AIR


def in_band(bands: tuple[Band, ...], value: Decimal) -> int:
    """The points of the first band that holds `value`."""
    return next(band.points for band in bands if band.top is None or value <= band.top)


_PLAIN: Final = {"respiration": RESPIRATION, "systolic": SYSTOLIC, "pulse": PULSE, "temperature": TEMPERATURE}


def _points(name: str, signs: Signs) -> int | None:
    value = getattr(signs, name)
    if value is None:
        return None
    if name == "oxygen":
        return OXYGEN_POINTS if value else 0
    if name == "consciousness":
        return 0 if value == "A" else NOT_ALERT_POINTS
    if name == "spo2":
        # Whether oxygen is given decides on scale 2, so a saturation alone cannot be scored there.
        if signs.scale == 2 and signs.oxygen is None:
            return None
        return in_band(spo2_bands(signs.scale, bool(signs.oxygen)), value)
    return in_band(_PLAIN[name], value)


# Every edition by which a stored set may have been scored: a set is always read by the one it was recorded with.
EDITIONS: Final = {VERSION: score}
