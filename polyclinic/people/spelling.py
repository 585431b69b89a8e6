"""How names are compared: folded to plain letters, by sound, and by how many slips lie between two of them."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

# Letters that are no letter with an accent to Unicode and are to people.
_PLAIN: Final = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"})
_SOUNDS: Final = (
    (re.compile("sch|sh"), "s"), (re.compile("ph"), "f"), (re.compile("th"), "t"), (re.compile("ck|q|c|g(?=h)"), "k"),
    (re.compile("[zx]"), "s"), (re.compile("w"), "v"), (re.compile("[yj]"), "i"), (re.compile("(?<=.)h"), ""),
    (re.compile("(?<=.)[aeiou]"), ""), (re.compile(r"(.)\1+"), r"\1"),
)  # fmt: skip
LONGEST: Final = 40


def fold(text: str) -> str:
    """Small letters without accents; apostrophes go, everything else that is no letter or digit becomes a space."""
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_PLAIN))
    kept = (sign for sign in plain if not unicodedata.combining(sign) and sign not in "'’ʼ`")
    return " ".join("".join(sign if sign.isalnum() else " " for sign in kept).split())


def words(text: str) -> list[str]:
    """The folded words of a name, each at most 40 letters long."""
    return [word[:LONGEST] for word in fold(text).split()]


def sound(word: str) -> str:
    """Roughly how a folded word sounds: Meyer, Maier and Meier are one. Empty for other scripts and short words."""
    if len(word) < 3 or not word.isascii() or not word.isalpha():
        return ""
    for pattern, instead in _SOUNDS:
        word = pattern.sub(instead, word)
    # One consonant is the sound of half the town.
    return word if len(word) > 1 else ""


def variants(word: str) -> set[str]:
    """Everything that meets a word one slip away: the word, and the word less one letter.

    Two words that differ by one letter too many, too few, other or swapped have a variant in common (the deletion
    neighbourhood: Mor and Fraenkel 1982).
    """
    if len(word) < 4:
        return {word}
    return {word, *(word[:at] + word[at + 1 :] for at in range(len(word)))}


def slips(one: str, other: str) -> int:
    """How many letters are too many, too few, wrong or swapped with their neighbour, from one word to the other."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for at, sign in enumerate(one, 1):
        past, before, row = before, row, [at]
        for place, match in enumerate(other, 1):
            cost = min(row[-1] + 1, before[place] + 1, before[place - 1] + (sign != match))
            if past and place > 1 and sign == other[place - 2] and one[at - 2] == match:
                cost = min(cost, past[place - 2] + 1)
            row.append(cost)
    return row[-1]
