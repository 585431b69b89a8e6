"""Tickets: what was begun in a browser is ended there, once, within minutes."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db.models import F, Q, QuerySet

from polyclinic.core import clock
from polyclinic.core.db import transactional
from polyclinic.factors import codes
from polyclinic.factors.models import RememberedDevice, SmsCode, Ticket, Totp

LIFETIME: Final = timedelta(minutes=10)
TRIES: Final = 5
_KEPT_UNCONFIRMED: Final = timedelta(hours=1)


@transactional
def begin(purpose: str, account_id: UUID | None, token: str = "") -> str:
    """Write down that something has begun. Returns the token that ends it."""
    token = token or codes.new_token()
    expires = clock.now() + LIFETIME
    Ticket.objects.create(digest=codes.token_digest(token), purpose=purpose, account_id=account_id, expires_at=expires)
    return token


def begin_second(account_id: UUID) -> str:
    """A sign-in whose password was right. Returns the token that goes on with it."""
    return begin(Ticket.Purpose.SECOND, account_id)


def end_second(token: str, account_id: UUID) -> bool:
    """End a halfway sign-in: true for exactly one of those who come with its token."""
    return spend(token, Ticket.Purpose.SECOND, account_id)


def account_of(token: str) -> UUID | None:
    """Whose halfway sign-in this is; None when it is unknown, over, tried too often or older than the password."""
    row = _open(token, Ticket.Purpose.SECOND).select_related("account").first()
    if row is None or row.account is None or not row.account.is_active:
        return None
    return row.account.pk if row.created_at >= row.account.password_changed_at else None


@transactional
def count_try(token: str) -> bool:
    """Use one of the five tries of a halfway sign-in. False when there was none left."""
    return bool(_open(token, Ticket.Purpose.SECOND).update(tries=F("tries") + 1))


@transactional
def spend(token: str, purpose: str, account_id: UUID | None) -> bool:
    """End what was begun for this account (None: for nobody in particular). True for exactly one caller."""
    rows = _open(token, purpose)
    mine = rows.filter(account_id__isnull=True) if account_id is None else rows.filter(account_id=account_id)
    gone, _kinds = mine.delete()
    return gone == 1


def _open(token: str, purpose: str) -> QuerySet[Ticket]:
    return Ticket.objects.filter(
        digest=codes.token_digest(token), purpose=purpose, expires_at__gt=clock.now(), tries__lt=TRIES
    )


def sweep() -> int:
    """Forget tickets, codes, half-made apps and devices whose time is over. Returns how many."""
    now = clock.now()
    over = [
        Ticket.objects.filter(expires_at__lte=now),
        # A day longer: how many were sent is what limits the sending of more.
        SmsCode.objects.filter(expires_at__lte=now - timedelta(days=1)),
        RememberedDevice.objects.filter(expires_at__lte=now),
        Totp.objects.filter(Q(confirmed_at__isnull=True) & Q(created_at__lte=now - _KEPT_UNCONFIRMED)),
    ]
    return sum(rows.delete()[0] for rows in over)
