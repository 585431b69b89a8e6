"""Which passwords are accepted: NIST SP 800-63B-4, section 3.1.1.

Length and a blocklist, nothing else: no rules about kinds of characters, no expiry. The whole password is compared with
the blocklist, as the standard asks, in the few disguises that guessers try first.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import cache
from itertools import pairwise
from typing import Any, Final, Protocol
from uuid import UUID

from django.contrib.auth.password_validation import CommonPasswordValidator
from django.utils.translation import gettext_lazy as _

from polyclinic.core.errors import Invalid

ALONE: Final = 15
WITH_SECOND_FACTOR: Final = 8
LONGEST: Final = 128
PRODUCT: Final = ("polyclinic", "clinic", "hospital", "password")
_WORD: Final = re.compile(r"[^\W\d_]{3,}")
# What digits and signs stand for in words that want to look difficult.
_DISGUISES: Final = str.maketrans("013457@$!", "oieastasi")
_ROWS: Final = ("abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertz", "0123456789")


class Owner(Protocol):
    """Of the account whose password it is: what this module asks. The model itself lies above it."""

    @property
    def pk(self) -> Any: ...  # noqa: ANN401 - as Django's models have it
    @property
    def name(self) -> str: ...
    @property
    def email(self) -> str: ...


def _none(_account_id: UUID) -> bool:
    return False


def _no_words() -> Iterable[str]:
    return ()


_second_factor: Callable[[UUID], bool] = _none
_context: Callable[[], Iterable[str]] = _no_words


def ask_second_factor(of: Callable[[UUID], bool]) -> None:
    """Name who knows whether an account has a second factor. Without an answer none has."""
    global _second_factor
    _second_factor = of


def ask_context(words: Callable[[], Iterable[str]]) -> None:
    """Name who knows the words that everybody here would think of first, such as the hospital's name."""
    global _context
    _context = words


def normalised(text: str) -> str:
    """The password as it is hashed: NFKC, so that every keyboard's way of writing it is the same (800-63B-4).

    Half a surrogate pair, which no keyboard makes and nothing can encode, becomes a question mark.
    """
    return unicodedata.normalize("NFKC", text).encode("utf-8", "replace").decode("utf-8")


def minimum(account: Owner | None) -> int:
    """Fewest characters this account's password may have: 15, or 8 where a second factor stands beside it."""
    return WITH_SECOND_FACTOR if account is not None and _second_factor(account.pk) else ALONE


def check(password: str, account: Owner, field: str = "password") -> None:
    """Raise Invalid, naming `field` and the way out, for a password that is not accepted for this account."""
    text = normalised(password)
    fewest = minimum(account)
    if len(text) < fewest:
        sentence = _("Use at least %(count)s characters. A few words in a row are easy to remember.")
        raise Invalid(sentence % {"count": fewest}, field=field, code="weak_password", minLength=fewest)
    if len(text) > LONGEST:
        raise Invalid(
            _("The password is longer than 128 characters."), field=field, code="weak_password", maxLength=LONGEST
        )
    if _expected(text.casefold(), account):
        sentence = _("This password is one of the first that others would try. Choose another, such as a few words.")
        raise Invalid(sentence, field=field, code="weak_password")


def _expected(text: str, account: Owner) -> bool:
    """Whether the whole password is common, a simple pattern, or made of nothing but words around this account."""
    common = _common()
    letters = re.sub(r"[\W\d_]+", "", text)
    disguised = re.sub(r"[\W\d_]+", "", text.strip("0123456789!?.").translate(_DISGUISES))
    for form in {text, letters, disguised, text.strip("0123456789!?.")}:
        if form and (form in common or _unit(form) in common):
            return True
    if len(set(text)) < 5 or _is_run(text):
        return True
    # Taken together: one of them alone (`meera 1980 pillai`) leaves the other word standing.
    context = _around(account)
    return any(_made_of(form, context) for form in {letters, disguised})


def _unit(text: str) -> str:
    """What `text` repeats: "abc" of "abcabcabc"; `text` itself when it repeats nothing."""
    place = (text + text).find(text, 1)
    return text[:place]


def _is_run(text: str) -> bool:
    """Whether most of it follows the keyboard or the alphabet, either way, as 123456789987654321 does."""
    pairs = {row[at : at + 2] for row in _ROWS for at in range(len(row) - 1)} | {"90"}
    pairs |= {pair[::-1] for pair in pairs}
    steps = [one + two for one, two in pairwise(text)]
    following = sum(step in pairs or step[0] == step[1] for step in steps)
    return following >= 0.75 * len(steps)


def _made_of(text: str, words: frozenset[str]) -> bool:
    """Whether `text` is these words in a row and nothing else."""
    reached = {0}
    for at in range(len(text)):
        if at in reached:
            reached.update(at + len(word) for word in words if text.startswith(word, at))
    return bool(text) and len(text) in reached


def _around(account: Owner) -> frozenset[str]:
    given = [account.name, account.email, *PRODUCT, *_context()]
    return frozenset(word for text in given for word in _WORD.findall(normalised(text).casefold()))


@cache
def _common() -> frozenset[str]:
    """The 20,000 most common passwords, as Django ships them; read from disk once."""
    return frozenset(CommonPasswordValidator().passwords)
