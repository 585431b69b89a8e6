"""What has to happen by itself: expired holds are freed, old request keys and ended sessions forgotten.

One thread of the serving process with its own database connection. Every chore may run on several nodes at once and
may be cut off anywhere: each is one transaction that does the same thing again next time.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.db import DatabaseError, connection

from polyclinic.core.actors import SystemActor
from polyclinic.core.ledger import idempotency
from polyclinic.facilities import identity
from polyclinic.scheduling import actions

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Chore:
    """Something to do every so many seconds."""

    name: str
    every_seconds: float
    run: Callable[[], int]


def _free_expired_holds() -> int:
    return actions.sweep_holds(actor=SystemActor("hold-sweeper"))


CHORES: Final = (
    # Soon after the five minutes, so that a slot given up by closing the page is free on other screens.
    Chore("free expired holds", 5, _free_expired_holds),
    Chore("forget request keys", 3600, idempotency.forget_before),
    Chore("forget ended sessions", 3600, identity.forget_ended_sessions),
)


class Housekeeper:
    """Runs the chores until stopped."""

    def __init__(self, chores: tuple[Chore, ...] = CHORES) -> None:
        self._chores = chores
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="housekeeping", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop after the chore in hand."""
        self._stopping.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        due = {chore.name: time.monotonic() + chore.every_seconds for chore in self._chores}
        while not self._stopping.wait(max(0.05, min(due.values()) - time.monotonic())):
            for chore in self._chores:
                if due[chore.name] <= time.monotonic():
                    self._do(chore)
                    due[chore.name] = time.monotonic() + chore.every_seconds
        connection.close()

    def _do(self, chore: Chore) -> None:
        try:
            done = chore.run()
        except DatabaseError:
            # The database may be away for a while; the chore is still there next time.
            _log.exception("could not %s", chore.name)
            connection.close()
        else:
            if done:
                _log.debug("%s: %d", chore.name, done)
            if connection.vendor == "postgresql":
                # Hand the pooled connection back between chores.
                connection.close()
