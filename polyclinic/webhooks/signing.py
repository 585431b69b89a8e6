"""Signatures after Standard Webhooks: HMAC-SHA256 over id, moment and body, one for each secret that is valid.

https://www.standardwebhooks.com: `webhook-id`, `webhook-timestamp` and `webhook-signature: v1,<base64> v1,<base64>`.
Whoever receives compares one of them with its own, and refuses what is older than five minutes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Final

_MARK: Final = "whsec_"
_BYTES: Final = 32


def new_secret() -> str:
    """256 random bits, written as receivers' libraries read them."""
    return _MARK + base64.b64encode(secrets.token_bytes(_BYTES)).decode("ascii")


def headers(name: str, at: datetime, body: bytes, keys: Sequence[str]) -> dict[str, str]:
    """What goes with a message: it is signed once for each of the secrets."""
    moment = str(int(at.timestamp()))
    told = b".".join((name.encode(), moment.encode(), body))
    return {
        "Content-Type": "application/json",
        "webhook-id": name,
        "webhook-timestamp": moment,
        "webhook-signature": " ".join(f"v1,{_sign(key, told)}" for key in keys),
    }


def _sign(secret: str, told: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(_MARK))
    return base64.b64encode(hmac.new(key, told, hashlib.sha256).digest()).decode("ascii")
