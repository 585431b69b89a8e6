"""Recording reads in the serving process: written by the worker before its answer leaves, synced by a thread beside it.

An answer whose reading cannot be recorded is not given.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Sequence

from django.db import connections

from polyclinic.core.audit import checkpoints, journal
from polyclinic.core.audit.reads import Sighting
from polyclinic.web.errors import NotRecorded

_log = logging.getLogger(__name__)


class Recorder:
    """Lives from startup to shutdown."""

    def __init__(self) -> None:
        self._journal = journal.of_process()
        self._stopping = threading.Event()
        self._thread = threading.Thread(
            target=self._journal.keep_on_disk, args=(self._stopping,), name="journal", daemon=True
        )

    async def start(self) -> None:
        """Bring in what an earlier process left behind."""
        await asyncio.to_thread(_begin)
        self._thread.start()

    def keep(self, sightings: Sequence[Sighting]) -> None:
        """Write them into the journal. Raises NotRecorded (503) when that is impossible."""
        try:
            self._journal.write(journal.lines(sightings, self._journal.known))
        except OSError:
            _log.exception("reads could not be recorded")
            raise NotRecorded from None

    async def stop(self) -> None:
        """Bring in the last lines and sign where the chains end."""
        self._stopping.set()
        await asyncio.to_thread(_end)
        await asyncio.to_thread(self._thread.join, 5)


def _begin() -> None:
    try:
        journal.begin()
    finally:
        connections.close_all()


def _end() -> None:
    try:
        journal.bring_in()
        checkpoints.take()
    except Exception:
        # What is not in yet comes in at the next start.
        _log.exception("the audit could not be brought to an end")
    finally:
        connections.close_all()
