"""Headers that every answer carries: pages, API, streams, static files and errors alike."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpResponse

from polyclinic.web import plainly

CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "report-uri /csp-report; report-to csp"
)
REPORTS_TO: Final = 'csp="/csp-report"'

# What pages may use of the device: nothing, but for those few that ask where it is (`with_position`).
_POLICY: Final = "camera=(), microphone=(), geolocation=({}), payment=(), usb=(), interest-cohort=()"
_ALWAYS: Final[dict[bytes, bytes]] = {
    b"content-security-policy": CSP.encode(),
    b"reporting-endpoints": REPORTS_TO.encode(),
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"same-origin",
    b"permissions-policy": _POLICY.format("").encode(),
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
}
# Two years, as the preload lists ask; only said over HTTPS, where it can be kept.
_HSTS: Final = (b"strict-transport-security", b"max-age=63072000; includeSubDomains")
_PUBLIC_HTTPS: Final = urlsplit(settings.PUBLIC_URL).scheme == "https"


def with_position(response: HttpResponse) -> HttpResponse:
    """A page that may ask the browser where it is, once its user agrees."""
    response.headers["Permissions-Policy"] = _POLICY.format("self")
    return response


def secured(scope: Any, headers: Any, request_id: str) -> list[tuple[bytes, bytes]]:  # noqa: ANN401 - ASGI
    """`headers` of an answer completed with ours. What the answer says itself about one of them stays."""
    complete = [(bytes(name).lower(), bytes(value)) for name, value in headers]
    named = {name for name, _value in complete}
    if _ALWAYS.keys().isdisjoint(named):
        complete += _ALWAYS.items()
    else:
        complete += [pair for pair in _ALWAYS.items() if pair[0] not in named]
    complete.append((b"x-request-id", request_id.encode("ascii")))
    # What came over plain HTTP may not be told it (RFC 6797, 7.2): a browser would not believe it there.
    if (_PUBLIC_HTTPS or scope.get("scheme") in {"https", "wss"}) and not plainly.came(scope):
        complete.append(_HSTS)
    return complete
