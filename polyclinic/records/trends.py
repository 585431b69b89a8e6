"""Vital signs through time as small drawings: one line for each sign, all on the same stretch of time.

The band behind a line is what scores 0 in NEWS2 (`news2`, chart 1), and is left out for whom the score is not meant.
A value outside it has another shape, so that nothing is told by colour alone; the same values stand in a table.

Pure: it takes readings and words, and gives markup. Time runs from left to right in every language, as numbers do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from markupsafe import Markup

from polyclinic.records import vitals

D = Decimal
# What scores 0 in NEWS2: the bands of chart 1 with no points, on SpO₂ scale 1. The others have none published there.
SCORES_NOTHING: Final[Mapping[str, tuple[Decimal, Decimal]]] = {
    "respiration": (D(12), D(20)), "spo2": (D(96), D(100)), "systolic": (D(111), D(219)), "pulse": (D(51), D(90)),
    "temperature": (D("36.1"), D("38.0")),
}  # fmt: skip
SIGNS: Final = ("respiration", "spo2", "systolic", "pulse", "temperature", "weight")
_WIDE, _TALL, _TOP, _SIDE = 320, 120, 14, 12
# Around the values at least this much of the scale is drawn: a change of one beat must not look like a cliff.
_LEAST: Final = {"spo2": D(8), "temperature": D(2), "respiration": D(10), "weight": D(4)}
_LEAST_OF_OTHERS: Final = D(40)


@dataclass(frozen=True, slots=True)
class Point:
    """One measurement. `banded`: the score is meant for this person at that time."""

    at: datetime
    value: Decimal
    banded: bool = True


@dataclass(frozen=True, slots=True)
class Trend:
    """One drawing with its words: the sign, its newest value, how many there are."""

    name: str
    label: str
    newest: str
    count: int
    svg: Markup


def points(sets: Sequence[tuple[datetime, Mapping[str, str], bool]]) -> dict[str, list[Point]]:
    """The measurements of each sign, oldest first, from (when, values as written, whether the score is meant)."""
    found: dict[str, list[Point]] = {name: [] for name in SIGNS}
    for at, values, banded in sorted(sets, key=lambda one: one[0]):
        for name in SIGNS:
            if name in values:
                found[name].append(Point(at, Decimal(values[name]), banded))
    return {name: made for name, made in found.items() if made}


def draw(name: str, shown: Sequence[Point], start: datetime, end: datetime, words: str) -> Markup:
    """The line of one sign between two moments. `words` say what it shows to who cannot see it."""
    band = SCORES_NOTHING.get(name) if all(point.banded for point in shown) else None
    low, high = _scale(name, [point.value for point in shown])
    places = [(_x(point.at, start, end), _y(point.value, low, high), point) for point in shown]
    made = [Markup('<rect class="trend-ground" x="0" y="{}" width="{}" height="{}"/>').format(_TOP, _WIDE, _TALL)]
    if band is not None:
        top, bottom = (_y(min(max(edge, low), high), low, high) for edge in reversed(band))
        if bottom > top:
            made.append(
                Markup('<rect class="trend-band" x="0" y="{}" width="{}" height="{}"/>').format(
                    top, _WIDE, round(bottom - top, 1)
                )
            )
    made += [
        Markup('<text class="trend-edge" x="2" y="{}">{}</text>').format(at, vitals.written(name, edge))
        for at, edge in ((_TOP + 11, high), (_TOP + _TALL - 3, low))
    ]
    if len(places) > 1:
        line = " ".join(f"{x},{y}" for x, y, _point in places)
        made.append(Markup('<polyline class="trend-line" points="{}"/>').format(line))
    made += [_mark(x, y, _outside(point, band)) for x, y, point in places]
    return Markup('<svg class="trend" viewBox="0 0 {} {}" role="img" aria-label="{}" direction="ltr">{}</svg>').format(
        _WIDE, _TALL + _TOP + 2, words, Markup("").join(made)
    )


def _outside(point: Point, band: tuple[Decimal, Decimal] | None) -> bool:
    return band is not None and not band[0] <= point.value <= band[1]


def _mark(x: float, y: float, outside: bool) -> Markup:
    if outside:
        return Markup('<path class="trend-out" d="M{} {}l6 11h-12z"/>').format(x, round(y - 7, 1))
    return Markup('<circle class="trend-in" cx="{}" cy="{}" r="4"/>').format(x, y)


def _scale(name: str, values: Sequence[Decimal]) -> tuple[Decimal, Decimal]:
    """The ends of the drawn scale, in whole numbers, with room around the values."""
    low, high = min(values), max(values)
    room = max(Decimal(1), (high - low) / 8, (_LEAST.get(name, _LEAST_OF_OTHERS) - (high - low)) / 2)
    top = high + room
    if name == "spo2":
        top = min(top, Decimal(100))
    return Decimal(max(0, int(low - room))), Decimal(int(top) + (top != int(top)))


def _x(at: datetime, start: datetime, end: datetime) -> float:
    """Where a moment lies; with one moment alone in the middle."""
    whole = (end - start).total_seconds()
    share = (at - start).total_seconds() / whole if whole else 0.5
    return round(_SIDE + 24 + (_WIDE - 2 * _SIDE - 24) * share, 1)


def _y(value: Decimal, low: Decimal, high: Decimal) -> float:
    return round(_TOP + _TALL - _TALL * float((value - low) / (high - low)), 1)
