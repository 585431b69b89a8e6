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
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection

from polyclinic.api import tokens
from polyclinic.core.models import AuditEntry, IdempotencyRecord, OutboxEvent
from polyclinic.people.models import Account, Doctor, Patient
from polyclinic.scheduling.models import Appointment, CareLink, Hold, Reservation, ScheduleException, WeeklyHours
from polyclinic.web import handling
from polyclinic.web.bridge import ApiHandler, _call, environ_of
from polyclinic.web.routes import RememberingHandler
from tests.seeding import sign_in
from tests.server import CSRF

_making = threading.Lock()


def _stay() -> None:
    pass


@contextmanager
def kept_connection() -> Iterator[None]:
    """Inside a test's transaction the end of a request must not close the connection that it runs on."""
    if not connection.in_atomic_block:
        yield
        return
    signals = request_started, request_finished
    for signal in signals:
        signal.disconnect(close_old_connections)
    # A mock in its place would be a sixth of what such a call costs.
    settling: Any = handling
    settle, settling.settle = settling.settle, _stay
    try:
        yield
    finally:
        settling.settle = settle
        for signal in signals:
            signal.connect(close_old_connections)


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes
    cookies: tuple[str, ...] = ()

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
def _handlers() -> tuple[ApiHandler, RememberingHandler]:
    return ApiHandler(), RememberingHandler()


def call(
    method: str,
    address: str,
    *,
    body: Any = None,
    headers: dict[str, str] | None = None,
    host: str = "localhost",
) -> Answer:
    """One request. `body` as bytes or Sent goes as it is, anything else as JSON."""
    given = {"host": host, **(headers or {})}
    if isinstance(body, Sent):
        given.setdefault("Content-Type", body.kind)
        payload = body.content
    elif body is None:
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
        content = content if isinstance(content, bytes) else b"".join(content)
    told = [(name.decode(), value.decode()) for name, value in answered]
    return Answer(status, dict(told), content, tuple(value for name, value in told if name == "set-cookie"))


@dataclass(frozen=True)
class Sent:
    """A body that is not JSON, with the content type that says so."""

    content: bytes
    kind: str


def upload(
    data: bytes,
    kind: str = "application/octet-stream",
    *,
    field: str = "file",
    name: str = "x",
    more: dict[str, str] | None = None,
) -> Sent:
    """A form with one file, as `curl -F file=@x` sends it, and `more` fields before it."""
    edge = "a-line-between"
    disposition = 'Content-Disposition: form-data; name="{}"'
    parts = [f"{disposition.format(key)}\r\n\r\n{value}".encode() for key, value in (more or {}).items()]
    head = f'{disposition.format(field)}; filename="{name}"\r\nContent-Type: {kind}\r\n\r\n'
    parts.append(head.encode() + data)
    body = b"".join(f"--{edge}\r\n".encode() + part + b"\r\n" for part in parts)
    return Sent(body + f"--{edge}--\r\n".encode(), f"multipart/form-data; boundary={edge}")


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
    """How many rows there are of everything that a call could leave half done. What it looked at is not among them."""
    kinds = (Appointment, Reservation, Hold, CareLink, WeeklyHours, ScheduleException, OutboxEvent,
             IdempotencyRecord)  # fmt: skip
    changes = AuditEntry.objects.exclude(action__regex=r"\.(read|list)$").count()
    return {"AuditEntry": changes, **{kind.__name__: kind._default_manager.count() for kind in kinds}}
