"""Requests for repeats: who asks, and the doctor's yes or no."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from polyclinic.core.errors import Forbidden, IllegalTransition, Invalid, NotFound, Problem, StaleEdit
from polyclinic.portals.common import allergies_of, done, person_of, see, show, version_of
from polyclinic.portals.consulting.views import TIER_WORDS, key, nav_of
from polyclinic.portals.forms import errors_of
from polyclinic.prescribing import asked, refills, selectors, sentences
from polyclinic.web import stepup
from polyclinic.web.access import declare

STATES: Final = {
    "approved": _("A repeat was signed"),
    "declined": _("It was declined"),
    "withdrawn": _("The patient does not ask any more"),
}


@declare("prescription.sign")
@require_GET
def waiting(request: HttpRequest) -> HttpResponse:
    """Who asks, the one who has waited longest first."""
    person = person_of(request)
    return show(request, "consulting/refills.html", rows=asked.waiting(person), nav=nav_of(person, "refills"))


@declare("prescription.sign")
@require_GET
def lines(request: HttpRequest) -> HttpResponse:
    """Only the list, for when somebody asks or answers while the page is open."""
    return show(request, "consulting/_refills.html", rows=asked.waiting(person_of(request)))


@declare("prescription.sign")
@require_GET
def number(request: HttpRequest) -> HttpResponse:
    """Only the number in the bar."""
    return show(request, "consulting/_refill_number.html", nav={"refills": asked.number(person_of(request))})


@declare("prescription.sign")
@require_GET
def one(request: HttpRequest, refill_id: str) -> HttpResponse:
    return _page(request, key(refill_id))


@declare("prescription.sign")
@require_POST
def approve(request: HttpRequest, refill_id: str) -> HttpResponse:
    """Sign the repeat, after showing again who one is."""
    found, given = key(refill_id), request.POST
    _answers(request, found)
    stepup.require(request)
    reasons = {
        name.removeprefix("reason-"): str(value)
        for name, value in given.items()
        if name.startswith("reason-") and value
    }
    try:
        refills.approve(
            actor=person_of(request), refill_id=found, overrides=reasons, seen=frozenset(given.getlist("seen")),
            version=version_of(request),
        )  # fmt: skip
    except (NotFound, Forbidden):
        raise
    except Problem as problem:
        return _page(request, found, problem, given.dict())
    done(request, _("Signed. The pharmacy sees it now, and the patient is told."))
    return see("/consulting/refills")


@declare("prescription.sign")
@require_POST
def decline(request: HttpRequest, refill_id: str) -> HttpResponse:
    """Say no, and why."""
    found = key(refill_id)
    _answers(request, found)
    try:
        refills.decline(
            actor=person_of(request), refill_id=found, reason=request.POST.get("reason", "")[:400],
            version=version_of(request),
        )  # fmt: skip
    except (NotFound, Forbidden):
        raise
    except Problem as problem:
        return _page(request, found, problem, request.POST.dict())
    done(request, _("Declined. The patient reads why."))
    return see("/consulting/refills")


def _answers(request: HttpRequest, refill_id: UUID) -> None:
    """Only for whoever may sign there: for others there is no such request. Raises NotFound."""
    asked.what(person_of(request), refill_id)


def _page(
    request: HttpRequest, refill_id: UUID, problem: Problem | None = None, given: Mapping[str, Any] | None = None
) -> HttpResponse:
    """The request as it is now; of two who answered at once, the second sees what the first did."""
    person = person_of(request)
    lines_, warnings = asked.what(person, refill_id), []
    broken = None
    try:
        warnings = asked.against(person, refill_id)
    except Invalid as found:
        # A medicine was taken out of use since: it can be declined, and written anew in a visit.
        broken = found
    row = asked.request(person, refill_id)
    return show(
        request, "consulting/refill.html", problem.status if problem else 200, row=row, lines=lines_,
        warnings=warnings, first=selectors.prescription(person, row.prescription_id), given=given or {},
        errors=_errors(problem or broken),
        fresh=stepup.is_fresh(person), nav=nav_of(person, "refills"), sentence=sentences.of, STATES=STATES,
        allergies=allergies_of(request, row.patient_id), **TIER_WORDS,
    )  # fmt: skip


def _errors(problem: Problem | None) -> dict[str, list[Any]]:
    if isinstance(problem, StaleEdit | IllegalTransition):
        return {"__all__": [_("Somebody has answered it meanwhile.")]}
    return errors_of(problem) if problem else {}
