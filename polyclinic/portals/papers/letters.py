"""Writing, reading and withdrawing sick notes and referrals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.errors import Invalid, Problem
from polyclinic.core.ids import new_id
from polyclinic.core.ledger import Answer, idempotency
from polyclinic.papers import bodies, drafts, selectors
from polyclinic.papers import letters as actions
from polyclinic.papers.rows import DraftRow, LetterRow
from polyclinic.papers.words import STATES, LetterKind, Unfit, Urgency
from polyclinic.portals.common import allergies_of, done, person_of, see, show, version_of
from polyclinic.portals.forms import errors_of
from polyclinic.portals.lab.views import key
from polyclinic.visits import selectors as visits
from polyclinic.visits.rows import VisitRow
from polyclinic.visits.selectors import subject_of
from polyclinic.web.access import declare

_TITLES = {LetterKind.SICK_NOTE: _("New sick note"), LetterKind.REFERRAL: _("New referral")}
_SIGN = {LetterKind.SICK_NOTE: actions.issue_sick_note, LetterKind.REFERRAL: actions.issue_referral}


@declare("letter.issue")
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest, kind: str) -> HttpResponse:
    """Write a letter in the visit named by `visit=`, and sign it. What is typed is kept meanwhile."""
    person = person_of(request)
    visit = visits.visit(person, key(request.GET.get("visit", "")))
    policy.require(person, "letter.issue", subject_of(visit))
    if request.method == "GET":
        return _form(request, kind, visit, selectors.draft(person, visit.id, kind))
    fields = _fields(kind, request.POST)
    try:
        letter_id = _sign(request, kind, visit, fields)
    except Problem as problem:
        kept = DraftRow(dict(fields), _number(request.POST.get("draft", "")), visit.opened_at)
        return _form(request, kind, visit, kept, problem)
    done(request, _("Signed. It can be printed now."))
    return see(f"/papers/{kind}/{letter_id}")


def _sign(request: HttpRequest, kind: str, visit: VisitRow, fields: Mapping[str, str]) -> str:
    """Sign once, however often the button is pressed."""
    person = person_of(request)

    def effect() -> Answer:
        made = _SIGN[LetterKind(kind)](actor=person, visit_id=visit.id, fields=fields)
        return Answer(303, str(made.pk), patient_id=made.patient_id)

    said = "\n".join(f"{name}={value}" for name, value in sorted(fields.items()))
    print_ = idempotency.fingerprint(kind.encode(), visit.id.bytes, said.encode())
    return idempotency.once(person.label, request.POST.get("key", "")[:64] or new_id().hex, print_, effect).body


def _form(
    request: HttpRequest, kind: str, visit: VisitRow, kept: DraftRow | None, refused: Problem | None = None
) -> HttpResponse:
    given = kept.fields if kept else {}
    if kind == LetterKind.SICK_NOTE and not kept:
        given = {"unfit": Unfit.WORK.value, "first": visit.day.isoformat()}
    elif kind == LetterKind.REFERRAL and not kept:
        given = {"urgency": Urgency.ROUTINE.value}
    return show(
        request, "papers/letter_new.html", refused.status if refused else 200, visit=visit, kind=kind,
        title=_TITLES[LetterKind(kind)], fields=bodies.fields_of(kind), given=given, draft=kept,
        errors=errors_of(refused) if refused else {}, key=request.POST.get("key", "")[:64] or new_id().hex,
        allergies=allergies_of(request, visit.patient_id),
    )  # fmt: skip


@declare("letter.issue")
@require_POST
def draft(request: HttpRequest, kind: str) -> HttpResponse:
    """Keep what is typed; answers with the draft's version."""
    version = drafts.keep(
        actor=person_of(request), visit_id=key(request.GET.get("visit", "")), kind=kind,
        fields=_fields(kind, request.POST), version=_number(request.POST.get("draft", "")),
    )  # fmt: skip
    return JsonResponse({"version": version, "stale": False})


@declare("letter.issue")
@require_POST
def discard(request: HttpRequest, kind: str) -> HttpResponse:
    """Throw one's own draft away."""
    visit_id = key(request.GET.get("visit", ""))
    drafts.discard(actor=person_of(request), visit_id=visit_id, kind=kind)
    done(request, _("The draft is gone."))
    return see(f"/papers/visit/{visit_id}")


@declare("letter.issue")
@require_GET
def beside(request: HttpRequest, kind: str) -> HttpResponse:
    """What another window of theirs has kept."""
    kept = selectors.draft(person_of(request), key(request.GET.get("visit", "")), kind)
    return show(request, "papers/_beside.html", draft=kept, fields=bodies.fields_of(kind))


@declare("letter.view")
@require_http_methods(["GET", "POST"])
def sick_note(request: HttpRequest, sick_note_id: str) -> HttpResponse:
    """One sick note; a POST withdraws it, with the reason."""
    row = selectors.sick_note(person_of(request), key(sick_note_id))
    return _letter(request, row, "papers/sick_note.html", lambda reason: actions.revoke_sick_note(
        actor=person_of(request), note_id=row.id, reason=reason, version=version_of(request)
    ))  # fmt: skip


@declare("letter.view")
@require_http_methods(["GET", "POST"])
def referral(request: HttpRequest, referral_id: str) -> HttpResponse:
    """One referral; a POST withdraws it, with the reason."""
    row = selectors.referral(person_of(request), key(referral_id))
    return _letter(request, row, "papers/referral.html", lambda reason: actions.revoke_referral(
        actor=person_of(request), referral_id=row.id, reason=reason, version=version_of(request)
    ))  # fmt: skip


def _letter(request: HttpRequest, row: LetterRow, template: str, revoke: Any) -> HttpResponse:  # noqa: ANN401
    refused: Problem | None = None
    if request.method == "POST":
        try:
            revoke(request.POST.get("reason", "")[:400])
        except Problem as problem:
            refused = problem
        else:
            done(request, _("Withdrawn. Whoever checks a sheet of it is told so."))
            return see(f"/papers/{row.kind}/{row.id}")
    subject = Subject(row.patient_id, row.doctor_id, row.facility_id)
    person = person_of(request)
    return show(
        request, template, refused.status if refused else 200, row=row, states=STATES, unfit=Unfit, urgency=Urgency,
        errors=errors_of(refused) if refused else {}, given=request.POST,
        withdraws=row.status == "issued" and policy.allowed(person, "letter.revoke", subject),
        own=person.patient_id == row.patient_id or row.patient_id in person.represents,
        allergies=allergies_of(request, row.patient_id),
    )  # fmt: skip


def _fields(kind: str, given: QueryDict) -> Mapping[str, str]:
    return {field.name: given.get(field.name, "") for field in bodies.fields_of(kind)}


def _number(text: str) -> int:
    if text and not (text.isdecimal() and len(text) < 10):
        raise Invalid(_("This page is out of date. Reload and try again."), field="draft")
    return int(text or 0)
