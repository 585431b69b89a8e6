"""The second step of a sign-in: after the password, and before anybody is signed in."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from polyclinic.core.actors import Anonymous
from polyclinic.core.errors import NotFound, Problem
from polyclinic.core.ids import parse_id
from polyclinic.facilities import identity
from polyclinic.factors import actions, proofs, selectors, tickets
from polyclinic.factors.problems import StartAgain
from polyclinic.portals.auth.entering import enter
from polyclinic.portals.auth.factor_forms import CodeForm
from polyclinic.portals.common import done, explain, local_path, see, show, tell
from polyclinic.web import cookies, ratelimit, texting
from polyclinic.web.access import declare


def go_on(request: HttpRequest, account: Any, back: str) -> HttpResponse:  # noqa: ANN401 - an Account
    """After the right password: in, or to the second step where the account has one."""
    if not selectors.has_second_factor(account.pk):
        return come_in(request, account, back, aal=1)
    device = selectors.is_remembered(account.pk, cookies.REMEMBERED.of(request))
    if device is not None:
        actions.note_use(device)
        return come_in(request, account, back, aal=0)
    response = see(f"/sign-in/second?{urlencode({'next': back})}")
    cookies.HALFWAY.give(response, tickets.begin_second(account.pk), seconds=tickets.LIFETIME.seconds)
    return response


def come_in(request: HttpRequest, account: Any, back: str, *, aal: int) -> HttpResponse:  # noqa: ANN401
    """Begin the session. `aal`: 1 or 2 when a factor was shown just now, 0 for a device that is remembered."""
    account.backend = "django.contrib.auth.backends.ModelBackend"
    enter(request, account, aal=aal)
    response = see(back)
    cookies.HALFWAY.take_back(response)
    return response


def account_with(account_id: UUID) -> Any:  # noqa: ANN401 - an Account; portals do not import models
    return get_user_model()._default_manager.get(pk=account_id)


@declare("public")
@sensitive_post_parameters("code", "credential")
@require_http_methods(["GET", "POST"])
def second(request: HttpRequest) -> HttpResponse:
    back = local_path(request.POST.get("next") or request.GET.get("next", ""))
    account_id = tickets.account_of(cookies.HALFWAY.of(request))
    if account_id is None:
        return _again(request, back)
    form = CodeForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        try:
            return _show_factor(request, account_id, back)
        except StartAgain:
            return _again(request, back)
        except Problem as refused:
            form.full_clean()
            explain(form, refused)
            return _page(request, account_id, back, form, refused.status)
    return _page(request, account_id, back, form)


def _show_factor(request: HttpRequest, account_id: UUID, back: str) -> HttpResponse:
    """Check what was sent and come in. Raises WrongCode, PasskeyRefused, TooManyCodes or StartAgain."""
    token = cookies.HALFWAY.of(request)
    ratelimit.check("second-step", ip=ratelimit.address(request))
    if not tickets.count_try(token):
        raise StartAgain()
    if "credential" in request.POST:
        proofs.passkey(actor=Anonymous(), account_id=account_id, text=request.POST["credential"])
    else:
        proofs.code(actor=Anonymous(), account_id=account_id, text=request.POST.get("code", ""))
    if not tickets.end_second(token, account_id):
        raise StartAgain()
    response = come_in(request, account_with(account_id), back, aal=2)
    if request.POST.get("remember"):
        remember(request, response, account_id)
    return response


def remember(request: HttpRequest, response: HttpResponse, account_id: UUID) -> None:
    """Remember this browser for 30 days."""
    person = identity.person_of_account(account_id)
    if person is not None:
        token = actions.remember(actor=person, user_agent=request.headers.get("User-Agent", ""))
        cookies.REMEMBERED.give(response, token, seconds=int(actions.REMEMBERED.total_seconds()))


def _page(request: HttpRequest, account_id: UUID, back: str, form: CodeForm, status: int = 200) -> HttpResponse:
    ways = selectors.ways(account_id)
    by = way(request.GET.get("by", ""), ways)
    return show(request, "auth/second.html", status, form=form, ways=ways, by=by, next=back)


def way(asked: str, ways: selectors.Ways) -> str:
    """Which way the page speaks of first: the one asked for, else the first that the account has."""
    there = {"totp": ways.totp, "sms": bool(ways.numbers), "recovery": ways.recovery, "passkey": ways.passkey}
    if there.get(asked):
        return asked
    return next((name for name in ("totp", "passkey", "sms", "recovery") if there[name]), "totp")


@declare("public")
@require_POST
def text_me(request: HttpRequest) -> HttpResponse:
    """Send a code to one of the account's telephones."""
    back = local_path(request.POST.get("next", ""))
    account_id = tickets.account_of(cookies.HALFWAY.of(request))
    if account_id is None:
        return _again(request, back)
    send_text(request, account_id)
    return see(f"/sign-in/second?{urlencode({'by': 'sms', 'next': back})}")


def send_text(request: HttpRequest, account_id: UUID) -> None:
    """Send a code to the telephone named in the form, and say on the next page that it is on its way, or why not."""
    try:
        ratelimit.check("second-step", ip=ratelimit.address(request))
        number = parse_id(request.POST.get("number", ""))
        known = {pk for pk, _hint in selectors.ways(account_id).numbers}
        if number is None or number not in known:
            raise NotFound()
        texting.send_code(account_id, number)
    except Problem as refused:
        tell(request, refused)
    else:
        done(request, _("A code is on its way to your telephone. It works for five minutes."))


def _again(request: HttpRequest, back: str) -> HttpResponse:
    messages.error(request, str(StartAgain.sentence))
    response = see(f"/sign-in?{urlencode({'next': back})}")
    cookies.HALFWAY.take_back(response)
    return response
