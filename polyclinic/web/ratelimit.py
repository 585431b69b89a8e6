"""How often one caller may do something. The table is the policy; the rest counts.

Counts are kept in this process: a limit protects the process from a flood and accounts from guessing, and N processes
allow N times as much. A bucket is one number, the time at which it would be full again (GCRA), so a caller costs a
dictionary entry and a check costs a comparison.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.http import HttpRequest

from polyclinic.core.errors import TooMany


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` uses in `seconds` by one `per` (ip or account), all at once or spread out."""

    scope: str
    per: str
    count: int
    seconds: int


LIMITS: Final[tuple[Limit, ...]] = (
    Limit("api", "ip", 6000, 60),
    Limit("api", "account", 1200, 60),
    # Only against a flood: a whole hospital may come from one address. Wrong passwords are counted by `people.guesses`.
    Limit("sign-in", "ip", 300, 900),
    # Codes are counted for each account by `factors.proofs`; here it is about floods. Passkeys cannot be guessed.
    Limit("second-step", "ip", 300, 900),
    Limit("passkey", "ip", 120, 900),
    Limit("sign-up", "ip", 20, 3600),
    # By the address typed in: nobody's mailbox is filled by another.
    Limit("sign-up", "account", 5, 3600),
    Limit("refresh", "ip", 300, 60),
    # By the address typed in, whether or not it belongs to anyone: the answer tells nothing about who has an account.
    Limit("password-reset", "ip", 20, 3600),
    Limit("password-reset", "account", 5, 3600),
    Limit("booking", "account", 60, 60),
    # Ten signs cannot be guessed at this pace in the week for which a code is good.
    Limit("delegation-code", "account", 20, 3600),
    Limit("privacy-request", "account", 20, 3600),
    # Trying names and days of birth until one fits would be a search of the whole register.
    Limit("record-look-up", "account", 60, 600),
    Limit("break-glass", "account", 10, 3600),
    Limit("payment", "account", 30, 3600),
    Limit("upload", "account", 30, 3600),
    # A file of up to everything: each one costs as much as thousands of pages.
    Limit("export", "account", 10, 3600),
    Limit("live", "ip", 300, 60),
    # Tickets and hall screens: a whole hall is one address, and each call makes every ticket ask again.
    Limit("watch", "ip", 6000, 60),
    # Whoever needs an ambulance asks once. From one address many may, as from a school; a telephone has one owner.
    Limit("ambulance-call", "ip", 10, 3600),
    Limit("ambulance-call", "account", 3, 3600),
    Limit("nearest", "ip", 120, 600),
    # A link has 128 bits: the limit is about floods.
    Limit("emergency-link", "ip", 60, 600),
    # A print costs as much as many pages. Codes of papers have 160 bits: the limit is about floods.
    Limit("paper", "account", 120, 600),
    Limit("verify", "ip", 120, 600),
)

_BY_SCOPE: Final = {row.scope: tuple(limit for limit in LIMITS if limit.scope == row.scope) for row in LIMITS}
_SWEEP_ABOVE: Final = 50_000

_full_at: dict[tuple[str, str, str], float] = {}
_lock = threading.Lock()
_clock: Callable[[], float] = time.monotonic


def address(request: HttpRequest) -> str:
    """The caller's network address as the server saw it (a trusted proxy's word is taken by the server itself)."""
    return str(request.META.get("REMOTE_ADDR", ""))


def check(scope: str, *, ip: str = "", account: str = "") -> None:
    """Count one use against every limit of `scope`; raise TooMany with `retryAfter` seconds when one is used up.

    `account` is whatever names the account: its id, or the e-mail address as typed. An empty name is not counted.
    """
    if not settings.RATE_LIMITS:
        return
    now = _clock()
    names = {"ip": ip, "account": account.strip().lower()}
    with _lock:
        if len(_full_at) > _SWEEP_ABOVE:
            _sweep(now)
        wait = max((_use(limit, names[limit.per], now) for limit in _BY_SCOPE[scope] if names[limit.per]), default=0.0)
    if wait > 0:
        raise TooMany(retryAfter=max(1, math.ceil(wait)))


def _use(limit: Limit, name: str, now: float) -> float:
    """Take one use from a bucket. Returns 0, or the seconds until there is one to take."""
    step = limit.seconds / limit.count
    key = (limit.scope, limit.per, name)
    full = max(_full_at.get(key, now), now) + step
    wait = full - limit.seconds - now
    if wait > 1e-9:
        return wait
    _full_at[key] = full
    return 0.0


def _sweep(now: float) -> None:
    """Forget buckets that are full again; they are as if never used."""
    for key in [key for key, full in _full_at.items() if full <= now]:
        del _full_at[key]


def reset() -> None:
    """Forget every count (tests)."""
    with _lock:
        _full_at.clear()
