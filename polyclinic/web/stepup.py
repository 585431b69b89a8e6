"""Step-up: before something grave, the person behind the session shows once more who they are.

`require(request)` lets pass whoever has shown a factor within the last minutes and raises StepUpNeeded for anyone else:
a page is then sent to /step-up and back, the API answers 403 with the code `step_up_needed`. A remembered device never
counts, and neither does a session that was opened long ago.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar

from django.http import HttpRequest

from polyclinic.core import clock
from polyclinic.core.actors import Anonymous, Person, Viewer
from polyclinic.core.errors import StepUpNeeded, Unauthenticated
from polyclinic.facilities import identity
from polyclinic.factors import selectors as factors
from polyclinic.people.sessions import SessionStore

FRESH: Final = timedelta(minutes=5)
P = ParamSpec("P")
R = TypeVar("R")


def is_fresh(viewer: Viewer, within: timedelta = FRESH) -> bool:
    """Whether this person has shown a factor in this session within the given time."""
    if not isinstance(viewer, Person) or viewer.stepped_up_at is None:
        return False
    return clock.now() - viewer.stepped_up_at < within


def require(request: HttpRequest, within: timedelta = FRESH) -> None:
    """Let pass, or raise StepUpNeeded (Unauthenticated for someone not signed in)."""
    viewer: Viewer = getattr(request, "viewer", Anonymous())
    if not isinstance(viewer, Person):
        raise Unauthenticated()
    # Whoever looks through another's eyes holds none of that person's factors, and an API key has no person at hand.
    if viewer.seen_by is not None or viewer.scopes is not None or not is_fresh(viewer, within):
        raise StepUpNeeded()


def require_second(request: HttpRequest) -> None:
    """Raise StepUpNeeded for whoever has a second factor and has not just shown it.

    For changes that ask for the password anyway: there the second factor must not be the one that is not asked for.
    """
    viewer: Viewer = getattr(request, "viewer", Anonymous())
    if isinstance(viewer, Person) and factors.has_second_factor(viewer.account_id):
        require(request)


def needed(view: Callable[P, R]) -> Callable[P, R]:
    """Decorator for a view: `require` before it. Put it below `@declare`."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        request: Any = args[0]
        require(request)
        return view(*args, **kwargs)

    return guarded


def mark(session: str, aal: int) -> None:
    """Write down that the person of this session has just shown a factor, at this assurance level (1 or 2)."""
    store = SessionStore(session)
    note(store, aal)
    store.save()
    identity.forget(session)


def note(store: Any, aal: int) -> None:  # noqa: ANN401 - any of Django's session stores
    """The same on a session that the request saves by itself. 0 notes nothing: a remembered device shows no factor."""
    if not aal:
        return
    store["aal"] = max(aal, int(store.get("aal", 1)))
    store["stepped_up_at"] = clock.now().isoformat()
