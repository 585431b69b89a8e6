"""Small tools over Django's connection: whole transactions, locks, and statements built once.

The ORM stays the definition of every query. Building its SQL is most of a read's cost, so the few hottest
shapes are built once here and rerun (`CompiledQuery`, `InsertStatement`).
"""

from __future__ import annotations

import functools
import hashlib
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from django.db import OperationalError, connection, models, transaction

P = ParamSpec("P")
R = TypeVar("R")

# PostgreSQL aborts one of two transactions that wait for each other; the whole transaction is then run again.
_RETRYABLE = {"40001", "40P01"}
_ATTEMPTS = 4


def is_postgres() -> bool:
    return connection.vendor == "postgresql"


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


class InsertStatement:
    """One INSERT for a model's chosen fields, its SQL built once per database vendor."""

    def __init__(self, model: type[models.Model], *names: str) -> None:
        self._model = model
        self._names = names
        self._sql: dict[str, tuple[str, list[Any]]] = {}

    def _built(self) -> tuple[str, list[Any]]:
        built = self._sql.get(connection.vendor)
        if built is None:
            meta = self._model._meta
            fields: list[Any] = [meta.get_field(name) for name in self._names]
            quote = connection.ops.quote_name
            columns = ", ".join(quote(field.column) for field in fields)
            marks = ", ".join(["%s"] * len(fields))
            sql = f"INSERT INTO {quote(meta.db_table)} ({columns}) VALUES ({marks})"  # noqa: S608 - our own names
            built = self._sql[connection.vendor] = (sql, fields)
        return built

    def run(self, *values: object) -> None:
        """Insert one row; values in the order of the field names."""
        sql, fields = self._built()
        prepared = [
            field.get_db_prep_save(value, connection=connection) for field, value in zip(fields, values, strict=True)
        ]
        with connection.cursor() as cursor:
            cursor.execute(sql, prepared)


class CompiledQuery:
    """A fixed-shape `.values_list` query whose SQL is taken from the ORM once and rerun with new parameters.

    `build` receives one marker per parameter and returns the queryset. Only for shapes that do not change with
    their values: no None, no IN lists. Parameters are given as the column's Python values.
    """

    def __init__(self, build: Callable[..., models.QuerySet[Any, Any]], *markers: object) -> None:
        self._build = build
        self._markers = markers
        self._ready: dict[str, tuple[str, list[int | _Fixed], Any, list[Any]]] = {}
        self._lock = threading.Lock()

    def _prepare(self) -> tuple[str, list[int | _Fixed], Any, list[Any]]:
        with self._lock:
            compiler = self._build(*self._markers).query.get_compiler("default")
            sql, params = compiler.as_sql()
            adapted = [adapt(marker) for marker in self._markers]
            order: list[int | _Fixed] = [
                adapted.index(param) if param in adapted else _Fixed(param) for param in params
            ]
            converters = compiler.get_converters([column for column, *_ in compiler.select])
            ready = (sql, order, compiler, list(converters.items()))
            self._ready[connection.vendor] = ready
            return ready

    def rows(self, *values: object) -> list[Sequence[Any]]:
        """The rows for these parameter values, converted as the ORM would."""
        ready = self._ready.get(connection.vendor) or self._prepare()
        sql, order, _compiler, converters = ready
        params = [part.value if isinstance(part, _Fixed) else adapt(values[part]) for part in order]
        with connection.cursor() as cursor:
            cursor.execute(sql, params)
            fetched: list[Sequence[Any]] = cursor.fetchall()
        if not converters:
            return fetched
        result: list[Sequence[Any]] = []
        for row in fetched:
            cells = list(row)
            for position, (functions, expression) in converters:
                value = cells[position]
                for convert in functions:
                    value = convert(value, expression, connection)
                cells[position] = value
            result.append(cells)
        return result


class _Fixed:
    """A parameter the query itself carries, not one of the caller's."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:  # noqa: ANN401 - any SQL parameter
        self.value = value


def adapt(value: Any) -> Any:  # noqa: ANN401 - any SQL parameter
    """`value` as the database driver wants it, for the kinds our keys and filters have."""
    if isinstance(value, UUID):
        return value if connection.features.has_native_uuid_field else value.hex
    if hasattr(value, "utcoffset"):
        return connection.ops.adapt_datetimefield_value(value)
    return value
