"""Model fields that are sealed at rest.

`EncryptedTextField(owner="patient_id")` seals with the key of the patient named by that attribute, and
`EncryptedTextField(purpose="accounts")` with a purpose's key. An instance opens its text when it is first looked at.
`.values_list()` and statements built once give and take what is stored: `column(Model, "name")` opens and seals it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import models
from django.db.models.query_utils import DeferredAttribute
from django.utils.module_loading import import_string

from polyclinic.core.crypto import blind, ring, sealing
from polyclinic.core.crypto.problems import KeyErased

if TYPE_CHECKING:
    _TextField = models.Field[str, str]
    _CharField = models.CharField[str, str]
else:
    _TextField, _CharField = models.Field, models.CharField


class Sealed(str):
    """A text as it stands in the database. Only this kind is ever written to an encrypted column."""

    __slots__ = ()


class Column:
    """One encrypted column: seals and opens for a row of it."""

    __slots__ = ("_place",)

    def __init__(self, table: str, name: str) -> None:
        self._place = f"{table}.{name}"

    def seal(self, row: object, owner: str, text: str) -> Sealed:
        """`text` as it is stored in row `row` (its key). An empty text stays empty."""
        return Sealed(sealing.seal(owner, f"{self._place}.{row}", text) if text else "")

    def open(self, row: object, stored: str) -> str:
        """What row `row` says; nothing when its key was shredded. Raises Tampered or KeyMissing."""
        if not stored:
            return ""
        try:
            return sealing.open_(f"{self._place}.{row}", stored)
        except KeyErased:
            return ""

    def open_each(self, rows: Sequence[object], stored: Sequence[str]) -> list[str]:
        """`open` for each of these rows: with one look for their keys, and half the cost of opening one by one."""
        return sealing.open_each(self._place, rows, stored)

    @staticmethod
    def warm(stored: Iterable[str]) -> None:
        """Fetch the keys of many texts at once, before they are opened one by one."""
        ring.ring.warm(sealing.key_of(text) for text in stored if text)


class _Opening(DeferredAttribute):
    """Opens the text at the first look, and takes any text that is assigned."""

    field: EncryptedTextField

    def __get__(self, instance: Any, cls: Any = None) -> Any:  # noqa: ANN401 - Django's own signature
        value = super().__get__(instance, cls)
        if type(value) is Sealed:
            value = instance.__dict__[self.field.attname] = self.field.sealer().open(instance.pk, value)
        return value

    def __set__(self, instance: Any, value: Any) -> None:  # noqa: ANN401
        instance.__dict__[self.field.attname] = value


class EncryptedTextField(_TextField):
    """Text sealed with AES-256-GCM. `owner` names the attribute that holds the patient's id, `purpose` a shared key.

    With both, the shared key seals the rows that have no patient. The row's key must be known before it is inserted (a
    UUID made in Python). Comparing it in a query, or writing plain text by `update()`, raises TypeError.
    """

    descriptor_class = _Opening

    def __init__(self, *args: Any, owner: str = "", purpose: str = "", **kwargs: Any) -> None:  # noqa: ANN401
        self.owner, self.purpose = owner, purpose
        self._sealer: Column | None = None
        super().__init__(*args, **kwargs)

    def get_internal_type(self) -> str:
        return "TextField"

    def deconstruct(self) -> Any:  # noqa: ANN401 - Django's own signature
        name, path, args, kwargs = super().deconstruct()
        given = {"owner": self.owner, "purpose": self.purpose}
        return name, path, args, {**kwargs, **{key: value for key, value in given.items() if value}}

    def sealer(self) -> Column:
        """Seals and opens for this field's column."""
        if self._sealer is None:
            self._sealer = column(self.model, self.attname)
        return self._sealer

    def owner_of(self, row: Any) -> str:  # noqa: ANN401 - any model with this field
        """Whose key seals this row."""
        return self.owner_named(getattr(row, self.owner) if self.owner else None)

    def owner_named(self, patient_id: object) -> str:
        """Whose key seals a row of this patient; without one, the purpose's."""
        if isinstance(patient_id, UUID):
            return ring.patient(patient_id)
        if not self.purpose or patient_id is not None:
            raise TypeError(f"{self} needs a patient's id in {self.owner}")
        return ring.purpose(self.purpose)

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:  # noqa: ANN401 - Django's own signature
        value = model_instance.__dict__.get(self.attname, "")
        if value is None or value == "" or type(value) is Sealed:
            return value
        return self.sealer().seal(model_instance.pk, self.owner_of(model_instance), value)

    def get_prep_value(self, value: Any) -> Any:  # noqa: ANN401
        if value is None or value == "":
            return value
        if type(value) is not Sealed:
            raise TypeError(f"{self} is sealed: plain text can neither be written nor searched")
        return str(value)

    def from_db_value(self, value: str | None, *_rest: object) -> Any:  # noqa: ANN401
        return Sealed(value) if value else value


class BlindIndexField(_CharField):
    """The blind index of another field of the row, kept up by itself whenever the row is saved.

    `normal` is the dotted name of a function that makes texts comparable. Look for a value with `blind.index`.
    """

    def __init__(self, *args: Any, source: str, purpose: str, normal: str, **kwargs: Any) -> None:  # noqa: ANN401
        self.source, self.purpose, self.normal = source, purpose, normal
        kwargs.setdefault("max_length", blind.LENGTH)
        kwargs.setdefault("blank", True)
        kwargs.setdefault("editable", False)
        kwargs.setdefault("default", "")
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:  # noqa: ANN401 - Django's own signature
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "source": self.source, "purpose": self.purpose, "normal": self.normal}

    def of(self, text: str) -> str:
        """What this column holds for a text."""
        normal: Callable[[str], str] = import_string(self.normal)
        return blind.index(self.purpose, normal(text)) if text else ""

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:  # noqa: ANN401
        if type(model_instance.__dict__.get(self.source)) is Sealed:
            return getattr(model_instance, self.attname)  # not looked at, so not changed
        made = self.of(getattr(model_instance, self.source))
        setattr(model_instance, self.attname, made)
        return made


@functools.cache
def column(model: type[models.Model], name: str) -> Column:
    """The encrypted column of a model, for reading and writing it without an instance."""
    field = model._meta.get_field(name)
    assert isinstance(field, EncryptedTextField)
    return Column(model._meta.db_table, field.get_attname_column()[1] or name)


def stored(row: models.Model, name: str) -> Any:  # noqa: ANN401 - a column's value
    """What an insert writes for this attribute: the sealed text of an encrypted field, any other as it is."""
    if name in _encrypted(type(row)):
        return row._meta.get_field(name).pre_save(row, True)  # type: ignore[union-attr]
    return getattr(row, name)


@functools.cache
def _encrypted(model: type[models.Model]) -> frozenset[str]:
    return frozenset(field.attname for field in model._meta.concrete_fields if isinstance(field, EncryptedTextField))
