"""Calls into the handlers of pages and API as the front door makes them, without a socket between."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import orjson
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection

from polyclinic.api import tokens
from polyclinic.core.models import AuditEntry, IdempotencyRecord, OutboxEvent
from polyclinic.people.models import Account, Doctor, Patient
from polyclinic.scheduling.models import Appointment, CareLink, Hold, Reservation, ScheduleException, WeeklyHours
from polyclinic.web.bridge import ApiHandler, _call, environ_of
from tests.seeding import sign_in
from tests.server import CSRF

_making = threading.Lock()


@contextmanager
def kept_connection() -> Iterator[None]:
    """Inside a test's transaction the end of a request must not close the connection that it runs on."""
    inside = connection.in_atomic_block
    if inside:
        request_started.disconnect(close_old_connections)
        request_finished.disconnect(close_old_connections)
    try:
        yield
    finally:
        if inside:
            request_started.connect(close_old_connections)
            request_finished.connect(close_old_connections)


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def code(self) -> str:
        """The problem's code; fails for anything that is not problem+json."""
        assert self.headers["content-type"] == "application/problem+json", self
        told = self.json
        assert told["status"] == self.status
        return str(told["code"])


@cache
def _handlers() -> tuple[ApiHandler, WSGIHandler]:
    return ApiHandler(), WSGIHandler()


def call(
    method: str,
    address: str,
    *,
    body: Any = None,
    headers: dict[str, str] | None = None,
    host: str = "localhost",
) -> Answer:
    """One request. `body` as bytes is sent as it is, anything else as JSON."""
    given = {"host": host, **(headers or {})}
    if body is None:
        payload = b""
    elif isinstance(body, bytes):
        payload = body
    else:
        payload = orjson.dumps(body, default=str)
        given.setdefault("Content-Type", "application/json")
    parts = urlsplit(address)
    scope = {
        "method": method,
        "path": parts.path,
        "query_string": parts.query.encode(),
        "http_version": "1.1",
        "client": ("203.0.113.7", 4000),
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in given.items()],
    }
    with _making:
        api, pages = _handlers()
    handler = api if parts.path.startswith("/api/") else pages
    with kept_connection():
        status, answered, content = _call(handler, environ_of(scope, payload), "a-request-of-tests")
    return Answer(status, {name.decode(): value.decode() for name, value in answered}, content)


def bearer(who: Account | Patient | Doctor) -> dict[str, str]:
    """The header that speaks for someone."""
    account = who if isinstance(who, Account) else who.account
    assert account is not None
    return {"Authorization": f"Bearer {tokens.issue(account).token}"}


def cookies(who: Account | Patient | Doctor) -> dict[str, str]:
    """The headers of a signed-in browser, with the CSRF token that its forms carry."""
    account = who if isinstance(who, Account) else who.account
    assert account is not None
    return {"Cookie": f"polyclinic_session={sign_in([account.email])[account.email]}; polyclinic_csrf={CSRF}",
            "X-CSRFToken": CSRF}  # fmt: skip


def counts() -> dict[str, int]:
    """How many rows there are of everything that a call could leave half done."""
    kinds = (Appointment, Reservation, Hold, CareLink, WeeklyHours, ScheduleException, AuditEntry, OutboxEvent,
             IdempotencyRecord)  # fmt: skip
    return {kind.__name__: kind._default_manager.count() for kind in kinds}
