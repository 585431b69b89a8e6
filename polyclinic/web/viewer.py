"""Who is asking: `request.viewer` on every request, and the door that each view's declaration describes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.translation import gettext_lazy as _

from polyclinic.core.actors import Anonymous, Person, Viewer
from polyclinic.core.errors import Forbidden, Problem, Unauthenticated
from polyclinic.core.outbox import log
from polyclinic.facilities import identity
from polyclinic.web import access, errors, ratelimit

NextLayer = Callable[[HttpRequest], HttpResponse]
API_PREFIX: Final = "/api/"
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_ANONYMOUS: Final = Anonymous()


def of_cookie(request: HttpRequest, via: str = "web") -> Viewer:
    """The person of the session cookie, or Anonymous. Costs a dictionary look-up for a session seen just now."""
    key = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
    return (identity.person_of_session(key, via=via) if key.isalnum() else None) or _ANONYMOUS


class ViewerMiddleware:
    """Pages: the cookie says who is asking; what a signed-in person is shown is never kept by a cache."""

    def __init__(self, get_response: NextLayer) -> None:
        self.get_response = get_response
        self._api = ApiViewerMiddleware(get_response)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(API_PREFIX):
            return self._api(request)
        if _has_nul(request):
            request.viewer = _ANONYMOUS  # type: ignore[attr-defined]
            return errors.answer(request, errors.BadRequest())
        viewer = of_cookie(request)
        request.viewer = viewer  # type: ignore[attr-defined]
        signed_in = isinstance(viewer, Person)
        if signed_in and request.method == "GET":
            # Read before the view's own queries: what is committed in between is then told twice, never not at all.
            request.live_cursor = log.head()  # type: ignore[attr-defined]
        response = self.get_response(request)
        if signed_in and not response.has_header("Cache-Control"):
            response.headers["Cache-Control"] = "no-store"
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], _args: tuple[Any, ...], _kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        return _door(request, view)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return errors.answer(request, exception) if isinstance(exception, Problem) else None


class ApiViewerMiddleware:
    """API: a bearer token says who is asking, else the cookie; a cookie caller that writes must show the CSRF token."""

    def __init__(self, get_response: NextLayer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            request.viewer = self._viewer(request)  # type: ignore[attr-defined]
            ratelimit.check("api", ip=ratelimit.address(request), account=_label(request.viewer))  # type: ignore[attr-defined]
        except Problem as problem:
            return errors.answer(request, problem)
        response = self.get_response(request)
        if not response.has_header("Cache-Control"):
            response.headers["Cache-Control"] = "no-store"
        return response

    def _viewer(self, request: HttpRequest) -> Viewer:
        header = request.META.get("HTTP_AUTHORIZATION", "")
        if header:
            return _of_bearer(header)
        viewer = of_cookie(request, via="api")
        if isinstance(viewer, Person) and request.method not in SAFE:
            _require_csrf(request)
        return viewer

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], _args: tuple[Any, ...], _kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        return _door(request, view)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return errors.answer(request, exception) if isinstance(exception, Problem) else None


def _has_nul(request: HttpRequest) -> bool:
    """Whether a page is sent a NUL anywhere: no person types one, and PostgreSQL cannot even be asked about it."""
    sent = [*request.GET.lists(), *request.POST.lists()]
    return any("\0" in value for _name, values in sent for value in values) or any(
        "\0" in value for value in request.COOKIES.values()
    )


def _label(viewer: Viewer) -> str:
    return viewer.label if isinstance(viewer, Person) else ""


def _door(request: HttpRequest, view: Callable[..., Any]) -> HttpResponse | None:
    viewer: Viewer = request.viewer  # type: ignore[attr-defined]
    problem = access.refusal(viewer, access.access_of(view, request.method or "GET"))
    return errors.answer(request, problem) if problem else None


def _of_bearer(header: str) -> Person:
    """The person of an Authorization header. Anything but a token that is valid now is 401, never "anonymous"."""
    from polyclinic.api import tokens  # the API imports this package; asked late, once it is loaded

    scheme, _space, token = header.partition(" ")
    person = tokens.person_of_token(token.strip()) if scheme.lower() == "bearer" and token.strip() else None
    if person is None:
        raise Unauthenticated(_("The access token is not valid or has expired."), code="invalid_token")
    return person


class _DoubleSubmit(CsrfViewMiddleware):
    """Django's CSRF check, telling its verdict instead of answering with a page."""

    def _reject(self, request: HttpRequest, reason: str) -> Any:  # noqa: ANN401 - Django's own signature
        raise Forbidden(_("The CSRF token is missing or wrong. Send it in the X-CSRFToken header."), code="csrf_failed")


def _unseen(_request: HttpRequest) -> HttpResponse:
    return HttpResponse()


_csrf = _DoubleSubmit(_unseen)


def _require_csrf(request: HttpRequest) -> None:
    """Raise Forbidden unless the CSRF header matches the CSRF cookie and the origin is ours."""
    _csrf.process_request(request)
    _csrf.process_view(request, _unseen, (), {})
