"""Sign-in and sign-out. An unknown address and a wrong password are answered alike."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from polyclinic.core.access import policy
from polyclinic.core.actors import Person
from polyclinic.core.errors import Problem
from polyclinic.facilities import identity
from polyclinic.facilities import selectors as places
from polyclinic.facilities.actions import role_name
from polyclinic.factors import passkeys
from polyclinic.people.signing_in import WrongPassword
from polyclinic.portals.auth import second
from polyclinic.portals.auth.entering import check
from polyclinic.portals.auth.forms import SignInForm
from polyclinic.portals.common import explain, local_path, person_of, see, show, viewer_of
from polyclinic.web.access import declare

# What the page of one's work leads to, where it is this person's.
_OFFERED = ("record.look_up", "delegation.appoint", "breakglass.review", "audit.search", "staff.list", "key.manage")
_PORTALS = frozenset({"breakglass.review", "audit.search", "staff.list"})


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
        try:
            account = check(request, form.cleaned_data["email"], form.cleaned_data["password"])
        except Problem as refused:
            explain(form, refused)
            wait = refused.extra.get("retryAfter")
            return _sign_in_page(
                request, form, back, 422 if isinstance(refused, WrongPassword) else refused.status, wait
            )
        return second.go_on(request, account, back)
    return _sign_in_page(request, form, back, 422)


def _sign_in_page(
    request: HttpRequest, form: SignInForm, back: str, status: int = 200, wait: int | None = None
) -> HttpResponse:
    idle = request.GET.get("why") == "idle"
    page = show(
        request, "auth/sign_in.html", status, form=form, next=back, accounts=demo_accounts(), idle=idle,
        passkeys=passkeys.possible(),
    )  # fmt: skip
    if wait:
        page.headers["Retry-After"] = str(wait)
    return page


@declare("public")
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    key = request.session.session_key
    logout(request)
    if key:
        identity.forget(key)
    return see("/")


# Whose work is at one desk goes there: the first that fits.
_DESKS: Final = (
    ("lab.work", "/lab"),
    ("prescription.dispense", "/pharmacy"),
    ("ambulance.drive", "/ambulance"),
    ("visit.check", "/checker"),
    ("breakglass.review", "/privacy"),
    ("staff.list", "/admin"),
)


@declare("signed-in")
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """To the place where this person's work is."""
    person = person_of(request)
    if person.doctor_id:
        return see("/doctor")
    if person.patient_id:
        return see("/my")
    if person.has_role("main_doctor"):
        return see("/consulting")
    for right, path in _DESKS:
        if policy.ever(person, right):
            return see(path)
    if policy.ever(person, "audit.search") and not policy.ever(person, "privacy.answer"):
        return see("/audit")
    if person.has_role("receptionist"):
        return see("/reception")
    if person.delegated:
        return see("/my/people")
    return work(request)


@declare("signed-in")
@require_GET
def work(request: HttpRequest) -> HttpResponse:
    """Where this person works, in which roles, and what they can do here: for roles without a portal of their own."""
    person = person_of(request)
    known = {row.id: row.name for row in places.facilities(person)}
    held: dict[str, list[str]] = {}
    for grant in person.grants:
        if grant.facility_id in known:
            held.setdefault(known[grant.facility_id], []).append(role_name(grant.role))
    for _right, place in person.rights:
        if place in known:
            held.setdefault(known[place], [])
    may = {right for right in _OFFERED if policy.ever(person, right)}
    portal = person.doctor_id is not None or bool(may & _PORTALS)
    shown = {name: sorted(held[name]) for name in sorted(held)}
    return show(request, "auth/work.html", held=shown, may=may, portal=portal)
