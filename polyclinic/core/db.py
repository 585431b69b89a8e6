"""Small tools over Django's connection: whole transactions, locks, and statements built once.

The ORM stays the definition of every query. Building its SQL is most of a read's cost, so the few hottest
shapes are built once here and rerun (`CompiledQuery`, `InsertStatement`).
"""

from __future__ import annotations

import functools
import hashlib
import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, OperationalError, connection, connections, models, transaction
from django.db.backends.sqlite3 import base as sqlite

P = ParamSpec("P")
R = TypeVar("R")

# PostgreSQL aborts one of two transactions that wait for each other; the whole transaction is then run again.
_RETRYABLE = {"40001", "40P01"}
_ATTEMPTS = 4


@functools.cache
def vendor() -> str:
    """The kind of database this process works on; asked dozens of times in a booking, and it never changes."""
    return str(connection.vendor)


def is_postgres() -> bool:
    return vendor() == "postgresql"


def in_transaction() -> bool:
    return connection.in_atomic_block


def transactional(function: Callable[P, R]) -> Callable[P, R]:
    """Run `function` in one transaction, joining the caller's if there is one.

    A deadlock or serialisation failure of PostgreSQL runs the outermost call again, so effects outside the
    database never belong inside.
    """

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if connection.in_atomic_block:
            return function(*args, **kwargs)
        for attempt in range(_ATTEMPTS):
            try:
                with transaction.atomic():
                    return function(*args, **kwargs)
            except OperationalError as failure:
                state = getattr(failure.__cause__, "sqlstate", None)
                if state not in _RETRYABLE or attempt == _ATTEMPTS - 1:
                    raise
        raise AssertionError("unreachable")

    return run


def lock_keys(keys: Iterable[object]) -> None:
    """Hold an advisory lock on each key until the transaction ends, in one order so that rivals cannot deadlock.

    PostgreSQL's exclusion constraint alone is right but makes losers wait for each other and die of deadlock.
    SQLite needs nothing: the write lock is already held.
    """
    if not is_postgres():
        return
    numbers = sorted(
        int.from_bytes(hashlib.blake2b(str(key).encode(), digest_size=8).digest(), signed=True) for key in keys
    )
    with connection.cursor() as cursor:
        for number in numbers:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])


def run_sql(sql: Statement, params: Sequence[Any]) -> Any:  # noqa: ANN401 - a DB-API cursor
    """Run a statement on this thread's connection and return its cursor, to be read at once.

    On SQLite the driver is asked directly: Django's cursor wrappers cost several times what SQLite itself does for a
    keyed read. Whoever watches queries (query counts in tests, execute wrappers) still sees every one of them.
    """
    conn: Any = connections[DEFAULT_DB_ALIAS]
    if is_postgres() or conn.queries_logged or conn.execute_wrappers:
        cursor = conn.cursor()
        cursor.execute(sql.format_style, params)
        return cursor
    if conn.connection is None:
        conn.ensure_connection()
    try:
        return conn.connection.execute(sql.qmark_style, params)
    except sqlite.Database.Error:  # type: ignore[attr-defined]
        # The rare path: run it again the slow way for Django's translation of the error and its bookkeeping. A
        # statement that failed has changed nothing, and fails the same way again.
        with conn.cursor() as cursor:
            cursor.execute(sql.format_style, params)
        raise


class Statement:
    """SQL in both parameter styles, so that neither has to be made at run time."""

    __slots__ = ("format_style", "qmark_style")

    def __init__(self, sql: str) -> None:
        self.format_style = sql
        self.qmark_style = sql.replace("%s", "?").replace("%%", "%")


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
        sql, writers = self._ready.get(vendor()) or self._prepare()
        run_sql(sql, [value if write is None else write(value) for write, value in zip(writers, values, strict=True)])


def _writer(field: Any) -> Callable[[Any], Any] | None:  # noqa: ANN401 - any model field
    """How this field's Python value becomes the driver's: None for "as it is"."""
    plain = (models.CharField, models.TextField, models.IntegerField, models.BooleanField)
    target = field.target_field if isinstance(field, models.ForeignKey) else field
    if isinstance(target, plain) and not is_postgres():
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
        sql, order, readers = self._ready.get(vendor()) or self._prepare()
        params = [part.value if isinstance(part, _Fixed) else adapt(values[part]) for part in order]
        fetched: list[Sequence[Any]] = run_sql(sql, params).fetchall()
        if not readers:
            return fetched
        result: list[Sequence[Any]] = []
        for row in fetched:
            cells = list(row)
            for place, read in readers:
                value = cells[place]
                if value is not None:
                    cells[place] = read(value)
            result.append(cells)
        return result


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

    def read(value: Any) -> Any:  # noqa: ANN401 - a column's value
        for convert in functions:
            value = convert(value, column, connection)
        return value

    return read


@functools.lru_cache(4096)
def _uuid(text: str) -> UUID:
    # Lists name the same doctor and place in every row; a UUID never changes, so the rows may share it.
    return UUID(int=int(text, 16))


def _moment(value: Any) -> datetime:  # noqa: ANN401 - the driver reads declared columns itself, computed ones not
    naive = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return naive.replace(tzinfo=UTC)


class _Fixed:
    """A parameter the query itself carries, not one of the caller's."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:  # noqa: ANN401 - any SQL parameter
        self.value = value


def adapt(value: Any) -> Any:  # noqa: ANN401 - any SQL parameter
    """`value` as the database driver wants it, for the kinds our keys and filters have."""
    if isinstance(value, UUID):
        return value if is_postgres() else f"{value.int:032x}"
    if isinstance(value, datetime):
        # As Django writes it: naive UTC text on SQLite.
        return value if is_postgres() else str(value.astimezone(UTC).replace(tzinfo=None))
    return value
