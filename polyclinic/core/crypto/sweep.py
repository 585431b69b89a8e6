"""Walking a whole column in small steps: to seal what was written in clear, and to seal anew under a newer key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

from django.apps import apps
from django.db import models, transaction

from polyclinic.core.crypto import ring as rings
from polyclinic.core.crypto import sealing
from polyclinic.core.crypto.fields import Column, EncryptedTextField, Sealed
from polyclinic.core.crypto.problems import KeyErased
from polyclinic.core.crypto.ring import ring

# So few that a writer who waits for SQLite's write lock hardly notices.
STEP: Final = 200


def seal_clear(model: type[models.Model], name: str, *, owner: str = "", purpose: str = "") -> int:
    """Seal a column that still holds clear text. For migrations: `model` is the historical one; returns how many."""
    column, sealed = Column(model._meta.db_table, name), 0
    for rows in _batches(model, name, owner or "pk", 1000):
        owners = [rings.purpose(purpose) if purpose else rings.patient(whose) for _key, whose, _text in rows]
        ring.make(set(owners))
        for (key, _whose, text), mine in zip(rows, owners, strict=True):
            model._default_manager.filter(pk=key).update(**{name: column.seal(key, mine, str(text))})
            sealed += 1
    return sealed


def encrypted() -> list[EncryptedTextField]:
    """Every encrypted field of the installed apps."""
    return [
        field
        for model in apps.get_models()
        for field in model._meta.local_concrete_fields
        if isinstance(field, EncryptedTextField)
    ]


def reseal(field: EncryptedTextField) -> Iterator[int]:
    """Seal anew what stands under an older key, in short transactions; yields how many each step changed.

    Safe while people work, and after an interruption: a row already under the current key is passed by, and a row
    that somebody writes meanwhile keeps what they wrote.
    """
    model, name = field.model, field.attname
    column = field.sealer()
    for rows in _batches(model, name, field.owner or "pk", STEP):
        Column.warm(text for _key, _whose, text in rows)
        changed = 0
        with transaction.atomic():
            for key, whose, text in rows:
                owner = field.owner_named(whose if field.owner else None)
                fresh = _renewed(column, key, owner, text)
                if fresh is None:
                    continue
                # Still as it was read: otherwise its writer has sealed it with the current key already.
                kept = model._default_manager.filter(pk=key).extra(  # noqa: S610 - our own column names
                    where=[f'"{field.get_attname_column()[1]}" = %s'], params=[str(text)]
                )
                changed += kept.update(**{name: fresh})
        yield changed


def _renewed(column: Column, key: object, owner: str, text: str) -> Sealed | None:
    try:
        if sealing.key_of(text) == ring.current(owner).id:
            return None
    except KeyErased:
        return None
    return column.seal(key, owner, column.open(key, text))


def _batches(model: type[models.Model], name: str, owner: str, size: int) -> Iterator[list[tuple[Any, UUID, str]]]:
    """Rows with something in the column, in the order of their keys."""
    found = model._default_manager.exclude(**{name: ""}).order_by("pk")
    rows = _rows(found[:size], name, owner)
    while rows:
        yield [row for row in rows if row[2]]
        rows = _rows(found.filter(pk__gt=rows[-1][0])[:size], name, owner)


def _rows(found: models.QuerySet[Any], name: str, owner: str) -> list[tuple[Any, UUID, str]]:
    """(key, owner, text as it stands) of each row."""
    columns = {field.attname for field in found.model._meta.concrete_fields} | {"pk"}
    if owner in columns:
        return list(found.values_list("pk", owner, name))
    # Whose it is stands with another row, such as an invoice's patient: the model's own property knows the way.
    return [(row.pk, getattr(row, owner), row.__dict__[name]) for row in found]
