"""Access tokens: short-lived RS256 JWTs that are worth no more than the session they name.

The signature is checked once per token and remembered by the token's hash; the session is asked on every use (believed
for two seconds), so that ending it ends every token made from it.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import jwt
from django.conf import settings

from polyclinic.core.actors import Person
from polyclinic.facilities import identity
from polyclinic.tokens import apikeys, refresh, signing

if TYPE_CHECKING:
    from polyclinic.people.models import Account

LIFETIME_SECONDS: Final = int(signing.TOKEN_LIFETIME.total_seconds())
AUDIENCE: Final = "polyclinic-api"
_ALGORITHM: Final = "RS256"
_MAX_LENGTH: Final = 4096
_CACHE_SIZE: Final = 20_000
_CLAIMS: Final = ["iss", "aud", "sub", "sid", "iat", "exp"]

_verified: OrderedDict[bytes, tuple[float, str, str]] = OrderedDict()
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Issued:
    """A fresh token, how many seconds it lives and the session it stands on; with `renewal` when it can be renewed."""

    token: str
    expires_in: int
    session: str
    renewal: refresh.Issued | None = None


def issue(account: Account, user_agent: str = "") -> Issued:
    """Open an API session for `account` and give the token that speaks for it. It cannot be renewed."""
    session = identity.open_api_session(account, user_agent)
    return Issued(sign(str(account.pk), session), LIFETIME_SECONDS, session)


def issue_renewable(account: Account, user_agent: str = "", device: str = "") -> Issued:
    """The same with a refresh token, bound to the app's device. A patient's app stays signed in while it renews."""
    person = identity.person_of_account(account.pk)
    staff = person is None or refresh.is_staff(person)
    session = identity.open_api_session(account, user_agent, kind="api" if staff else identity.APP)
    renewal = refresh.begin(account.pk, session, staff=staff, device=device)
    return Issued(sign(str(account.pk), session), LIFETIME_SECONDS, session, renewal)


def sign(subject: str, session: str) -> str:
    """An access token for an account that stands on a session."""
    pair, now = signing.current(), int(time.time())
    claims = {
        "iss": settings.PUBLIC_URL,
        "aud": AUDIENCE,
        "sub": subject,
        "sid": session,
        "iat": now,
        "exp": now + LIFETIME_SECONDS,
        # Two tokens of one second differ: what is remembered of one is never said of the other.
        "jti": secrets.token_urlsafe(8),
    }
    return jwt.encode(claims, pair.private, algorithm=_ALGORITHM, headers={"kid": pair.kid})


def person_of_token(token: str, *, touch: bool = True, address: str = "") -> Person | None:
    """The person a token speaks for, or None when it is malformed, forged, expired or its session has ended.

    An API key is taken in its place. `touch`: whether this counts as use of the session; listening does not.
    `address`: where the caller is, for keys that may be used from some networks only.
    """
    if len(token) > _MAX_LENGTH:
        return None
    if token.startswith(apikeys.MARK):
        return identity.person_of_key(token, address)
    print_ = hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
    kept = _verified.get(print_)
    if kept is None:
        kept = _verify(token)
        if kept is None:
            return None
        _remember(print_, kept)
    expires, session, subject = kept
    if expires <= time.time():
        return None
    person = identity.person_of_session(session, via="api", touch=touch, kinds=identity.OF_TOKEN)
    return person if person is not None and str(person.account_id) == subject else None


def _verify(token: str) -> tuple[float, str, str] | None:
    """Expiry, session and subject of a genuine token. The algorithm is ours to name, never the token's."""
    try:
        pair = signing.believed(jwt.get_unverified_header(token).get("kid"))
        if pair is None:
            return None
        claims: dict[str, Any] = jwt.decode(
            token,
            pair.public,
            algorithms=[_ALGORITHM],
            audience=AUDIENCE,
            issuer=settings.PUBLIC_URL,
            options={"require": _CLAIMS},
        )
    except (jwt.InvalidTokenError, ValueError):
        # ValueError: bytes that are no text, where the library expected base64.
        return None
    session = claims["sid"]
    if not isinstance(session, str):
        return None
    return float(claims["exp"]), session, str(claims["sub"])


def _remember(print_: bytes, kept: tuple[float, str, str]) -> None:
    with _lock:
        _verified[print_] = kept
        while len(_verified) > _CACHE_SIZE:
            _verified.popitem(last=False)


def forget() -> None:
    """Verify every token anew (tests, and after a change of keys)."""
    with _lock:
        _verified.clear()
