"""Counts, sums and histograms that can be added together, and the percentiles that come from them. Pure functions.

A histogram has buckets that grow by the same factor, so that a percentile is wrong by a share of itself and never by
more: the value returned for a rank lies within 5 % (`ERROR`) of the true value at that rank, however many days,
doctors or houses were merged, and merging loses nothing (DDSketch: Masson, Rim and Lee 2019, PVLDB 12(12):2195). What
took less than a second is in bucket 0 and counts as nothing. A rank is the nearest one: of n values, the p-th
percentile is the ⌈p·n⌉-th.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping
from math import ceil, log
from typing import Final

import msgspec

# Relative error of a percentile, and the factor between the ends of a bucket that gives it.
ERROR: Final = 0.05
GROWTH: Final = (1 + ERROR) / (1 - ERROR)
_LOG: Final = log(GROWTH)

Body = dict[str, tuple[int, int, dict[int, int]]]
_decoder = msgspec.json.Decoder(Body)


class Cell:
    """How many, what they sum up to, and for durations (whole seconds) how they were spread."""

    __slots__ = ("buckets", "count", "total")

    def __init__(self, count: int = 0, total: int = 0, buckets: Mapping[int, int] | None = None) -> None:
        self.count = count
        self.total = total
        self.buckets: dict[int, int] = dict(buckets or {})

    def __eq__(self, other: object) -> bool:
        same = isinstance(other, Cell) and (self.count, self.total) == (other.count, other.total)
        return same and isinstance(other, Cell) and self.buckets == other.buckets

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Cell({self.count}, {self.total}, {self.buckets})"

    def add(self, count: int = 1, total: int = 0) -> None:
        """So many more, which come to `total`."""
        self.count += count
        self.total += total

    def lasted(self, seconds: float) -> None:
        """One more that took so long."""
        whole = max(0, int(seconds))
        self.count += 1
        self.total += whole
        where = bucket(whole)
        self.buckets[where] = self.buckets.get(where, 0) + 1

    @property
    def mean(self) -> float | None:
        """The average, or None of nothing."""
        return self.total / self.count if self.count else None

    def percentile(self, share: float) -> float | None:
        """The value below or at which this share (0 to 1) of them lies, within `ERROR` of it; None of nothing."""
        many = sum(self.buckets.values())
        if not many:
            return None
        rank, seen = max(1, ceil(share * many)), 0
        for where in sorted(self.buckets):
            seen += self.buckets[where]
            if seen >= rank:
                return value(where)
        raise AssertionError("unreachable")


def bucket(seconds: int) -> int:
    """Which bucket a duration falls into: n holds those above GROWTH ** (n - 2), up to GROWTH ** (n - 1)."""
    # Half a millionth keeps the ends themselves from falling over the edge of what floats can tell.
    return 0 if seconds < 1 else ceil(log(seconds) / _LOG - 5e-7) + 1


def value(where: int) -> float:
    """What stands for a bucket: as far from its lower as from its upper end, in shares of them."""
    return 0.0 if where == 0 else 2 * GROWTH ** (where - 1) / (GROWTH + 1)


Cells = defaultdict[str, Cell]


def cells() -> Cells:
    """An empty set of measures."""
    return defaultdict(Cell)


def encode(measures: Mapping[str, Cell]) -> str:
    """As JSON, the same text for the same figures. Measures of nothing are left out."""
    body = {
        name: (cell.count, cell.total, dict(sorted(cell.buckets.items())))
        for name, cell in sorted(measures.items())
        if cell.count or cell.total
    }
    return msgspec.json.encode(body).decode()


def read(text: str) -> Body:
    """What was written down, to be added together."""
    return _decoder.decode(text)


def raw(measures: Mapping[str, Cell]) -> Body:
    """Measures in the same form."""
    return {name: (cell.count, cell.total, cell.buckets) for name, cell in measures.items()}


def merge(bodies: Iterable[Body], only: Container[str] | None = None, into: Cells | None = None) -> Cells:
    """All of these added together, or only the measures named. Of two years this is most of the work."""
    found = cells() if into is None else into
    for body in bodies:
        for name, (count, total, buckets) in body.items():
            if only is not None and name not in only:
                continue
            cell = found[name]
            cell.count += count
            cell.total += total
            if buckets:
                kept = cell.buckets
                for where, many in buckets.items():
                    kept[where] = kept.get(where, 0) + many
    return found


def join(measures: Iterable[Mapping[str, Cell]]) -> Cells:
    """The same for what is counted or merged already."""
    return merge(map(raw, measures))
