"""Django's PostgreSQL backend on a connection that may keep statements back (`core.prepared`)."""

from __future__ import annotations

from typing import Any

from django.db.backends.postgresql import base

from polyclinic.core.prepared import Line


class DatabaseWrapper(base.DatabaseWrapper):
    """As Django's own, but for the class of its driver's connections."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:  # noqa: ANN401 - psycopg's connection
        made: Any = super().get_new_connection(conn_params)
        # A pool and a single connection are made in different places of Django; here both come by.
        made.__class__ = Line
        return made
