"""Addresses that stand for one thing each and need no sign-in: the answer to a reminder, and a calendar.

The text is an id and a keyed digest of it, made whenever it is written and stored nowhere. 128 bits of digest: who has
no link cannot make one. Each kind of link has a key of its own, so one is worth nothing in another's place.
"""

from __future__ import annotations

import base64
import binascii
from typing import Final
from uuid import UUID

from django.utils.crypto import constant_time_compare, salted_hmac

_ANSWER: Final = "polyclinic.reminder-link"
_FEED: Final = "polyclinic.calendar-feed"
_DIGEST: Final = 16
# 16 bytes of id and 16 of digest as they stand in an address.
_LENGTH: Final = 43


def answer_token(agreed_id: UUID) -> str:
    """What stands in the link of every reminder of this agreed time."""
    return _token(_ANSWER, agreed_id)


def feed_token(feed_id: UUID) -> str:
    """What stands in the address of a calendar."""
    return _token(_FEED, feed_id)


def agreed_of(token: str) -> UUID | None:
    """The agreed time that a link is for; None for any text that we did not write."""
    return _read(_ANSWER, token)


def feed_of(token: str) -> UUID | None:
    return _read(_FEED, token)


def _token(salt: str, key: UUID) -> str:
    return base64.urlsafe_b64encode(key.bytes + _digest(salt, key)).rstrip(b"=").decode()


def _read(salt: str, token: str) -> UUID | None:
    if len(token) != _LENGTH or not token.isascii():
        return None
    try:
        raw = base64.b64decode(token + "=", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    key = UUID(bytes=raw[:16])
    # The text itself, and not only its bytes: the last sign has bits that mean nothing.
    return key if constant_time_compare(token, _token(salt, key)) else None


def _digest(salt: str, key: UUID) -> bytes:
    return bytes(salted_hmac(salt, key.bytes, algorithm="sha256").digest()[:_DIGEST])
