"""The one ASGI application: outermost checks and headers, then streams and sockets here, everything else in Django.

Order for every request: request id, host, how it came, body size, route. Whatever is answered, by whomever, leaves
with the headers of `web.headers`.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import re
import time
from collections.abc import Iterator
from typing import Any, Final

import django
from django.apps import apps

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "polyclinic.settings")
if not apps.ready:
    django.setup(set_prefix=False)

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from polyclinic.core import context
from polyclinic.core.db import is_postgres
from polyclinic.core.errors import Problem
from polyclinic.core.ids import new_id
from polyclinic.live import gateway, sockets, sse
from polyclinic.relay import sending
from polyclinic.web import health, metrics, plainly, reports
from polyclinic.web.answers import answer
from polyclinic.web.bridge import (
    ApiHandler,
    BodyTooLarge,
    Disconnected,
    Receive,
    Scope,
    Send,
    read_body,
    run,
)
from polyclinic.web.doors import Doors, for_passwords
from polyclinic.web.errors import BadRequest, TooLarge, Unexpected
from polyclinic.web.headers import secured
from polyclinic.web.housekeeping import Housekeeper
from polyclinic.web.recording import Recorder
from polyclinic.web.routes import RememberingHandler
from polyclinic.web.uploads import body_limit
from polyclinic.web.warm import Warming
from polyclinic.web.workers import Workers

_log = logging.getLogger("polyclinic.web")
_SANE_ID: Final = re.compile(rb"[A-Za-z0-9._-]{8,64}")
_KNOWN_HOSTS_KEPT: Final = 256
# They last as long as somebody listens, which is no measure of anything.
_STREAMS: Final = frozenset({"/live", "/api/appointments/stream", "/socket.io/"})


class Application:
    """The process's front door. Built once; its worker threads live from lifespan startup to shutdown."""

    def __init__(self) -> None:
        self._pages = RememberingHandler()
        self._api = ApiHandler()
        self._workers: Workers | None = None
        self._doors: Doors | None = None
        self._housekeeper: Housekeeper | None = None
        self._warming: Warming | None = None
        self._recorder: Recorder | None = None
        self._known_hosts: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "http":
            await self._http(scope, receive, send)
        elif kind == "websocket":
            await self._websocket(scope, receive, send)
        elif kind == "lifespan":
            await self._lifespan(receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await gateway.start()
                await self.recorder.start()
                # Its database is asked on a thread: the loop may not wait for one.
                await asyncio.to_thread(sending.start)
                self._housekeeper = Housekeeper()
                self._housekeeper.start()
                # What is loaded by now stays: collecting it again and again would only stall live delivery.
                gc.collect()
                gc.freeze()
                gc.set_threshold(100_000, 50, 1_000)
                self._warming = Warming()
                self._warming.start()
                await send({"type": "lifespan.startup.complete"})
            else:
                if self._warming:
                    self._warming.answered.set()
                    await asyncio.to_thread(self._warming.join)
                if self._housekeeper:
                    await asyncio.to_thread(self._housekeeper.stop)
                    self._housekeeper = None
                await asyncio.to_thread(sending.stop)
                await gateway.stop()
                if self._workers:
                    self._workers.close()
                    self._workers = None
                if self._doors:
                    self._doors.close()
                    self._doors = None
                if self._recorder:
                    await self._recorder.stop()
                    self._recorder = None
                await send({"type": "lifespan.shutdown.complete"})
                return

    @property
    def recorder(self) -> Recorder:
        """Who records what answers show, started when first needed."""
        if self._recorder is None:
            self._recorder = Recorder()
        return self._recorder

    @property
    def workers(self) -> Workers:
        """The worker threads, started when first needed."""
        if self._workers is None:
            # PostgreSQL works while a thread waits for it; SQLite works in the thread itself.
            self._workers = Workers(settings.WORKER_THREADS, None if is_postgres() else 1)
        return self._workers

    @property
    def doors(self) -> Doors:
        """The threads of the sign-in, started when first needed."""
        if self._doors is None:
            self._doors = Doors()
        return self._doors

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        context.request_id.set(_request_id(scope))
        wanted = scope["path"].startswith("/socket.io") and not plainly.came(scope)
        if not wanted or not self._host_allowed(scope):
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        await sockets.app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = _request_id(scope)
        context.request_id.set(request_id)
        begun, code, started = False, 500, time.perf_counter()

        async def sending(message: dict[str, Any]) -> None:
            nonlocal begun, code
            if message["type"] == "http.response.start":
                begun, code = True, message["status"]
                message = {**message, "headers": secured(scope, message.get("headers", ()), request_id)}
            await send(message)

        try:
            await self._route(scope, receive, sending, request_id)
        except Disconnected:
            return
        except BodyTooLarge:
            await answer(scope, sending, TooLarge(body_limit(scope)))
        except Problem as problem:
            await answer(scope, sending, problem)
        except Exception:
            _log.exception("unhandled error")
            if begun:
                # Half an answer is out; breaking the connection is the only way to say that it is not whole.
                raise
            await answer(scope, sending, Unexpected())
        finally:
            if scope["path"] not in _STREAMS:
                metrics.requests.note(scope, code, time.perf_counter() - started)

    async def _route(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        path: str = scope["path"]
        if not self._host_allowed(scope):
            raise BadRequest()
        if await plainly.send_on(scope, send):
            return
        if path == "/live" or path.startswith("/live/") or path == "/api/appointments/stream":
            await sse.app(scope, receive, send)
        elif path == "/socket.io" or path.startswith("/socket.io/"):
            await sockets.app(scope, receive, send)
        elif path == metrics.PATH:
            await metrics.serve(scope, send, self.workers)
        elif path in health.PATHS:
            await health.serve(scope, send, self.workers)
        elif path == reports.PATH:
            await reports.serve(scope, receive, send)
        else:
            body = await read_body(scope, receive, body_limit(scope))
            handler = self._api if path.startswith("/api/") else self._pages
            # What shows health data leaves once it is on record that it does.
            given = handler, scope, body, request_id, self.recorder.keep
            answered = self.doors.run(*given) if for_passwords(scope) else run(self.workers, *given)
            status, headers, payload = await answered
            await send({"type": "http.response.start", "status": status, "headers": headers})
            if isinstance(payload, bytes):
                await send({"type": "http.response.body", "body": payload})
            else:
                await self._stream(payload, send)
            if self._warming:
                self._warming.answered.set()

    async def _stream(self, parts: Iterator[bytes], send: Send) -> None:
        """Send an answer part by part; each part is made by a worker when the one before has gone."""
        while (part := await self.workers.call(lambda: next(parts, None))) is not None:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    def _host_allowed(self, scope: Scope) -> bool:
        """Whether the Host header is a name of ours: a foreign one must not end up in links and mails."""
        host = next((value for name, value in scope["headers"] if name == b"host"), b"").decode("latin-1")
        if host in self._known_hosts:
            return True
        domain, _port = split_domain_port(host)
        allowed = bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)
        if allowed and len(self._known_hosts) < _KNOWN_HOSTS_KEPT:
            self._known_hosts.add(host)
        return allowed


def _request_id(scope: Scope) -> str:
    """The caller's own id of this request when it is a sane one, else a fresh one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _SANE_ID.fullmatch(value):
            return str(value.decode("ascii"))
    # It says when the request began: the audit is searched around that moment.
    return new_id().hex


application = Application()
