"""Inviting staff, and the page on which an invited person takes the invitation up."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from polyclinic.core.actors import Person
from polyclinic.core.errors import Problem
from polyclinic.facilities import invitations, staff
from polyclinic.facilities.actions import role_name
from polyclinic.people.passwords import minimum
from polyclinic.portals import meanwhile
from polyclinic.portals.admin import words
from polyclinic.portals.admin.person import account_of, choice, offers
from polyclinic.portals.admin.views import nav, zone_of
from polyclinic.portals.auth.entering import enter
from polyclinic.portals.common import done, person_of, see, show, version_of, viewer_of
from polyclinic.web import ratelimit, stepup
from polyclinic.web.access import declare

# In the address the token stands for one request only; then it moves into the session and out of the history.
_KEPT = "invitation"
_OPEN = "open"


@declare("staff.invite")
@require_GET
def listing(request: HttpRequest) -> HttpResponse:
    return _listing(request)


def _listing(request: HttpRequest, status: int = 200) -> HttpResponse:
    return show(request, "admin/invitations.html", status, nav=nav(request, "invitations"), **_listed(request))


@declare("staff.invite")
@require_GET
def rows(request: HttpRequest) -> HttpResponse:
    """Only the list, for when an invitation is taken up while the page is open."""
    return show(request, "admin/_invitations.html", **_listed(request))


def _listed(request: HttpRequest) -> dict[str, Any]:
    person = person_of(request)
    return {
        "rows": staff.invitations(person),
        "states": words.INVITATIONS,
        "zone": zone_of(staff.places(person, "staff.invite")),
    }


@declare("staff.invite")
@require_http_methods(["GET", "POST"])
@stepup.needed
def new(request: HttpRequest) -> HttpResponse:
    errors: dict[str, list[str]] = {}
    email, name = request.POST.get("email", ""), request.POST.get("name", "")
    if request.method == "POST":
        try:
            facility, role, own = choice(request)
            invitations.invite(
                actor=person_of(request), facility_id=facility, email=email, name=name, role=role, custom_role_id=own
            )
        except Problem as refused:
            errors = {refused.field or "role": [str(refused.sentence)]}
        else:
            done(request, _("The invitation is on its way."))
            return see("/admin/invitations")
    return show(
        request, "admin/invite.html", 422 if errors else 200, nav=nav(request, "invitations"), errors=errors,
        offers=offers(request), email=email, name=name, chosen=request.POST.get("role", ""),
    )  # fmt: skip


@declare("staff.invite")
@require_POST
@stepup.needed
def resend(request: HttpRequest, invitation_id: str) -> HttpResponse:
    try:
        invitations.resend(
            actor=person_of(request), invitation_id=account_of(invitation_id), version=version_of(request)
        )
    except Problem as refused:
        if _told_or_raised(request, refused):
            return _listing(request, meanwhile.CHANGED)
    else:
        done(request, _("The invitation is sent again. The link in the first mail no longer works."))
    return see("/admin/invitations")


@declare("staff.invite")
@require_POST
def revoke(request: HttpRequest, invitation_id: str) -> HttpResponse:
    try:
        invitations.revoke(
            actor=person_of(request), invitation_id=account_of(invitation_id), version=version_of(request)
        )
    except Problem as refused:
        if _told_or_raised(request, refused):
            return _listing(request, meanwhile.CHANGED)
    else:
        done(request, _("The invitation is taken back. Its link no longer works."))
    return see("/admin/invitations")


def _told_or_raised(request: HttpRequest, refused: Problem) -> bool:
    """A refusal about an invitation one can see is a sentence; about any other it is the answer.

    True when the list it was sent from is out of date.
    """
    if refused.status == 404:
        raise refused
    return meanwhile.told(request, refused)


@declare("public")
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def take_up(request: HttpRequest, token: str) -> HttpResponse:
    """What the link in the mail opens: choose a password, or join with the account one is signed in with."""
    kept = request.session.get(_KEPT, "") if token == _OPEN else token
    try:
        row = invitations.by_token(kept)
    except Problem as gone:
        return show(request, "admin/invitation_gone.html", gone.status, problem=gone)
    if token != _OPEN:
        request.session[_KEPT] = token
        return see(f"/invitation/{_OPEN}")
    known, errors = invitations.account_exists(row), {}
    if request.method == "POST":
        try:
            return _accept(request, kept, known)
        except Problem as refused:
            errors = {refused.field or "__all__": [str(refused.sentence)]}
    role = row.custom_role.name if row.custom_role else role_name(row.role)
    signed_in = isinstance(viewer_of(request), Person)
    return show(
        request, "admin/invitation.html", 422 if errors else 200, row=row, role=role, known=known, errors=errors,
        signed_in=signed_in, name=request.POST.get("name", row.name), minimum=minimum(None),
    )  # fmt: skip


def _accept(request: HttpRequest, token: str, known: bool) -> HttpResponse:
    viewer = viewer_of(request)
    if known or isinstance(viewer, Person):
        invitations.accept(actor=viewer, token=token)
    else:
        ratelimit.check("sign-up", ip=ratelimit.address(request))
        made = invitations.accept_as_new(
            token=token, password=request.POST.get("password", ""), name=request.POST.get("name", "")
        )
        account = get_user_model()._default_manager.get(pk=made.pk)
        account.backend = "django.contrib.auth.backends.ModelBackend"
        enter(request, account)
    request.session.pop(_KEPT, None)
    done(request, _("Welcome. You have your role."))
    return see("/home")
