"""Hands the log on to the broker, on a thread of its own: at least once, each stream in order.

The place in the log moves when the broker has confirmed, never before. What was confirmed and not yet noted when the
process died is sent again, with the same id.
"""

from __future__ import annotations

import logging
import os
import random
import secrets
import threading
import time
from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from polyclinic.core.outbox import log
from polyclinic.relay import cursor
from polyclinic.relay.broker import Away, Broker, open_line
from polyclinic.relay.envelope import message

LEASE: Final = 15.0
POLL: Final = 0.5
BATCH: Final = 200
# Seconds between two batches: each notes its end by a commit, and bookings want to commit too.
PAUSE: Final = 0.05
_FIRST_WAIT: Final = 0.2
_LONGEST_WAIT: Final = 5.0

logger = logging.getLogger(__name__)


class LeaseLost(Exception):
    """Another node sends now."""


def configured() -> Broker:
    """The broker of the settings."""
    return open_line(settings.BROKER_URL, settings.BROKER_EXCHANGE)


class Relay:
    """Follows the log and hands it on while it holds the lease; waits for it otherwise."""

    def __init__(self, make: Callable[[], Broker] = configured, lease: float = LEASE, source: str = "") -> None:
        self.holder = f"{os.getpid()}-{secrets.token_hex(6)}"
        self._make, self._lease = make, lease
        self._source = source or settings.PUBLIC_URL
        self._poke, self._stopping = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._unhook: Callable[[], None] | None = None
        self._broker: Broker | None = None
        self._held_until = 0.0
        self._position = 0
        self._made = False
        self._wait = 0.0

    def start(self) -> None:
        """Begin; returns soon, whether the broker is there or not. What is committed from now on will be sent."""
        try:
            self._made = cursor.make()
        except (DatabaseError, InterfaceError) as failure:
            logger.warning("The relay's place could not be read (%s); once more soon.", type(failure).__name__)
        self._unhook = log.on_wake(self._poke.set)
        self._thread = threading.Thread(target=self.run, name="relay", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop after the batch in hand and give the lease up."""
        self._stopping.set()
        self._poke.set()
        if self._unhook is not None:
            self._unhook()
            self._unhook = None
        if self._thread is not None:
            self._thread.join(timeout=20)

    def run(self) -> None:
        """Send until stopped, whatever happens to broker and database meanwhile."""
        while not self._stopping.is_set():
            self._poke.clear()
            if self._step():
                self._stopping.wait(PAUSE)
            else:
                self._poke.wait(POLL)
        self._leave()

    def _step(self) -> bool:
        """One batch at most. Whether there may be more at once."""
        try:
            return self.pump() > 0
        except LeaseLost:
            self._hang_up()
        except Away as failure:
            self._away(str(failure))
        except (DatabaseError, InterfaceError) as failure:
            logger.warning("Reading the event log for the broker failed (%s).", type(failure).__name__)
            connection.close()
            self._stopping.wait(1.0)
        return False

    def pump(self) -> int:
        """Take or extend the lease, send one batch and note its end. How many events went."""
        self._made = self._made or cursor.make()
        log.assign_positions()
        position = self._taken()
        if position is None:
            self._hang_up()
            return 0
        if self._broker is None:
            broker = self._make()
            broker.connect()
            self._broker = broker
            cursor.well(self.holder)
        self._wait = 0.0
        rows = log.read_after(position, BATCH)
        # A pooled connection goes back at its age, as a page's does. Never under a caller's transaction.
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
        if not rows:
            if not self._broker.alive():
                # With nothing to send nobody would notice before the next event, and all would be said to be well.
                raise Away("the line broke")
            return 0
        messages = [message(row, self._source) for row in rows]
        try:
            self._check_lease()
            self._broker.publish(messages)
        except Away as failure:
            if failure.confirmed:
                self._advance(messages[failure.confirmed - 1].position, failure.confirmed)
            raise
        self._advance(messages[-1].position, len(messages))
        return len(messages)

    def _taken(self) -> int | None:
        """The place in the log, when the lease is ours; extended once a third of it is over."""
        asked = time.monotonic()
        if asked < self._held_until - self._lease * 2 / 3:
            return self._position
        position = cursor.take(self.holder, self._lease)
        self._held_until = 0.0 if position is None else asked + self._lease
        self._position = position or 0
        return position

    def _check_lease(self) -> None:
        """Whoever was stopped for long, as a machine that slept, must not go on as if nothing had been."""
        if time.monotonic() > self._held_until - self._lease / 3:
            self._held_until = 0.0
            raise LeaseLost

    def _advance(self, position: int, many: int) -> None:
        asked = time.monotonic()
        if not cursor.advance(self.holder, position, many, self._lease):
            self._held_until = 0.0
            raise LeaseLost
        self._held_until, self._position = asked + self._lease, position

    def _away(self, why: str) -> None:
        """Wait, longer each time, keeping the lease: whoever took it over would meet the same closed door."""
        self._hang_up()
        self._wait = min(_LONGEST_WAIT, self._wait * 2 or _FIRST_WAIT)
        if self._wait in {_FIRST_WAIT, _LONGEST_WAIT}:
            logger.warning("The broker is away (%s); events wait in the log.", why)
        try:
            cursor.failing(self.holder, why)
        except (DatabaseError, InterfaceError):
            connection.close()
        self._stopping.wait(self._wait * random.uniform(0.5, 1))  # noqa: S311 - spreads load, protects nothing

    def _hang_up(self) -> None:
        if self._broker is not None:
            self._broker.close()
            self._broker = None

    def _leave(self) -> None:
        self._hang_up()
        try:
            cursor.give_up(self.holder)
        except (DatabaseError, InterfaceError) as failure:
            logger.warning("The relay's lease could not be given up (%s); it ends by itself.", type(failure).__name__)
        connection.close()


_relay: Relay | None = None


def start() -> None:
    """Begin to hand on, where a broker is set. From the server's start."""
    global _relay
    if settings.BROKER_URL and _relay is None:
        _relay = Relay()
        _relay.start()


def stop() -> None:
    """End it in good order."""
    global _relay
    if _relay is not None:
        _relay.stop()
        _relay = None
