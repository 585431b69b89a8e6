"""NEWS2 totals through time as a drawing the size of a word. The same numbers stand beside it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from markupsafe import Markup

_WIDE, _TALL, _EDGE = 96, 28, 4
# From 5 on a doctor is called (RCP 2017, chart 2): those have another shape, so that nothing is told by colour alone.
_CALLED: Final = 5
_LEAST: Final = 8


def line(totals: Sequence[tuple[datetime, int]], says: str) -> Markup:
    """The line of these totals, oldest first; empty without at least two. `says` tells it to who cannot see it."""
    if len(totals) < 2:
        return Markup("")
    top = max(_LEAST, *(total for _at, total in totals))
    start, whole = totals[0][0], (totals[-1][0] - totals[0][0]).total_seconds() or 1.0
    spots = [
        (
            round(_EDGE + (_WIDE - 2 * _EDGE) * (at - start).total_seconds() / whole, 1),
            round(_TALL - _EDGE - (_TALL - 2 * _EDGE) * total / top, 1),
            total,
        )
        for at, total in totals
    ]
    marks = Markup("").join(
        Markup('<path class="trend-out" d="M{} {}l3.5 6h-7z"/>').format(x, round(y - 4, 1))
        if total >= _CALLED
        else Markup('<circle class="trend-in" cx="{}" cy="{}" r="2"/>').format(x, y)
        for x, y, total in spots
    )
    return Markup(
        '<svg width="{}" height="{}" viewBox="0 0 {} {}" role="img" aria-label="{}" direction="ltr">'
        '<polyline class="trend-line" points="{}"/>{}</svg>'
    ).format(_WIDE, _TALL, _WIDE, _TALL, says, " ".join(f"{x},{y}" for x, y, _total in spots), marks)
