"""PostgreSQL's hottest statements, parsed and planned once per connection and run by the driver's own lowest layer.

psycopg's cursor waits for each answer in Python, which costs more than twice what asking and reading do. What values
become on the way, and what comes back, is left to psycopg as ever.

Each question waits for its answer on both sides of the line, so questions that do not wait for each other go together
(libpq's pipeline): PostgreSQL runs them one after the other, each with what was committed before *it* began, and after
one that fails none of the rest. Statements whose answers nobody looks at wait for the next one or the commit.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import count
from select import POLLIN, POLLOUT, poll
from typing import Any

from psycopg import Connection, OperationalError, errors, pq
from psycopg.adapt import PyFormat, Transformer

_PLACE = re.compile(r"%(s|%)")
_GOOD = (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK)
_IDLE = pq.TransactionStatus.IDLE
Asked = tuple[str, Sequence[Any]]


class Rows:
    """What a statement gave: read as from a cursor."""

    __slots__ = ("_at", "_rows", "rowcount")

    def __init__(self, rows: list[Any], rowcount: int) -> None:
        self._rows, self._at, self.rowcount = rows, 0, rowcount

    def fetchone(self) -> Any:  # noqa: ANN401 - a row
        if self._at >= len(self._rows):
            return None
        self._at += 1
        return self._rows[self._at - 1]

    def fetchall(self) -> list[Any]:
        rest, self._at = self._rows[self._at :], len(self._rows)
        return rest


class _Known:
    """What one connection has prepared, by statement and the types of its values; and what it keeps back."""

    __slots__ = ("kept", "names", "numbers", "transform", "trips")

    def __init__(self, connection: Any) -> None:  # noqa: ANN401 - psycopg's
        self.names: dict[tuple[str, Sequence[int]], bytes] = {}
        self.numbers = count(1)
        self.transform = Transformer(connection)
        self.kept: list[Asked] = []
        # How often this module waited for this connection, for the tests that count.
        self.trips = 0
        # These look rows up by keys and short ranges, for which one plan is as good for every value; making another
        # each time costs PostgreSQL more than following it. Django's own statements are not concerned.
        _checked(connection.pgconn, connection.pgconn.exec_(b"SET plan_cache_mode = force_generic_plan"))


class Line(Connection[Any]):
    """psycopg's connection which sends what is kept back before anything else is asked, and with the commit."""

    _polyclinic: _Known | None = None

    def wait(self, *given: Any, **named: Any) -> Any:  # noqa: ANN401 - psycopg's own signature
        """Whatever psycopg itself does comes by here."""
        if self._polyclinic is not None and self._polyclinic.kept:
            together(self, [])
        return super().wait(*given, **named)

    def commit(self) -> None:
        """The last statements and the commit in one go; without the former there is nothing committed either."""
        if self._polyclinic is not None and self._polyclinic.kept:
            together(self, [("COMMIT", ())])
        else:
            super().commit()

    def rollback(self) -> None:
        """What was kept back goes with the rest."""
        if self._polyclinic is not None:
            self._polyclinic.kept.clear()
        super().rollback()


def known(connection: Any) -> _Known:  # noqa: ANN401 - psycopg's connection
    """What is known of this connection."""
    found: _Known | None = connection._polyclinic
    if found is None:
        found = connection._polyclinic = _Known(connection)
    return found


def run(connection: Any, sql: str, params: Sequence[Any]) -> Rows:  # noqa: ANN401 - psycopg's connection
    """Run a statement with `%s` for each value. Raises psycopg's errors."""
    mine, line = known(connection), connection.pgconn
    if mine.kept or (line.transaction_status == _IDLE and not connection.autocommit):
        return together(connection, [(sql, params)])[0]
    name, values, formats = _ready(mine, line, sql, params)
    mine.trips += 1
    return _rows(mine, _checked(line, line.exec_prepared(name, values, formats)))


def keep(connection: Any, sql: str, params: Sequence[Any]) -> None:  # noqa: ANN401 - psycopg's connection
    """Run a statement some time before the next one's answer or the commit. Inside a transaction only."""
    known(connection).kept.append((sql, params))


def together(connection: Any, asked: Sequence[Asked]) -> list[Rows]:  # noqa: ANN401 - psycopg's connection
    """Run what was kept back and then these, in order, and wait once. Raises the first one's error that fails."""
    mine, line = known(connection), connection.pgconn
    # What fails takes what was kept back with it: both are of one transaction or savepoint (to begin one is a statement
    # before which these are sent), and that is lost then.
    kept, mine.kept = mine.kept, []
    begins = line.transaction_status == _IDLE and not connection.autocommit
    whole = [*([("BEGIN", ())] if begins else ()), *kept, *asked]
    # What is new to this connection is made known first, which waits for each.
    try:
        sent = [_ready(mine, line, sql, params) for sql, params in whole]
    except BaseException:
        # Nothing was sent, and a transaction that goes on nevertheless must not go on without these.
        mine.kept = kept
        raise
    mine.trips += 1
    line.enter_pipeline_mode()
    try:
        for name, values, formats in sent:
            line.send_query_prepared(name, values, formats)
        line.pipeline_sync()
        told = [_answer(line) for _statement in sent]
        _result(line)
        line.exit_pipeline_mode()
    except BaseException:
        # In the middle of something that nobody can take up again: what the transaction had written goes.
        line.finish()
        raise
    for result in told:
        _checked(line, result)
    return [_rows(mine, result) for result in told[len(told) - len(asked) :]]


def _ready(mine: _Known, line: Any, sql: str, params: Sequence[Any]) -> tuple[bytes, Any, Any]:  # noqa: ANN401 - libpq's
    """A statement as it is sent: its name on this connection, its values, and how they are written."""
    values: Sequence[Any] | None = None
    types: tuple[int, ...] = ()
    formats: Any = None
    if params:
        transform = mine.transform
        values = transform.dump_sequence(params, [PyFormat.AUTO] * len(params))
        types, formats = tuple(transform.types or ()), transform.formats
    name = mine.names.get((sql, types))
    if name is None:
        name = b"polyclinic_%d" % next(mine.numbers)
        mine.trips += 1
        _checked(line, line.prepare(name, _numbered(sql), types))
        mine.names[sql, types] = name
    return name, values, formats


def _rows(mine: _Known, told: Any) -> Rows:  # noqa: ANN401 - libpq's answer
    if not told.nfields:
        return Rows([], int(told.command_tuples or 0))
    mine.transform.set_pgresult(told)
    return Rows(mine.transform.load_rows(0, told.ntuples, tuple), told.ntuples)


def _answer(line: Any) -> Any:  # noqa: ANN401 - libpq's line and answer
    """One statement's result, which libpq lets follow by a nothing."""
    result = _result(line)
    if result is None or _result(line) is not None:
        raise OperationalError("the connection to the database is lost")
    return result


def _result(line: Any) -> Any:  # noqa: ANN401 - as above
    """libpq's next result. It is waited for here, where other threads may run meanwhile."""
    while line.flush():
        _wait(line, POLLIN | POLLOUT)
    while line.is_busy():
        _wait(line, POLLIN)
    return line.get_result()


def _wait(line: Any, for_: int) -> None:  # noqa: ANN401 - as above
    """Until something can be read or, when asked for, written. Not by select(), which knows 1,024 files at most."""
    waiting = poll()
    waiting.register(line.socket, for_)
    waiting.poll()
    line.consume_input()


def _checked(line: Any, result: Any) -> Any:  # noqa: ANN401 - libpq's line and answer
    if result.status in _GOOD:
        return result
    if line.status != pq.ConnStatus.OK:
        raise OperationalError("the connection to the database is lost")
    raise errors.error_from_result(result)


def _numbered(sql: str) -> bytes:
    """The statement as PostgreSQL itself numbers its values: $1, $2 …"""
    numbers = count(1)
    return _PLACE.sub(lambda found: "%" if found[1] == "%" else f"${next(numbers)}", sql).encode()
