"""PostgreSQL's hottest statements, parsed and planned once per connection and run by the driver's own lowest layer.

psycopg's cursor waits for each answer in Python, which costs more than twice what asking and reading do, and a booking
is two dozen short statements. What values become on the way, and what comes back, is left to psycopg as ever.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import count
from typing import Any

from psycopg import OperationalError, errors, pq
from psycopg.adapt import PyFormat, Transformer

_PLACE = re.compile(r"%(s|%)")
_GOOD = (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK)
_IDLE = pq.TransactionStatus.IDLE


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
    """What one connection has prepared, by statement and the types of its values."""

    __slots__ = ("names", "numbers", "transform")

    def __init__(self, connection: Any) -> None:  # noqa: ANN401 - psycopg's
        self.names: dict[tuple[str, Sequence[int]], bytes] = {}
        self.numbers = count(1)
        self.transform = Transformer(connection)
        # These look rows up by keys and short ranges, for which one plan is as good for every value; making another
        # each time costs PostgreSQL more than following it. Django's own statements are not concerned.
        _checked(connection.pgconn, connection.pgconn.exec_(b"SET plan_cache_mode = force_generic_plan"))


def run(connection: Any, sql: str, params: Sequence[Any]) -> Rows:  # noqa: ANN401 - psycopg's connection
    """Run a statement with `%s` for each value. Raises psycopg's errors."""
    known: _Known | None = getattr(connection, "_polyclinic_prepared", None)
    if known is None:
        known = connection._polyclinic_prepared = _Known(connection)
    line = connection.pgconn
    if line.transaction_status == _IDLE and not connection.autocommit:
        _checked(line, line.exec_(b"BEGIN"))
    transform = known.transform
    values: Sequence[Any] | None = None
    types: tuple[int, ...] = ()
    formats: Any = None
    if params:
        values = transform.dump_sequence(params, [PyFormat.AUTO] * len(params))
        types, formats = tuple(transform.types or ()), transform.formats
    name = known.names.get((sql, types))
    if name is None:
        name = b"polyclinic_%d" % next(known.numbers)
        _checked(line, line.prepare(name, _numbered(sql), types))
        known.names[sql, types] = name
    told = _checked(line, line.exec_prepared(name, values, formats))
    if not told.nfields:
        return Rows([], int(told.command_tuples or 0))
    transform.set_pgresult(told)
    return Rows(transform.load_rows(0, told.ntuples, tuple), told.ntuples)


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
