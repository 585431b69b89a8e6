"""Correcting what is written down about who a patient is. Every field is checked as at sign-up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from polyclinic.core import ledger
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor
from polyclinic.core.crypto import ring
from polyclinic.core.crypto.fields import BlindIndexField, EncryptedTextField
from polyclinic.core.db import transactional
from polyclinic.core.errors import Invalid
from polyclinic.people.actions import _birth_date, _name, _phone, _sex
from polyclinic.people.models import Patient


def _day(text: str) -> date:
    try:
        return _birth_date(date.fromisoformat(text.strip()))
    except ValueError:
        raise Invalid(_("Write the day as year-month-day, for example 2026-11-21."), field="born") from None


# Every field that can be corrected, and how its text is read. Each raises Invalid naming the field.
READERS: Final[dict[str, Callable[[str], Any]]] = {
    "given_name": lambda text: _name(text, "given_name"),
    "family_name": lambda text: _name(text, "family_name"),
    "born": _day,
    "sex": lambda text: _sex(text.strip()),
    "phone": _phone,
}


def read(field: str, text: str) -> Any:  # noqa: ANN401 - the field's own kind
    """`text` as the value of this field. Raises Invalid, also for a field that cannot be corrected."""
    reader = READERS.get(field)
    if reader is None:
        raise Invalid(_("Choose one of the listed values."), field="field", possible=sorted(READERS))
    return reader(text)


@transactional
def correct(*, actor: Actor, patient: Patient, field: str, text: str, permission: str, subject: Subject) -> None:
    """Write a corrected value, with its audit entry: which field, and never what it says.

    Raises Invalid, Forbidden, or StaleEdit when the patient changed since they were read.
    """
    value = read(field, text)
    ledger.change(
        patient,
        _columns(patient, field, value),
        permission=permission,
        subject=subject,
        actor=actor,
        action="patient.correct",
        detail={"field": field},
    )


def _columns(patient: Patient, field: str, value: Any) -> dict[str, object]:  # noqa: ANN401
    """The columns to write: a sealed one sealed, and with it the blind index that finds it."""
    column = Patient._meta.get_field(field)
    if not isinstance(column, EncryptedTextField):
        return {field: value}
    written: dict[str, object] = {field: column.sealer().seal(patient.pk, ring.patient(patient.pk), value)}
    for index in Patient._meta.concrete_fields:
        if isinstance(index, BlindIndexField) and index.source == field:
            written[index.attname] = index.of(value)
    return written
