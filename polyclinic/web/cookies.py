"""Every cookie of ours but those that Django names by settings: where it goes, and how it is kept from others.

Over HTTPS a name says by its beginning what browsers then hold it to (RFC 6265bis): `__Host-` is this host's alone and
goes everywhere on it, `__Secure-` may keep to a path. A neighbouring host or a plain page can set neither. Over plain
HTTP, on a machine for trying out, browsers would refuse such a name, so there it has no beginning.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.http import HttpRequest, HttpResponse


@dataclass(frozen=True, slots=True)
class Cookie:
    """One cookie: out of the reach of scripts, and sent over HTTPS alone where there is HTTPS."""

    plain: str
    path: str = "/"
    samesite: Literal["Lax", "Strict"] = "Lax"

    @property
    def name(self) -> str:
        """What browsers know it by."""
        return prefixed(self.plain, self.path)

    def of(self, request: HttpRequest) -> str:
        """What this browser sent, or nothing."""
        return str(request.COOKIES.get(self.name, ""))

    def give(
        self, response: HttpResponse, value: str, *, seconds: int | None = None, until: datetime | None = None
    ) -> None:
        """Have the browser keep `value` so long."""
        response.set_cookie(
            self.name, value, max_age=seconds, expires=until, path=self.path, httponly=True, samesite=self.samesite,
            secure=settings.SESSION_COOKIE_SECURE,
        )  # fmt: skip

    def take_back(self, response: HttpResponse) -> None:
        """Have the browser forget it."""
        response.delete_cookie(self.name, path=self.path, samesite=self.samesite)


def prefixed(name: str, path: str = "/") -> str:
    """`name` as it is called on this installation."""
    if not settings.SESSION_COOKIE_SECURE:
        return name
    return f"__Host-{name}" if path == "/" else f"__Secure-{name}"


# Whose eyes an administrator looks through.
VIEW: Final = Cookie("polyclinic_view")
# A browser an account has signed in from before.
DEVICE: Final = Cookie("polyclinic_device")
# The counter at which somebody works, in this browser.
COUNTER: Final = Cookie("polyclinic_counter")
# A sign-in after its password, and a browser that need not show a second factor.
HALFWAY: Final = Cookie("polyclinic_second", path="/sign-in")
REMEMBERED: Final = Cookie("polyclinic_remembered", path="/sign-in")
# The browser that asked for an account: there no password is asked for a second time when the link comes back.
JOINING: Final = Cookie("polyclinic_joining", path="/sign-up")
# What an app in a browser renews its sign-in with. No other site has a reason to send them.
REFRESH: Final = Cookie("polyclinic_refresh", path="/api/", samesite="Strict")
APP_DEVICE: Final = Cookie("polyclinic_app_device", path="/api/", samesite="Strict")

ALL: Final = (VIEW, DEVICE, COUNTER, HALFWAY, REMEMBERED, JOINING, REFRESH, APP_DEVICE)


class MessageStorage(CookieStorage):
    """Messages for the next page, under a name that keeps neighbours from writing what a page then says."""

    cookie_name = prefixed("polyclinic_messages")

    def _update_cookie(self, encoded_data: str, response: HttpResponse) -> None:
        """Have the browser drop the cookie only where it has sent one. Django says so on each page without messages."""
        if encoded_data or self.cookie_name in self.request.COOKIES:
            super()._update_cookie(encoded_data, response)  # type: ignore[misc]  # Django has it, its stubs do not
