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
    # Guessing: by address (one guesser, many accounts) and by the name typed in (many guessers, one account). The
    # typed name is counted whether or not it belongs to anyone, so the answer tells nothing about who has an account.
    Limit("sign-in", "ip", 60, 900),
    Limit("sign-in", "account", 10, 900),
    Limit("sign-up", "ip", 20, 3600),
    Limit("password-reset", "ip", 20, 3600),
    Limit("password-reset", "account", 5, 3600),
    Limit("booking", "account", 60, 60),
    Limit("live", "ip", 300, 60),
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
