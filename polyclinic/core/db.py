"""Small tools over Django's connection: whole transactions, locks, and statements built once.

The ORM stays the definition of every query. Building its SQL is most of a read's cost, so the few hottest
shapes are built once here and rerun (`CompiledQuery`, `InsertStatement`).
"""

from __future__ import annotations

import functools
import hashlib
import random
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from types import ModuleType
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, OperationalError, connection, connections, models, transaction
from django.db.backends.sqlite3 import base as sqlite

from polyclinic.core import slow

P = ParamSpec("P")
R = TypeVar("R")

# PostgreSQL aborts one of two transactions that wait for each other; the whole transaction is then run again.
_RETRYABLE = {"40001", "40P01"}
_ATTEMPTS = 8
# Seconds, doubled each time. Losers that come back at once only meet, and kill, each other again.
_PAUSE = 0.005


@functools.cache
def vendor() -> str:
    """The kind of database this process works on; asked dozens of times in a booking, and it never changes."""
    return str(connection.vendor)


@functools.cache
def is_postgres() -> bool:
    return vendor() == "postgresql"


class _Here(threading.local):
    connection: Any = None


_here = _Here()


def here() -> Any:  # noqa: ANN401 - Django's wrapper of whichever database it is
    """This thread's connection.

    Django looks for it anew each time, in a store for threads and loops: two dozen times in a booking.
    """
    found = _here.connection
    if found is None:
        found = _here.connection = connections[DEFAULT_DB_ALIAS]
    return found


def transactional(function: Callable[P, R]) -> Callable[P, R]:
    """Run `function` in one transaction, joining the caller's if there is one.

    A deadlock or serialisation failure of PostgreSQL runs the outermost call again, a little later, so effects
    outside the database never belong inside.
    """

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if here().in_atomic_block:
            return function(*args, **kwargs)
        for attempt in range(_ATTEMPTS):
            try:
                with transaction.atomic():
                    return function(*args, **kwargs)
            except OperationalError as failure:
                state = getattr(failure.__cause__, "sqlstate", None)
                if state not in _RETRYABLE or attempt == _ATTEMPTS - 1:
                    raise
            time.sleep(random.uniform(0, _PAUSE * 2**attempt))  # noqa: S311 - spreads load, protects nothing
        raise AssertionError("unreachable")

    return run


def lock_keys(keys: Iterable[object]) -> None:
    """Hold an advisory lock on each key until the transaction ends, in one order so that rivals cannot deadlock.

    PostgreSQL's exclusion constraint alone is right but makes losers wait for each other and die of deadlock.
    SQLite needs nothing: the write lock is already held.
    """
    if not is_postgres():
        return
    sql, numbers = locking(keys)
    if numbers:
        run_sql(sql, numbers)


def locking(keys: Iterable[object]) -> Asked:
    """The statement by which PostgreSQL takes these locks, to be run together with what is asked under them."""
    numbers = sorted(
        int.from_bytes(hashlib.blake2b(str(key).encode(), digest_size=8).digest(), signed=True) for key in keys
    )
    return _locking(len(numbers)), numbers


@functools.cache
def _locking(many: int) -> Statement:
    """So many locks in one round trip, taken in the order given: a plain list is gone through row by row."""
    marks = ", ".join(["(%s::bigint)"] * many)
    return Statement(f"SELECT pg_advisory_xact_lock(k) FROM (VALUES {marks}) AS keys (k)")  # noqa: S608 - constants


def run_sql(sql: Statement, params: Sequence[Any]) -> Any:  # noqa: ANN401 - a DB-API cursor
    """Run a statement on this thread's connection and return its cursor, to be read at once.

    The driver is asked directly: Django's cursor wrappers cost several times what the database itself does for a keyed
    read. Whoever watches queries (query counts in tests, execute wrappers) still sees every one of them.
    """
    conn = here()
    if conn.force_debug_cursor or conn.execute_wrappers:
        cursor = conn.cursor()
        cursor.execute(sql.format_style, params)
        return cursor
    if conn.connection is None:
        conn.ensure_connection()
    started = time.perf_counter()
    try:
        if is_postgres():
            return _prepared(conn, sql, params)
        return conn.connection.execute(sql.qmark_style, params)
    except sqlite.Database.Error:  # type: ignore[attr-defined]
        # The rare path: run it again the slow way for Django's translation of the error and its bookkeeping. A
        # statement that failed has changed nothing, and fails the same way again.
        with conn.cursor() as cursor:
            cursor.execute(sql.format_style, params)
        raise
    finally:
        if (took := time.perf_counter() - started) > slow.limit:
            slow.note(sql.format_style, took)


def run_together(*asked: Asked) -> list[list[Any]]:
    """Run statements that do not wait for each other's answers, in this order; the rows of each.

    PostgreSQL is asked once for all of them. Each sees what was committed before it began, so one that waits for a lock
    may come first. After one that fails none of the rest is run.
    """
    conn = here()
    if not _goes_together(conn):
        return [list(run_sql(sql, params).fetchall()) for sql, params in asked]
    with conn.wrap_database_errors:
        told = _postgres().together(conn.connection, [(sql.format_style, params) for sql, params in asked])
    return [rows.fetchall() for rows in told]


def run_later(sql: Statement, params: Sequence[Any]) -> None:
    """Run a statement that nobody looks at the answer of and that is not expected to be refused.

    On PostgreSQL it travels with the next one of this transaction or with its commit, and so would its error.
    """
    conn = here()
    if conn.in_atomic_block and _goes_together(conn):
        _postgres().keep(conn.connection, sql.format_style, params)
    else:
        run_sql(sql, params)


def _goes_together(conn: Any) -> bool:  # noqa: ANN401 - as above
    """Whether statements may share a journey: on PostgreSQL, while nobody watches each of them."""
    if not is_postgres() or conn.force_debug_cursor or conn.execute_wrappers:
        return False
    if conn.connection is None:
        conn.ensure_connection()
    if conn.needs_rollback:
        conn.validate_no_broken_transaction()
    return True


def _prepared(conn: Any, sql: Statement, params: Sequence[Any]) -> Any:  # noqa: ANN401 - as above
    """Run a statement that PostgreSQL parses and plans once per connection; through Django it would do so each time."""
    if conn.needs_rollback:
        conn.validate_no_broken_transaction()
    with conn.wrap_database_errors:
        return _postgres().run(conn.connection, sql.format_style, params)


@functools.cache
def _postgres() -> ModuleType:
    """Not loaded where PostgreSQL is not used."""
    from polyclinic.core import prepared

    return prepared


class Statement:
    """SQL in both parameter styles, so that neither has to be made at run time."""

    __slots__ = ("format_style", "qmark_style")

    def __init__(self, sql: str) -> None:
        self.format_style = sql
        self.qmark_style = sql.replace("%s", "?").replace("%%", "%")


Asked = tuple[Statement, Sequence[Any]]


class InsertStatement:
    """One INSERT for a model's chosen fields, its SQL and its fields' conversions worked out once per vendor."""

    def __init__(self, model: type[models.Model], *names: str) -> None:
        self._model = model
        self._names = names
        self._ready: dict[str, tuple[Statement, list[Any]]] = {}

    def _prepare(self) -> tuple[Statement, list[Any]]:
        meta = self._model._meta
        fields: list[Any] = [meta.get_field(name) for name in self._names]
        quote = connection.ops.quote_name
        columns = ", ".join(quote(field.column) for field in fields)
        marks = ", ".join(["%s"] * len(fields))
        sql = f"INSERT INTO {quote(meta.db_table)} ({columns}) VALUES ({marks})"  # noqa: S608 - our own names
        ready = self._ready[vendor()] = (Statement(sql), [_writer(field) for field in fields])
        return ready

    def run(self, *values: object) -> None:
        """Insert one row; values in the order of the field names."""
        run_sql(*self._asked(values))

    def run_later(self, *values: object) -> None:
        """The same for a row that nothing speaks against: it is there by the next statement or the commit."""
        run_later(*self._asked(values))

    def _asked(self, values: Sequence[object]) -> Asked:
        sql, writers = self._ready.get(vendor()) or self._prepare()
        return sql, [value if write is None else write(value) for write, value in zip(writers, values, strict=True)]

    def run_many(self, rows: Sequence[Sequence[object]]) -> None:
        """Insert many rows in one call of the driver, which costs a fraction of as many calls."""
        sql, writers = self._ready.get(vendor()) or self._prepare()
        made: list[list[Any]] = [
            [value if write is None else write(value) for write, value in zip(writers, row, strict=True)]
            for row in rows
        ]
        with connection.cursor() as cursor:
            cursor.executemany(sql.format_style, made)


def _writer(field: Any) -> Callable[[Any], Any] | None:  # noqa: ANN401 - any model field
    """How this field's Python value becomes the driver's: None for "as it is"."""
    plain = (models.CharField, models.TextField, models.IntegerField, models.BooleanField)
    target = field.target_field if isinstance(field, models.ForeignKey) else field
    if isinstance(target, plain):
        return None
    if isinstance(target, models.UUIDField | models.DateTimeField):
        return adapt
    return lambda value: field.get_db_prep_save(value, connection=connection)


class CompiledQuery:
    """A fixed-shape `.values_list` query whose SQL is taken from the ORM once and rerun with new parameters.

    `build` receives one marker per parameter and returns the queryset. Only for shapes that do not change with
    their values: no None, no IN lists. Parameters are given as the column's Python values.
    """

    def __init__(self, build: Callable[..., models.QuerySet[Any, Any]], *markers: object) -> None:
        self._build = build
        self._markers = markers
        self._ready: dict[str, tuple[Statement, list[int | _Fixed], list[tuple[int, Callable[[Any], Any]]]]] = {}
        self._lock = threading.Lock()

    def _prepare(self) -> tuple[Statement, list[int | _Fixed], list[tuple[int, Callable[[Any], Any]]]]:
        with self._lock:
            compiler = self._build(*self._markers).query.get_compiler("default")
            sql, params = compiler.as_sql()
            if not is_postgres():
                sql = _undeclared(sql, [part for _expression, (part, _params), _alias in compiler.select])
            adapted = [adapt(marker) for marker in self._markers]
            order: list[int | _Fixed] = [
                adapted.index(param) if param in adapted else _Fixed(param) for param in params
            ]
            converters = compiler.get_converters([column for column, *_ in compiler.select])
            readers = [(place, _reader(functions, column)) for place, (functions, column) in converters.items()]
            ready = (Statement(sql), order, readers)
            self._ready[vendor()] = ready
            return ready

    def rows(self, *values: object) -> list[Sequence[Any]]:
        """The rows for these parameter values, converted as the ORM would."""
        return self.read(run_sql(*self.asking(*values)).fetchall())

    def asking(self, *values: object) -> Asked:
        """The statement for these values, for `run_together`; `read` makes rows of what it gives."""
        sql, order, _readers = self._ready.get(vendor()) or self._prepare()
        return sql, [part.value if isinstance(part, _Fixed) else adapt(values[part]) for part in order]

    def read(self, fetched: list[Sequence[Any]]) -> list[Sequence[Any]]:
        """What was fetched, converted as the ORM would."""
        _sql, _order, readers = self._ready.get(vendor()) or self._prepare()
        if not readers or not fetched:
            return fetched
        # Column by column: half the cost of going through the cells of each row.
        columns: list[Sequence[Any]] = list(zip(*fetched, strict=True))
        for place, read in readers:
            columns[place] = [None if value is None else read(value) for value in columns[place]]
        return list(zip(*columns, strict=True))


def _undeclared(sql: str, columns: Sequence[str]) -> str:
    """The statement with its columns as expressions, which SQLite's driver hands over as they are stored.

    A declared column of times it would read by a function of Django's for each cell, and our readers read it anyway.
    """
    head, from_, rest = sql.partition(" FROM ")
    for column in columns:
        if column.startswith('"'):
            head = head.replace(column, f"+{column}", 1)
    return head + from_ + rest


def _reader(functions: Sequence[Any], column: Any) -> Callable[[Any], Any]:  # noqa: ANN401 - the ORM's own kinds
    """One function for what the ORM does to a column's value; a short cut for SQLite's texts of ids and times."""
    if not is_postgres() and len(functions) == 1:
        field = getattr(column, "target", None)
        if isinstance(field, models.ForeignKey):
            field = field.target_field
        if isinstance(field, models.UUIDField):
            return _uuid
        if isinstance(field, models.DateTimeField):
            return _moment
        if isinstance(field, models.DateField):
            return _day

    def read(value: Any) -> Any:  # noqa: ANN401 - a column's value
        for convert in functions:
            value = convert(value, column, connection)
        return value

    return read


@functools.lru_cache(4096)
def _uuid(text: str) -> UUID:
    # Lists name the same doctor and place in every row; a UUID never changes, so the rows may share it.
    return UUID(int=int(text, 16))


@functools.lru_cache(4096)
def _moment(text: str) -> datetime:
    # As Django writes it: naive, and in UTC. Days begin at the same hours again and again.
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


_day = functools.lru_cache(4096)(date.fromisoformat)


class _Fixed:
    """A parameter the query itself carries, not one of the caller's."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:  # noqa: ANN401 - any SQL parameter
        self.value = value


def adapt(value: Any) -> Any:  # noqa: ANN401 - any SQL parameter
    """`value` as the database driver wants it, for the kinds our keys and filters have."""
    kind = type(value)
    if kind is UUID:
        return value if is_postgres() else f"{value.int:032x}"
    if kind is datetime:
        if is_postgres():
            return value
        # As Django writes it: naive UTC text on SQLite.
        return str((value if value.tzinfo is UTC else value.astimezone(UTC)).replace(tzinfo=None))
    return value
