"""How someone with the database in their hands would go behind the audit's back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from polyclinic.core.audit import guard
from polyclinic.core.schema import append_only, no_truncate


def sql(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


@contextmanager
def open_audit() -> Iterator[None]:
    """Take the append-only triggers off, and put them back."""
    guards = [append_only(table) for table in guard.TABLES] + [no_truncate(*guard.TABLES)]
    sqlite = connection.vendor == "sqlite"
    for one in reversed(guards):
        for statement in one.reverse_sqlite if sqlite else one.reverse_postgresql:
            sql(statement)
    try:
        yield
    finally:
        for one in guards:
            for statement in one.sqlite if sqlite else one.postgresql:
                sql(statement)
