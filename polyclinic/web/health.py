"""Is the process up (`/health`), and can it serve (`/health/ready`)? For load balancers, containers and people."""

from __future__ import annotations

import logging
from typing import Final

import orjson
from django.db import DatabaseError, close_old_connections, connection

from polyclinic.live import gateway
from polyclinic.web.answers import send_bytes
from polyclinic.web.bridge import Scope, Send
from polyclinic.web.workers import Workers

READY: Final = "/health/ready"
PATHS: Final = frozenset({"/health", READY, "/api/health"})
_log = logging.getLogger("polyclinic.web")


def _database_answers() -> bool:
    close_old_connections()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return bool(cursor.fetchone() == (1,))
    except DatabaseError:
        _log.exception("the database does not answer")
        return False
    finally:
        # Gives a pooled connection back; a lasting one stays open.
        close_old_connections()


async def serve(scope: Scope, send: Send, workers: Workers) -> None:
    """JSON with the state of each part. Only `/health/ready` turns 503: a live process must not be restarted for it."""
    database = bool(await workers.call(_database_answers))
    live = gateway.running()
    fine = database and live
    payload = {
        "status": "ok" if fine else "degraded",
        "database": "ok" if database else "unreachable",
        "live": "ok" if live else "stopped",
    }
    status = 503 if scope["path"] == READY and not fine else 200
    await send_bytes(send, status, b"application/json", orjson.dumps(payload))
