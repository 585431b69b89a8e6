"""What waits for the privacy officer, one opening or request at a time."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.errors import Invalid, NotFound, Problem, StepUpNeeded
from polyclinic.portals import meanwhile
from polyclinic.portals.common import done, person_of, see, show, version_of
from polyclinic.portals.patient import words
from polyclinic.portals.records.views import key, nav
from polyclinic.privacy import actions, breakglass, erasure, restrictions, selectors
from polyclinic.privacy.states import PENDING
from polyclinic.web import stepup
from polyclinic.web.access import declare

ANSWERS = ("take", "answer", "refuse")


@declare("breakglass.review")
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    return _home(request)


def _home(request: HttpRequest, status: int = 200) -> HttpResponse:
    return show(request, "privacy/home.html", status, **_waiting(request), nav=nav(request, "privacy"))


@declare("breakglass.review")
@require_GET
def waiting(request: HttpRequest) -> HttpResponse:
    """Only the two queues, for when one of them changes while the page is open."""
    return show(request, "privacy/_queues.html", **_waiting(request))


def _waiting(request: HttpRequest) -> dict[str, Any]:
    openings, requests = selectors.openings(person_of(request)), selectors.requests_to_answer(person_of(request))
    judged = ("justified", "unjustified")
    return {
        "openings": [row for row in openings if row.status not in judged],
        "judged": [row for row in openings if row.status in judged][:20],
        "requests": [row for row in requests if row.status in PENDING],
        "answered": [row for row in requests if row.status not in PENDING][:20],
        "restrictions": restrictions.restrictions(person_of(request)),
        "words": words,
    }


@declare("breakglass.review")
@require_http_methods(["GET", "POST"])
def opening(request: HttpRequest, access_id: str) -> HttpResponse:
    """Who opened what, when and why, and what they looked at; a POST judges it."""
    row = selectors.opening(person_of(request), key(access_id))
    if request.method == "GET":
        return _opening(request, row)
    outcome = request.POST.get("outcome", "")
    try:
        if outcome not in ("justified", "unjustified"):
            raise Invalid(_("Choose one of the two."), field="outcome")
        breakglass.review(
            actor=person_of(request), access_id=row.id, justified=outcome == "justified",
            note=request.POST.get("note", "")[:600], version=version_of(request),
        )  # fmt: skip
    except Problem as problem:
        return _opening(request, selectors.opening(person_of(request), row.id), *meanwhile.answer(problem))
    done(request, _("Judged. The patient has been told."))
    return see("/privacy")


def _opening(
    request: HttpRequest,
    row: selectors.OpeningRow,
    errors: dict[str, list[str]] | None = None,
    status: int = 200,
) -> HttpResponse:
    return show(
        request, "privacy/opening.html", status, row=row, errors=errors or {}, given=request.POST,
        seen=selectors.seen_during(person_of(request), row.id), nav=nav(request, "privacy"),
    )  # fmt: skip


@declare("breakglass.review")
@require_GET
def opening_state(request: HttpRequest, access_id: str) -> HttpResponse:
    """Only what changes on that page while it is open."""
    row = selectors.opening(person_of(request), key(access_id))
    seen = selectors.seen_during(person_of(request), row.id)
    return show(request, "privacy/_opening.html", row=row, seen=seen, errors={}, given={})


@declare("privacy.answer")
@require_http_methods(["GET", "POST"])
def one(request: HttpRequest, request_id: str) -> HttpResponse:
    """A patient's request; a POST takes it into work, answers or refuses it."""
    row = _to_answer(request, request_id)
    if request.method == "GET":
        return _one(request, row)
    step, text = request.POST.get("step", ""), request.POST.get("answer", "")[:3000]
    given: dict[str, Any] = {"actor": person_of(request), "request_id": row.id, "version": version_of(request)}
    try:
        if step == "take":
            actions.take(**given)
        elif step == "answer":
            if row.kind == "erasure":
                # For good: whoever does it has just shown who they are.
                stepup.require(request)
            actions.answer(**given, text=text)
        elif step == "refuse":
            actions.refuse(**given, text=text)
        else:
            raise Invalid(_("Choose one of the steps."), field="answer")
    except StepUpNeeded:
        raise
    except Problem as problem:
        return _one(request, _to_answer(request, request_id), *meanwhile.answer(problem))
    done(request, _("Saved. The patient sees it at once."))
    return see(f"/privacy/requests/{row.id}" if step == "take" else "/privacy")


def _one(
    request: HttpRequest,
    row: selectors.RequestRow,
    errors: dict[str, list[str]] | None = None,
    status: int = 200,
) -> HttpResponse:
    pending = row.status in PENDING
    stands = erasure.standing(person_of(request), row.id) if pending and row.kind == "erasure" else None
    return show(
        request, "privacy/request.html", status, row=row, errors=errors or {}, given=request.POST, words=words,
        nav=nav(request, "privacy"), pending=pending, stands=stands,
    )  # fmt: skip


@declare("privacy.answer")
@require_POST
def lift(request: HttpRequest, restriction_id: str) -> HttpResponse:
    """End a restriction that the officer's facility agreed to."""
    try:
        restrictions.lift(actor=person_of(request), restriction_id=key(restriction_id), version=version_of(request))
    except NotFound:
        raise
    except Problem as problem:
        if meanwhile.told(request, problem):
            return _home(request, meanwhile.CHANGED)
    else:
        done(request, _("The restriction is lifted. The patient has been told."))
    return see("/privacy")


def _to_answer(request: HttpRequest, request_id: str) -> selectors.RequestRow:
    """A request to the officer's own facility; one's own request as a patient is not answered here."""
    row = selectors.request(person_of(request), key(request_id))
    policy.require_sight(person_of(request), "privacy.answer", Subject(row.patient_id, None, row.facility_id))
    return row
