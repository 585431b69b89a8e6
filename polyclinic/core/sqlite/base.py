"""Django's SQLite backend with one writer at a time per process.

SQLite has a single writer. Left to its busy handler, rival threads sleep in growing steps and the unlucky one
waits over half a second; queued on a lock in the process they wait for exactly the transactions before them.
Every transaction here is BEGIN IMMEDIATE, so taking the lock where BEGIN is sent covers every write there is.
"""

from __future__ import annotations

import threading
from typing import Any

from django.db.backends.sqlite3 import base

_writer = threading.RLock()


class DatabaseWrapper(base.DatabaseWrapper):
    """Takes the process-wide write lock at BEGIN and gives it back after COMMIT or ROLLBACK."""

    _holds_writer = False

    def _start_transaction_under_autocommit(self) -> None:
        _writer.acquire()
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
        except BaseException:
            _writer.release()
            raise
        self._holds_writer = True

    def _give_back(self) -> None:
        if self._holds_writer:
            self._holds_writer = False
            _writer.release()

    def _commit(self) -> Any:  # noqa: ANN401 - Django's own signature
        # A COMMIT that fails (disk full) leaves the transaction open; Django then rolls back, which releases.
        result = super()._commit()  # type: ignore[misc]
        self._give_back()
        return result

    def _rollback(self) -> Any:  # noqa: ANN401 - Django's own signature
        try:
            return super()._rollback()  # type: ignore[misc]
        finally:
            self._give_back()

    def _close(self) -> Any:  # noqa: ANN401 - Django's own signature
        try:
            return super()._close()  # type: ignore[misc]
        finally:
            self._give_back()
