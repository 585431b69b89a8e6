"""From a path to its view, remembered.

Addresses are tried one after the other, and the house has some two hundred: finding the view was an eighth of reading
an appointment. Which view it is depends on the path's words alone and never on the ids among them.
"""

from __future__ import annotations

import re
from typing import Any, Final, cast

from django.http import HttpRequest
from django.urls import ResolverMatch

from polyclinic.web.handling import PlainHandler

_MARK: Final = "\0"
_ID: Final = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class RememberingHandler(PlainHandler):
    """Django's handler, which asks the list of addresses once for each shape of path.

    Kept are only paths that are fixed but for ids: no more than there are addresses, whatever is asked for.
    """

    def __init__(self) -> None:
        super().__init__()
        self._shapes: dict[str, tuple[ResolverMatch, tuple[str, ...]]] = {}

    def resolve_request(self, request: HttpRequest) -> ResolverMatch:
        """The view of this request and its arguments. Raises Resolver404."""
        path = request.path_info
        shape, count = _ID.subn(_MARK, path)
        known = self._shapes.get(shape)
        # A mark in the path itself is no id of it.
        if known is None or len(known[1]) != count:
            found: ResolverMatch = super().resolve_request(request)
            self._remember(shape, path, found)
            return found
        match, names = known
        if count:
            match = _filled(match, dict(zip(names, _ID.findall(path), strict=True)))
        request.resolver_match = match
        return match

    def _remember(self, shape: str, path: str, found: ResolverMatch) -> None:
        ids = _ID.findall(path)
        # Whatever else an address captures, or turns into another kind, may decide between two of them.
        if _MARK not in path and not found.args and list(found.kwargs.values()) == ids:
            self._shapes[shape] = found, tuple(found.kwargs)


def _filled(match: Any, kwargs: dict[str, Any]) -> ResolverMatch:  # noqa: ANN401 - its stubs lack attributes
    # As a copy: what else a match says it has worked out from what is the same for every id.
    found: Any = object.__new__(ResolverMatch)
    found.__dict__.update(match.__dict__, kwargs=kwargs, captured_kwargs=kwargs)
    return cast("ResolverMatch", found)
