"""Who is connecting, and from which page: the questions every live connection answers before it is let in."""

from __future__ import annotations

from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from polyclinic.core.actors import Person
from polyclinic.core.errors import Forbidden, Unauthenticated
from polyclinic.facilities import identity

Headers = Iterable[tuple[bytes, bytes]]


def header(headers: Headers, name: bytes) -> str:
    """The value of a header, or an empty text."""
    return next((value.decode("latin-1") for key, value in headers if key.lower() == name), "")


def session_of_cookie(text: str) -> str:
    """The session key in a Cookie header, or an empty text."""
    try:
        morsel = SimpleCookie(text).get(settings.SESSION_COOKIE_NAME)
    except CookieError:
        return ""
    return morsel.value if morsel is not None else ""


def person_of_token(token: object) -> Person:
    """The person an access token speaks for. Raises Unauthenticated. Asks the database."""
    from polyclinic.api import tokens  # the API imports scheduling; a live import at start would be a circle

    if not isinstance(token, str) or not token:
        raise Unauthenticated()
    person = tokens.person_of_token(token, touch=False)
    if person is None or person.must_change_password or person.must_add_factor:
        raise Unauthenticated()
    if person.scopes is not None:
        # A program with a key asks when it wants to know; what is pushed is pushed to people who are signed in.
        raise Forbidden(_("Live connections are for people who sign in, not for API keys."), code="not_for_keys")
    return person


def person_of(cookie: str, authorization: str) -> Person | None:
    """The caller behind a bearer token or a session cookie; None for someone not signed in. Asks the database.

    Raises Unauthenticated when a token was given and is not valid: whoever shows one does not mean to be anonymous.
    """
    if authorization:
        scheme, _space, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthenticated()
        return person_of_token(token.strip())
    key = session_of_cookie(cookie)
    person = identity.person_of_session(key, via="live", touch=False, kinds=identity.OF_COOKIE)
    # Who must first choose a password or add a factor hears, until then, what a visitor hears.
    return None if person and (person.must_change_password or person.must_add_factor) else person


def origin_allowed(origin: str, host: str) -> bool:
    """Whether a page of `origin` may connect with the caller's cookies: our own pages and the listed portals.

    Browsers let any page open a WebSocket with the visitor's cookies; this check is what keeps them out.
    """
    if not origin:
        return True
    return origin in settings.CORS_ORIGINS or origin == settings.PUBLIC_URL or urlsplit(origin).netloc == host
