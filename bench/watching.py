"""What counting requests costs: the cheapest answer there is, with and without, in turns.

The cheapest makes the ratio the worst that it can be; reading an appointment costs several times as much.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import tempfile
import time
from typing import Any

ROUNDS = 15
REQUESTS = 400


async def spend(application: Any) -> float:  # noqa: ANN401 - any ASGI application
    """Processor seconds of one answer."""
    scope = {
        "type": "http", "method": "GET", "path": "/api/nothing-here", "query_string": b"", "http_version": "1.1",
        "headers": [(b"host", b"localhost")], "client": ("127.0.0.1", 1), "server": ("localhost", 80), "scheme": "http",
    }  # fmt: skip

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_message: dict[str, Any]) -> None:
        pass

    started = time.process_time()
    for _number in range(REQUESTS):
        await application(dict(scope), receive, send)
    return (time.process_time() - started) / REQUESTS


async def measure() -> dict[str, float]:
    from polyclinic.web import metrics
    from polyclinic.web.app import application

    count, uncounted = metrics.requests.note, lambda *_given: None
    await spend(application)
    took: dict[bool, list[float]] = {True: [], False: []}
    for number in range(2 * ROUNDS):
        counted = bool(number % 2)
        metrics.requests.note = count if counted else uncounted  # type: ignore[method-assign]
        took[counted].append(await spend(application))
    metrics.requests.note = count  # type: ignore[method-assign]
    alone = time.process_time()
    for _number in range(100_000):
        count({"method": "GET", "polyclinic.route": "api/appointments/<uuid:id>"}, 200, 0.003)
    note = (time.process_time() - alone) / 100_000
    application.workers.close()
    without = statistics.median(took[False])
    return {
        "answer_us": round(without * 1e6, 1), "counted_us": round(statistics.median(took[True]) * 1e6, 1),
        "note_us": round(note * 1e6, 2), "ratio": round((without + note) / without, 4),
    }  # fmt: skip


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="polyclinic-bench-") as folder:
        os.environ.update(
            POLYCLINIC_DATA=folder, POLYCLINIC_MODE="demo", LOG_LEVEL="ERROR", RATE_LIMITS="no",
            DJANGO_SETTINGS_MODULE="polyclinic.settings", DATABASE_URL="",
        )  # fmt: skip
        import django

        django.setup(set_prefix=False)
        print(json.dumps(asyncio.run(measure())))


if __name__ == "__main__":
    main()
