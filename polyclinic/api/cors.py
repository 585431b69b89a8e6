"""Other portals' origins that may call the API with cookies. Listed in the settings; nobody else gets a header."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from polyclinic.core.errors import Problem
from polyclinic.web import errors

_METHODS: Final = "GET, POST, PUT, PATCH, DELETE, OPTIONS"
_HEADERS: Final = "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-CSRFToken"
_EXPOSED: Final = "ETag, Idempotent-Replayed, Retry-After, X-Request-ID"


class _MethodNotAllowed(Problem):
    status = 405
    code = "method_not_allowed"


class ApiEdgeMiddleware:
    """CORS for /api, and problem+json where the framework answers with bare text."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith("/api/"):
            return self.get_response(request)
        origin = request.META.get("HTTP_ORIGIN", "")
        known = origin in settings.CORS_ORIGINS
        if request.method == "OPTIONS" and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in request.META:
            response = HttpResponse(status=204)
            if known:
                response.headers["Access-Control-Allow-Methods"] = _METHODS
                response.headers["Access-Control-Allow-Headers"] = _HEADERS
                response.headers["Access-Control-Max-Age"] = "600"
        else:
            response = self.get_response(request)
            if response.status_code == 405:
                allowed = response.headers.get("Allow", "")
                response = errors.answer(request, _MethodNotAllowed(allowed=allowed.split(", ")))
                response.headers["Allow"] = allowed
        if known:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Allow-Credentials"] = "true"
            response.headers["Access-Control-Expose-Headers"] = _EXPOSED
        if settings.CORS_ORIGINS:
            # The answer differs by origin: a cache must not hand one origin's answer to another.
            response.headers["Vary"] = ", ".join(filter(None, [response.headers.get("Vary"), "Origin"]))
        return response
