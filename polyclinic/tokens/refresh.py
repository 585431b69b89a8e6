"""Refresh tokens: opaque, hashed at rest, good for one use, bound to a device; a copy that is used ends them all.

The next token is made from the one shown and a secret of ours, so a phone that lost our answer and asks again within
seconds gets the same token and not a second one. Anything else that shows a used token is taken for a thief's copy: the
whole family ends with its session, and the person is told (RFC 9700, 4.14.2).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from polyclinic.core import clock, ledger
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Person, SystemActor
from polyclinic.core.crypto import blind
from polyclinic.core.db import lock_keys, transactional
from polyclinic.notify.actions import tell
from polyclinic.people.models import Session
from polyclinic.tokens.models import RefreshFamily, RefreshToken
from polyclinic.tokens.problems import RefreshRefused

LIFETIME: Final = timedelta(days=7)
LONGEST: Final = timedelta(days=30)
# Who works here signs in anew each working day (as in the browser); a patient's phone may stay signed in.
LONGEST_STAFF: Final = timedelta(hours=12)
GRACE: Final = timedelta(seconds=10)
_BYTES: Final = 32
_MAX_LENGTH: Final = 100
_system = SystemActor("refresh")


@dataclass(frozen=True, slots=True)
class Issued:
    """A refresh token as given to its app, when it expires, and the device it is bound to."""

    token: str
    device: str
    expires_at: datetime
    session: str
    account_id: UUID


@transactional
def begin(account_id: UUID, session_key: str, *, staff: bool, device: str = "") -> Issued:
    """The first token of a new family, for an API session just opened. `device`: the app's own name for its device."""
    now = clock.now()
    bound = device or secrets.token_urlsafe(24)
    longest = LONGEST_STAFF if staff else LONGEST
    family = RefreshFamily.objects.create(
        account_id=account_id, session_key=session_key, device=_digest(bound), ends_at=now + longest
    )
    token = secrets.token_urlsafe(_BYTES)
    expires = _keep(family, token, now)
    Session.objects.filter(session_key=session_key).update(expire_date=expires)
    return Issued(token, bound, expires, session_key, account_id)


def renew(token: object, device: object) -> Issued:
    """Exchange a token for the next one. Raises RefreshRefused, always in the same words.

    A used token, or one shown by another device, ends the family and its session before that.
    """
    if not isinstance(token, str) or not isinstance(device, str) or not 0 < len(token) <= _MAX_LENGTH:
        raise RefreshRefused()
    outcome = _exchange(token, device[:_MAX_LENGTH])
    if outcome is None:
        raise RefreshRefused()
    return outcome


@transactional
def _exchange(token: str, device: str) -> Issued | None:
    """The next token, or None. Returns instead of raising: what a theft has ended must be committed."""
    digest, now = _digest(token), clock.now()
    # Two uses at once must not both find it unused.
    lock_keys([f"refresh:{digest}"])
    row = RefreshToken.objects.select_related("family__account").filter(digest=digest).first()
    if row is None:
        return None
    family = row.family
    if family.revoked_at is not None or not family.account.is_active or not _session_alive(family, now):
        return None
    if not hmac.compare_digest(family.device, _digest(device)):
        _end(family, "device", alert=True)
        return None
    if row.used_at is not None and now - row.used_at > GRACE:
        _end(family, "reused", alert=True)
        return None
    if row.expires_at <= now:
        return None
    following = _next(token)
    if row.used_at is None:
        row.used_at = now
        row.save(update_fields=["used_at"])
        expires = _keep(family, following, now)
    else:
        kept = RefreshToken.objects.filter(digest=_digest(following), used_at__isnull=True).first()
        if kept is None:
            # The one that followed was used already: whoever shows this one is not the phone that lost our answer.
            _end(family, "reused", alert=True)
            return None
        expires = kept.expires_at
    Session.objects.filter(session_key=family.session_key).update(seen_at=now, expire_date=expires)
    return Issued(following, device, expires, family.session_key, family.account_id)


def _keep(family: RefreshFamily, token: str, now: datetime) -> datetime:
    expires = min(now + LIFETIME, family.ends_at)
    RefreshToken.objects.create(digest=_digest(token), family=family, expires_at=expires)
    return expires


def _session_alive(family: RefreshFamily, now: datetime) -> bool:
    return Session.objects.filter(session_key=family.session_key, expire_date__gt=now).exists()


def _end(family: RefreshFamily, why: str, *, alert: bool) -> None:
    RefreshFamily.objects.filter(pk=family.pk, revoked_at__isnull=True).update(revoked_at=clock.now(), why=why)
    # The session's row is what access tokens, streams and sockets stand on: they end with it within seconds.
    Session.objects.filter(session_key=family.session_key).delete()
    ledger.record(actor=_system, action=f"refresh.{why}", row=family.account, subject=Subject())
    if alert:
        tell(family.account_id, "refresh_reused")


def forget_old() -> int:
    """The chore: drop families that ended or expired over a week ago. Until then a copy shown again is recognised."""
    gone, _kinds = RefreshFamily.objects.filter(ends_at__lt=clock.now() - LIFETIME).delete()
    more, _kinds = RefreshFamily.objects.filter(revoked_at__lt=clock.now() - LIFETIME).delete()
    return gone + more


def is_staff(person: Person) -> bool:
    """Whether someone holds more than their own record."""
    return any(grant.role != "patient" for grant in person.grants) or bool(person.rights)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _next(token: str) -> str:
    """The token that follows. Without our secret it cannot be told from the one before."""
    made = hashlib.sha256(
        f"refresh:{blind.index('refresh-tokens', token)}:{blind.index('refresh-step', token)}".encode()
    )
    return base64.urlsafe_b64encode(made.digest()).rstrip(b"=").decode("ascii")
