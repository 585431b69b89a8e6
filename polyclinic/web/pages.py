"""Rendering of a page, in one place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.template import engines
from markupsafe import Markup

from polyclinic.web import csrf


class _Csrf:
    """The hidden CSRF field of a page's forms. Made at the first form: a page without one sets no cookie."""

    __slots__ = ("_made", "_request")

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        self._made: Markup | None = None

    def __html__(self) -> str:
        if self._made is None:
            # One mask does for all forms of an answer: it is there to make two *answers* differ.
            self._made = csrf_field(self._request)
        return self._made

    __str__ = __html__


def csrf_field(request: HttpRequest) -> Markup:
    """The hidden CSRF field for forms of the answer to `request`, another at each call."""
    # Letters and digits alone: there is nothing to escape.
    return Markup(f'<input type="hidden" name="csrfmiddlewaretoken" value="{csrf.token(request)}">')  # noqa: S704


def draw(template: str, context: Mapping[str, object], request: HttpRequest | None = None) -> str:
    """The template in the active language, as text. With a request it knows `request` and `csrf_input`."""
    filled = dict(context)
    if request is not None:
        filled |= {"request": request, "csrf_input": _Csrf(request)}
    environment = cast("Any", engines["jinja2"]).env
    return cast("str", environment.get_template(template).render(filled))


def render(
    request: HttpRequest, template: str, context: Mapping[str, object] | None = None, status: int = 200
) -> HttpResponse:
    """The page `template` filled with `context`, to this request's viewer."""
    return HttpResponse(draw(template, context or {}, request), status=status)
