"""Views found from memory are the views the list of addresses gives."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.http import HttpRequest
from django.urls import Resolver404, get_resolver

from polyclinic.web.access import addresses
from polyclinic.web.routes import RememberingHandler

ID = "5f0c0c1e-58a4-4b0f-9a5e-3f1d7c2b9a10"


def asked(path: str) -> HttpRequest:
    request = HttpRequest()
    request.path_info = path
    return request


def told(match: Any) -> tuple[Any, ...]:
    return match.func, match.args, match.kwargs, match.route, match.url_name, match.namespaces, match.captured_kwargs


def paths() -> list[str]:
    """A path for every address, each capture an id; many are no address at all then."""
    found = []
    for route, _entry in addresses():
        parts = route.split("<")
        found.append(parts[0] + "".join(f"{uuid4()}{part.partition('>')[2]}" for part in parts[1:]))
    return found


def test_every_address_is_found_again_with_other_ids() -> None:
    handler, kept = RememberingHandler(), 0
    first, second = paths(), paths()
    for path in first:
        try:
            handler.resolve_request(asked(path))
        except Resolver404:
            continue
    for path in second:
        request = asked(path)
        try:
            expected = get_resolver().resolve(path)
        except Resolver404:
            with pytest.raises(Resolver404):
                handler.resolve_request(request)
            continue
        assert told(handler.resolve_request(request)) == told(expected)
        assert request.resolver_match is not None
        kept += 1
    assert kept > 100
    assert 50 < len(handler._shapes) <= len(first)


@pytest.mark.parametrize("path", ["/api/appointments/\0", f"/api/appointments/\0{ID}", "/api/appointments/word"])
def test_what_is_no_id_is_asked_of_the_list(path: str) -> None:
    handler = RememberingHandler()
    handler.resolve_request(asked(f"/api/appointments/{uuid4()}"))
    assert told(handler.resolve_request(asked(path))) == told(get_resolver().resolve(path))
    assert len(handler._shapes) == 1


def test_addresses_that_do_not_exist_are_not_kept() -> None:
    handler = RememberingHandler()
    for _time in range(20):
        with pytest.raises(Resolver404):
            handler.resolve_request(asked(f"/nowhere/{uuid4()}"))
    assert not handler._shapes
