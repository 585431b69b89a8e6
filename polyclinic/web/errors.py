"""Errors as answers: problem+json (RFC 9457) for programs, a page with the same sentence for people."""

from __future__ import annotations

import html
import logging
from typing import Any, Final
from urllib.parse import quote, urlsplit

import orjson
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template import TemplateDoesNotExist, loader
from django.utils.translation import gettext

from polyclinic.core import context
from polyclinic.core.errors import (
    FactorNeeded,
    Forbidden,
    NotFound,
    PasswordChangeNeeded,
    Problem,
    StepUpNeeded,
    Unauthenticated,
)
from polyclinic.web import refusals

_log = logging.getLogger("polyclinic.web")
JSON_TYPE: Final = "application/problem+json"
PAGE: Final = "public/error.html"
TITLES: Final = {
    400: "Bad request", 401: "Unauthorized", 403: "Forbidden", 404: "Not found", 405: "Method not allowed",
    409: "Conflict", 412: "Precondition failed", 413: "Content too large", 415: "Unsupported media type",
    422: "Unprocessable content", 429: "Too many requests", 500: "Internal server error", 503: "Service unavailable",
}  # fmt: skip


class Unexpected(Problem):
    """Something broke on our side. The caller learns the request's id and nothing else."""

    status = 500
    code = "internal_error"

    def __init__(self) -> None:
        super().__init__(gettext("Something went wrong on our side. Please try again."))


class NotRecorded(Problem):
    """Reading health data must leave a trace; where it cannot, nothing is shown."""

    status = 503
    code = "not_recorded"

    def __init__(self) -> None:
        super().__init__(gettext("This cannot be shown just now, because the access could not be recorded."))


class TooLarge(Problem):
    status = 413
    code = "body_too_large"

    def __init__(self, limit: int) -> None:
        super().__init__(gettext("The request is too large."), maxBytes=limit)


class PlainHttp(Problem):
    """The request travelled where everybody could read it."""

    status = 403
    code = "https_required"

    def __init__(self) -> None:
        super().__init__(
            gettext(
                "This came over plain HTTP, and nothing was done. Send it to the https:// address, and change a "
                "password, token or key that was in it: others may have read it."
            )
        )


class BadRequest(Problem):
    """The request is not one this server can serve (unknown host, unreadable form)."""


def wants_json(path: str, accept: str) -> bool:
    """Whether the caller is a program: everything under /api, or who asks for JSON and not for HTML."""
    return path.startswith("/api/") or ("json" in accept and "text/html" not in accept)


def body(problem: Problem) -> dict[str, Any]:
    """The problem+json members. `extra` comes last and cannot overwrite the standard ones."""
    members: dict[str, Any] = {
        "type": f"urn:polyclinic:problem:{problem.code}",
        "title": TITLES.get(problem.status, "Error"),
        "status": problem.status,
        "code": problem.code,
        "detail": str(problem.sentence),
    }
    if problem.field:
        members["field"] = problem.field
    if problem.status >= 500:
        members["requestId"] = context.request_id.get()
    return {**problem.extra, **members}


def answer(request: HttpRequest, problem: Problem) -> HttpResponse:
    """`problem` as this caller can read it. A page that needs signing in sends there and back again."""
    refusals.note(request, problem)
    if wants_json(request.path_info, request.META.get("HTTP_ACCEPT", "")):
        response = HttpResponse(orjson.dumps(body(problem), default=str), status=problem.status, content_type=JSON_TYPE)
        if problem.status == 401:
            response.headers["WWW-Authenticate"] = "Bearer"
    elif isinstance(problem, Unauthenticated):
        # 303: whatever was sent, the sign-in page is fetched with GET. Back then to the form, where a draft waits.
        target = _return_to(request)
        response = HttpResponseRedirect(f"/sign-in?next={quote(target, safe='')}", status=303)
    elif isinstance(problem, PasswordChangeNeeded):
        response = HttpResponseRedirect("/password/choose", status=303)
    elif isinstance(problem, FactorNeeded):
        response = HttpResponseRedirect("/account/security", status=303)
    elif isinstance(problem, StepUpNeeded):
        # A form that was sent has not arrived: the page says so and the browser keeps what was typed.
        unsent = "" if request.method == "GET" else "&unsent=1"
        response = HttpResponseRedirect(f"/step-up?next={quote(_return_to(request), safe='')}{unsent}", status=303)
    else:
        response = HttpResponse(_page(request, problem), status=problem.status)
    if "retryAfter" in problem.extra:
        response.headers["Retry-After"] = str(problem.extra["retryAfter"])
    return response


def _return_to(request: HttpRequest) -> str:
    """Where to go on after a step-up: this page, or the page whose form was sent."""
    if request.method == "GET":
        return request.get_full_path()
    sent_from = urlsplit(request.META.get("HTTP_REFERER", ""))
    if sent_from.netloc != request.get_host():
        return "/home"
    return f"{sent_from.path}?{sent_from.query}" if sent_from.query else sent_from.path


def _page(request: HttpRequest, problem: Problem) -> str:
    """The error page; a plain one when even that cannot be made, for an error must never hide behind another."""
    if not hasattr(request, "viewer"):
        return plain(problem)
    try:
        return loader.render_to_string(PAGE, {"problem": problem, "status": problem.status}, request)
    except TemplateDoesNotExist:
        return plain(problem)
    except Exception:
        _log.exception("the error page could not be rendered")
        return plain(problem)


def plain(problem: Problem) -> str:
    """A page that needs no template, no database and no signed-in person."""
    title = html.escape(gettext(TITLES.get(problem.status, "Error")))
    sentence = html.escape(str(problem.sentence))
    reference = html.escape(context.request_id.get()) if problem.status >= 500 else ""
    start = gettext("Start page")
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><main><h1>{title}</h1>'
        f'<p>{sentence}</p><p>{reference}</p><p><a href="/">{start}</a></p></main></html>'
    )


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """handler404: an address that does not exist reads exactly like a thing that is not the caller's."""
    return answer(request, NotFound())


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return answer(request, Forbidden())


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return answer(request, BadRequest())


def server_error(request: HttpRequest) -> HttpResponse:
    """handler500. Django has logged the traceback; the caller gets the request's id to quote."""
    return answer(request, Unexpected())
