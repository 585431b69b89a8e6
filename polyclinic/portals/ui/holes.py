"""Drawing by filling: a template is drawn once for each of its shapes, with holes where the texts will be.

A day has fifty rows in four or five shapes (state, buttons), and around them the same frame as a moment ago. Drawing
them from their templates is most of a page's cost, filling a drawn shape a tenth of it. What a template *decides*
belongs to the shape; what it only prints is a hole.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from operator import itemgetter
from typing import Any, Final, NoReturn

from markupsafe import escape

_MARK: Final = "\0"
_MARKS: Final = re.compile("\0([a-z_]+)\0")


class LookedAt(Exception):
    """A template decided by a text that was not there yet. No TypeError, which Jinja2 would take for "undefined"."""


class Hole:
    """Stands in a template for a text that comes later. It can be printed; to look at it raises LookedAt.

    A template that asked `{% if name %}` of a hole would be answered once and wrongly for every row.
    """

    __slots__ = ("_mark",)

    def __init__(self, name: str) -> None:
        self._mark = f"{_MARK}{name}{_MARK}"

    def __html__(self) -> str:
        return self._mark

    def __str__(self) -> str:
        return self._mark

    def _looked_at(self, *_others: object) -> NoReturn:
        raise LookedAt("a hole can only be printed; what a template decides belongs to the shape")

    __bool__ = __eq__ = __lt__ = __gt__ = __le__ = __ge__ = __len__ = __iter__ = _looked_at
    __contains__ = __getitem__ = __int__ = __float__ = __hash__ = _looked_at

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - never answers
        if name.startswith("__"):
            raise AttributeError(name)
        self._looked_at()


class Glimpse:
    """What a frame may know of its request: who looks, which its shape must hold, and a hole for the log's position."""

    def __init__(self, viewer: object) -> None:
        self.viewer = viewer
        self.live_cursor = Hole("cursor")

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - never answers
        if name.startswith("__"):
            raise AttributeError(name)
        raise LookedAt(f"a frame is drawn for many requests and cannot know this one's {name}")


def holes(names: Sequence[str]) -> dict[str, Hole]:
    """A hole for each name, to draw a template with."""
    return {name: Hole(name) for name in names}


class Skeleton:
    """HTML drawn with holes. `names` says in which order the texts will be given."""

    __slots__ = ("_parts", "_pick")

    def __init__(self, html: str, names: Sequence[str]) -> None:
        """Raises ValueError when the HTML has fewer than two holes or one that is not in `names`."""
        parts = _MARKS.split(html)
        used = [names.index(name) for name in parts[1::2]]
        if len(used) < 2 or any(_MARK in part for part in parts):
            raise ValueError("a skeleton needs two holes, each printed as it is")
        self._parts = parts
        self._pick = itemgetter(*used)

    def fill(self, texts: Sequence[str], *markup: str) -> str:
        """HTML with the texts in their holes, each escaped; `markup`, for the last names, goes in as it is."""
        # All at once, since each call costs more than what it does.
        safe: Sequence[str] = str(escape(_MARK.join(texts))).split(_MARK)
        if len(safe) != len(texts):
            # A text holds the mark itself, which no person types.
            safe = [str(escape(text)) for text in texts]
        parts = self._parts.copy()
        parts[1::2] = self._pick([*safe, *markup] if markup else safe)
        return "".join(parts)
