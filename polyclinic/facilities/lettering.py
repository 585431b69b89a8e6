"""Letters whose words a house may choose: what each is, what it may name, its usual words, and how it is filled in.

A text names values as {name}, only those of its own kind, and nothing else in it is understood: no conditions, no
formats, no markup. Values are put in once and never looked at again, so a value with braces in it stays what it is. The
letters are plain text; where one is shown on a page, the page escapes it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec
from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from polyclinic.core.errors import Invalid

Sentence = str | Promise
MOST_SUBJECT: Final = 120
MOST_BODY: Final = 4000
_NAMED: Final = re.compile(r"\{([^{}\n]*)\}")
# Line ends and tabs are text; other control characters, and those that turn the direction of what follows, are not.
# Nor is what HTML knows, although no letter is HTML.
_STRANGE: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069<>]")


@dataclass(frozen=True, slots=True)
class Named:
    """A value that a letter may name: what it is, and one to show in a preview."""

    meaning: Sentence
    example: Sentence
    # Whether it may stand in the subject, which is read on locked screens.
    subject: bool = False
    # A letter without it would be of no use.
    required: bool = False


@dataclass(frozen=True, slots=True)
class LetterKind:
    """One kind of letter: what it is called, when it is sent, its usual words and what they may name."""

    title: Sentence
    about: Sentence
    subject: Sentence
    body: Sentence
    values: Mapping[str, Named]


class Words(msgspec.Struct, frozen=True):
    """What a house says instead of the usual words; both empty: the usual ones."""

    subject: str = ""
    body: str = ""


_PLACE: Final = Named(_("the hospital's name"), _("Riverside Clinic"), subject=True)
_TIME: Final = {
    "day": Named(_("the day of the appointment"), _("Monday, 7 December 2026")),
    "time": Named(_("the time it begins"), "09:20"),
    "facility": _PLACE,
    "address": Named(_("the hospital's address"), _("1 River Street, Riverside")),
    "link": Named(_("the address to answer at"), "https://clinic.example/r/…", required=True),
    "choose": Named(_("the address to choose reminders at"), "https://clinic.example/account/reminders"),
}
KINDS: Final[dict[str, LetterKind]] = {
    "booked": LetterKind(
        _("An appointment is booked or moved"), _("To the patient, at once."), _("Your appointment"),
        _("You have an appointment on {day} at {time}.\n{facility}\n{address}\n\n"
          "Say that you come, or cancel, without signing in: {link}\n\n"
          "Which reminders you get is for you to choose: {choose}"),
        _TIME,
    ),
    "reminder": LetterKind(
        _("A reminder"), _("To the patient, before an appointment."), _("Reminder of your appointment"),
        _("We remind you of your appointment on {day} at {time}.\n{facility}\n{address}\n\n"
          "Say that you come, or cancel, without signing in: {link}\n\n"
          "Which reminders you get is for you to choose: {choose}"),
        _TIME,
    ),
    "invitation": LetterKind(
        _("An invitation to work here"), _("To whoever is invited to a role."),
        _("You are invited to work at {facility}"),
        _("{name}, you are invited to join {facility}. Take the invitation up here:\n\n{link}\n\n"
          "The link works for seven days and only once. If you do not expect it, do nothing."),
        {
            "name": Named(_("the name of the person invited"), _("Noor Haddad")),
            "facility": _PLACE,
            "link": Named(_("the address to accept at"), "https://clinic.example/invitation/…", required=True),
        },
    ),
}  # fmt: skip


def key_of(kind: str, language: str) -> str:
    """The name of the setting that holds this letter's words in this language."""
    return f"mail_{kind}_{language.replace('-', '_').lower()}"


def of_key(key: str) -> tuple[LetterKind, str] | None:
    """The letter and the language whose words this setting holds; None for another setting."""
    for name, kind in KINDS.items():
        for language, _called in settings.LANGUAGES:
            if key == key_of(name, language):
                return kind, language
    return None


def read(kind: LetterKind, text: str) -> Words:
    """A subject, a line end, the body. Empty: the usual words. Raises Invalid naming `subject` or `body`."""
    subject, _end, body = text.replace("\r\n", "\n").partition("\n")
    subject, body = " ".join(subject.split()), body.strip("\n").rstrip()
    if not subject and not body:
        return Words()
    _check("subject", subject, MOST_SUBJECT, {name for name, one in kind.values.items() if one.subject}, kind)
    _check("body", body, MOST_BODY, set(kind.values), kind)
    for name, one in kind.values.items():
        if one.required and f"{{{name}}}" not in body:
            raise Invalid(
                _("The letter needs {%(name)s}: %(meaning)s.") % {"name": name, "meaning": one.meaning},
                code="missing_placeholder", field="body", placeholder=name,
            )  # fmt: skip
    return Words(subject, body)


def _check(field: str, text: str, most: int, allowed: set[str], kind: LetterKind) -> None:
    if not text:
        raise Invalid(_("Write both a subject and a text, or leave both empty for the usual words."), field=field)
    if len(text) > most:
        raise Invalid(_("Please keep this under %(most)s characters.") % {"most": most}, code="too_long", field=field)
    if _STRANGE.search(text):
        raise Invalid(_("Letters are plain text: leave out < and >, and signs that cannot be seen."), field=field)
    for name in _NAMED.findall(text):
        if name not in allowed:
            sentence = (
                _("{%(name)s} may stand in the text, and not in the subject, which is read on locked screens.")
                if name in kind.values
                else _("There is no {%(name)s}. This letter knows: %(known)s.")
            )
            known = " ".join(f"{{{one}}}" for one in kind.values if one in allowed)
            raise Invalid(
                sentence % {"name": name[:40], "known": known}, code="unknown_placeholder", field=field,
                placeholder=name[:40], possible=sorted(allowed),
            )  # fmt: skip
    if re.search(r"[{}]", _NAMED.sub("", text)):
        raise Invalid(
            _("A brace stands alone. Write placeholders like {facility}, and no other braces."), code="stray_brace",
            field=field,
        )  # fmt: skip


def write(words: Words) -> str:
    return f"{words.subject}\n{words.body}" if words.subject else ""


def said(words: Words) -> str:
    return f"{words.subject} – {words.body}" if words.subject else _now("The usual words")


def usual(kind: LetterKind) -> Words:
    """In the active language."""
    return Words(str(kind.subject), str(kind.body))


def fill(words: Words, values: Mapping[str, str]) -> Words:
    """Subject and body with the values in their places. A line whose values are all empty is left out."""

    def put(text: str) -> str:
        # A value is one line, whatever was stored: nobody's name begins a line of its own or a header.
        return _NAMED.sub(lambda found: " ".join(values.get(found[1], "").split()), text)

    lines = [put(line) for line in words.body.split("\n") if not _NAMED.search(line) or put(line).strip()]
    return Words(put(words.subject), "\n".join(lines) + "\n")


def example(kind: LetterKind, words: Words) -> Words:
    """As it would be read, with values that are nobody's."""
    return fill(words if words.subject else usual(kind), {name: str(one.example) for name, one in kind.values.items()})
