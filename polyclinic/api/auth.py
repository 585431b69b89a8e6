"""Signing in, renewing and out over the API, and who one is.

An app keeps the refresh token itself; a page of another portal asks for cookies (`"cookie": true`), which no script can
read, and then shows the CSRF token with each renewal.
"""

from __future__ import annotations

from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language
from ninja import Router

from polyclinic.api import answers, tokens
from polyclinic.api.api import PROBLEMS
from polyclinic.api.factors import require_second
from polyclinic.api.schemas import Credentials, GrantRow, Limit, MeRow, PageNumber, described, list_of
from polyclinic.api.signing import (
    Confirmation,
    EmailGiven,
    Leave,
    Registration,
    RenewableRow,
    Renewal,
    entered,
    left,
    require_own_page,
)
from polyclinic.core.networks import network_of
from polyclinic.facilities import identity, sessions
from polyclinic.facilities.sessions import SessionRow
from polyclinic.notify.actions import post
from polyclinic.people import joining, signing_in
from polyclinic.tokens import refresh
from polyclinic.web import cookies, ratelimit
from polyclinic.web.access import declare
from polyclinic.web.viewer import require_csrf

router = Router(tags=["Signing in"])


@router.post("/auth/login", response={200: described(RenewableRow), **PROBLEMS}, summary="Sign in")
@declare("public")
def login(request: HttpRequest, body: Credentials) -> HttpResponse:
    """An access token for fifteen minutes and a refresh token for seven days, bound to the `device` told with it.

    The answer is the same for an unknown address and a wrong password. An account with a second factor gets 401
    `second_factor_needed` with a `ticket` for POST /auth/second instead.
    """
    address = ratelimit.address(request)
    ratelimit.check("sign-in", ip=address)
    if body.cookie:
        require_own_page(request)
    account = signing_in.check(body.email, body.password, network=network_of(address))
    require_second(account.pk)
    issued = tokens.issue_renewable(cast("Any", account), request.META.get("HTTP_USER_AGENT", ""), body.device)
    return entered(request, issued, in_cookie=body.cookie)


@router.post("/auth/refresh", response={200: described(RenewableRow), **PROBLEMS}, summary="Renew a sign-in")
@declare("public")
def renew(request: HttpRequest, body: Renewal) -> HttpResponse:
    """The next access token and the next refresh token; the one shown is worth nothing afterwards.

    A token that is shown a second time, or by another device, ends the sign-in everywhere: 401 `refresh_refused`.
    """
    ratelimit.check("refresh", ip=ratelimit.address(request))
    in_cookie = not body.refresh_token
    if in_cookie:
        require_csrf(request)
    token = cookies.REFRESH.of(request) if in_cookie else body.refresh_token
    device = cookies.APP_DEVICE.of(request) if in_cookie else body.device
    renewal = refresh.renew(token, device)
    identity.forget(renewal.session)
    signed = tokens.sign(str(renewal.account_id), renewal.session)
    issued = tokens.Issued(signed, tokens.LIFETIME_SECONDS, renewal.session, renewal)
    return entered(request, issued, in_cookie=in_cookie)


@router.post("/auth/register", response={202: None, **PROBLEMS}, summary="Ask for an account as a patient")
@declare("public")
def register(request: HttpRequest, body: Registration) -> HttpResponse:
    """Mails a link that makes the account. The answer is the same when the address has one already."""
    ratelimit.check("sign-up", ip=ratelimit.address(request), account=body.email)
    joining.ask(
        email=body.email, password=body.password, given_name=body.given_name, family_name=body.family_name,
        born=body.born, sex=body.sex, phone=body.phone, language=get_language() or "",
    )  # fmt: skip
    return HttpResponse(status=202)


@router.post(
    "/auth/register/confirm",
    response={201: described(MeRow), 410: None, **PROBLEMS},
    summary="Make that account",
)
@declare("public")
def confirm_registration(request: HttpRequest, body: Confirmation) -> HttpResponse:
    """With the end of the mailed link and the password chosen before; sign in afterwards. 410 when the link is gone."""
    ratelimit.check("sign-in", ip=ratelimit.address(request))
    patient, _back = joining.confirm(body.token, password=body.password)
    name = f"{patient.given_name} {patient.family_name}"
    row = MeRow(cast("Any", patient.account_id), name, True, patient.pk, None, (GrantRow("patient", None),))
    return answers.reply(row, 201)


@router.post("/auth/reset-password", response={202: None, **PROBLEMS}, summary="Ask for a new password")
@declare("public")
def reset_password(request: HttpRequest, body: EmailGiven) -> HttpResponse:
    """Mails a link to choose a new password, if there is such an account. The answer is the same if there is none."""
    ratelimit.check("password-reset", ip=ratelimit.address(request), account=body.email)
    post("password_reset", body.email, language=get_language() or "")
    return HttpResponse(status=202)


@router.post("/auth/logout", response={204: None, **PROBLEMS}, summary="Sign out")
@declare("signed-in")
def logout(request: HttpRequest, body: Leave | None = None) -> HttpResponse:
    """End this session: its tokens, streams and sockets stop within seconds. `everywhere`: all others as well."""
    person = answers.person_of(request)
    if body is not None and body.everywhere:
        sessions.end_others(actor=person)
    identity.end_session(person.session)
    return left(request)


@router.get("/auth/sessions", response={200: list_of(SessionRow), **PROBLEMS}, summary="Where I am signed in")
@declare("signed-in")
def own_sessions(request: HttpRequest, page: PageNumber = 1, limit: Limit = 50) -> HttpResponse:
    """The caller's own sessions, last used first."""
    return answers.cut(request, sessions.sessions(answers.viewer_of(request)), page, limit, None)


@router.delete("/auth/sessions/{sessionId}", response={204: None, **PROBLEMS}, summary="End one of my sessions")
@declare("signed-in")
def end_session(request: HttpRequest, sessionId: str) -> HttpResponse:
    """End it: its pages, tokens, streams and sockets stop within seconds."""
    sessions.end(actor=answers.person_of(request), name=sessionId)
    return HttpResponse(status=204)


@router.get("/auth/me", response={200: described(MeRow), **PROBLEMS}, summary="Who am I")
@declare("any caller")
def me(request: HttpRequest) -> HttpResponse:
    """The caller's ids and roles."""
    person = answers.person_of(request)
    grants = sorted(person.grants, key=lambda grant: (grant.role, str(grant.facility_id)))
    rows = tuple(GrantRow(grant.role, grant.facility_id) for grant in grants)
    return answers.reply(
        MeRow(person.account_id, person.name, person.email_verified, person.patient_id, person.doctor_id, rows)
    )
