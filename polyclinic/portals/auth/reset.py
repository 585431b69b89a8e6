"""Resetting a forgotten password by mail. Whether an address is known here is never told."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import get_user_model
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils.http import urlsafe_base64_decode
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from polyclinic.core.actors import Anonymous
from polyclinic.core.errors import Problem
from polyclinic.notify.actions import post
from polyclinic.people import actions
from polyclinic.people.passwords import minimum
from polyclinic.portals.auth.forms import NewPasswordForm, ResetRequestForm
from polyclinic.portals.common import explain, see, show
from polyclinic.web import ratelimit
from polyclinic.web.access import declare

# In the address the token stands for one request only; then it moves into the session and out of the history.
_KEPT = "reset_token"
_IN_SESSION = "choose"


@declare("public")
@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    form = ResetRequestForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        email = form.cleaned_data["email"]
        try:
            ratelimit.check("password-reset", ip=ratelimit.address(request), account=email)
        except Problem as refused:
            explain(form, refused)
            return show(request, "auth/reset_ask.html", refused.status, form=form)
        # Looked up when it is sent: the answer takes the same time whether or not there is such an account.
        post("password_reset", email, language=get_language() or "")
        return see("/password/reset/sent")
    return show(request, "auth/reset_ask.html", 422 if form.errors else 200, form=form)


@declare("public")
@require_GET
def sent(request: HttpRequest) -> HttpResponse:
    return show(request, "auth/reset_sent.html", minutes=settings.PASSWORD_RESET_TIMEOUT // 60)


@declare("public")
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def choose(request: HttpRequest, account: str, token: str) -> HttpResponse:
    found = _account(account)
    kept = request.session.get(_KEPT, "") if token == _IN_SESSION else token
    if found is None or not default_token_generator.check_token(found, kept):
        return show(request, "auth/reset_gone.html", 410)
    if token != _IN_SESSION:
        request.session[_KEPT] = token
        return see(f"/password/reset/{account}/{_IN_SESSION}")
    form = NewPasswordForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            # The link was checked above; it stands in for the old password, and every session ends.
            actions.change_password(
                actor=Anonymous(), account_id=found.pk, password=form.cleaned_data["password"], before=found.password
            )
        except Problem as refused:
            explain(form, refused)
        else:
            request.session.pop(_KEPT, None)
            messages.success(request, _("Your password is changed. Sign in with the new one."))
            return see("/sign-in")
    return show(request, "auth/reset_choose.html", 422 if form.errors else 200, form=form, minimum=minimum(found))


def _account(text: str) -> Any:  # noqa: ANN401 - an Account; portals do not import models
    """The active account named in a reset link, or None."""
    model = get_user_model()
    try:
        return model._default_manager.get(pk=urlsafe_base64_decode(text).decode(), is_active=True)
    except (ValueError, TypeError, OverflowError, ValidationError, model.DoesNotExist):
        return None
