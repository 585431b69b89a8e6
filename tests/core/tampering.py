"""How someone with the database in their hands would go behind the audit's back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from polyclinic.core.schema import append_only


def sql(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


@contextmanager
def open_audit() -> Iterator[None]:
    """Take the append-only triggers off, and put them back."""
    guard = append_only("core_auditentry")
    sqlite = connection.vendor == "sqlite"
    for statement in guard.reverse_sqlite if sqlite else guard.reverse_postgresql:
        sql(statement)
    try:
        yield
    finally:
        for statement in guard.sqlite if sqlite else guard.postgresql:
            sql(statement)
