"""The language of an answer: chosen by cookie, else the account's, else what the browser prefers."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.translation.trans_real import parse_accept_lang_header

from polyclinic.core.actors import Person
from polyclinic.web.viewer import of_cookie

_CODES: Final = frozenset(code for code, _name in settings.LANGUAGES)


@lru_cache(maxsize=512)
def supported(text: str) -> str | None:
    """The language of ours that a code such as `en-GB` asks for, or None."""
    lowered = text.strip().lower()
    return next((code for code in (lowered, lowered.partition("-")[0]) if code in _CODES), None)


@lru_cache(maxsize=512)
def preferred(header: str) -> str:
    """The first of the browser's languages that we have; the installation's own otherwise."""
    if len(header) <= 500:
        for code, _weight in parse_accept_lang_header(header):
            found = supported(code)
            if found:
                return found
    return str(settings.LANGUAGE_CODE)


def language_of(request: HttpRequest) -> str:
    """The language to answer this request in."""
    if "HTTP_COOKIE" not in request.META:
        return preferred(request.META.get("HTTP_ACCEPT_LANGUAGE", ""))
    chosen = supported(request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, ""))
    if chosen:
        return chosen
    viewer = of_cookie(request)
    if isinstance(viewer, Person) and viewer.language:
        chosen = supported(viewer.language)
    return chosen or preferred(request.META.get("HTTP_ACCEPT_LANGUAGE", ""))


class LanguageMiddleware:
    """Sets the language for the request on its thread; the next request on the thread sets its own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        language = language_of(request)
        translation.activate(language)
        request.LANGUAGE_CODE = language
        response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        return response
