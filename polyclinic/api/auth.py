"""Signing in and out over the API, and who one is."""

from __future__ import annotations

from typing import Any, cast

from django.contrib.auth import authenticate
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from ninja import Router

from polyclinic.api import answers, tokens
from polyclinic.api.api import PROBLEMS
from polyclinic.api.schemas import Credentials, GrantRow, MeRow, TokenRow, described
from polyclinic.core.errors import Unauthenticated
from polyclinic.facilities import identity
from polyclinic.web import ratelimit
from polyclinic.web.access import declare

router = Router(tags=["Signing in"])


@router.post("/auth/login", response={200: described(TokenRow), **PROBLEMS}, summary="Sign in")
@declare("public")
def login(request: HttpRequest, body: Credentials) -> HttpResponse:
    """An access token for fifteen minutes. The answer is the same for an unknown address and a wrong password."""
    ratelimit.check("sign-in", ip=ratelimit.address(request), account=body.email)
    account = authenticate(request, username=body.email, password=body.password)
    if account is None:
        raise Unauthenticated(_("The email address or the password is wrong."), code="wrong_credentials")
    issued = tokens.issue(cast("Any", account), request.META.get("HTTP_USER_AGENT", ""))
    return answers.reply(TokenRow(issued.token, "Bearer", issued.expires_in))


@router.post("/auth/logout", response={204: None, **PROBLEMS}, summary="Sign out")
@declare("signed-in")
def logout(request: HttpRequest) -> HttpResponse:
    """End this session: its token, streams and sockets stop within seconds."""
    identity.end_session(answers.person_of(request).session)
    return HttpResponse(status=204)


@router.get("/auth/me", response={200: described(MeRow), **PROBLEMS}, summary="Who am I")
@declare("signed-in")
def me(request: HttpRequest) -> HttpResponse:
    """The signed-in person's ids and roles."""
    person = answers.person_of(request)
    grants = sorted(person.grants, key=lambda grant: (grant.role, str(grant.facility_id)))
    rows = tuple(GrantRow(grant.role, grant.facility_id) for grant in grants)
    return answers.reply(MeRow(person.account_id, person.name, person.patient_id, person.doctor_id, rows))
