"""What is stored and how grave it is, and which lines lead out: two tables, held against the code by tests.

A table of the database that has no row here, or a module that opens a line and has none, fails the build. So the map
that `docs/data-map.md` draws cannot grow old unseen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Final

from django.apps import apps
from django.db import models

from polyclinic.compliance.registry import TABLES
from polyclinic.core.crypto.fields import BlindIndexField, EncryptedTextField

# Shorter ones hold states, codes of lists and digests; whoever did something is named by an id of 64.
_WORDS_FROM: Final = 65


class Level(StrEnum):
    """How grave it is when it is seen by whom it is none of; each is protected as `docs/data-map.md` says."""

    SECRET = "secret"  # noqa: S105 - the name of a level
    HEALTH = "health"
    PERSON = "person"
    HOUSE = "house"


@dataclass(frozen=True, slots=True)
class Stored:
    """A table of the database. `clear` names columns that say something in clear."""

    table: str
    level: Level
    what: str
    clear: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A line to another machine or process, by the module that opens it."""

    module: str
    settings: tuple[str, ...]
    whom: str
    what: str
    when: str
    guard: str


def _cells(name: str, many: int) -> Iterator[list[str]]:
    for line in (TABLES / name).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            cells = [cell.strip() for cell in line.split("|")]
            if len(cells) != many:
                raise ValueError(f"{name}: {line}")
            yield cells


@cache
def stored() -> dict[str, Stored]:
    """By table. Raises ValueError for a line that cannot be read and a table that is there twice."""
    found: dict[str, Stored] = {}
    for tables, level, what, clear in _cells("data.txt", 4):
        for table in (one.strip() for one in tables.split(",")):
            if table in found:
                raise ValueError(f"there twice: {table}")
            found[table] = Stored(table, Level(level), what, tuple(clear.split()))
    return found


@cache
def lines() -> tuple[Line, ...]:
    """In the order of the table. Raises ValueError for a line that cannot be read."""
    return tuple(Line(row[0], tuple(row[1].split()), *row[2:]) for row in _cells("lines.txt", 6))


def tables() -> dict[str, type[models.Model]]:
    """The database's tables as the code makes them."""
    return {model._meta.db_table: model for model in apps.get_models()}


def sealed(model: type[models.Model]) -> tuple[str, ...]:
    """Columns that nobody reads without the keys."""
    kinds = (EncryptedTextField, BlindIndexField)
    return tuple(str(field.column) for field in model._meta.concrete_fields if isinstance(field, kinds))


def wordy(model: type[models.Model]) -> set[str]:
    """Columns in clear that can hold words, or anything else of somebody's choice."""
    kinds = (models.TextField, models.JSONField, models.BinaryField)
    closed = set(sealed(model))
    return {
        str(field.column)
        for field in model._meta.concrete_fields
        if field.column not in closed and not field.choices and not field.primary_key and not field.is_relation
        if isinstance(field, kinds) or (isinstance(field, models.CharField) and (field.max_length or 0) >= _WORDS_FROM)
    }


def of_a_patient(model: type[models.Model]) -> bool:
    """Whether a row is about one patient, by itself or through what it belongs to."""
    seen, waiting = {model}, [model]
    while waiting:
        for field in waiting.pop()._meta.concrete_fields:
            target = field.related_model
            if not isinstance(target, type) or target in seen or target._meta.label == "facilities.Facility":
                continue
            if target._meta.label == "people.Patient":
                return True
            seen.add(target)
            waiting.append(target)
    return False


def page(table: Callable[[Sequence[str], Iterable[Sequence[str]]], list[str]]) -> Iterator[str]:
    """The inventory as Markdown. `table` draws one from a head and rows."""
    yield "# What is stored and where it goes"
    yield ""
    yield "The levels, a drawing and who may start what: `docs/data-map.md`. *Sealed* columns open with the keys alone."
    yield "*In clear* are those that name a person, say something of their health or are free words."
    yield ""
    yield "## Lines"
    yield ""
    yield from table(
        ("module", "settings", "to whom", "what goes over it", "when", "what guards it"),
        (
            (f"`{one.module}`", " ".join(f"`{name}`" for name in one.settings), one.whom, one.what, one.when, one.guard)
            for one in lines()
        ),
    )
    known = tables()
    for level in Level:
        yield f"## {level.value.capitalize()}"
        yield ""
        yield from table(
            ("table", "what", "sealed", "in clear"),
            (
                (f"`{row.table}`", row.what, " ".join(sealed(known[row.table])), " ".join(row.clear))
                for row in stored().values()
                if row.level == level
            ),
        )
