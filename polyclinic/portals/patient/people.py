"""Who acts for me, and for whom I act."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from polyclinic.consent import actions, selectors
from polyclinic.core import clock
from polyclinic.core.errors import NotFound, Problem, StaleEdit
from polyclinic.core.ids import parse_id
from polyclinic.portals import meanwhile
from polyclinic.portals.common import done, patient_of, person_of, see, show, tell, version_of, zone_of
from polyclinic.portals.forms import end_of, errors_of
from polyclinic.portals.patient import words
from polyclinic.scheduling import selectors as scheduling
from polyclinic.web import ratelimit
from polyclinic.web.access import declare

COMING = ("booked", "confirmed", "checked_in")


@declare("signed-in")
@require_GET
def people(request: HttpRequest) -> HttpResponse:
    """Both sides on one page, for patients and for who only cares for one."""
    return _page(request)


@declare("signed-in")
@require_GET
def state(request: HttpRequest) -> HttpResponse:
    """Only who acts for whom, for when that changes while the page is open."""
    return show(request, "patient/_people.html", going_on={}, **_shown(request))


@declare("delegation.edit")
@require_http_methods(["POST"])
def invite(request: HttpRequest) -> HttpResponse:
    """Ask somebody to act for oneself; the code is shown once, on the page that answers."""
    given = request.POST
    try:
        made, code = actions.propose(
            actor=person_of(request),
            patient_id=patient_of(request),
            email=given.get("email", "")[:255],
            kind=given.get("kind", ""),
            rights=given.get("rights", ""),
            ends_at=end_of(given.get("until", "")),
        )
    except Problem as problem:
        return _page(request, problem.status, errors=errors_of(problem), given=given)
    return show(request, "patient/people_code.html", 201, code=f"{code[:5]}-{code[5:]}", made=made)


@declare("delegation.accept")
@require_POST
def accept(request: HttpRequest) -> HttpResponse:
    """Take up a delegation with its code."""
    person = person_of(request)
    try:
        ratelimit.check("delegation-code", account=person.label)
        actions.accept(actor=person, code=request.POST.get("code", "")[:40])
    except Problem as problem:
        if not isinstance(problem, NotFound):
            problem.field = "code"
        return _page(request, 422 if problem.status == 404 else problem.status, errors=errors_of(problem))
    done(request, _("You can act for this person now."))
    return see("/my/people")


@declare("delegation.end")
@require_POST
def end(request: HttpRequest, delegation_id: str) -> HttpResponse:
    """End it, from either side."""
    found = parse_id(delegation_id)
    if found is None:
        raise NotFound()
    try:
        actions.end(actor=person_of(request), delegation_id=found, version=version_of(request))
    except NotFound:
        raise
    except Problem as problem:
        if meanwhile.told(request, problem):
            return _page(request, meanwhile.CHANGED)
    else:
        done(request, _("It has ended. It holds from now on."))
    return see("/my/people")


@declare("delegation.edit")
@require_POST
def renew(request: HttpRequest, delegation_id: str) -> HttpResponse:
    """Let it go on until another day."""
    found = parse_id(delegation_id)
    if found is None:
        raise NotFound()
    try:
        until = end_of(request.POST.get("until", ""))
        if until is None:
            raise NotFound()
        actions.renew(actor=person_of(request), delegation_id=found, ends_at=until, version=version_of(request))
    except NotFound:
        raise
    except StaleEdit as stale:
        tell(request, meanwhile.explained(stale))
        return _page(request, meanwhile.CHANGED, going_on={found: request.POST.get("until", "")})
    except Problem as problem:
        tell(request, problem)
    else:
        done(request, _("It goes on until the day you chose."))
    return see("/my/people")


def _page(request: HttpRequest, status: int = 200, **context: Any) -> HttpResponse:  # noqa: ANN401
    given = {"errors": {}, "given": {}, "going_on": {}, **context}
    return show(request, "patient/people.html", status, **given, **_shown(request))


def _shown(request: HttpRequest) -> dict[str, Any]:
    person = person_of(request)
    carers = selectors.carers(person, person.patient_id) if person.patient_id else []
    return {
        "carers": [row for row in carers if row.in_force],
        "invited": [row for row in carers if row.status == "proposed"],
        "past": [row for row in carers if not row.in_force and row.status != "proposed"],
        "acting": acting(request),
        "zone": zone_of(person),
        "words": words,
        "kinds": [row for row in words.KINDS if row[0] in selectors.kinds_to_ask(person)],
        "is_patient": person.patient_id is not None,
        "person": person,
    }


def acting(request: HttpRequest) -> list[tuple[Any, list[Any]]]:
    """For whom the viewer acts, each with what is ahead of them; nothing is asked for who acts for nobody."""
    person = person_of(request)
    rows = selectors.acting_for(person) if person.delegated else []
    return [(row, _coming(request, row.patient_id)) for row in rows]


def _coming(request: HttpRequest, patient_id: Any) -> list[Any]:  # noqa: ANN401 - an id and rows
    """The next appointments of somebody the viewer acts for."""
    page = scheduling.appointments(person_of(request), patient_id=patient_id, from_=clock.now(), sort="starts", limit=5)
    return [row for row in page.rows if row.status in COMING]
