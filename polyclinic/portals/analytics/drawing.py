"""Charts drawn here as SVG: columns in the colour of the text around them, so that they are right in every theme.

Each has a title and a description for who cannot see it, and stands beside a table that says the same. Time runs from
left to right in every language, as numbers do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from markupsafe import Markup

_WIDE, _TALL, _TOP, _FOOT = 560.0, 180.0, 18.0, 20.0
_GAP: Final = 0.2
_STEPS: Final = (1, 2, 2.5, 5, 10)


def columns(
    name: str,
    title: str,
    about: str,
    values: Sequence[float | None],
    ends: tuple[str, str],
    top: str,
    inner: Sequence[float | None] = (),
) -> Markup:
    """Columns of `values`, with `inner` drawn darker inside each, from the first of `ends` to the last.

    `name` makes the ids; `top` is what the upper line says, written by who knows the unit (see `ceiling`).
    """
    most = ceiling(values)
    room = _TALL - _TOP - _FOOT
    step = _WIDE / max(1, len(values))
    bars = Markup("").join(
        _bar(place * step, step, (value or 0) / most * room, opacity)
        for series, opacity in ((values, "0.45"), (inner, "0.95"))
        for place, value in enumerate(series)
        if value
    )
    base = _TALL - _FOOT
    return Markup(
        '<svg viewBox="0 0 {w} {t}" width="100%" height="{t}" preserveAspectRatio="xMinYMin" role="img" '
        'aria-labelledby="{n}-title {n}-about" direction="ltr" '
        'fill="currentColor" font-size="16"><title id="{n}-title">{title}</title><desc id="{n}-about">{about}</desc>'
        '<path d="M0 {top}H{w}M0 {base}H{w}" stroke="currentColor" stroke-opacity="0.3"/>{bars}'
        '<text x="0" y="12">{label}</text><text x="0" y="{low}">{first}</text>'
        '<text x="{w}" y="{low}" text-anchor="end">{last}</text></svg>'
    ).format(
        w=_WIDE, t=_TALL, n=name, title=title, about=about, top=_TOP, base=base, bars=bars, label=top,
        low=_TALL - 4, first=ends[0], last=ends[1],
    )  # fmt: skip


def ceiling(values: Sequence[float | None]) -> float:
    """A round number that none is above: where the upper line is."""
    most = max((value for value in values if value is not None), default=0)
    if most <= 0:
        return 1
    size = 1.0
    while size * 10 < most:
        size *= 10
    while size > most:
        size /= 10
    return next(size * step for step in _STEPS if size * step >= most)


def _bar(left: float, step: float, tall: float, opacity: str) -> Markup:
    return Markup('<rect x="{}" y="{}" width="{}" height="{}" fill-opacity="{}"/>').format(
        round(left + step * _GAP / 2, 1), round(_TALL - _FOOT - tall, 1), round(step * (1 - _GAP), 1), round(tall, 1),
        opacity,
    )  # fmt: skip
