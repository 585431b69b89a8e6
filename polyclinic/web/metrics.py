"""What this process does, as numbers: `/metrics` in Prometheus' text format.

Requests are counted on the event loop's one thread, by two dictionaries and without a lock; everything else is read
when somebody asks. Labels are names of ours alone (the pattern of an address, an event's type): nothing of a path, a
person or a parameter ever stands in them.
"""

from __future__ import annotations

import hmac
import ipaddress
import os
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection

import polyclinic
from polyclinic.core.errors import NotFound
from polyclinic.core.outbox import log
from polyclinic.live import gateway
from polyclinic.notify import selectors as notify
from polyclinic.relay import status as relaying
from polyclinic.web.answers import answer, send_bytes
from polyclinic.web.bridge import ROUTE, Scope, Send
from polyclinic.web.workers import Workers

PATH: Final = "/metrics"
KIND: Final = b"text/plain; version=0.0.4; charset=utf-8"
BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_STARTED: Final = time.time()
Sample = tuple[str, Mapping[str, object], float]


class Requests:
    """Answers by address, method and status, and how long they took."""

    def __init__(self) -> None:
        self._answered: defaultdict[tuple[str, str, int], int] = defaultdict(int)
        # For each address and method: how many within each bound, how many beyond all, and the sum of seconds.
        self._took: dict[tuple[str, str], list[float]] = {}

    def note(self, scope: Scope, status: int, seconds: float) -> None:
        """One answer has gone. Only from the event loop's thread."""
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        route = scope.get(ROUTE, "")
        self._answered[route, method, status] += 1
        cells = self._took.get((route, method))
        if cells is None:
            cells = self._took[route, method] = [0.0] * (len(BOUNDS) + 2)
        cells[bisect_left(BOUNDS, seconds)] += 1
        cells[-1] += seconds

    def families(self) -> Iterator[str]:
        """Both as text."""
        yield from _family(
            "http_requests_total", "counter", "Answers by address, method and status.",
            (
                ("", {"route": _shown(route), "method": method, "status": status}, count)
                for (route, method, status), count in sorted(self._answered.items())
            ),
        )  # fmt: skip
        yield from _family(
            "http_request_seconds", "histogram", "Seconds from the request's first byte to the answer's last.",
            (one for key, cells in sorted(self._took.items()) for one in _histogram(key, cells)),
        )  # fmt: skip


def _shown(route: str) -> str:
    return route or "(none)"


def _histogram(key: tuple[str, str], cells: list[float]) -> Iterator[Sample]:
    labels = {"route": _shown(key[0]), "method": key[1]}
    so_far = 0.0
    for bound, count in zip((*map(str, BOUNDS), "+Inf"), cells, strict=False):
        so_far += count
        yield "_bucket", {**labels, "le": bound}, so_far
    yield "_sum", labels, cells[-1]
    yield "_count", labels, so_far


def _family(name: str, kind: str, meaning: str, samples: Iterable[Sample]) -> Iterator[str]:
    yield f"# HELP polyclinic_{name} {meaning}"
    yield f"# TYPE polyclinic_{name} {kind}"
    for suffix, labels, value in samples:
        told = ",".join(f'{label}="{_escaped(str(word))}"' for label, word in labels.items())
        yield f"polyclinic_{name}{suffix}{'{' + told + '}' if told else ''} {value:g}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _gauge(name: str, meaning: str, value: float, kind: str = "gauge") -> Iterator[str]:
    return _family(name, kind, meaning, [("", {}, value)])


requests: Final = Requests()


def text(workers: Workers) -> str:
    """Everything, read on a worker: the database is asked too."""
    close_old_connections()
    try:
        lines = [*requests.families(), *_live(), *_workers(workers), *_process()]
        try:
            lines += [*_gauge("database_up", "Whether the database answers.", 1), *_database()]
        except DatabaseError:
            lines = [*lines, *_gauge("database_up", "Whether the database answers.", 0)]
    finally:
        close_old_connections()
    return "\n".join(lines) + "\n"


def _live() -> Iterator[str]:
    counters = gateway.gateway.metrics()
    yield from _gauge("live_connections", "Browsers and programs that listen now.", counters["connections"])
    yield from _family(
        "ledger_transitions_total", "counter",
        "Committed steps and facts by event, as this process followed them since its start.",
        (("", {"event": kind}, count) for kind, count in sorted(gateway.gateway.followed().items())),
    )  # fmt: skip


def _workers(workers: Workers) -> Iterator[str]:
    waiting, longest = workers.load()
    yield from _gauge("workers_waiting", "Requests that wait for a worker.", waiting)
    yield from _gauge("workers_longest_seconds", "How long the longest request has been at work.", longest)


def _process() -> Iterator[str]:
    yield from _family("info", "gauge", "What runs here.", [("", {"version": polyclinic.__version__}, 1)])
    yield from _gauge("process_start_seconds", "When this process started, since 1970.", int(_STARTED))
    yield from _gauge("process_cpu_seconds_total", "Processor time spent.", time.process_time(), "counter")
    if (held := _resident()) is not None:
        yield from _gauge("process_resident_bytes", "Memory held.", held)


def _resident() -> int | None:
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, AttributeError):
        return None  # no Linux


def _database() -> list[str]:
    head = log.head()
    relay = relaying.relay()
    mails = notify.queue()
    behind: list[Sample] = []
    if gateway.running():
        behind.append(("", {"follower": "live"}, max(0, head - gateway.gateway.position)))
    if relay.state != "off":
        behind.append(("", {"follower": "broker"}, relay.waiting))
    return [
        *_gauge("log_head", "Newest position of the event log.", head),
        *_family("log_lag", "gauge", "Events a follower has not handed on yet.", behind),
        *_gauge("broker_up", "0 while the broker is away.", float(relay.state != "waiting")),
        *_gauge("mails_waiting", "Mails that wait to be sent.", mails.waiting),
        *_gauge("mails_failed", "Mails given up.", mails.failed),
        *_pool(),
    ]


def _pool() -> Iterator[str]:
    if connection.vendor != "postgresql" or not connection.settings_dict["OPTIONS"].get("pool"):
        return
    # The stubs know nothing of Django's pool.
    told: Mapping[str, int] = getattr(connection, "pool").get_stats()  # noqa: B009
    names = {"pool_size": "open", "pool_available": "free", "requests_waiting": "waited_for"}
    yield from _family(
        "database_connections", "gauge", "Connections of the pool.",
        (("", {"state": state}, told.get(name, 0)) for name, state in names.items()),
    )  # fmt: skip


def _may(scope: Scope) -> bool:
    """With METRICS_TOKEN whoever shows it; else this machine itself, and no proxy that speaks for others."""
    headers: dict[bytes, bytes] = dict(scope["headers"])
    token: str = settings.METRICS_TOKEN
    if token:
        return hmac.compare_digest(headers.get(b"authorization", b""), f"Bearer {token}".encode())
    if b"x-forwarded-for" in headers or b"forwarded" in headers:
        return False
    client: Any = scope.get("client")
    try:
        return bool(client) and ipaddress.ip_address(client[0]).is_loopback
    except ValueError:
        return False


async def serve(scope: Scope, send: Send, workers: Workers) -> None:
    """The numbers, or the same 404 as for a page that is not there."""
    if scope["method"] not in {"GET", "HEAD"} or not _may(scope):
        await answer(scope, send, NotFound())
        return
    told: str = await workers.call(text, workers)
    await send_bytes(send, 200, KIND, told.encode())
