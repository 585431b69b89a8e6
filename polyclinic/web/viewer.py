"""Who is asking: `request.viewer` on every request, and the door that each view's declaration describes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.translation import gettext_lazy as _

from polyclinic.core.actors import Anonymous, Person, Viewer
from polyclinic.core.errors import FactorNeeded, Forbidden, PasswordChangeNeeded, Problem, ReadsOnly, Unauthenticated
from polyclinic.core.outbox import log
from polyclinic.facilities import identity, viewing
from polyclinic.web import access, cookies, errors, ratelimit

NextLayer = Callable[[HttpRequest], HttpResponse]
API_PREFIX: Final = "/api/"
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_ANONYMOUS: Final = Anonymous()
# Where someone may go whose password was given to them; everything that is public is open as well.
_OPEN_BEFORE_CHANGE: Final = frozenset(
    {"/password/choose", "/account/session", "/api/auth/logout", "/api/v1/auth/logout"}
)
# The same for those whose work asks for a second factor which they have not added yet.
_OPEN_BEFORE_FACTOR: Final = ("/account/security", "/account/session", "/step-up", "/api/auth/", "/api/v1/auth/")
# What stays a person's own when an administrator looks through their eyes, and the only things that may be sent then.
_NOT_FOR_OTHER_EYES: Final = ("/account", "/step-up", "/password")
_SENT_WHILE_LOOKING: Final = frozenset({"/view-as/end", "/sign-out"})
_DEVICE_SECONDS: Final = 400 * 24 * 3600


def of_cookie(request: HttpRequest, via: str = "web") -> Viewer:
    """The person of the session cookie, or Anonymous. Costs a dictionary look-up for a session seen just now."""
    key = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
    # What an open page fetches by itself is no sign of its person: it must not keep them signed in.
    touch = request.META.get("HTTP_X_REQUESTED_WITH") != "live"
    if not key.isalnum():
        return _ANONYMOUS
    return identity.person_of_session(key, via=via, touch=touch, kinds=identity.OF_COOKIE) or _ANONYMOUS


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
        viewer = _through_other_eyes(request, of_cookie(request))
        request.viewer = viewer  # type: ignore[attr-defined]
        signed_in = isinstance(viewer, Person)
        # Who looks through another's eyes is not told what happens while they look: they hear nothing live.
        if isinstance(viewer, Person) and request.method == "GET" and viewer.seen_by is None:
            # Read before the view's own queries: what is committed in between is then told twice, never not at all.
            request.live_cursor = log.head()  # type: ignore[attr-defined]
        response = self.get_response(request)
        if signed_in and not response.has_header("Cache-Control"):
            response.headers["Cache-Control"] = "no-store"
        _remember_device(request, response)
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], _args: tuple[Any, ...], _kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        return _door(request, view)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return errors.answer(request, exception) if isinstance(exception, Problem) else None


def _through_other_eyes(request: HttpRequest, viewer: Viewer) -> Viewer:
    """The person an administrator looks through, when that is under way; then `request.admin` is the administrator."""
    key = cookies.VIEW.of(request)
    if not key or not isinstance(viewer, Person) or not key.isalnum():
        return viewer
    seen = identity.seen_through(key, viewer)
    if seen is None:
        return viewer
    request.admin = viewer  # type: ignore[attr-defined]
    return seen


def _looking(request: HttpRequest, seen: Person) -> Problem | None:
    """What an administrator may not do through another's eyes; a page they do open is written to the audit first."""
    if request.method not in SAFE:
        return None if request.path_info in _SENT_WHILE_LOOKING else ReadsOnly()
    if request.path_info.startswith(_NOT_FOR_OTHER_EYES):
        return Forbidden(_("This is that person's own. It is not shown to others."))
    match = request.resolver_match
    viewing.note(actor=request.admin, seen=seen, page=f"/{match.route}" if match else "")  # type: ignore[attr-defined]
    return None


def _remember_device(request: HttpRequest, response: HttpResponse) -> None:
    """Give this browser the cookie by which a later sign-in is known to come from it, when one has just begun."""
    token = getattr(request, "device_token", "")
    if token:
        cookies.DEVICE.give(response, token, seconds=_DEVICE_SECONDS)


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
            return _of_bearer(header, ratelimit.address(request))
        viewer = of_cookie(request, via="api")
        if isinstance(viewer, Person) and request.method not in SAFE:
            require_csrf(request)
        return viewer

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], _args: tuple[Any, ...], _kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        return _door(request, view)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return errors.answer(request, exception) if isinstance(exception, Problem) else None


def _has_nul(request: HttpRequest) -> bool:
    """Whether a page is sent a NUL anywhere: no person types one, and PostgreSQL cannot even be asked about it."""
    query, cookies = request.META.get("QUERY_STRING", ""), request.META.get("HTTP_COOKIE", "")
    # Neither as it is nor written in another way: a cookie may say \000, and a content type in which alphabet to read.
    plain = not any(mark in query for mark in ("\0", "%00")) and not any(mark in cookies for mark in ("\0", "\\"))
    if plain and request.method != "POST" and not request.content_type:
        return False
    sent = [*request.GET.lists(), *request.POST.lists()]
    return any("\0" in value for _name, values in sent for value in values) or any(
        "\0" in value for value in request.COOKIES.values()
    )


def _label(viewer: Viewer) -> str:
    if not isinstance(viewer, Person):
        return ""
    # A key is counted for itself: a program that runs wild does not stop its person.
    return viewer.label if viewer.scopes is None else viewer.session


def _door(request: HttpRequest, view: Callable[..., Any]) -> HttpResponse | None:
    viewer: Viewer = request.viewer  # type: ignore[attr-defined]
    declared = access.access_of(view, request.method or "GET")
    problem = access.refusal(viewer, declared)
    if problem is None and isinstance(viewer, Person) and viewer.seen_by is not None:
        problem = _looking(request, viewer)
    elif problem is None and isinstance(viewer, Person) and viewer.must_change_password and declared != access.PUBLIC:
        problem = None if request.path_info in _OPEN_BEFORE_CHANGE else PasswordChangeNeeded()
    elif problem is None and isinstance(viewer, Person) and viewer.must_add_factor and declared != access.PUBLIC:
        problem = None if request.path_info.startswith(_OPEN_BEFORE_FACTOR) else FactorNeeded()
    return errors.answer(request, problem) if problem else None


def _of_bearer(header: str, address: str) -> Person:
    """The person of an Authorization header. Anything but a token that is valid now is 401, never "anonymous"."""
    from polyclinic.api import tokens  # the API imports this package; asked late, once it is loaded

    scheme, _space, token = header.partition(" ")
    known = scheme.lower() == "bearer" and bool(token.strip())
    person = tokens.person_of_token(token.strip(), address=address) if known else None
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


def require_csrf(request: HttpRequest) -> None:
    """Raise Forbidden unless the CSRF header matches the CSRF cookie and the origin is ours."""
    _csrf.process_request(request)
    _csrf.process_view(request, _unseen, (), {})
