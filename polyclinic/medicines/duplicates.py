"""The same twice: one substance in two products, or two of a kind that are never meant together.

Two products of one ATC group (level 4, five letters: WHO Collaborating Centre for Drug Statistics Methodology)
do the same by the same way. Groups in which two are given on purpose are left out.
"""

from __future__ import annotations

from typing import Final

from polyclinic.medicines import classes

VERSION: Final = "2026-1"
# A quick and a slow insulin, a reliever and a preventer, two antiepileptics, iron with folic acid.
_MEANT: Final = ("A10A", "R03", "N03A", "B03", "A12", "J04A", "D", "S01", "S02", "B01AC", "N05A", "A11")


def same_substance(first: classes.Product, second: classes.Product) -> str | None:
    """The substance that is in both, or None."""
    found = set(first.substances) & set(second.substances)
    return min(found) if found else None


def same_kind(first: classes.Product, second: classes.Product) -> str | None:
    """The ATC group that both belong to and that is given once, or None."""
    group = first.atc[:5]
    if len(group) < 5 or group != second.atc[:5] or group.startswith(_MEANT):
        return None
    return group
