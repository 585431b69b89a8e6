"""What was refused, a line in the log for each: who tries doors that are not theirs is to be seen by the operator.

A line says what was asked by its pattern and never by its address, who asked by the account's id, and from which
network, as coarse as `core.networks` keeps it. Looking for what is not there is noted of whoever is signed in, for a
thing of others looks just so (404). Sign-ins are told of where they are decided (`people.signing_in`).
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Final

from django.http import HttpRequest

from polyclinic.core.actors import Person
from polyclinic.core.errors import Problem
from polyclinic.core.networks import network_of
from polyclinic.web.bridge import Scope

_log = logging.getLogger("polyclinic.refused")
_NOTED: Final = frozenset({400, 401, 403, 404, 413, 429})
# Asked to sign in, to show a factor once more: an ordinary step of an ordinary day. Wrong passwords have lines already.
_ORDINARY: Final = frozenset(
    {"unauthenticated", "step_up_needed", "factor_needed", "password_change_needed", "wrong_credentials"}
)
# Whoever makes us write must not fill a disk: so many lines at once, and so many a second after that.
_BURST: Final = 100
_A_SECOND: Final = 20.0


class _Spout:
    """Lets lines through, a number of them at once, and counts those it holds back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left, self._at, self._held = float(_BURST), time.monotonic(), 0

    def next(self) -> int | None:
        """How many were held back since the last line; None when this one is too many."""
        with self._lock:
            now = time.monotonic()
            self._left = min(float(_BURST), self._left + (now - self._at) * _A_SECOND)
            self._at = now
            if self._left < 1:
                self._held += 1
                return None
            self._left -= 1
            held, self._held = self._held, 0
            return held


_spout = _Spout()


def note(request: HttpRequest, problem: Problem) -> None:
    """Write down that `request` was refused with `problem`, if that is one to look at."""
    viewer = getattr(request, "viewer", None)
    person = viewer if isinstance(viewer, Person) else None
    match = request.resolver_match
    if problem.status == 404 and not (person and match and match.kwargs):
        return
    route = f"/{match.route}" if match else "-"
    who = f"account {person.account_id}" if person else "nobody signed in"
    _line(problem, f"{request.method} {route} by {who}", request.META.get("REMOTE_ADDR", ""))


def note_outside(scope: Scope, problem: Problem) -> None:
    """The same of a request that never reached Django: its route is not known, and its address is not written."""
    client = scope.get("client") or ("", 0)
    _line(problem, f"{scope.get('method', '-')} - by nobody asked for", client[0])


def _line(problem: Problem, what: str, address: str) -> None:
    if problem.status not in _NOTED or problem.code in _ORDINARY:
        return
    held = _spout.next()
    if held is None:
        return
    more = f" ({held} more were not written)" if held else ""
    _log.warning("%d %s: %s from %s%s", problem.status, problem.code, what, network_of(address), more)


def reset() -> None:
    """Let through as at the start (tests)."""
    global _spout
    _spout = _Spout()
