"""What happens in a browser when somebody has shown who they are."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth import SESSION_KEY, login
from django.http import HttpRequest

from polyclinic.core.networks import network_of
from polyclinic.people import signing_in
from polyclinic.web import cookies, ratelimit, stepup


def network(request: HttpRequest) -> str:
    """The network this request comes from."""
    return network_of(ratelimit.address(request))


def check(request: HttpRequest, email: str, password: str) -> Any:  # noqa: ANN401 - an Account; portals import no models
    """The account with this address and password, tried from this browser.

    Raises WrongPassword, SignInLocked, TooMany or Busy.
    """
    ratelimit.check("sign-in", ip=ratelimit.address(request))
    return signing_in.check(email, password, network=network(request), device=cookies.DEVICE.of(request))


def enter(request: HttpRequest, account: Any, *, aal: int = 1) -> None:  # noqa: ANN401 - see above
    """Begin a fresh session for `account` in this browser, and know the browser from now on.

    `aal`: how surely the person is known, 2 after a second factor.
    """
    if SESSION_KEY in request.session:
        # A session that has ended is not begun again, not even for the same person: it gets a new key and a new start.
        request.session.flush()
    login(request, account)
    began = signing_in.entered(
        UUID(str(account.pk)),
        device=cookies.DEVICE.of(request),
        user_agent=request.headers.get("User-Agent", ""),
        network=network(request),
    )
    request.session["user_agent"] = request.headers.get("User-Agent", "")[:160]
    request.session["network"] = network(request)
    request.session["device_id"] = str(began.device_id)
    stepup.note(request.session, aal)
    request.device_token = began.cookie  # type: ignore[attr-defined] # set as a cookie by the viewer middleware
