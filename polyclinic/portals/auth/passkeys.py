"""What passkeys ask of pages: questions, as JSON for the browser's own dialogue, and a sign-in without a password."""

from __future__ import annotations

from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from polyclinic.core.actors import Anonymous
from polyclinic.core.errors import Problem
from polyclinic.factors import actions, proofs, tickets
from polyclinic.factors.problems import StartAgain
from polyclinic.portals.auth import second
from polyclinic.portals.common import local_path, person_of, see, tell
from polyclinic.web import cookies, ratelimit, stepup
from polyclinic.web.access import declare


def _json(question: dict[str, Any]) -> HttpResponse:
    response = HttpResponse(orjson.dumps(question), content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


@declare("public")
@require_POST
def question_for_anyone(request: HttpRequest) -> HttpResponse:
    """A question that any passkey of ours may answer: it tells nothing about who has one."""
    ratelimit.check("passkey", ip=ratelimit.address(request))
    return _json(actions.question(None))


@declare("public")
@require_POST
def sign_in(request: HttpRequest) -> HttpResponse:
    """Sign in by passkey alone: something one has, opened by something one knows or is."""
    back = local_path(request.POST.get("next", ""))
    try:
        ratelimit.check("second-step", ip=ratelimit.address(request))
        found = proofs.passkey(actor=Anonymous(), account_id=None, text=request.POST.get("credential", ""))
    except Problem as refused:
        tell(request, refused)
        return see("/sign-in")
    return second.come_in(request, second.account_with(found), back, aal=2)


@declare("public")
@require_POST
def question_halfway(request: HttpRequest) -> HttpResponse:
    """A question for the passkeys of the account that has just given its password."""
    ratelimit.check("passkey", ip=ratelimit.address(request))
    account_id = tickets.account_of(cookies.HALFWAY.of(request))
    if account_id is None:
        raise StartAgain()
    return _json(actions.question(account_id))


@declare("signed-in")
@require_POST
def question_for_step_up(request: HttpRequest) -> HttpResponse:
    """A question for one's own passkeys."""
    ratelimit.check("passkey", ip=ratelimit.address(request))
    return _json(actions.question(person_of(request).account_id))


@declare("signed-in")
@stepup.needed
@require_POST
def question_for_new(request: HttpRequest) -> HttpResponse:
    """What makes the browser create a passkey."""
    ratelimit.check("passkey", ip=ratelimit.address(request))
    return _json(actions.begin_passkey(actor=person_of(request)))
