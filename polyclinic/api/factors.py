"""The second step over the API: going on with a ticket, showing a factor once more, and which factors one has."""

from __future__ import annotations

from typing import Annotated, Any, cast
from uuid import UUID

import msgspec
from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import WithJsonSchema

from polyclinic.api import answers, tokens
from polyclinic.api.api import PROBLEMS
from polyclinic.api.schemas import Body, DeviceName, described
from polyclinic.api.signing import RenewableRow, entered, require_own_page
from polyclinic.core.actors import Anonymous
from polyclinic.core.errors import Forbidden, NotFound
from polyclinic.core.ids import parse_id
from polyclinic.factors import proofs, selectors, tickets
from polyclinic.factors.problems import SecondFactorNeeded, StartAgain
from polyclinic.factors.selectors import FactorRow
from polyclinic.web import ratelimit, stepup, texting
from polyclinic.web.access import declare

router = Router(tags=["Signing in"])
# Anything is read: a malformed code is as wrong as a wrong one, and answered in the same words.
Shown = Annotated[Any, WithJsonSchema({"type": "string"})]


class SecondStep(Body):
    """The ticket of a login that asked for a second factor, and a code: of an app, a text message, a recovery list."""

    ticket: Shown = ""
    code: Shown = ""
    device: DeviceName = ""
    cookie: bool = False


class TextRequest(Body):
    """Where to send a code: one of the telephones that the login named, else the first."""

    ticket: Shown = ""
    number: Shown = ""


class StepUp(Body):
    """A code, or the password of an account without a second factor."""

    code: Shown = ""
    password: Shown = ""


class NumberRow(msgspec.Struct, frozen=True, rename="camel"):
    """A telephone that can get a code; `hint` is the end of its number."""

    id: UUID
    hint: str


class FactorList(msgspec.Struct, frozen=True, rename="camel"):
    """One's own second factors, how many recovery codes are left, and how sure this session is (1 or 2)."""

    factors: tuple[FactorRow, ...]
    recovery_codes_left: int
    assurance: int


def require_second(account_id: UUID) -> None:
    """Let a login pass, or raise SecondFactorNeeded with the ticket that goes on with it."""
    if not selectors.has_second_factor(account_id):
        return
    ways = selectors.ways(account_id)
    raise SecondFactorNeeded(
        ticket=tickets.begin_second(account_id),
        expiresIn=tickets.LIFETIME.seconds,
        numbers=[{"id": str(number), "hint": hint} for number, hint in ways.numbers],
        ways=[name for name in ("totp", "recovery") if getattr(ways, name)] + (["sms"] if ways.numbers else []),
    )


def _account_of(ticket: object) -> UUID:
    found = tickets.account_of(ticket) if isinstance(ticket, str) else None
    if found is None:
        raise StartAgain()
    return found


@router.post("/auth/second", response={200: described(RenewableRow), **PROBLEMS}, summary="Second step of signing in")
@declare("public")
def second(request: HttpRequest, body: SecondStep) -> HttpResponse:
    """An access token for a ticket and a code. After five wrong codes the ticket is worth nothing."""
    ratelimit.check("second-step", ip=ratelimit.address(request))
    if body.cookie:
        require_own_page(request)
    account_id = _account_of(body.ticket)
    if not tickets.count_try(body.ticket):
        raise StartAgain()
    proofs.code(actor=Anonymous(via="api"), account_id=account_id, text=body.code)
    if not tickets.end_second(body.ticket, account_id):
        raise StartAgain()
    account = get_user_model()._default_manager.get(pk=account_id)
    issued = tokens.issue_renewable(cast("Any", account), request.META.get("HTTP_USER_AGENT", ""), body.device)
    stepup.mark(issued.session, 2)
    return entered(request, issued, in_cookie=body.cookie)


@router.post("/auth/second/sms", response={204: None, **PROBLEMS}, summary="Send a code by text message")
@declare("public")
def second_sms(request: HttpRequest, body: TextRequest) -> HttpResponse:
    """Send a code to a telephone of the account that the ticket is for."""
    ratelimit.check("second-step", ip=ratelimit.address(request))
    account_id = _account_of(body.ticket)
    known = [number for number, _hint in selectors.ways(account_id).numbers]
    wanted = parse_id(body.number) if body.number else next(iter(known), None)
    if wanted is None or wanted not in known:
        raise NotFound()
    texting.send_code(account_id, wanted)
    return HttpResponse(status=204)


@router.post("/auth/step-up", response={204: None, **PROBLEMS}, summary="Confirm that it is you")
@declare("signed-in")
def step_up(request: HttpRequest, body: StepUp) -> HttpResponse:
    """Show a factor once more. For five minutes what answered `step_up_needed` is then open to this session."""
    person = answers.person_of(request)
    if person.seen_by is not None or person.scopes is not None or not person.session:
        raise Forbidden()
    ratelimit.check("second-step", ip=ratelimit.address(request))
    if selectors.ways(person.account_id).any:
        proofs.code(actor=person, account_id=person.account_id, text=body.code)
        stepup.mark(person.session, 2)
    else:
        given = body.password if isinstance(body.password, str) else ""
        proofs.password(actor=person, account_id=person.account_id, text=given)
        stepup.mark(person.session, 1)
    return HttpResponse(status=204)


@router.get("/auth/factors", response={200: described(FactorList), **PROBLEMS}, summary="My second factors")
@declare("signed-in")
def factors(request: HttpRequest) -> HttpResponse:
    """What one can show beside the password. Adding and removing is done on the page /account/security."""
    person = answers.person_of(request)
    rows = tuple(selectors.factors(person))
    return answers.reply(FactorList(rows, selectors.recovery_left(person), person.aal))
