"""Checking who is there: a password, tried under the counters of `guesses`, and the browser it was typed in.

A name that nobody has costs the same queries and the same hash as a wrong password, and is answered the same.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor, Person
from polyclinic.core.db import transactional
from polyclinic.core.errors import Unauthenticated
from polyclinic.people import agents, alerts, guesses
from polyclinic.people.models import Account, Device, KnownNetwork

DEVICE_KEPT: Final = timedelta(days=400)
NETWORK_KEPT: Final = timedelta(days=90)
_NOBODY: Final = UUID(int=0)
_log = logging.getLogger("polyclinic.refused")
# A device cookie of ours is 43 characters of base64; whatever else a caller sends is not looked up.
_TOKEN_LENGTH: Final = 43


class WrongPassword(Unauthenticated):
    """No such account, or not its password: one answer for both."""

    code = "wrong_credentials"
    sentence = _("This email address and password do not match. Check both and try again.")


@dataclass(frozen=True, slots=True)
class Entered:
    """A sign-in that began: the browser's row, and its cookie when it is a new one to be set."""

    device_id: UUID
    cookie: str


def check(email: str, password: str, *, network: str, device: str = "") -> Account:
    """The account with this address and password.

    `network` is the caller's (`core.networks`), `device` the device cookie as sent. Raises WrongPassword, SignInLocked
    or, when too many are signing in at once, Busy.
    """
    name = email.strip().lower()
    account = Account.objects.filter(email__iexact=name).first() if "\0" not in name else None
    account_id = account.pk if account else _NOBODY
    caller = guesses.Caller(network, _device(account_id, device), _at_home(account_id, network))
    guesses.claim(name, caller, account.pk if account else None)
    if account is None:
        # The same work as for an account, so that the time tells nothing.
        Account().set_password(password)
        raise _refused(name, network)
    if not account.check_password(password) or not account.is_active:
        raise _refused(name, network)
    guesses.right(name, caller, account.pk)
    return account


def _refused(name: str, network: str) -> WrongPassword:
    """Written to the log without the name that was typed: people type their password there. The same of everybody."""
    _log.warning("sign-in: wrong password for %s from %s", _sign(name), network)
    return WrongPassword()


def _sign(name: str) -> str:
    """What stands for a name in the log: the same for the same, and of no use without the server's secret."""
    return salted_hmac("polyclinic.sign-in-log", name, algorithm="sha256").hexdigest()[:16]


def _device(account_id: UUID, token: str) -> UUID | None:
    if len(token) != _TOKEN_LENGTH:
        return None
    return Device.objects.filter(account_id=account_id, token=_digest(token)).values_list("pk", flat=True).first()


def _at_home(account_id: UUID, network: str) -> bool:
    since = clock.now() - NETWORK_KEPT
    return KnownNetwork.objects.filter(account_id=account_id, network=network, last_at__gt=since).exists()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


@transactional
def entered(account_id: UUID, *, device: str, user_agent: str, network: str) -> Entered:
    """Write down that an account was signed in to: its browser, its network, an audit entry.

    The first sign-in from a browser is told to the account's person, unless it is the first of all.
    """
    now = clock.now()
    cookie = device if len(device) == _TOKEN_LENGTH else secrets.token_urlsafe(32)
    known = Device.objects.filter(account_id=account_id)
    had_any = known.exists()
    row, new = Device.objects.get_or_create(
        account_id=account_id, token=_digest(cookie), defaults={"user_agent": user_agent[:160]}
    )
    if not new:
        Device.objects.filter(pk=row.pk).update(last_at=now, user_agent=user_agent[:160])
    KnownNetwork.objects.update_or_create(account_id=account_id, network=network, defaults={"last_at": now})
    account = Account.objects.get(pk=account_id)
    ledger.record(actor=_self(account), action="account.sign_in", row=account, subject=Subject())
    if new and had_any:
        alerts.tell(account_id, "new_device", detail={"browser": agents.words(user_agent)})
    return Entered(row.pk, cookie)


def _self(account: Account) -> Actor:
    return Person(account_id=account.pk, name=account.name, grants=frozenset())


def forget_old() -> int:
    """Drop browsers and networks that were not used for long. Returns how many."""
    now = clock.now()
    devices, _kinds = Device.objects.filter(last_at__lt=now - DEVICE_KEPT).delete()
    networks, _kinds = KnownNetwork.objects.filter(last_at__lt=now - NETWORK_KEPT).delete()
    return devices + networks
