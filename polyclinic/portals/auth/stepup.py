"""Confirming that it is still the same person: before role changes, break-glass, exports, changes of factors."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.http import urlencode
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from polyclinic.core.actors import Person
from polyclinic.core.errors import Forbidden, Problem
from polyclinic.facilities import identity
from polyclinic.factors import proofs, selectors
from polyclinic.portals.auth import second
from polyclinic.portals.auth.factor_forms import CodeForm
from polyclinic.portals.common import explain, local_path, person_of, see, show
from polyclinic.web import ratelimit
from polyclinic.web import stepup as fresh
from polyclinic.web.access import declare


@declare("signed-in")
@sensitive_post_parameters("code", "password", "credential")
@require_http_methods(["GET", "POST"])
def step_up(request: HttpRequest) -> HttpResponse:
    person = person_of(request)
    back = local_path(request.POST.get("next") or request.GET.get("next", ""))
    ways = selectors.ways(person.account_id)
    form = CodeForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST":
        try:
            aal = _show(request, person, ways)
        except Problem as refused:
            form.full_clean()
            explain(form, refused)
            status = refused.status
        else:
            fresh.note(request.session, aal)
            request.session.save()
            identity.forget(person.session)
            return see(back)
    by = second.way(request.GET.get("by", ""), ways) if ways.any else "password"
    return show(request, "auth/step_up.html", status, form=form, ways=ways, by=by, next=back)


def _show(request: HttpRequest, person: Person, ways: selectors.Ways) -> int:
    """Check what was sent. Returns the assurance level shown; raises what is wrong with it.

    Whoever has a second factor shows that: the password alone was shown at the sign-in.
    """
    if person.seen_by is not None:
        raise Forbidden()
    ratelimit.check("second-step", ip=ratelimit.address(request))
    if "credential" in request.POST:
        proofs.passkey(actor=person, account_id=person.account_id, text=request.POST["credential"])
    elif ways.any:
        proofs.code(actor=person, account_id=person.account_id, text=request.POST.get("code", ""))
    else:
        proofs.password(actor=person, account_id=person.account_id, text=request.POST.get("password", ""))
        return 1
    return 2


@declare("signed-in")
@require_POST
def text_me(request: HttpRequest) -> HttpResponse:
    """Send a code to one of one's own telephones."""
    second.send_text(request, person_of(request).account_id)
    return see(f"/step-up?{urlencode({'by': 'sms', 'next': local_path(request.POST.get('next', ''))})}")
