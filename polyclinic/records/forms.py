"""The short forms in which complaint, history, examination and plan are written down.

A form is a few fields; each is a line, a text or a choice. What is stored is what was filled in, by field name, so a
field that is added later leaves older notes as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from polyclinic.core.errors import Invalid

LINE: Final = 120
TEXT: Final = 4_000


class Kind(models.TextChoices):
    """The parts of a visit's note, in the order they are written."""

    COMPLAINT = "complaint", _("Complaint")
    HISTORY = "history", _("History")
    EXAM = "exam", _("Examination")
    PLAN = "plan", _("Plan")


@dataclass(frozen=True, slots=True)
class Field:
    """`options` makes it a choice; else `longest` says whether it is a line or a text."""

    name: str
    label: Promise
    longest: int = TEXT
    options: tuple[tuple[str, Promise], ...] = ()
    hint: Promise | None = None


_HABIT: Final = (
    ("never", _("Never")),
    ("former", _("Formerly")),
    ("now", _("Yes")),
    ("not_asked", _("Not asked")),
)
FORMS: Final[Mapping[str, tuple[Field, ...]]] = {
    Kind.COMPLAINT: (
        Field("complaint", _("What brings the patient"), hint=_("In the patient's own words")),
        Field("since", _("Since when"), LINE),
        Field(
            "course", _("Course"), options=(("better", _("Better")), ("same", _("The same")), ("worse", _("Worse")))
        ),
    ),
    Kind.HISTORY: (
        Field("illnesses", _("Illnesses and operations")),
        Field("medicines", _("Medicines taken at present")),
        Field("family", _("In the family"), LINE),
        Field("smoking", _("Smoking"), options=_HABIT),
        Field("alcohol", _("Alcohol"), options=_HABIT),
    ),
    Kind.EXAM: (
        Field(
            "general", _("General state"),
            options=(("well", _("Well")), ("unwell", _("Unwell")), ("severe", _("Severely ill"))),
        ),
        Field("heart", _("Heart and circulation"), LINE),
        Field("lungs", _("Lungs"), LINE),
        Field("abdomen", _("Abdomen"), LINE),
        Field("nerves", _("Nervous system"), LINE),
        Field("other", _("Other findings")),
    ),
    Kind.PLAN: (
        Field("impression", _("Impression")),
        Field("plan", _("What is to be done")),
        Field("advice", _("Advice to the patient: when to come back")),
    ),
}  # fmt: skip


def fields_of(kind: str) -> tuple[Field, ...]:
    """The fields of a form. Raises Invalid naming `kind`."""
    found = FORMS.get(kind)
    if found is None:
        raise Invalid(_("Choose one of the listed values."), field="kind", possible=list(Kind.values))
    return found


def read(kind: str, given: Mapping[str, object]) -> dict[str, str]:
    """What was filled in, without the empty fields. Raises Invalid naming the field: unknown, too long, no choice."""
    fields = {field.name: field for field in fields_of(kind)}
    found = {}
    for name, value in given.items():
        field = fields.get(name)
        if field is None:
            raise Invalid(_("There is no such field."), code="unknown_field", field=name, possible=sorted(fields))
        text = str(value).replace("\r\n", "\n").strip()
        if len(text) > field.longest:
            raise Invalid(
                _("This text is longer than can be stored."), code="too_long", field=name, maxLength=field.longest
            )
        if any(ord(letter) < 32 and letter not in "\n\t" for letter in text):
            raise Invalid(_("Please check what you entered."), field=name)
        if text and field.options and text not in dict(field.options):
            possible = [value for value, _label in field.options]
            raise Invalid(_("Choose one of the listed values."), field=name, possible=possible)
        if text:
            found[name] = text
    return found
