"""Sign-in, sign-up and sign-out. An unknown address and a wrong password are answered alike."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import authenticate, get_user_model, login, logout
from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from polyclinic.core.access.rules import Role
from polyclinic.core.actors import Person
from polyclinic.core.errors import Problem
from polyclinic.facilities import identity
from polyclinic.people import actions
from polyclinic.portals.auth.forms import SignInForm, SignUpForm
from polyclinic.portals.common import explain, local_path, person_of, see, show, viewer_of
from polyclinic.web import ratelimit
from polyclinic.web.access import declare


def enter(request: HttpRequest, account: Any) -> None:  # noqa: ANN401 - whatever account model is configured
    """Begin a fresh session for `account` in this browser."""
    login(request, account)
    request.session["user_agent"] = request.headers.get("User-Agent", "")[:160]


def demo_accounts() -> list[dict[str, str]]:
    """The accounts offered with one click, in demo mode only."""
    if not settings.DEMO:
        return []
    from polyclinic.demo.accounts import ACCOUNTS

    return [{"role": str(row.role), "email": row.email, "password": row.password, "name": row.name} for row in ACCOUNTS]


@declare("public")
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    back = local_path(request.POST.get("next") or request.GET.get("next", ""))
    if request.method == "GET":
        if isinstance(viewer_of(request), Person):
            return see(back)
        return _sign_in_page(request, SignInForm(), back)
    form = SignInForm(request.POST)
    if form.is_valid():
        email, password = form.cleaned_data["email"].strip(), form.cleaned_data["password"]
        try:
            ratelimit.check("sign-in", ip=ratelimit.address(request), account=email)
        except Problem as refused:
            explain(form, refused)
            return _sign_in_page(request, form, back, refused.status)
        account = authenticate(request, username=email, password=password)
        if account is not None:
            enter(request, account)
            return see(back)
        form.add_error(None, _("This email address and password do not match. Check both and try again."))
    return _sign_in_page(request, form, back, 422)


def _sign_in_page(request: HttpRequest, form: SignInForm, back: str, status: int = 200) -> HttpResponse:
    return show(request, "auth/sign_in.html", status, form=form, next=back, accounts=demo_accounts())


@declare("public")
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def sign_up(request: HttpRequest) -> HttpResponse:
    back = local_path(request.POST.get("next") or request.GET.get("next", ""), "/my")
    form = SignUpForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            ratelimit.check("sign-up", ip=ratelimit.address(request))
            patient = _new_patient(form.cleaned_data)
        except Problem as refused:
            explain(form, refused)
        else:
            account = get_user_model()._default_manager.get(pk=patient.account_id)
            account.backend = "django.contrib.auth.backends.ModelBackend"
            enter(request, account)
            return see(back)
    status = 422 if form.errors else 200
    return show(request, "auth/sign_up.html", status, form=form, next=back)


def _new_patient(given: dict[str, Any]) -> Any:  # noqa: ANN401 - a Patient; portals do not import models
    return actions.sign_up(
        email=given["email"],
        password=given["password"],
        given_name=given["given_name"],
        family_name=given["family_name"],
        born=given["born"],
        sex=given["sex"] or "unknown",
        phone=given["phone"],
        language=get_language() or "",
    )


@declare("public")
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    key = request.session.session_key
    logout(request)
    if key:
        identity.forget(key)
    return see("/")


@declare("signed-in")
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """To the place where this person's work is."""
    person = person_of(request)
    if person.doctor_id:
        return see("/doctor")
    if person.patient_id:
        return see("/my")
    staff = any(person.has_role(role) for role in (Role.RECEPTIONIST, Role.MANAGER, Role.ADMIN))
    return show(request, "auth/no_portal.html", staff=staff)
