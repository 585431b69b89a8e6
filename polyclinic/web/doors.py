"""Where passwords are checked: threads of their own, so that a rush of sign-ins takes no thread from a booking.

Checking a password keeps a core busy for tens of milliseconds on purpose. Requests that do so run here, few at once and
in a short queue; whoever cannot be served in ten seconds is told to come back, which is better than to wait unseen.
"""

from __future__ import annotations

import time
from typing import Final

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from polyclinic.people.hashing import AT_ONCE, PATIENCE_SECONDS, Busy
from polyclinic.web.bridge import Answer, Handler, Keeper, Scope, run
from polyclinic.web.workers import Workers

MOST_WAITING: Final = 64
_EXACT: Final = frozenset(
    {"/sign-in", "/sign-up", "/step-up", "/password/choose", "/account/password", "/account/email"}
)
_BELOW: Final = ("/sign-in/", "/step-up/", "/password/reset/", "/account/security/", "/api/auth/", "/api/v1/auth/")


def for_passwords(scope: Scope) -> bool:
    """Whether this request may have a password to check or to store."""
    path: str = scope["path"]
    if scope["method"] != "POST":
        return False
    return path in _EXACT or (path.startswith(_BELOW) and not path.endswith("/logout"))


class Doors:
    """The threads of the sign-in, and how many wait for them."""

    def __init__(self) -> None:
        # One more than may hash, to read the next form and write the last answer meanwhile.
        self._workers: Final = Workers(AT_ONCE + 1)
        self._inside = 0

    async def run(
        self,
        handler: Handler,
        scope: Scope,
        body: bytes,
        request_id: str,
        keep: Keeper,
    ) -> Answer:
        """As `bridge.run`. Raises Busy when too many wait, or when this one has waited too long."""
        if self._inside >= MOST_WAITING:
            raise Busy()
        self._inside += 1
        try:
            return await run(self._workers, _InTime(handler), scope, body, request_id, keep)
        finally:
            self._inside -= 1

    def close(self) -> None:
        self._workers.close()


class _InTime:
    """`handler`, unless its turn comes too late; what has begun is always finished."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._until = time.monotonic() + PATIENCE_SECONDS

    def get_response(self, request: HttpRequest) -> HttpResponseBase:
        if time.monotonic() > self._until:
            raise Busy()
        return self._handler.get_response(request)
