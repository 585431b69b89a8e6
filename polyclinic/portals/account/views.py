"""The account itself: name, address, language, password."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, get_user_model
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from polyclinic.core.errors import Problem, StaleEdit
from polyclinic.facilities import identity
from polyclinic.people import actions, own
from polyclinic.portals import meanwhile
from polyclinic.portals.auth.forms import ChangePasswordForm, NewPasswordForm
from polyclinic.portals.common import done, explain, person_of, see, show, tell, version_of, viewer_of
from polyclinic.tokens import apikeys
from polyclinic.web import stepup
from polyclinic.web.access import declare


@declare("signed-in")
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    return _home(request)


def _home(request: HttpRequest, status: int = 200) -> HttpResponse:
    """The page; after a refused form with the language that was chosen in it."""
    account = own.own_account(viewer_of(request))
    chosen = request.POST.get("language", account.language)
    return show(request, "account/home.html", status, mine=account, chosen=chosen, languages=settings.LANGUAGES)


@declare("signed-in")
@require_POST
def language(request: HttpRequest) -> HttpResponse:
    person = person_of(request)
    try:
        actions.choose_language(actor=person, language=request.POST.get("language", ""), version=version_of(request))
    except StaleEdit as stale:
        tell(request, meanwhile.explained(stale))
        return _home(request, meanwhile.CHANGED)
    identity.forget(person.session)
    response = see("/account")
    # The cookie would win over the account; from here on the account says it.
    response.delete_cookie(settings.LANGUAGE_COOKIE_NAME)
    done(request, _("Your language is saved."))
    return response


@declare("signed-in")
@sensitive_post_parameters("password", "current")
@require_http_methods(["GET", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    stepup.require_second(request)
    person = person_of(request)
    form = ChangePasswordForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            _change(request, given["password"], given["current"], keep_keys=given["keep_keys"])
        except Problem as refused:
            explain(form, refused)
        else:
            done(request, _("Your password is changed. Everywhere else you were signed out."))
            return see("/account")
    account = own.own_account(person)
    status, keys = 422 if form.errors else 200, apikeys.live_keys(person)
    return show(request, "account/password.html", status, form=form, mine=account, keys=keys)


@declare("signed-in")
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def choose(request: HttpRequest) -> HttpResponse:
    """For someone who signed in with a password that an administrator gave them; nothing else is open to them."""
    person = person_of(request)
    if not person.must_change_password:
        return see("/account/password")
    form = NewPasswordForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            _change(request, form.cleaned_data["password"], None)
        except Problem as refused:
            explain(form, refused)
        else:
            done(request, _("Your password is saved."))
            return see("/home")
    account = own.own_account(person)
    return show(request, "account/choose.html", 422 if form.errors else 200, form=form, mine=account)


def _change(request: HttpRequest, new: str, current: str | None, *, keep_keys: bool = False) -> None:
    person = person_of(request)
    actions.change_password(
        actor=person, account_id=person.account_id, password=new, current=current, keep_keys=keep_keys
    )
    identity.forget_account(person.account_id)
    # Sessions remember a digest of the password they were opened with; this one stays, under a key of its own.
    account: Any = get_user_model()._default_manager.get(pk=person.account_id)
    request.session.cycle_key()
    request.session[HASH_SESSION_KEY] = account.get_session_auth_hash()
