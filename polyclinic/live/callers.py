"""Who is connecting, and from which page: the questions every live connection answers before it is let in."""

from __future__ import annotations

from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from django.conf import settings

from polyclinic.core.actors import Person
from polyclinic.core.errors import Unauthenticated
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
    if person is None:
        raise Unauthenticated()
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
    return identity.person_of_session(key, via="live", touch=False) if key else None


def origin_allowed(origin: str, host: str) -> bool:
    """Whether a page of `origin` may connect with the caller's cookies: our own pages and the listed portals.

    Browsers let any page open a WebSocket with the visitor's cookies; this check is what keeps them out.
    """
    if not origin:
        return True
    return origin in settings.CORS_ORIGINS or origin == settings.PUBLIC_URL or urlsplit(origin).netloc == host
