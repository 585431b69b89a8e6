"""Time-based one-time passwords (RFC 6238) as authenticator apps make them: SHA-1, six digits, thirty seconds."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from datetime import datetime
from typing import Final
from urllib.parse import quote, urlencode

STEP_SECONDS: Final = 30
DIGITS: Final = 6
# RFC 6238, 5.2: one step to either side, for clocks that differ and fingers that are slow.
DRIFT_STEPS: Final = 1
_SECRET_BYTES: Final = 20


def new_secret() -> str:
    """160 random bits in base32, the way they are typed into an app."""
    return base64.b32encode(secrets.token_bytes(_SECRET_BYTES)).decode("ascii")


def code_at(secret: str, step: int, *, digits: int = DIGITS, digest: str = "sha1") -> str:
    """The code of one time step (RFC 4226, 5.3). Raises ValueError for a secret that is not base32."""
    try:
        key = base64.b32decode(secret)
    except binascii.Error:
        raise ValueError("the secret is not base32") from None
    mac = hmac.new(key, step.to_bytes(8), getattr(hashlib, digest)).digest()
    place = mac[-1] & 0xF
    number = int.from_bytes(mac[place : place + 4]) & 0x7FFFFFFF
    return str(number % 10**digits).zfill(digits)


def step_of(moment: datetime) -> int:
    """The number of the time step a moment lies in, counted from 1970."""
    return int(moment.timestamp()) // STEP_SECONDS


def matching_step(secret: str, code: str, moment: datetime) -> int | None:
    """The step around `moment` that `code` belongs to, or None. All steps are compared, whichever fits."""
    now, found = step_of(moment), None
    for step in range(now - DRIFT_STEPS, now + DRIFT_STEPS + 1):
        if hmac.compare_digest(code_at(secret, step), code):
            found = step
    return found


def address(secret: str, issuer: str, account: str) -> str:
    """The otpauth address that an app reads from a QR code."""
    query = urlencode({"secret": secret, "issuer": issuer, "digits": DIGITS, "period": STEP_SECONDS}, quote_via=quote)
    return f"otpauth://totp/{quote(issuer, safe='')}:{quote(account, safe='@')}?{query}"


def grouped(secret: str) -> str:
    """The secret in groups of four, for typing."""
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
