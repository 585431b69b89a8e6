"""Signing up: the form, the word that a mail is on its way, and the link in that mail. Known addresses are not told."""

from __future__ import annotations

import secrets
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from polyclinic.core.errors import Problem
from polyclinic.people import joining
from polyclinic.people.emails import LinkGone
from polyclinic.portals.auth.entering import enter
from polyclinic.portals.auth.forms import ConfirmSignUpForm, SignUpForm
from polyclinic.portals.common import done, explain, local_path, see, show
from polyclinic.web import cookies, ratelimit
from polyclinic.web.access import declare


@declare("public")
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def sign_up(request: HttpRequest) -> HttpResponse:
    back = local_path(request.POST.get("next") or request.GET.get("next", ""), "/my")
    form = SignUpForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        browser = secrets.token_urlsafe(32)
        try:
            _ask(request, form.cleaned_data, back, browser)
        except Problem as refused:
            explain(form, refused)
        else:
            response = see("/sign-up/sent")
            cookies.JOINING.give(response, browser, seconds=int(joining.LIVES.total_seconds()))
            return response
    return show(request, "auth/sign_up.html", 422 if form.errors else 200, form=form, next=back)


def _ask(request: HttpRequest, given: dict[str, Any], back: str, browser: str) -> None:
    ratelimit.check("sign-up", ip=ratelimit.address(request), account=given["email"])
    joining.ask(
        email=given["email"],
        password=given["password"],
        given_name=given["given_name"],
        family_name=given["family_name"],
        born=given["born"],
        sex=given["sex"] or "unknown",
        phone=given["phone"],
        language=get_language() or "",
        back=back,
        browser=browser,
    )


@declare("public")
@require_GET
def sent(request: HttpRequest) -> HttpResponse:
    """The same words whoever asked. A demo has no mail server, so there the page shows what the mail would say."""
    token = known = None
    if settings.DEMO and (newest := joining.newest_of(cookies.JOINING.of(request))):
        token = joining.letter_for(newest)
        known = token == ""
    return show(request, "auth/sign_up_sent.html", demo=settings.DEMO, token=token, known=known)


@declare("public")
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """A page with a button: mail programs open links by themselves, and that must make nobody an account."""
    browser = cookies.JOINING.of(request)
    form = ConfirmSignUpForm(request.POST if request.method == "POST" else None)
    status = 200
    try:
        if request.method == "POST":
            try:
                return _come_in(request, token, browser)
            except LinkGone:
                raise
            except Problem as refused:
                form.full_clean()
                explain(form, refused)
                status = refused.status
        found = joining.waiting(token, browser)
    except LinkGone as gone:
        return show(request, "auth/sign_up_gone.html", gone.status)
    return show(request, "auth/sign_up_confirm.html", status, form=form, found=found, token=token)


def _come_in(request: HttpRequest, token: str, browser: str) -> HttpResponse:
    ratelimit.check("sign-in", ip=ratelimit.address(request))
    patient, back = joining.confirm(token, browser=browser, password=request.POST.get("password", ""))
    assert patient.account_id is not None
    account: Any = get_user_model()._default_manager.get(pk=patient.account_id)
    account.backend = "django.contrib.auth.backends.ModelBackend"
    enter(request, account)
    done(request, _("Welcome. Your email address is confirmed and your account is ready."))
    response = see(local_path(back, "/my"))
    cookies.JOINING.take_back(response)
    return response
