"""Bodies, rows and cookies of signing in."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.utils.translation import gettext_lazy as _
from pydantic import Field

from polyclinic.api import answers, tokens
from polyclinic.api.schemas import Body, Day, Text
from polyclinic.core.errors import Forbidden
from polyclinic.web import cookies


class RenewableRow(msgspec.Struct, frozen=True, rename="camel"):
    """An access token (`expiresIn` counts seconds) and what renews it. Both are empty where they stand in cookies."""

    access_token: str
    token_type: str
    expires_in: int
    refresh_token: str
    device: str
    refresh_expires_at: datetime


class Renewal(Body):
    """The refresh token and the device it was given to. Empty when they are in cookies; then X-CSRFToken is needed."""

    refresh_token: Annotated[str, Field(max_length=100)] = ""
    device: Annotated[str, Field(max_length=100)] = ""


class EmailGiven(Body):
    """An e-mail address."""

    email: Annotated[Text, Field(max_length=254)]


class Leave(Body):
    """Whether every other session of the account ends too."""

    everywhere: bool = False


class Registration(Body):
    """A new patient's account."""

    email: Annotated[Text, Field(max_length=254)]
    password: Annotated[str, Field(max_length=256)]
    given_name: Annotated[Text, Field(max_length=80)]
    family_name: Annotated[Text, Field(max_length=80)]
    born: Day
    sex: Literal["female", "male", "other", "unknown"] = "unknown"
    phone: Annotated[Text, Field(max_length=32)] = ""


class Confirmation(Body):
    """What stands at the end of the mailed link, and the password chosen when signing up."""

    token: Annotated[str, Field(max_length=200)]
    password: Annotated[str, Field(max_length=256)]


def require_own_page(request: HttpRequest) -> None:
    """Raise Forbidden when a page that is none of ours asks for cookies: it would sign its visitor in as its author.

    Browsers name the page of every form and script that sends something elsewhere; apps name none.
    """
    origin = request.META.get("HTTP_ORIGIN", "")
    ours = not origin or origin in settings.CORS_ORIGINS or origin == settings.PUBLIC_URL
    if not ours and urlsplit(origin).netloc != request.get_host():
        raise Forbidden(_("A page of another site cannot sign you in here."), code="foreign_origin")


def entered(request: HttpRequest, issued: tokens.Issued, *, in_cookie: bool) -> HttpResponse:
    """The tokens of a sign-in: in the body, or the refresh token and its device in cookies that no script can read."""
    renewal = issued.renewal
    assert renewal is not None
    if not in_cookie:
        return answers.reply(
            RenewableRow(issued.token, "Bearer", issued.expires_in, renewal.token, renewal.device, renewal.expires_at)
        )
    response = answers.reply(RenewableRow(issued.token, "Bearer", issued.expires_in, "", "", renewal.expires_at))
    for cookie, value in ((cookies.REFRESH, renewal.token), (cookies.APP_DEVICE, renewal.device)):
        cookie.give(response, value, until=renewal.expires_at)
    # Sets the readable cookie whose value the page shows again in X-CSRFToken.
    response.headers["X-CSRFToken"] = get_token(request)
    response.set_cookie(
        settings.CSRF_COOKIE_NAME, request.META["CSRF_COOKIE"], samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )  # fmt: skip
    return response


def left(request: HttpRequest) -> HttpResponse:
    """The answer to signing out: nothing, and the cookies taken back."""
    response = HttpResponse(status=204)
    for cookie in (cookies.REFRESH, cookies.APP_DEVICE):
        if cookie.name in request.COOKIES:
            cookie.take_back(response)
    return response
