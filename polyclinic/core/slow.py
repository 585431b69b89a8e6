"""Statements of the database that take long are logged: their words with marks for values, and never a value."""

from __future__ import annotations

import logging
from time import perf_counter
from typing import Any, Final

from django.conf import settings
from django.db.backends.utils import CursorWrapper

_log = logging.getLogger("polyclinic.slow")
_LONGEST: Final = 500
# Seconds; from the settings at the start, since it is compared with at every statement.
limit = 0.5


def set_limit() -> None:
    """Take the limit from the settings."""
    global limit
    limit = settings.SLOW_QUERY_MS / 1000


def note(sql: str, seconds: float) -> None:
    """One that took longer."""
    _log.warning("%.0f ms: %s", seconds * 1000, " ".join(sql.split())[:_LONGEST])


class TimedCursor(CursorWrapper):
    """Django's cursor, timed. What `core.db.run_sql` runs past it is timed there."""

    def execute(self, sql: Any, params: Any = None) -> Any:  # noqa: ANN401 - as Django has it
        started = perf_counter()
        try:
            return super().execute(sql, params)
        finally:
            if (took := perf_counter() - started) > limit:
                note(str(sql), took)

    def executemany(self, sql: Any, param_list: Any) -> Any:  # noqa: ANN401 - as Django has it
        started = perf_counter()
        try:
            return super().executemany(sql, param_list)
        finally:
            if (took := perf_counter() - started) > limit:
                note(str(sql), took)


def watch(connection: Any, **_given: Any) -> None:  # noqa: ANN401 - Django's wrapper of whichever database it is
    """Let this connection's cursors be timed."""
    connection.make_cursor = lambda cursor: TimedCursor(cursor, connection)
