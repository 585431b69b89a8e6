"""What came over plain HTTP although the world knows this server by HTTPS.

A person who typed the address without its `s` is sent on. A program is refused, and so is every form, stream and
socket: sent on quietly it would send its password or key in the clear each time, and nobody would notice (ASVS 5.0,
4.1.2). Nothing of such a request reaches Django, so nothing of it is done.

How a request came is what the proxy says in X-Forwarded-Proto. From whoever says it wrongly of themselves it is taken
all the same: they are refused or sent on, and have gained nothing by it. A request without a word of any proxy comes
from this machine or its network, such as a health check, and is none of this.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote, urlsplit

from django.conf import settings

from polyclinic.web import health
from polyclinic.web.bridge import Scope, Send
from polyclinic.web.errors import PlainHttp, wants_json

_PUBLIC_HTTPS: Final = urlsplit(settings.PUBLIC_URL).scheme == "https"
_SECURE: Final = frozenset({"https", "wss"})
# Read by programs alone: streams, sockets, and the keys that tokens are checked with.
_NO_PAGES: Final = ("/live", "/socket.io", "/.well-known/")
# What stands in an address as it is; everything else is written as a percent code, so that no header ends early.
_AS_IT_IS: Final = "/%:@!$&'()*+,;=~-._?"


def came(scope: Scope) -> bool:
    """Whether this request came to the proxy over plain HTTP, where HTTPS is what people are told to use."""
    if not _PUBLIC_HTTPS or scope.get("scheme") in _SECURE:
        return False
    # A proxy behind another one appends what it saw; the first word is about the person's own connection.
    return any(
        name == b"x-forwarded-proto" and value.partition(b",")[0].strip().lower() in {b"http", b"ws"}
        for name, value in scope["headers"]
    )


async def send_on(scope: Scope, send: Send) -> bool:
    """Send a page that came over plain HTTP on to HTTPS, and say so. Raises PlainHttp for what is no page."""
    if scope["path"] in health.PATHS or not came(scope):
        return False
    if not _page(scope):
        raise PlainHttp()
    headers = [
        (b"location", _secure_address(scope).encode("ascii")),
        (b"content-length", b"0"),
        # A cache that does not know how this came would send everybody round in a circle.
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": 308, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
    return True


def _page(scope: Scope) -> bool:
    """Whether a person's browser asks for something to be shown."""
    path: str = scope["path"]
    accept = next((value for name, value in scope["headers"] if name == b"accept"), b"").decode("latin-1")
    return (
        scope["method"] in {"GET", "HEAD"}
        and not path.startswith(_NO_PAGES)
        and not any(name == b"authorization" for name, _value in scope["headers"])
        and not wants_json(path, accept)
    )


def _secure_address(scope: Scope) -> str:
    """The same page at the public address: never at a host that the request names."""
    path = quote(scope.get("raw_path") or scope["path"].encode(), safe=_AS_IT_IS)
    query = quote(scope["query_string"], safe=_AS_IT_IS)
    return f"{settings.PUBLIC_URL}{path}" + (f"?{query}" if query else "")
