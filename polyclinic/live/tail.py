"""Reads the event log as it grows, on a thread with its own database connection.

Each commit of this process pokes it; on PostgreSQL another node's commit rings through LISTEN. Both are hints: a
poke that is lost costs at most one poll. The log alone says what happened.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable

from django.db import DatabaseError, InterfaceError, connection

from polyclinic.core.db import is_postgres
from polyclinic.core.outbox import log
from polyclinic.live.wire import Wired

POLL_SECONDS = 0.5
BATCH = 500
# Seconds between two numberings on PostgreSQL, each of which is a commit: an event alone is told at once, of many that
# follow each other closely several are numbered together.
PAUSE = 0.008
_LONGEST_BACKOFF = 5.0

logger = logging.getLogger(__name__)


class Tail:
    """Follows the log and hands every new event to `deliver`, in order, each exactly once.

    `deliver` is called on the tail's thread; `started` is told the position the tail starts from.
    """

    def __init__(self, started: Callable[[int], None], deliver: Callable[[list[Wired]], None]) -> None:
        self.position = -1
        self.followed: Counter[str] = Counter()
        self._started = started
        self._deliver = deliver
        self._poke = threading.Event()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._unhook: Callable[[], None] | None = None
        # PostgreSQL's number of the connection on which the tail's thread numbers events.
        self._backend = 0

    def start(self) -> None:
        """Begin to follow, from the log's present head."""
        self._unhook = log.on_wake(self._poke.set)
        self._threads = [threading.Thread(target=self._run, name="log-tail", daemon=True)]
        if is_postgres():
            self._threads.append(threading.Thread(target=self._listen, name="log-listen", daemon=True))
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop both threads and wait for them to close their connections."""
        self._stopping.set()
        self._poke.set()
        if self._unhook is not None:
            self._unhook()
            self._unhook = None
        for thread in self._threads:
            thread.join(timeout=5)

    def pump(self) -> int:
        """Deliver what the log has beyond the position reached. Returns how many events there were."""
        if log.assign_positions():
            self._backend = connection.connection.info.backend_pid
        if self.position < 0:
            self.position = log.head()
            self._started(self.position)
        delivered, full = 0, True
        # What is committed after a read that was not full has poked us again: to look once more now would find nothing.
        while full and (rows := log.read_after(self.position, BATCH)):
            self._deliver([Wired(row) for row in rows])
            self.followed.update(row.type for row in rows)
            self.position = rows[-1].position
            delivered += len(rows)
            full = len(rows) == BATCH
        return delivered

    def _run(self) -> None:
        backoff = 0.0
        while not self._stopping.is_set():
            # Cleared before reading: a commit that lands while we read sets it again and is not missed.
            self._poke.clear()
            try:
                if self.pump() and is_postgres():
                    self._stopping.wait(PAUSE)
                backoff = 0.0
            except (DatabaseError, InterfaceError) as failure:
                backoff = min(_LONGEST_BACKOFF, backoff * 2 or 0.1)
                logger.warning("Reading the event log failed (%s); again in %.1f s.", type(failure).__name__, backoff)
                connection.close()
                self._stopping.wait(backoff)
                continue
            self._poke.wait(POLL_SECONDS)
        connection.close()

    def _listen(self) -> None:
        """Wait for other nodes' bells on a connection of its own (a pooled one would be handed to others)."""
        import psycopg  # not at the start of a server on SQLite, which never needs it

        wanted = ("host", "port", "user", "password", "dbname")
        while not self._stopping.is_set():
            try:
                # Taken from Django's own view of the database, which a test run renames.
                given = connection.get_connection_params()
                params = {name: given[name] for name in wanted if given.get(name)}
                with psycopg.connect(**params, autocommit=True) as bell:
                    bell.execute(f"LISTEN {log.CHANNEL}")
                    self._poke.set()  # something may have been committed before we listened
                    while not self._stopping.is_set():
                        for notice in bell.notifies(timeout=1.0, stop_after=1):
                            # Our own numbering rings as well, and what it numbered is read right after it.
                            if notice.pid != self._backend:
                                self._poke.set()
            except psycopg.Error as failure:
                logger.warning("Listening for wake-ups failed (%s); polling meanwhile.", type(failure).__name__)
                self._stopping.wait(1.0)
