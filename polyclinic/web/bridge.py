"""From ASGI to Django's WSGI handler: read the body, one hop to a worker thread, two messages back.

Django's own ASGI handler costs three times as much with synchronous views, because each request gets a new thread and
with it a new database connection. Here a few threads live as long as the process and keep theirs. Answers are sent
whole; streams are routed before they come here.
"""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from django.conf import settings
from django.core.handlers.base import BaseHandler
from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIHandler
from django.db import connections
from django.utils.module_loading import import_string

from polyclinic.core import context

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Answer = tuple[int, list[tuple[bytes, bytes]], bytes]


class BodyTooLarge(Exception):
    """The request body is longer than the limit."""


class Disconnected(Exception):
    """The caller went away before the body was whole; there is nobody to answer."""


class ApiHandler(WSGIHandler):
    """Django's handler with the short middleware chain of the API."""

    def load_middleware(self, is_async: bool = False) -> None:
        """As Django does, from `API_MIDDLEWARE`: no session, no messages, no templates."""
        self._view_middleware: list[Any] = []
        self._template_response_middleware: list[Any] = []
        self._exception_middleware: list[Any] = []
        inner: Any = self._get_response  # type: ignore[attr-defined]  # Django has it, its stubs do not
        handler: Any = convert_exception_to_response(inner)
        for name in reversed(settings.API_MIDDLEWARE):
            layer = import_string(name)(handler)
            if hasattr(layer, "process_view"):
                self._view_middleware.insert(0, layer.process_view)
            if hasattr(layer, "process_exception"):
                self._exception_middleware.append(layer.process_exception)
            handler = convert_exception_to_response(layer)
        self._middleware_chain = handler


async def read_body(scope: Scope, receive: Receive, limit: int) -> bytes:
    """The whole request body, at most `limit` bytes. Raises BodyTooLarge, where possible before reading any of it."""
    for name, value in scope["headers"]:
        if name == b"content-length" and (not value.isdigit() or len(value) > 12 or int(value) > limit):
            raise BodyTooLarge
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise BodyTooLarge
        parts.append(part)
        if not message.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)


def environ_of(scope: Scope, body: bytes) -> dict[str, Any]:
    """The WSGI environment of an ASGI request (PEP 3333: text as latin-1)."""
    server = scope.get("server") or ("localhost", 80)
    client = scope.get("client") or ("", 0)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": scope["path"].encode("utf-8", "surrogateescape").decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "REMOTE_ADDR": client[0],
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for raw, value in scope["headers"]:
        # A header written with an underscore would be taken for its twin with a hyphen: X_Forwarded_For.
        if b"_" in raw or raw == b"content-length":
            continue
        name = raw.decode("latin-1").upper().replace("-", "_")
        key = name if name == "CONTENT_TYPE" else f"HTTP_{name}"
        text = value.decode("latin-1")
        if key in environ:
            text = f"{environ[key]}{'; ' if key == 'HTTP_COOKIE' else ','}{text}"
        environ[key] = text
    return environ


class Workers:
    """The threads that run Django, each with its own lasting database connection."""

    def __init__(self, threads: int) -> None:
        self._pool: Final = ThreadPoolExecutor(threads, thread_name_prefix="page")
        self._threads: Final = threads

    async def run(self, handler: BaseHandler, scope: Scope, body: bytes, request_id: str) -> Answer:
        """Django's whole answer to this request."""
        environ = environ_of(scope, body)
        return await asyncio.get_running_loop().run_in_executor(self._pool, _call, handler, environ, request_id)

    async def call(self, function: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever `function` gives
        """Run a small database function of ours on a worker."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, function)

    def close(self) -> None:
        """Let running requests finish, then close each thread's database connection."""
        for _thread in range(self._threads):
            self._pool.submit(connections.close_all)
        self._pool.shutdown(wait=True)


def _call(handler: Any, environ: dict[str, Any], request_id: str) -> Answer:  # noqa: ANN401 - a WSGI application
    # Threads serve one request after the other, so the id is set anew and never left over.
    context.request_id.set(request_id)
    started: list[Any] = []

    def start(status: str, headers: list[tuple[str, str]], _failure: object = None) -> None:
        started[:] = [status, headers]

    result: Iterable[bytes] = handler(environ, start)
    try:
        payload = b"".join(result)
    finally:
        # Tells Django that the request is over: a pooled connection is given back here.
        close = getattr(result, "close", None)
        if close:
            close()
    status, headers = started
    code = int(status[:3])
    told = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    # Known here, and cheaper for both ends than the chunks an unknown length would be sent in. Not said where an
    # answer has no body by definition.
    if code not in (204, 304) and not any(name == b"content-length" for name, _value in told):
        told.append((b"content-length", str(len(payload)).encode()))
    return code, told, payload
