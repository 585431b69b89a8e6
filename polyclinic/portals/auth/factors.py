"""One's own second factors: what there is, adding, naming and removing. Every change asks for a step-up first."""

from __future__ import annotations

import base64
from uuid import UUID

import segno
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from markupsafe import Markup

from polyclinic.core.actors import Person
from polyclinic.core.errors import NotFound, Problem
from polyclinic.core.ids import parse_id
from polyclinic.facilities import identity
from polyclinic.factors import actions, passkeys, selectors, totp
from polyclinic.people import agents, own
from polyclinic.portals import meanwhile
from polyclinic.portals.auth.factor_forms import CodeForm, NameForm, NewAppForm, NumberForm
from polyclinic.portals.common import done, explain, person_of, see, show, tell, version_of
from polyclinic.web import stepup, texting
from polyclinic.web.access import declare

HOME = "/account/security"


@declare("signed-in")
@require_GET
def security(request: HttpRequest) -> HttpResponse:
    person = person_of(request)
    return show(
        request, "auth/security.html", rows=selectors.factors(person), left=selectors.recovery_left(person),
        devices=[(row, agents.words(row.user_agent)) for row in selectors.devices(person)],
        must_have=selectors.must_have(person), passkeys_possible=passkeys.possible(),
    )  # fmt: skip


def _id(text: str) -> UUID:
    found = parse_id(text)
    if found is None:
        raise NotFound()
    return found


@declare("signed-in")
@stepup.needed
@require_POST
def new_app(request: HttpRequest) -> HttpResponse:
    try:
        made = actions.begin_totp(actor=person_of(request))
    except Problem as refused:
        tell(request, refused)
        return see(HOME)
    return see(f"{HOME}/app/{made}")


@declare("signed-in")
@stepup.needed
@sensitive_post_parameters("code")
@sensitive_variables("secret")
@require_http_methods(["GET", "POST"])
def app(request: HttpRequest, app_id: str) -> HttpResponse:
    """The QR code of an app that is being set up, until it has shown a code."""
    person, key = person_of(request), _id(app_id)
    secret = actions.secret_of(person, key)
    form = NewAppForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST":
        sent = request.POST
        try:
            made = actions.confirm_totp(
                actor=person, factor_id=key, code=sent.get("code", ""), name=sent.get("name", "")
            )
            return _added(request, person, made)
        except Problem as refused:
            form.full_clean()
            explain(form, refused)
            status = refused.status
    address = totp.address(secret, "Polyclinic", own.own_account(person).email)
    return show(
        request, "auth/app.html", status, form=form, picture=_picture(address), secret=totp.grouped(secret), key=key
    )


def _picture(text: str) -> Markup:
    """`text` as an inline SVG that scanners read in both themes: always dark on white."""
    picture = segno.make(text, error="m").svg_inline(scale=4, dark="#000", light="#fff", border=3, omitsize=True)
    return Markup(picture)  # noqa: S704 - made by segno; the text is encoded as modules, never as markup


def _added(request: HttpRequest, person: Person, made: list[str]) -> HttpResponse:
    """Back to the list; the first time with recovery codes, which are shown this once."""
    # The door may have been waiting for this factor.
    identity.forget(person.session)
    if made:
        return _codes(request, made, first=True)
    done(request, _("It is added. From now on it can be your second step."))
    return see(HOME)


def _codes(request: HttpRequest, made: list[str], *, first: bool) -> HttpResponse:
    text = "\r\n".join(["Polyclinic", *made, ""])
    file = f"data:text/plain;base64,{base64.b64encode(text.encode()).decode('ascii')}"
    return show(request, "auth/recovery.html", codes=made, file=file, first=first)


@declare("signed-in")
@stepup.needed
@require_http_methods(["GET", "POST"])
def new_number(request: HttpRequest) -> HttpResponse:
    person = person_of(request)
    form = NumberForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST":
        sent = request.POST
        try:
            made = actions.begin_number(actor=person, number=sent.get("number", ""), name=sent.get("name", ""))
            texting.send_code(person.account_id, made)
            return see(f"{HOME}/number/{made}")
        except Problem as refused:
            form.full_clean()
            explain(form, refused)
            status = refused.status
    return show(request, "auth/new_number.html", status, form=form)


@declare("signed-in")
@stepup.needed
@sensitive_post_parameters("code")
@require_http_methods(["GET", "POST"])
def number(request: HttpRequest, number_id: str) -> HttpResponse:
    """A telephone that is being set up, until its code has come back."""
    person, key = person_of(request), _id(number_id)
    hint = actions.hint_of(person, key)
    form = CodeForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST":
        try:
            made = actions.confirm_number(actor=person, factor_id=key, code=request.POST.get("code", ""))
            return _added(request, person, made)
        except Problem as refused:
            form.full_clean()
            explain(form, refused)
            status = refused.status
    return show(request, "auth/number.html", status, form=form, hint=hint, key=key)


@declare("signed-in")
@stepup.needed
@require_POST
def number_again(request: HttpRequest, number_id: str) -> HttpResponse:
    """Send the code to a telephone that is being set up once more."""
    person, key = person_of(request), _id(number_id)
    actions.hint_of(person, key)
    try:
        texting.send_code(person.account_id, key)
        done(request, _("A code is on its way to your telephone. It works for five minutes."))
    except Problem as refused:
        tell(request, refused)
    return see(f"{HOME}/number/{key}")


@declare("signed-in")
@stepup.needed
@sensitive_post_parameters("credential")
@require_http_methods(["GET", "POST"])
def new_passkey(request: HttpRequest) -> HttpResponse:
    person = person_of(request)
    form = NameForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST":
        sent = request.POST
        try:
            made = actions.add_passkey(actor=person, answer=sent.get("credential", ""), name=sent.get("name", ""))
            return _added(request, person, made)
        except Problem as refused:
            form.full_clean()
            explain(form, refused)
            status = refused.status
    return show(request, "auth/new_passkey.html", status, form=form, possible=passkeys.possible())


@declare("signed-in")
@stepup.needed
@require_POST
def new_codes(request: HttpRequest) -> HttpResponse:
    """Ten new recovery codes, shown in the answer and never again."""
    try:
        made = actions.new_recovery_codes(actor=person_of(request))
    except Problem as refused:
        tell(request, refused)
        return see(HOME)
    return _codes(request, made, first=False)


@declare("signed-in")
@stepup.needed
@require_http_methods(["GET", "POST"])
def factor(request: HttpRequest, kind: str, factor_id: str) -> HttpResponse:
    """One factor: its name, and removing it."""
    person, key = person_of(request), _id(factor_id)
    _own(person, kind, key)
    form = NameForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST":
        try:
            actions.rename(
                actor=person, kind=kind, factor_id=key, name=request.POST.get("name", ""), version=version_of(request)
            )
            done(request, _("The name is saved."))
            return see(HOME)
        except Problem as refused:
            form.full_clean()
            explain(form, meanwhile.explained(refused))
            status = meanwhile.status_of(refused)
    return show(request, "auth/factor.html", status, form=form, row=_own(person, kind, key))


def _own(person: Person, kind: str, key: UUID) -> selectors.FactorRow:
    found = next((one for one in selectors.factors(person) if one.kind == kind and one.id == key), None)
    if found is None:
        raise NotFound()
    return found


@declare("signed-in")
@stepup.needed
@require_POST
def remove(request: HttpRequest, kind: str, factor_id: str) -> HttpResponse:
    try:
        actions.remove(actor=person_of(request), kind=kind, factor_id=_id(factor_id), version=version_of(request))
        done(request, _("It is removed."))
    except NotFound:
        raise
    except Problem as refused:
        if meanwhile.told(request, refused):
            row = _own(person_of(request), kind, _id(factor_id))
            return show(request, "auth/factor.html", meanwhile.CHANGED, form=NameForm(None), row=row)
    return see(HOME)


@declare("signed-in")
@require_POST
def forget_device(request: HttpRequest, device_id: str) -> HttpResponse:
    """Forget a remembered device. Asks for no step-up: it only makes the sign-in harder."""
    actions.forget_devices(actor=person_of(request), device_id=_id(device_id))
    done(request, _("The device is forgotten. It will be asked for the second step again."))
    return see(HOME)


@declare("signed-in")
@require_POST
def forget_devices(request: HttpRequest) -> HttpResponse:
    actions.forget_devices(actor=person_of(request))
    done(request, _("All devices are forgotten."))
    return see(HOME)
