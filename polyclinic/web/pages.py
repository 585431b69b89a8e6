"""Rendering of a page, in one place."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse
from django.template import loader


def render(
    request: HttpRequest, template: str, context: Mapping[str, object] | None = None, status: int = 200
) -> HttpResponse:
    """The page `template` filled with `context`, to this request's viewer."""
    return HttpResponse(loader.render_to_string(template, dict(context or {}), request), status=status)
