"""The signature, cancelling a prescription, looking at results, notes, and the follow-up."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from polyclinic.core.access import policy
from polyclinic.core.errors import Conflict, NotFound, Problem, StaleEdit
from polyclinic.core.ids import new_id, parse_id
from polyclinic.core.ledger import idempotency
from polyclinic.laboratory import entering
from polyclinic.portals.checker.notes import _fields, _kind
from polyclinic.portals.checker.views import note_parts
from polyclinic.portals.common import done, person_of, see, show, tell, version_of
from polyclinic.portals.consulting.reading import number_of
from polyclinic.portals.consulting.views import key, orders_of, page, seen
from polyclinic.prescribing import actions, reviews, selectors
from polyclinic.prescribing.repeats import Repeats
from polyclinic.records import drafts, forms, notes
from polyclinic.visits import queues
from polyclinic.visits import selectors as visits
from polyclinic.web import stepup
from polyclinic.web.access import declare


@declare("visit.diagnose")
@require_POST
def sign(request: HttpRequest, visit_id: str) -> HttpResponse:
    """Sign what is prepared, once however often the button is pressed, after showing again who one is."""
    found, person, given = key(visit_id), person_of(request), request.POST
    seen(person, found)
    stepup.require(request)
    version, draft = version_of(request), number_of(given.get("draft", ""))
    reasons = {
        name.removeprefix("reason-"): str(value)
        for name, value in given.items()
        if name.startswith("reason-") and value
    }

    again = Repeats(number_of(given.get("repeats") or "0", "repeats"), number_of(given.get("repeat_months") or "6"))
    looked = _numbers(given) if given.get("results_seen") == "yes" else {}

    def effect() -> idempotency.Answer:
        made = actions.complete(
            actor=person, visit_id=found, draft=draft, overrides=reasons, seen=frozenset(given.getlist("seen")),
            results=looked, repeats=again, version=version,
        )  # fmt: skip
        return idempotency.Answer(303, "signed" if made else "over", patient_id=None)

    said = "\n".join(f"{name}={value}" for name, value in sorted({**reasons, "": str(sorted(looked.items()))}.items()))
    print_ = idempotency.fingerprint(b"sign", found.bytes, str((version, draft, again)).encode(), said.encode())
    try:
        answer = idempotency.once(person.label, given.get("key", "")[:64] or new_id().hex, print_, effect)
    except NotFound:
        raise
    except Problem as problem:
        return page(request, found, at="sign", problem=problem, given=given.dict())
    done(
        request,
        _("Signed. The pharmacy sees it now.")
        if answer.body == "signed"
        else _("Signed. The visit is over; nothing was prescribed."),
    )
    return see(f"/consulting/{found}")


@declare("visit.diagnose")
@require_POST
def cancel(request: HttpRequest, visit_id: str, prescription_id: str) -> HttpResponse:
    """Take a prescription back, and why."""
    found, person, chosen = key(visit_id), person_of(request), key(prescription_id)
    seen(person, found)
    if all(row.id != chosen for row in selectors.of_visit(person, found)):
        raise NotFound()
    stepup.require(request)
    try:
        actions.cancel(
            actor=person, prescription_id=chosen, reason=request.POST.get("reason", "")[:400],
            version=version_of(request),
        )  # fmt: skip
    except NotFound:
        raise
    except Problem as problem:
        return page(request, found, at="cancel", problem=problem, given=request.POST.dict())
    done(request, _("The prescription is cancelled."))
    return see(f"/consulting/{found}#signed")


@declare("visit.diagnose")
@require_POST
def results_seen(request: HttpRequest, visit_id: str) -> HttpResponse:
    """All results of the visit that are there now, as the page showed them, have been looked at."""
    found, person = key(visit_id), person_of(request)
    seen(person, found)
    numbers = _numbers(request.POST)
    if not numbers:
        return see(f"/consulting/{found}#results")
    reviews.mark(actor=person, visit_id=found, numbers=numbers)
    done(request, _("Written down: you have seen these results."))
    return see(f"/consulting/{found}#results")


def _numbers(given: QueryDict) -> dict[UUID, int]:
    """The results that the page has shown, each with its number."""
    numbers: dict[UUID, int] = {}
    for text in given.getlist("result")[:200]:
        test, _colon, number = text.partition(":")
        test_id = parse_id(test)
        if test_id is None:
            raise NotFound()
        numbers[test_id] = number_of(number, "result")
    return numbers


@declare("visit.diagnose")
@require_POST
def release(request: HttpRequest, visit_id: str) -> HttpResponse:
    """Give the patient every verified result that this person may give."""
    found, person = key(visit_id), person_of(request)
    one = seen(person, found)
    policy.require(person, "lab.release", visits.subject_of(one))
    given = 0
    for order in orders_of(person, found):
        for test in order.tests:
            if test.state == "verified":
                try:
                    entering.release(actor=person, test_id=test.id, version=test.version)
                except (Conflict, StaleEdit):
                    continue  # released or corrected a moment ago: the page shows which
                given += 1
    if given:
        done(request, _("Released. The patient sees them now."))
    return see(f"/consulting/{found}#results")


@declare("visit.diagnose")
@require_POST
def queue(request: HttpRequest, visit_id: str, what: str) -> HttpResponse:
    """Call the patient, call again, begin, or say that nobody came."""
    found, person = key(visit_id), person_of(request)
    one = seen(person, found)
    if what not in ("call", "recall", "serve", "skip") or one.place is None:
        raise NotFound()
    try:
        queues.take(actor=person, entry_id=one.place.id, action=what, version=version_of(request))
    except NotFound:
        raise
    except Problem as problem:
        tell(request, problem)
    return see(f"/consulting/{found}")


@declare("visit.diagnose")
@require_POST
def note(request: HttpRequest, visit_id: str, note_kind: str) -> HttpResponse:
    """Save a part of the note. Who has not seen the present wording is shown it beside theirs (412)."""
    found, kind, person = key(visit_id), _kind(note_kind), person_of(request)
    seen(person, found)
    fields = _fields(kind, request.POST)
    try:
        notes.save(actor=person, visit_id=found, kind=kind, fields=fields, version=version_of(request) or 0)
    except NotFound:
        raise
    except Problem as problem:
        return page(request, found, at=kind, problem=problem, given=fields)
    done(request, _("%(part)s is saved.") % {"part": forms.Kind(kind).label})
    return see(f"/consulting/{found}#{kind}")


@declare("visit.diagnose")
@require_POST
def note_draft(request: HttpRequest, visit_id: str, note_kind: str) -> HttpResponse:
    """Keep what is typed; answers with the draft's version, and whether the note was saved by somebody meanwhile."""
    found, kind, person = key(visit_id), _kind(note_kind), person_of(request)
    kept = drafts.keep(
        actor=person, visit_id=found, kind=kind, fields=_fields(kind, request.POST), base=version_of(request) or 0,
        version=number_of(request.POST.get("draft", "")),
    )  # fmt: skip
    return JsonResponse({"version": kept.version, "stale": kept.stale})


@declare("visit.diagnose")
@require_POST
def note_discard(request: HttpRequest, visit_id: str, note_kind: str) -> HttpResponse:
    found, kind = key(visit_id), _kind(note_kind)
    drafts.discard(actor=person_of(request), visit_id=found, kind=kind)
    done(request, _("The draft is gone."))
    return see(f"/consulting/{found}#{kind}")


@declare("visit.diagnose")
@require_GET
def note_beside(request: HttpRequest, visit_id: str, note_kind: str) -> HttpResponse:
    """What is saved and what this person's draft says, side by side."""
    person, found, kind = person_of(request), key(visit_id), _kind(note_kind)
    part = next(part for part in note_parts(person, found) if part["kind"] == kind)
    return show(request, "checker/_beside.html", part=part, visit=seen(person, found))
