"""What letters say, as it is sealed (JSON), and the reading of what was typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import msgspec
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from polyclinic.core.errors import Invalid
from polyclinic.papers.words import LetterKind, Unfit, Urgency

LINE, TEXT = 120, 2_000
# A sick note may begin before the visit, as people are ill before they are seen, and it may not last for ever. Rules
# differ by country (three days back in Germany, AU-Richtlinie § 5); these are the widest that still are a check.
BACK, LONGEST = timedelta(days=7), timedelta(days=183)


class SickNoteBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """From the first to the last day, both included. `remark` stands on the paper for whoever is given it."""

    unfit: str
    first: date
    last: date
    again: bool = False
    adjustments: str = ""
    remark: str = ""


class ReferralBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """To whom, how soon, what is asked. What was known at the signature (allergies, diagnoses) is kept with it."""

    to: str
    question: str
    urgency: str = "routine"
    address: str = ""
    findings: str = ""
    medicines: str = ""
    # None: nobody had asked; (): none known.
    allergies: tuple[str, ...] | None = None
    diagnoses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form. `options` makes it a choice; else `longest` says whether it is a line or a text."""

    name: str
    label: Promise
    longest: int = LINE
    options: tuple[tuple[str, str | Promise], ...] = ()
    hint: Promise | None = None
    required: bool = True
    kind: str = "text"


FORMS: Final[Mapping[str, tuple[Field, ...]]] = {
    LetterKind.SICK_NOTE: (
        Field("unfit", _("What for?"), options=tuple(Unfit.choices)),
        Field("first", _("First day"), kind="date"),
        Field("last", _("Last day, included"), kind="date"),
        Field("again", _("This follows an earlier sick note"), kind="check", required=False),
        Field(
            "adjustments", _("Adjustments at work"), 300, required=False,
            hint=_("What the person can do, for example: no lifting above 5 kg."),
        ),
        Field(
            "remark", _("Remark"), 300, required=False,
            hint=_("Whoever is given the paper reads this. Leave out the diagnosis unless the patient wants it there."),
        ),
    ),
    LetterKind.REFERRAL: (
        Field("to", _("To whom?"), hint=_("Name, department or specialty")),
        Field("address", _("Address"), 200, required=False),
        Field("urgency", _("How soon?"), options=tuple(Urgency.choices)),
        Field("question", _("Question"), TEXT),
        Field("findings", _("History and findings"), TEXT, required=False),
        Field("medicines", _("Medicines at present"), TEXT, required=False),
    ),
}  # fmt: skip


def fields_of(kind: str) -> tuple[Field, ...]:
    """The fields of a letter's form. Raises Invalid naming `kind`."""
    found = FORMS.get(kind)
    if found is None:
        raise Invalid(_("Choose one of the listed values."), field="kind", possible=list(LetterKind.values))
    return found


def tidy(kind: str, given: Mapping[str, object]) -> dict[str, str]:
    """What was typed, without the empty fields: as a draft keeps it. Raises Invalid naming the field."""
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
        if text:
            found[name] = text
    return found


def sick_note(given: Mapping[str, object], seen: date) -> SickNoteBody:
    """A sick note for a visit on the day `seen`. Raises Invalid naming the field."""
    text = _whole(LetterKind.SICK_NOTE, given)
    first, last = _date(text, "first"), _date(text, "last")
    if last < first:
        raise Invalid(_("The last day lies before the first."), field="last")
    if first < seen - BACK:
        raise Invalid(
            _("A sick note can begin at most %(days)s days before the visit.") % {"days": BACK.days}, field="first"
        )
    if last - first > LONGEST:
        raise Invalid(_("A sick note can last at most %(days)s days.") % {"days": LONGEST.days}, field="last")
    if first > seen + LONGEST:
        raise Invalid(_("This day is too far ahead."), field="first")
    if text["unfit"] == Unfit.PARTLY and not text.get("adjustments"):
        raise Invalid(_("Say which adjustments."), code="required", field="adjustments")
    return SickNoteBody(
        text["unfit"], first, last, "again" in text, text.get("adjustments", ""), text.get("remark", "")
    )


def referral(given: Mapping[str, object], allergies: list[str] | None, diagnoses: list[str]) -> ReferralBody:
    """A referral with what is known at this moment. Raises Invalid naming the field."""
    text = _whole(LetterKind.REFERRAL, given)
    return ReferralBody(
        to=text["to"], question=text["question"], urgency=text["urgency"], address=text.get("address", ""),
        findings=text.get("findings", ""), medicines=text.get("medicines", ""),
        allergies=None if allergies is None else tuple(allergies), diagnoses=tuple(diagnoses),
    )  # fmt: skip


def _whole(kind: str, given: Mapping[str, object]) -> dict[str, str]:
    text = tidy(kind, given)
    for field in fields_of(kind):
        if field.required and not text.get(field.name):
            raise Invalid(_("Please fill this in."), code="required", field=field.name)
        if field.options and text.get(field.name) not in dict(field.options):
            possible = [value for value, _label in field.options]
            raise Invalid(_("Choose one of the listed values."), field=field.name, possible=possible)
    return text


def _date(text: Mapping[str, str], name: str) -> date:
    try:
        found = date.fromisoformat(text[name])
    except ValueError:
        found = date.min
    if not 1900 < found.year < 2200:
        raise Invalid(_("Write the day as year-month-day, for example 2026-11-21."), field=name)
    return found


def write(body: msgspec.Struct | dict[str, str]) -> str:
    """A body as the text that is sealed."""
    return msgspec.json.encode(body).decode()


read_sick_note: Final = msgspec.json.Decoder(SickNoteBody).decode
read_referral: Final = msgspec.json.Decoder(ReferralBody).decode
read_draft: Final = msgspec.json.Decoder(dict[str, str]).decode
