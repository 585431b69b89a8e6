"""Giving out papers as PDF, what a visit has to print, and the check that anybody can make."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from polyclinic.core.access import policy
from polyclinic.core.errors import NotFound
from polyclinic.papers import choices, printing, selectors, verifying
from polyclinic.papers.words import STATES, PaperKind, Size
from polyclinic.portals.common import allergies_of, person_of, see, show, viewer_of
from polyclinic.portals.lab.views import key
from polyclinic.visits import selectors as visits
from polyclinic.visits.selectors import subject_of
from polyclinic.web import ratelimit
from polyclinic.web.access import declare

VERDICTS = {
    "valid": (_("Genuine"), "ok", _("This paper was printed here, and the records still say what it says.")),
    "changed": (
        _("Genuine, but out of date"), "warn",
        _("This paper was printed here. The records say something else by now: ask for a new one."),
    ),
    "superseded": (
        _("Genuine, but replaced"), "warn",
        _("This paper was printed here. A newer one has taken its place: ask for that one."),
    ),
    "revoked": (_("Withdrawn"), "bad", _("This paper was printed here and has been withdrawn. It holds no more.")),
}  # fmt: skip


@declare("paper.print")
@require_GET
def pdf(request: HttpRequest, paper_kind: str, thing_id: str) -> HttpResponse:
    """A thing on paper; `?size=thermal` for a roll. Each print is counted."""
    person = person_of(request)
    if paper_kind not in PaperKind.values:
        raise NotFound()
    ratelimit.check("paper", account=person.label)
    made = printing.print_(
        actor=person, kind=paper_kind, subject_id=key(thing_id), size=request.GET.get("size") or Size.A4
    )
    return pdf_answer(made)


def pdf_answer(made: printing.Printed) -> HttpResponse:
    """The PDF under a name that says nothing about anybody, kept by no cache."""
    response = HttpResponse(made.pdf, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{made.name}"'
    response["Cache-Control"] = "private, no-store"
    return response


@declare("paper.print")
@require_GET
def visit(request: HttpRequest, visit_id: str) -> HttpResponse:
    """Everything of a visit that this person may print, and the letters that may be written."""
    context = _visit(request, visit_id)
    allergies = allergies_of(request, context["visit"].patient_id)
    return show(request, "papers/visit.html", allergies=allergies, **context)


@declare("paper.print")
@require_GET
def visit_list(request: HttpRequest, visit_id: str) -> HttpResponse:
    """Only the list, for when something of it changes."""
    return show(request, "papers/_visit.html", **_visit(request, visit_id))


def _visit(request: HttpRequest, visit_id: str) -> dict[str, Any]:
    person = person_of(request)
    row = visits.visit(person, key(visit_id))
    subject = subject_of(row)
    return {
        "visit": row, "things": choices.of_visit(person, row.id), "kinds": PaperKind, "states": STATES,
        "letters": selectors.letters_of_visit(person, row.id),
        "writes": policy.allowed(person, "letter.issue", subject),
    }  # fmt: skip


@declare("public")
@require_GET
def ask(request: HttpRequest) -> HttpResponse:
    """Where a code is typed in by whoever cannot scan it."""
    code = request.GET.get("code", "")
    if verifying.tidy(code):
        return see(f"/verify/{verifying.tidy(code)}")
    return show(request, "papers/ask.html")


@declare("public")
@require_GET
def verify(request: HttpRequest, paper_code: str) -> HttpResponse:
    """Whether a paper is genuine. The same answer for every code that is none."""
    ratelimit.check("verify", ip=ratelimit.address(request))
    try:
        verdict = verifying.check(viewer_of(request), paper_code)
    except NotFound:
        return _private(show(request, "papers/unknown.html", 404))
    kind, say = PaperKind(verdict.kind).label, VERDICTS[verdict.status]
    return _private(show(request, "papers/verify.html", verdict=verdict, kind=kind, say=say))


def _private(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response
