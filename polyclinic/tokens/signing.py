"""The key pairs that sign access tokens: made once, kept sealed in the database, renewed without a pause.

A new pair is announced (`next`) before it signs, so that every process and every partner that keeps our key list has
heard of it; an old one is believed until the last token that it signed has expired.
"""

from __future__ import annotations

import base64
import hashlib
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.db.models import Q

from polyclinic.core import clock
from polyclinic.core.db import lock_keys, transactional
from polyclinic.tokens.models import SigningKey

TOKEN_LIFETIME: Final = timedelta(minutes=15)
# A process looks at the list of keys again after this time; partners are told to do the same.
ANNOUNCED: Final = timedelta(seconds=60)
RENEWED_AFTER: Final = timedelta(days=90)
# 128 bits of strength (NIST SP 800-57); 2048 would be 112. Costs a sign-in half a millisecond more.
_BITS: Final = 3072
_LOOK_AGAIN: Final = 5.0


@dataclass(frozen=True)
class KeyPair:
    """The private key, its public half, the name (`kid`) that tokens refer to it by, and from when to when."""

    private: rsa.RSAPrivateKey
    public: rsa.RSAPublicKey
    kid: str
    active_from: datetime
    ends_at: datetime | None


_lock = threading.Lock()
_known: dict[str, KeyPair] = {}
_looked = 0.0


def current() -> KeyPair:
    """The pair that signs now. The first one of an installation is made here."""
    pair = _signing_now()
    if pair is None or time.monotonic() - _looked > ANNOUNCED.total_seconds() / 2:
        _look()
        pair = _signing_now()
    if pair is None:
        make(at_once=True)
        _look()
        pair = _signing_now()
    assert pair is not None
    return pair


def believed(kid: object) -> KeyPair | None:
    """The pair of this name when tokens it signed are still believed. Unknown names cost a look every 5 s."""
    if not isinstance(kid, str):
        return None
    pair = _known.get(kid)
    if pair is None and time.monotonic() - _looked > _LOOK_AGAIN:
        _look()
        pair = _known.get(kid)
    return pair if pair is not None and _still(pair) else None


def _still(pair: KeyPair) -> bool:
    return pair.ends_at is None or clock.now() < pair.ends_at


def _signing_now() -> KeyPair | None:
    now = clock.now()
    ready = [pair for pair in _known.values() if pair.active_from <= now and _still(pair)]
    return max(ready, key=lambda pair: pair.active_from, default=None)


def _look() -> None:
    """Read the list of keys, opening only those not seen before."""
    global _known, _looked
    with _lock:
        rows = SigningKey.objects.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=clock.now()))
        _known = {row.kid: _pair(row, _known.get(row.kid)) for row in rows}
        _looked = time.monotonic()


def _pair(row: SigningKey, known: KeyPair | None) -> KeyPair:
    private = known.private if known else serialization.load_pem_private_key(row.private.encode("ascii"), None)
    assert isinstance(private, rsa.RSAPrivateKey)
    return KeyPair(private, private.public_key(), row.kid, row.active_from, row.ends_at)


def generate() -> rsa.RSAPrivateKey:
    """A new private key. Takes a tenth of a second or more."""
    return rsa.generate_private_key(public_exponent=65537, key_size=_BITS)


def make(*, at_once: bool = False) -> str:
    """Make a pair that signs after it was announced, or at once; pairs before it end. Returns its name.

    Where several processes start together and there is none yet, the first makes it and the others keep theirs back.
    """
    private = generate()
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    der = private.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    kid = hashlib.sha256(der).hexdigest()[:16]
    _store(SigningKey(kid=kid, private=pem.decode(), public=public.decode()), at_once)
    forget()
    return kid


@transactional
def _store(row: SigningKey, at_once: bool) -> None:
    lock_keys(["signing-key"])
    now = clock.now()
    alive = SigningKey.objects.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=now))
    if at_once and alive.exists():
        return
    row.active_from = now if at_once else now + ANNOUNCED
    row.save(force_insert=True)
    # What the old one signs until the new one begins is believed to the end of its time, clocks a little apart.
    end = row.active_from + TOKEN_LIFETIME + ANNOUNCED
    alive.exclude(pk=row.pk).filter(ends_at__isnull=True).update(ends_at=end)


def renew_when_old() -> int:
    """The chore: a new pair after 90 days or when keys have become longer, and rows of pairs long ended removed.

    Returns how much was done.
    """
    now = clock.now()
    gone, _kinds = SigningKey.objects.filter(ends_at__lt=now - timedelta(days=1)).delete()
    newest = SigningKey.objects.order_by("-active_from").only("kid", "active_from", "public").first()
    if newest is not None and (newest.active_from < now - RENEWED_AFTER or _bits(newest) < _BITS):
        make()
        gone += 1
    return gone


def _bits(row: SigningKey) -> int:
    public = serialization.load_pem_public_key(row.public.encode("ascii"))
    assert isinstance(public, rsa.RSAPublicKey)
    return public.key_size


def published() -> dict[str, Any]:
    """The public halves that are believed or will be, as a JSON Web Key Set (RFC 7517)."""
    _look()
    pairs = sorted(_known.values(), key=lambda pair: pair.active_from)
    return {"keys": [_public(pair) for pair in pairs]}


def _public(pair: KeyPair) -> dict[str, str]:
    numbers = pair.public.public_numbers()
    return {
        "kty": "RSA", "use": "sig", "alg": "RS256", "kid": pair.kid, "n": _base64(numbers.n), "e": _base64(numbers.e),
    }  # fmt: skip


def _base64(number: int) -> str:
    data = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def forget() -> None:
    """Read the keys anew at the next question (tests, and after a change)."""
    global _looked
    with _lock:
        _known.clear()
        _looked = 0.0
