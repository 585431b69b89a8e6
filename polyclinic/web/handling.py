"""Django's handler without the detour over WSGI: a request from its environment, the answer as ASGI wants it.

What WSGI and Django's signals add to a request was over a tenth of reading an appointment: two rounds through a
dispatcher whose receivers have nothing to do here, a path prefix that is always empty, headers made into text and back.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

from django.core.handlers.wsgi import LimitedStream, WSGIHandler, WSGIRequest
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.log import log_response

from polyclinic.core.db import here

Headers = list[tuple[bytes, bytes]]


class Request(WSGIRequest):
    """Django's request, made quickly where there is nothing to work out."""

    def __init__(self, environ: dict[str, Any]) -> None:
        path, length = environ["PATH_INFO"], environ.get("CONTENT_LENGTH", "")
        told = not environ.get("CONTENT_TYPE") and length.isdigit()
        if not (told and path.isascii() and path.startswith("/")):
            # Something to be parsed, or the environment of a server that is not ours.
            super().__init__(environ)
            return
        self.environ = self.META = environ
        self.path = self.path_info = path
        self.method = environ["REQUEST_METHOD"].upper()
        self.content_type, self.content_params = "", {}
        self._stream: Any = LimitedStream(environ["wsgi.input"], int(length))
        self._read_started = False
        self.resolver_match = None


class PlainHandler(WSGIHandler):
    """Calls the layers and the view, and nothing around them."""

    request_class = Request
    _middleware_chain: Any
    _view_middleware: list[Any]

    def get_response(self, request: HttpRequest) -> HttpResponseBase:
        """As Django does, but for naming the list of addresses anew: there is only the one of the settings."""
        response: Any = self._middleware_chain(request)
        response._resource_closers.append(request.close)
        if response.status_code >= 400:
            log_response("%s: %s", response.reason_phrase, request.path, response=response, request=request)
        return cast("HttpResponseBase", response)

    def _get_response(self, request: HttpRequest) -> HttpResponseBase:
        """The view's answer. Views here are synchronous, draw before they return, and begin their own transactions."""
        view, args, kwargs = self.resolve_request(request)
        response: HttpResponseBase | None = None
        for look in self._view_middleware:
            response = look(request, view, args, kwargs)
            if response is not None:
                return response
        try:
            response = view(request, *args, **kwargs)
        except Exception as failure:
            response = self.process_exception_by_middleware(failure, request)
            if response is None:
                raise
        self.check_response(response, view)
        return cast("HttpResponseBase", response)


def settle() -> None:
    """At both ends of a request: give up a database connection that is broken, left in a transaction or at its age.

    Of what Django's signals do then this is all that concerns us: no query is kept to be shown, no cache has
    connections. `tests/web/test_handling.py` knows the receivers by name.
    """
    here().close_if_unusable_or_obsolete()


def headers_of(response: HttpResponseBase) -> Headers:
    """The headers of an answer as bytes, their names in lower case."""
    # Django's own view of them looks each name up again.
    told = [
        (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.headers._store.values()
    ]
    if response.cookies:
        told += [(b"set-cookie", one.OutputString().encode("latin-1")) for one in response.cookies.values()]
    return told


def close(response: Any) -> None:  # noqa: ANN401 - the stubs know nothing of closers
    """The end of an answer that was sent whole: what it holds open goes, and the connection is seen to."""
    closers: list[Callable[[], None]] = response._resource_closers
    for closer in closers:
        # As Django: what cannot be closed has no one to be told.
        with suppress(Exception):
            closer()
    closers.clear()
    settle()
