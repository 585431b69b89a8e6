"""Reading what somebody typed to find a patient: names, dates in several forms, record numbers, parts of phones."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from polyclinic.people.spelling import words

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ISO: Final = re.compile(r"\b(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})\b")
_DAY_FIRST: Final = re.compile(r"\b(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4})\b")
_NAMED: Final = re.compile(r"\b(\d{1,2})[-. ]?([a-z]{3})[a-z]*[-. ,]*(\d{4})\b", re.IGNORECASE)
_TOGETHER: Final = re.compile(r"(?<![\d+])(\d{8})(?!\d)")
_NUMBER: Final = re.compile(r"\bmrn[ :#]*0*(\d{1,9})\b", re.IGNORECASE)
_DIGITS: Final = re.compile(r"\+?\d[\d ()\-./]{2,}\d")
# What is typed beyond this is no search but a paste.
LONGEST: Final = 100
MOST_WORDS: Final = 5
FEWEST_DIGITS: Final = 4


@dataclass(frozen=True, slots=True)
class Asked:
    """What was understood. `born` are all days that a date may mean; empty parts were not asked for."""

    words: tuple[str, ...] = ()
    born: tuple[date, ...] = ()
    number: int | None = None
    digits: str = ""

    @property
    def nothing(self) -> bool:
        return not (self.words or self.born or self.number or self.digits)


@dataclass(slots=True)
class _Reading:
    text: str
    born: list[date] = field(default_factory=list)

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """The first match, cut out of the text."""
        found = pattern.search(self.text)
        if found:
            self.text = f"{self.text[: found.start()]} {self.text[found.end() :]}"
        return found

    def day(self, year: str, month: int, day: int) -> None:
        try:
            made = date(int(year), month, day)
        except ValueError:
            return
        if made.year >= 1880 and made not in self.born:
            self.born.append(made)


def read(text: str) -> Asked:
    """What the text asks for. Whatever is no date and no number is taken for words of a name."""
    reading = _Reading(" ".join(text.replace("\0", " ").split())[:LONGEST])
    number = reading.take(_NUMBER)
    _dates(reading)
    digits = ""
    if found := reading.take(_DIGITS):
        digits = re.sub(r"\D", "", found[0])
    # Under nine digits a bare number may be a record number as well as a part of a phone.
    bare = int(digits) if digits and len(digits) <= 9 else None
    return Asked(
        words=tuple(word for word in words(reading.text) if word != "mrn")[:MOST_WORDS],
        born=tuple(reading.born),
        number=int(number[1]) if number else bare,
        digits=digits if len(digits) >= FEWEST_DIGITS else "",
    )


def _dates(reading: _Reading) -> None:
    if found := reading.take(_ISO):
        reading.day(found[1], int(found[2]), int(found[3]))
    elif found := reading.take(_DAY_FIRST):
        # Day first, as here; where that is no day, or could be either, the other order too.
        reading.day(found[3], int(found[2]), int(found[1]))
        reading.day(found[3], int(found[1]), int(found[2]))
    elif (found := _NAMED.search(reading.text)) and found[2].lower() in _MONTHS:
        reading.take(_NAMED)
        reading.day(found[3], _MONTHS.index(found[2].lower()) + 1, int(found[1]))
    elif found := _TOGETHER.search(reading.text):
        before = len(reading.born)
        text = found[1]
        reading.day(text[4:], int(text[2:4]), int(text[:2]))
        reading.day(text[:4], int(text[4:6]), int(text[6:]))
        if len(reading.born) > before:
            reading.take(_TOGETHER)
