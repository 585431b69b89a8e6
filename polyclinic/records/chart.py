"""The NEWS2 observation chart as SVG: the rows, their order and their colours as on the official chart.

Source as in `news2` (chart 3; © Royal College of Physicians 2017). A row of the chart is a band of values; its colour
is its score. Colours: white 0, yellow 1, orange 2, red 3, the same in light and dark, for people know them. The points
stand in each coloured band, so that nothing is told by colour alone; the same values stand in a table beside it.

Pure: it takes readings and words, and gives markup. Newest at the end, as on paper.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from markupsafe import Markup

from polyclinic.records import news2


@dataclass(frozen=True, slots=True)
class Reading:
    """One column: its day and time in the facility's zone, its signs, its score, and its aria words."""

    day: str
    time: str
    signs: news2.Signs
    score: news2.Score
    flow: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A band as the chart prints it. `holds` says whether a column's dot belongs here; `points` colours it."""

    label: str
    points: int
    holds: Callable[[news2.Signs], bool]


@dataclass(frozen=True, slots=True)
class Part:
    """A parameter with its rows from top to bottom. `letter` is that of the ABCDE order the chart is read in."""

    name: str
    letter: str
    rows: tuple[Row, ...]


def _between(name: str, low: str | None, high: str | None) -> Callable[[news2.Signs], bool]:
    from_ = None if low is None else Decimal(low)
    to = None if high is None else Decimal(high)

    def holds(signs: news2.Signs) -> bool:
        value = getattr(signs, name)
        return value is not None and (from_ is None or value >= from_) and (to is None or value <= to)

    return holds


def _rows(name: str, *steps: tuple[str, int, str | None, str | None]) -> tuple[Row, ...]:
    return tuple(Row(label, points, _between(name, low, high)) for label, points, low, high in steps)


def _scale(number: int, *steps: tuple[str, int, str | None, str | None, bool | None]) -> tuple[Row, ...]:
    """Rows of one SpO₂ scale; the last of a step says whether it is for oxygen, for air, or for both."""

    def row(label: str, points: int, low: str | None, high: str | None, oxygen: bool | None) -> Row:
        inside = _between("spo2", low, high)
        return Row(
            label,
            points,
            lambda signs: signs.scale == number and inside(signs) and (oxygen is None or signs.oxygen is oxygen),
        )

    return tuple(row(*step) for step in steps)


def _is(label: str, points: int, name: str, *values: object) -> Row:
    return Row(label, points, lambda signs: getattr(signs, name) in values)


PARTS: Final[tuple[Part, ...]] = (
    Part("respiration", "A+B", _rows(
        "respiration", ("≥ 25", 3, "25", None), ("21–24", 2, "21", "24"), ("18–20", 0, "18", "20"),
        ("15–17", 0, "15", "17"), ("12–14", 0, "12", "14"), ("9–11", 1, "9", "11"), ("≤ 8", 3, None, "8"),
    )),
    Part("spo2_1", "A+B", _scale(
        1, ("≥ 96", 0, "96", None, None), ("94–95", 1, "94", "95", None), ("92–93", 2, "92", "93", None),
        ("≤ 91", 3, None, "91", None),
    )),
    Part("spo2_2", "A+B", _scale(
        2, ("≥ 97 O₂", 3, "97", None, True), ("95–96 O₂", 2, "95", "96", True), ("93–94 O₂", 1, "93", "94", True),
        ("≥ 93 air", 0, "93", None, False), ("88–92", 0, "88", "92", None), ("86–87", 1, "86", "87", None),
        ("84–85", 2, "84", "85", None), ("≤ 83", 3, None, "83", None),
    )),
    Part("oxygen", "A+B", (_is("air", 0, "oxygen", False), _is("O₂", 2, "oxygen", True))),
    Part("systolic", "C", _rows(
        "systolic", ("≥ 220", 3, "220", None), ("201–219", 0, "201", "219"), ("181–200", 0, "181", "200"),
        ("161–180", 0, "161", "180"), ("141–160", 0, "141", "160"), ("121–140", 0, "121", "140"),
        ("111–120", 0, "111", "120"), ("101–110", 1, "101", "110"), ("91–100", 2, "91", "100"),
        ("81–90", 3, "81", "90"), ("71–80", 3, "71", "80"), ("61–70", 3, "61", "70"), ("51–60", 3, "51", "60"),
        ("≤ 50", 3, None, "50"),
    )),
    Part("pulse", "C", _rows(
        "pulse", ("≥ 131", 3, "131", None), ("121–130", 2, "121", "130"), ("111–120", 2, "111", "120"),
        ("101–110", 1, "101", "110"), ("91–100", 1, "91", "100"), ("81–90", 0, "81", "90"), ("71–80", 0, "71", "80"),
        ("61–70", 0, "61", "70"), ("51–60", 0, "51", "60"), ("41–50", 1, "41", "50"), ("31–40", 3, "31", "40"),
        ("≤ 30", 3, None, "30"),
    )),
    Part("consciousness", "D", (
        _is("A", 0, "consciousness", "A"), _is("C", 3, "consciousness", "C"), _is("V", 3, "consciousness", "V"),
        _is("P", 3, "consciousness", "P"), _is("U", 3, "consciousness", "U"),
    )),
    Part("temperature", "E", _rows(
        "temperature", ("≥ 39.1", 2, "39.1", None), ("38.1–39.0", 1, "38.1", "39.0"), ("37.1–38.0", 0, "37.1", "38.0"),
        ("36.1–37.0", 0, "36.1", "37.0"), ("35.1–36.0", 1, "35.1", "36.0"), ("≤ 35.0", 3, None, "35.0"),
    )),
)  # fmt: skip

# Sizes in the drawing's own units.
_NAME, _BAND, _COLUMN, _LINE, _GAP, _HEAD = 132, 84, 48, 15, 5, 34
# So many columns are drawn at most; the table beside has them all.
MOST: Final = 12


def draw(readings: Sequence[Reading], names: Mapping[str, str], title: str, total: str) -> Markup:
    """The chart of these readings, oldest first; `names` says each part in the reader's language.

    Names of parts and `total` are text of ours in the reader's language; everything is escaped all the same.
    """
    shown = readings[-MOST:]
    columns = max(len(shown), 6)
    width = _NAME + _BAND + columns * _COLUMN
    body, y = [_head(shown)], _HEAD
    for part in PARTS:
        body.append(_part(part, shown, names[part.name], columns, y))
        y += len(part.rows) * _LINE + _GAP
    body.append(_totals(shown, total, columns, y))
    height = y + 22
    return Markup(
        '<svg class="news-chart" viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="img" aria-label="{title}">'
    ).format(w=width, h=height, title=title) + Markup("").join([*body, Markup("</svg>")])


def _left(column: int) -> int:
    return _NAME + _BAND + column * _COLUMN


def _text(x: float, y: float, words: object, css: str) -> Markup:
    return Markup('<text x="{}" y="{}" class="{}">{}</text>').format(x, y, css, words)


def _rect(x: int, y: int, width: int, height: int, css: str) -> Markup:
    return Markup('<rect x="{}" y="{}" width="{}" height="{}" class="{}"/>').format(x, y, width, height, css)


def _head(shown: Sequence[Reading]) -> Markup:
    made, before = [], ""
    for column, reading in enumerate(shown):
        middle = _left(column) + _COLUMN / 2
        if reading.day != before:
            made.append(_text(middle, 12, reading.day, "news-day"))
        made.append(_text(middle, 27, reading.time, "news-time"))
        before = reading.day
    return Markup("").join(made)


def _part(part: Part, shown: Sequence[Reading], name: str, columns: int, top: int) -> Markup:
    """One parameter: its name, its bands in their colours, and a dot where each reading lies."""
    height = len(part.rows) * _LINE
    made = [_rect(0, top, _NAME, height, "news-name"), _text(8, top + 12, part.letter, "news-letter")]
    made += [
        _text(8, top + 12 + _LINE * (line + 1) if height > _LINE * 2 else top + 24, words, "news-label")
        for line, words in enumerate(_wrapped(name))
    ]
    for at, row in enumerate(part.rows):
        y = top + at * _LINE
        made.append(_rect(_NAME, y, _BAND + columns * _COLUMN, _LINE, f"news-{row.points}"))
        made.append(_text(_NAME + 6, y + 11, row.label, "news-band"))
        if row.points:
            made.append(_text(_NAME + _BAND - 9, y + 11, row.points, "news-points"))
    return Markup("").join([*made, *_dots(part, shown, top)])


def _dots(part: Part, shown: Sequence[Reading], top: int) -> list[Markup]:
    """A dot where each reading lies, and lines between those of neighbouring columns."""
    made: list[Markup] = []
    where = [_place(part, reading) for reading in shown]
    for column, (here, after) in enumerate(zip(where, [*where[1:], None], strict=True)):
        if here is None:
            continue
        x, y = _left(column) + _COLUMN / 2, top + (here + 0.5) * _LINE
        if after is not None:
            made.append(_line(x, y, x + _COLUMN, top + (after + 0.5) * _LINE))
        made.append(Markup('<circle cx="{}" cy="{}" r="4" class="news-dot"/>').format(x, y))
        if part.name == "oxygen" and shown[column].flow:
            made.append(_text(x + 6, y + 4, shown[column].flow, "news-flow"))
    return made


def _line(x: float, y: float, to_x: float, to_y: float) -> Markup:
    return Markup('<line x1="{}" y1="{}" x2="{}" y2="{}" class="news-line"/>').format(x, y, to_x, to_y)


def _place(part: Part, reading: Reading) -> int | None:
    return next((at for at, row in enumerate(part.rows) if row.holds(reading.signs)), None)


def _wrapped(name: str, longest: int = 19) -> list[str]:
    """The name in lines that fit its column; a part of two rows has room for one."""
    lines = [""]
    for word in name.split():
        if lines[-1] and len(lines[-1]) + len(word) >= longest:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _totals(shown: Sequence[Reading], words: str, columns: int, top: int) -> Markup:
    made = [
        _rect(0, top, _NAME + _BAND, 20, "news-name"),
        _text(8, top + 14, words, "news-letter"),
        _rect(_NAME + _BAND, top, columns * _COLUMN, 20, "news-0"),
    ]
    for column, reading in enumerate(shown):
        found = reading.score
        css = {"high": "news-3", "medium": "news-2", "low_medium": "news-1"}.get(str(found.risk or ""), "news-0")
        made.append(_rect(_left(column), top, _COLUMN, 20, css))
        said = "–" if found.total is None else str(found.total)
        made.append(_text(_left(column) + _COLUMN / 2, top + 15, said, "news-sum"))
    return Markup("").join(made)
