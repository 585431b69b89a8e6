"""Blind indexes: equality can be searched, nothing can be read.

An index is a keyed hash, so who has the database alone cannot try out phone numbers. The same text under two purposes
gives two indexes: columns cannot be joined by them.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode
from typing import Final

from polyclinic.core.crypto import ring as rings

LENGTH: Final = 22  # 128 bits in base64url


def index(purpose: str, text: str) -> str:
    """The index of a normalised text: HMAC-SHA256 with the purpose's own key, cut to 128 bits. Empty stays empty."""
    if not text:
        return ""
    key = rings.ring.current(rings.purpose(f"blind-{purpose}"))
    return urlsafe_b64encode(hmac.new(key.secret, text.encode(), hashlib.sha256).digest()[:16]).rstrip(b"=").decode()


def digits(text: str) -> str:
    """A phone number as it is compared: its digits, and the plus that makes it international."""
    return ("+" if text.strip().startswith("+") else "") + "".join(
        sign for sign in text if sign.isascii() and sign.isdigit()
    )
