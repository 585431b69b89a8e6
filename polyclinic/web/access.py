"""Every address says who may come in, and an address that does not say so stops the start.

`@declare("public")`, `@declare("signed-in")` or `@declare("appointment.view")` on a view or API operation. The viewer
middleware enforces it at the door: it asks for a signed-in person, and for a permission that one of their roles has at
all. Whether it holds for *this* appointment is decided by selectors and actions, which know the thing.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final, TypeVar

from django.core.checks import CheckMessage, Error, register
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.translation import gettext_lazy as _

from polyclinic.core.access import policy
from polyclinic.core.actors import Person, Viewer
from polyclinic.core.errors import Forbidden, Problem, Unauthenticated

PUBLIC: Final = "public"
SIGNED_IN: Final = "signed-in"
# Signed in, or with an API key whatever its scopes.
ANY_CALLER: Final = "any caller"
# Documentation pages of the API framework, which have no place for a declaration of ours.
_PUBLIC_MODULES: Final = frozenset({"ninja.openapi.views"})

View = TypeVar("View", bound=Callable[..., Any])


def declare(access: str) -> Callable[[View], View]:
    """Mark a view or API operation with who may call it. Raises ValueError for a permission that does not exist."""
    if access not in {PUBLIC, SIGNED_IN, ANY_CALLER} and not policy.known(access):
        raise ValueError(f"{access} is neither public, signed-in nor a permission of core.access.rules")

    def mark(view: View) -> View:
        # An attribute and no wrapper: frameworks read the view's own signature.
        view.access = access  # type: ignore[attr-defined]
        return view

    return mark


def declared(callback: Callable[..., Any]) -> dict[str, str | None]:
    """The declaration of a URL's callback by HTTP method; "*" where it holds for all. None where there is none."""
    found = getattr(callback, "access", None)
    if found is not None:
        return {"*": found}
    if isinstance(callback, partial):
        return declared(callback.func)
    if getattr(callback, "__module__", "") in _PUBLIC_MODULES:
        return {"*": PUBLIC}
    operations = _operations(callback)
    if operations is None:
        return {"*": None}
    return {
        method: getattr(operation.view_func, "access", None) for operation in operations for method in operation.methods
    }


def _operations(callback: Callable[..., Any]) -> list[Any] | None:
    """The API operations behind one path: the framework keeps them in the closure of its view and nowhere else."""
    if not inspect.isfunction(callback):
        return None
    view = inspect.getclosurevars(callback).nonlocals.get("self")
    return getattr(view, "operations", None)


_by_callback: dict[Any, dict[str, str | None]] = {}


def access_of(callback: Callable[..., Any], method: str) -> str | None:
    """What is declared for this method; an unknown method counts as public, for the view will answer 405."""
    found = _by_callback.get(callback)
    if found is None:
        found = _by_callback[callback] = declared(callback)
    return found["*"] if "*" in found else found.get(method, PUBLIC)


def refusal(viewer: Viewer, access: str | None) -> Problem | None:
    """Why this viewer is stopped at the door, or None. A view without declaration lets nobody in."""
    if access == PUBLIC:
        return None
    if access is None:
        return Forbidden()
    if not isinstance(viewer, Person):
        return Unauthenticated()
    if access == SIGNED_IN and viewer.scopes is not None:
        # What asks for no right at all is a person's own affair (their sessions, notices, factors): not a program's.
        return Forbidden(_("An API key cannot do this. Sign in instead."), code="not_for_keys")
    if access not in {SIGNED_IN, ANY_CALLER} and not policy.ever(viewer, access):
        return Forbidden()
    return None


def addresses(resolver: URLResolver | None = None, prefix: str = "/") -> Iterator[tuple[str, URLPattern]]:
    """Every address of the house with its pattern."""
    for entry in (resolver or get_resolver()).url_patterns:
        route = prefix + str(entry.pattern).lstrip("^")
        if isinstance(entry, URLResolver):
            yield from addresses(entry, route)
        else:
            yield route, entry


@register()
def every_address_declares_access(**_options: Any) -> list[CheckMessage]:  # noqa: ANN401 - Django's own signature
    """Django system check: no URL without a declaration."""
    return [
        Error(
            f"{method} {route} does not say who may call it.",
            hint="Add @declare(…) from polyclinic.web.access to its view.",
            id="polyclinic.E001",
        )
        for route, entry in addresses()
        for method, access in declared(entry.callback).items()
        if access is None
    ]
