"""One-time codes that we make: recovery codes and those sent by text message. What is kept cannot be turned back."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.contrib.auth.hashers import check_password, make_password
from django.utils.crypto import salted_hmac

# Crockford's alphabet: nothing in it is read as something else when written down on paper.
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MISREAD: Final = str.maketrans("OIL", "011")
_SELECTOR: Final = 3
_LENGTH: Final = 12
SMS_DIGITS: Final = 6
_SPACES: Final = re.compile(r"[\s-]+")


@dataclass(frozen=True, slots=True)
class Recovery:
    """A recovery code as its owner writes it down, and what is kept of it."""

    text: str
    selector: str
    digest: str


def new_recovery(taken: set[str]) -> Recovery:
    """A fresh code whose selector is not among `taken`.

    Three signs find the row and nine (45 random bits) prove it, hashed like a password as NIST SP 800-63B-4, 3.1.2.2
    asks of short look-up secrets. With the selector one row is hashed against, not ten.
    """
    while True:
        signs = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
        if signs[:_SELECTOR] not in taken:
            break
    text = "-".join(signs[at : at + 4] for at in range(0, _LENGTH, 4))
    return Recovery(text, signs[:_SELECTOR], make_password(signs[_SELECTOR:]))


def recovery_parts(text: str) -> tuple[str, str] | None:
    """Selector and secret of what somebody typed, or None when it cannot be a recovery code."""
    signs = _SPACES.sub("", text[:64]).upper().translate(_MISREAD)
    if len(signs) != _LENGTH or not set(signs) <= set(_ALPHABET):
        return None
    return signs[:_SELECTOR], signs[_SELECTOR:]


def recovery_fits(secret: str, digest: str) -> bool:
    return check_password(secret, digest)


def digits(text: str) -> str | None:
    """The six digits somebody typed, spaces taken out; None when it is anything else."""
    signs = _SPACES.sub("", text[:64])
    return signs if len(signs) == SMS_DIGITS and signs.isascii() and signs.isdigit() else None


def new_sms_code() -> str:
    return str(secrets.randbelow(10**SMS_DIGITS)).zfill(SMS_DIGITS)


def sms_digest(code_id: UUID, code: str) -> str:
    """What is kept of a text message's code. A million codes are tried in a second, hence keyed by the installation."""
    return salted_hmac("polyclinic.factors.sms", f"{code_id}:{code}", algorithm="sha256").hexdigest()


def same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def new_token() -> str:
    """256 random bits for a cookie or a ticket."""
    return secrets.token_urlsafe(32)


def token_digest(token: str) -> str:
    """What is kept of such a token. It is as random as its digest, so that no slow hash is needed."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
