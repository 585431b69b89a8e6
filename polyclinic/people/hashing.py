"""How passwords are hashed: argon2id as OWASP recommends it, and never more at once than the machine can bear.

Each hash keeps a core busy for tens of milliseconds and 19 MiB of memory, on purpose. Without a cap, a morning's
sign-ins would stand between everyone else and the processor.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.contrib.auth.hashers import Argon2PasswordHasher
from django.utils.translation import gettext_lazy as _

from polyclinic.core.errors import Problem

# One core is always left for everyone else.
AT_ONCE: Final = max(1, (os.cpu_count() or 1) - 1)
PATIENCE_SECONDS: Final = 10.0
RETRY_SECONDS: Final = 10
_turns: Final = threading.BoundedSemaphore(AT_ONCE)


class Busy(Problem):
    """More people are signing in than passwords can be checked for; nothing is wrong with what was typed."""

    status = 503
    code = "busy"
    sentence = _("Many people are signing in at this moment. Please try again in a few seconds.")

    def __init__(self) -> None:
        super().__init__(retryAfter=RETRY_SECONDS)


@contextmanager
def turn() -> Iterator[None]:
    """Wait for one of the places in which passwords are hashed. Raises Busy when none comes free in ten seconds."""
    if not _turns.acquire(timeout=PATIENCE_SECONDS):
        raise Busy()
    try:
        yield
    finally:
        _turns.release()


class Argon2id(Argon2PasswordHasher):
    """argon2id with the OWASP parameters m = 19 MiB, t = 2, p = 1.

    A password stored with others is hashed anew when its owner next signs in with it; Django sees to that.
    """

    time_cost = 2
    memory_cost = 19_456
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        with turn():
            return str(super().encode(password, salt))

    def verify(self, password: str, encoded: str) -> bool:
        with turn():
            return bool(super().verify(password, encoded))
