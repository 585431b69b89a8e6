"""Counting wrong passwords, so that guessing does not pay and nobody can lock another person out.

Every try is counted *before* the password is looked at, so a hundred tries at once cannot pass under one count. Which
counters a try falls under depends on who makes it:

- a browser that has signed in to the account before (its device cookie): a counter of its own;
- a network the account was used from before: a counter for the name there;
- anyone else: that counter, and one for the name that all strangers share.

So a stranger can use up the strangers' tries and nobody else's. Names are counted as typed, whether or not anyone has
an account under them, with the same queries: counting tells nothing about who is here. Only a digest of the name is
kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import F
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import SystemActor
from polyclinic.core.db import lock_keys, transactional
from polyclinic.core.errors import TooMany
from polyclinic.people import alerts
from polyclinic.people.models import Account, Guesses

KEPT: Final = timedelta(days=30)
_GUARD: Final = SystemActor("sign-in-guard")


@dataclass(frozen=True, slots=True)
class Limit:
    """`count` wrong ones within `window` lock for `lock`, twice as long each time up to a day; `most` in a row until
    somebody signs in rightly, lock for good (NIST SP 800-63B-4 allows 100)."""

    count: int
    window: timedelta
    lock: timedelta
    most: int = 100


PLACE: Final = Limit(5, timedelta(minutes=15), timedelta(minutes=15))
STRANGERS: Final = Limit(20, timedelta(hours=1), timedelta(hours=1))
# One guesser trying a likely password on many names. A whole hospital may be one network, so it is generous.
SPRAY: Final = Limit(100, timedelta(minutes=15), timedelta(minutes=15), most=10**9)
_LONGEST: Final = timedelta(days=1)


class SignInLocked(TooMany):
    """Too many wrong passwords; the sentence names the ways that still work."""

    code = "sign_in_locked"
    sentence = _(
        "Too many wrong passwords. Wait a while, use a device you have signed in on before, or choose a new password "
        "by mail."
    )


@dataclass(frozen=True, slots=True)
class Caller:
    """Where a try comes from. `device` is the id of a browser of this account's, None for any other."""

    network: str
    device: UUID | None = None
    at_home: bool = False

    def counters(self, name: str) -> dict[str, Limit]:
        """The counters this caller's tries under `name` fall under, by key."""
        if self.device is not None:
            return {_key("device", name, str(self.device)): PLACE}
        found = {_key("network", name, self.network): PLACE, _key("spray", self.network): SPRAY}
        if not self.at_home:
            found[_key("strangers", name)] = STRANGERS
        return found


def _key(*parts: str) -> str:
    return salted_hmac("polyclinic.guesses", "\0".join(parts), algorithm="sha256").hexdigest()


@transactional
def claim(name: str, caller: Caller, account_id: UUID | None) -> None:
    """Count one try. Raises SignInLocked with `retryAfter` seconds when there is none left; it is then not counted."""
    now, limits = clock.now(), caller.counters(name)
    lock_keys(limits)
    rows = {row.key: row for row in Guesses.objects.filter(key__in=limits)}
    wait = max((_wait(rows[key], limit, now) for key, limit in limits.items() if key in rows), default=timedelta())
    if wait > timedelta():
        raise SignInLocked(retryAfter=max(1, round(wait.total_seconds())))
    for key, limit in limits.items():
        row = rows.get(key) or Guesses(key=key, window_at=now)
        # A spray is told to nobody: it is about no one account.
        row.account_id = account_id if limit is not SPRAY else None
        _count(row, limit, now)
        row.save(force_insert=key not in rows, force_update=key in rows)


def _wait(row: Guesses, limit: Limit, now: datetime) -> timedelta:
    if row.failures >= limit.most:
        return _LONGEST
    return row.locked_until - now if row.locked_until else timedelta()


def _count(row: Guesses, limit: Limit, now: datetime) -> None:
    if now - row.window_at >= limit.window:
        row.window_at, row.recent = now, 0
    row.at, row.failures, row.recent = now, row.failures + 1, row.recent + 1
    if row.recent >= limit.count or row.failures >= limit.most:
        row.locked_until = now + min(limit.lock * 2 ** min(row.locks, 10), _LONGEST)
        row.locks, row.recent, row.told = min(row.locks + 1, 100), 0, False


@transactional
def right(name: str, caller: Caller, account_id: UUID) -> None:
    """The password was right after all: this name's counters start anew, and the try is no spray."""
    Guesses.objects.filter(key__in=[key for key, limit in caller.counters(name).items() if limit is not SPRAY]).delete()
    Guesses.objects.filter(key=_key("spray", caller.network), recent__gt=0).update(
        recent=F("recent") - 1, failures=F("failures") - 1
    )
    if caller.device is not None or caller.at_home:
        # The person is here, so strangers are never locked out for good; how long they wait now stays as it is.
        Guesses.objects.filter(account_id=account_id).update(failures=0)


def confirmed(account: Account, password: str) -> bool:
    """Whether this is the password of somebody who is signed in and is asked for it once more.

    Counted as at the sign-in: an open page of another's must be no place to guess. Raises SignInLocked. Call it
    outside a transaction, or what is refused is not counted.
    """
    name, caller = "", Caller("", device=account.pk)
    claim(name, caller, account.pk)
    if not account.check_password(password):
        return False
    Guesses.objects.filter(key__in=caller.counters(name)).delete()
    return True


def forgive(account_id: UUID) -> None:
    """Forget every wrong password of an account: its person has shown otherwise who they are."""
    Guesses.objects.filter(account_id=account_id).delete()


@transactional
def tell_of_locks() -> int:
    """Leave a notice for each account that was guessed at. Returns how many.

    Done by a job and not by the try itself, which must take as long for a name that nobody has.
    """
    rows = list(Guesses.objects.filter(told=False).values_list("key", "account_id"))
    accounts = {account_id for _key_, account_id in rows if account_id is not None}
    for account in Account.objects.filter(pk__in=accounts):
        ledger.record(actor=_GUARD, action="account.sign_in_locked", row=account, subject=Subject())
        alerts.tell(account.pk, "sign_in_locked")
    if rows:
        Guesses.objects.filter(key__in=[key for key, _account_id in rows]).update(told=True)
    return len(accounts)


def forget_old() -> int:
    """Drop counters that have been quiet for a month. Returns how many."""
    gone, _kinds = Guesses.objects.filter(at__lt=clock.now() - KEPT).delete()
    return gone
