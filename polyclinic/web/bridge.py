"""From ASGI to Django's WSGI handler: read the body, one hop to a worker thread, two messages back.

Django's own ASGI handler costs three times as much with synchronous views, because each request gets a new thread and
with it a new database connection. Here a few threads live as long as the process and keep theirs. Answers are sent
whole, but for long exports, which go part by part; live streams are routed before they come here.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, Final, Protocol

from django.conf import settings
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.module_loading import import_string

from polyclinic.core import context
from polyclinic.core.audit import reads
from polyclinic.core.audit.reads import Sighting
from polyclinic.web import handling
from polyclinic.web.routes import RememberingHandler
from polyclinic.web.workers import Workers

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
# In the environment of a request: its answer has no body.
HEADERS_ONLY: Final = "polyclinic.headers_only"
# In the environment and then in the scope of a request: the pattern of the address that answered it.
ROUTE: Final = "polyclinic.route"
Answer = tuple[int, list[tuple[bytes, bytes]], bytes | Iterator[bytes]]
Keeper = Callable[[Sequence[Sighting]], None]


class Handler(Protocol):
    """What of Django's handlers is asked for."""

    def get_response(self, request: HttpRequest) -> HttpResponseBase: ...


class BodyTooLarge(Exception):
    """The request body is longer than the limit."""


class Disconnected(Exception):
    """The caller went away before the body was whole; there is nobody to answer."""


class ApiHandler(RememberingHandler):
    """Django's handler with the short middleware chain of the API."""

    def load_middleware(self, is_async: bool = False) -> None:
        """As Django does, from `API_MIDDLEWARE`: no session, no messages, no templates."""
        self._view_middleware: list[Any] = []
        self._template_response_middleware: list[Any] = []
        self._exception_middleware: list[Any] = []
        inner: Any = self._get_response
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
        # A HEAD asks for a GET without its body, and no view needs to know: `_answer` leaves the body away.
        "REQUEST_METHOD": "GET" if scope["method"] == "HEAD" else scope["method"],
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
        HEADERS_ONLY: scope["method"] == "HEAD",
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


async def run(
    workers: Workers,
    handler: Handler,
    scope: Scope,
    body: bytes,
    request_id: str,
    keep: Keeper,
) -> Answer:
    """Django's whole answer to this request, once `keep` has taken what health data it shows."""
    environ = environ_of(scope, body)
    try:
        answer: Answer = await workers.call(_call, handler, environ, request_id, keep)
    finally:
        scope[ROUTE] = environ.get(ROUTE, "")
    return answer


def _call(handler: Handler, environ: dict[str, Any], request_id: str, keep: Keeper = reads.keep) -> Answer:
    """One request. What it looked at is kept once it is known that its answer shows it, and before that leaves."""
    with reads.gathering() as sightings:
        answer = _answer(handler, environ, request_id)
    if sightings.seen:
        kind = next((value.decode("latin-1") for name, value in answer[1] if name == b"content-type"), "")
        told = sightings.told(answer[0], kind)
        if told:
            keep(told)
    return answer


def _answer(handler: Handler, environ: dict[str, Any], request_id: str) -> Answer:
    # Threads serve one request after the other, so the id is set anew and never left over.
    context.request_id.set(request_id)
    handling.settle()
    request = handling.Request(environ)
    response: Any = handler.get_response(request)
    if request.resolver_match is not None:
        environ[ROUTE] = request.resolver_match.route
    code: int = response.status_code
    told = handling.headers_of(response)
    if response.streaming:
        if environ[HEADERS_ONLY]:
            response.close()
            return code, told, b""
        return code, told, _parts(response)
    try:
        payload: bytes = response.content
    finally:
        handling.close(response)
    # Known here, and cheaper for both ends than the chunks an unknown length would be sent in. Not said where an
    # answer has no body by definition.
    if code not in (204, 304) and "Content-Length" not in response.headers:
        told.append((b"content-length", b"%d" % len(payload)))
    return code, told, b"" if environ[HEADERS_ONLY] else payload


def _parts(result: Any) -> Iterator[bytes]:  # noqa: ANN401 - Django's streaming response
    """A long answer part by part. Each part may be asked for on another thread, so none may rely on the one before."""
    try:
        yield from result
    finally:
        result.close()
