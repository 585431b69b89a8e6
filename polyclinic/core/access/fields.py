"""What of a thing a viewer is shown: fields that need a right of their own beside the right to see the thing.

One table. A field without a row here comes with the thing. A field that is withheld is absent in JSON, "–" on a page,
and cannot be asked for with `fields=`. Who holds which right, by which relation, is the table of `rules`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, TypeVar

import msgspec

from polyclinic.core import clock
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Viewer


@dataclass(frozen=True, slots=True)
class FieldRule:
    """`field` of a `kind` is shown to whoever holds `right`; others get a coarser field `instead`, or nothing."""

    kind: str
    field: str
    right: str
    instead: str = ""


FIELDS: Final[tuple[FieldRule, ...]] = (
    # What a patient writes about their complaint is for those who treat and those who receive them.
    FieldRule("appointment", "reason", "appointment.read_reason"),
    FieldRule("appointment", "born", "patient.read_born", instead="age"),
    FieldRule("appointment", "mrn", "patient.read_born"),
    FieldRule("visit", "complaint", "visit.read_complaint"),
    FieldRule("visit", "priority_why", "visit.read_complaint"),
    FieldRule("visit", "born", "patient.read_born", instead="age"),
    FieldRule("visit", "mrn", "patient.read_born"),
    FieldRule("bed_stay", "reason", "visit.read_complaint"),
    FieldRule("bed_stay", "born", "patient.read_born", instead="age"),
    FieldRule("bed_stay", "mrn", "patient.read_born"),
    FieldRule("trip", "born", "patient.read_born", instead="age"),
    FieldRule("trip", "mrn", "patient.read_born"),
    FieldRule("patient", "born", "patient.read_born", instead="age"),
    FieldRule("patient", "phone", "patient.read_contact"),
    FieldRule("patient", "email", "patient.read_contact"),
    # When somebody comes is the appointment book's to tell.
    FieldRule("patient", "next_starts", "appointment.view"),
    FieldRule("patient", "last_starts", "appointment.view"),
)
_BY_KIND: Final = {kind: tuple(row for row in FIELDS if row.kind == kind) for kind in {row.kind for row in FIELDS}}
_RIGHTS: Final = {kind: tuple(dict.fromkeys(row.right for row in rows)) for kind, rows in _BY_KIND.items()}

Row = TypeVar("Row", bound=msgspec.Struct)


def years(born: date) -> int:
    """Completed years of life today."""
    today = clock.now().date()
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


_COARSER: Final[dict[str, Callable[[Any], object]]] = {"age": years}


def withheld(viewer: Viewer, kind: str, subject: Subject) -> tuple[FieldRule, ...]:
    """The fields of such a thing that this viewer is not shown."""
    lacking = [right for right in _RIGHTS.get(kind, ()) if not policy.allowed(viewer, right, subject)]
    return tuple(row for row in _BY_KIND[kind] if row.right in lacking) if lacking else ()


def cut(row: Row, rules: tuple[FieldRule, ...]) -> Row:
    """`row` without the withheld fields. They are `msgspec.UNSET`: false, and left out when written as JSON.

    Rows are typed as if whole, because whoever works with a thing sees it whole; what an outsider gets is only shown.
    """
    if not rules:
        return row
    changes: dict[str, object] = {}
    for rule in rules:
        if rule.instead and getattr(row, rule.field):
            changes[rule.instead] = _COARSER[rule.instead](getattr(row, rule.field))
        if hasattr(row, rule.field):
            changes[rule.field] = msgspec.UNSET
    return msgspec.structs.replace(row, **changes)


def shown(viewer: Viewer, kind: str, subject: Subject, row: Row) -> Row:
    """`row` as this viewer may see it."""
    return cut(row, withheld(viewer, kind, subject))
