"""One prescription at the counter: who stands there, what there is, handing over, declining, closing, witnessing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.errors import NotFound, Problem
from polyclinic.core.ids import parse_id
from polyclinic.core.ledger import idempotency
from polyclinic.pharmacy import actions, amounts, counter, identity, witnessing
from polyclinic.pharmacy.actions import Handing
from polyclinic.portals.common import allergies_of, done, person_of, see, show, tell, version_of
from polyclinic.portals.forms import birth_of, errors_of
from polyclinic.portals.pharmacy.shop import frame, key
from polyclinic.portals.reception.faces import photo_of
from polyclinic.prescribing import selectors as prescriptions
from polyclinic.prescribing import words as prescribing_words
from polyclinic.prescribing.rows import PrescriptionRow
from polyclinic.prescribing.words import Tier
from polyclinic.web.access import declare

# Refusals after which the page is shown again with what was typed.
_SHOWN_AGAIN = (409, 412, 422)
_TIERS = dict(Tier.choices)


@declare("prescription.dispense")
@require_GET
def one(request: HttpRequest, rx_id: str) -> HttpResponse:
    return _page(request, key(rx_id))


@declare("prescription.dispense")
@require_GET
def state(request: HttpRequest, rx_id: str) -> HttpResponse:
    """Only what others change on that page while it is open."""
    row, there = _both(request, key(rx_id))
    seen = request.GET.get("seen", "")
    return show(
        request, "pharmacy/_state.html", row=row, there=there, changed=seen.isdecimal() and int(seen) != row.version,
        states=prescribing_words.STATES, **frame(request, "queue"),
    )  # fmt: skip


def _page(request: HttpRequest, prescription_id: UUID, problem: Problem | None = None, at: str = "") -> HttpResponse:
    """The whole page. `at` names the form that a problem came from; it is shown again as it was sent."""
    if problem is not None and problem.status not in _SHOWN_AGAIN:
        raise problem
    row, there = _both(request, prescription_id)
    person = person_of(request)
    subject = Subject(patient_id=row.patient_id, facility_id=row.facility_id)
    return show(
        request, "pharmacy/prescription.html", problem.status if problem else 200, row=row, there=there, at=at,
        given=request.POST, errors=errors_of(problem) if problem else {}, changed=False,
        stale=problem is not None and problem.status == 412, tiers=_TIERS,
        allergies=allergies_of(request, row.patient_id), photo=photo_of(request, row.patient_id, row.facility_id),
        before=counter.of_prescription(person, row.id),
        may=policy.allowed(person, "prescription.dispense", subject), states=prescribing_words.STATES,
        line_states=prescribing_words.LINE_STATES, **frame(request, "queue", row.facility_id),
    )  # fmt: skip


def _both(request: HttpRequest, prescription_id: UUID) -> tuple[PrescriptionRow, Any]:
    """The prescription and the shelves' side of it; for whoever hands out at that very place."""
    person = person_of(request)
    row = prescriptions.prescription(person, prescription_id)
    subject = Subject(patient_id=row.patient_id, facility_id=row.facility_id)
    policy.require_sight(person, "prescription.dispense", subject)
    return row, counter.counter(person, prescription_id)


@declare("prescription.dispense")
@require_POST
def identify(request: HttpRequest, rx_id: str) -> HttpResponse:
    """Compare two identifiers with the prescription. A wrong one stops with words."""
    rx = key(rx_id)
    try:
        identity.confirm(actor=person_of(request), prescription_id=rx, said=_said(request.POST))
    except Problem as problem:
        return _page(request, rx, problem, "identify")
    done(request, _("The identifiers fit. Now hand over."))
    return see(f"/pharmacy/prescriptions/{rx}#lines")


def _said(given: QueryDict) -> identity.Said:
    parts = [given.get(f"born_{part}", "").strip() for part in ("day", "month", "year")]
    born: date | None = birth_of(given) if any(parts) else None
    return identity.Said(name=given.get("name", "")[:200], born=born, mrn=given.get("mrn", "")[:80])


@declare("prescription.dispense")
@require_POST
def dispense(request: HttpRequest, rx_id: str) -> HttpResponse:
    """Hand over what was typed. A second click with the same key finds the first one's answer."""
    rx, person = key(rx_id), person_of(request)
    row = prescriptions.prescription(person, rx)

    def effect() -> idempotency.Answer:
        made = actions.dispense(
            actor=person, prescription_id=rx, items=_items(request.POST, row),
            check_id=parse_id(request.POST.get("check")), version=version_of(request),
            agreed=_agreed(request.POST), spoken_with=request.POST.get("spoken", "")[:400],
        )  # fmt: skip
        return idempotency.Answer(201, str(made.pk), patient_id=made.patient_id)

    try:
        answer = _once(request, b"dispense", rx, effect)
    except Problem as problem:
        return _page(request, rx, problem, "dispense")
    done(request, _("Handed over."))
    return see(f"/pharmacy/dispenses/{answer.body}")


def _once(request: HttpRequest, what: bytes, rx: UUID, effect: Callable[[], idempotency.Answer]) -> idempotency.Answer:
    sent = sorted((name, values) for name, values in request.POST.lists() if name != "csrfmiddlewaretoken")
    print_ = idempotency.fingerprint(what, rx.bytes, repr(sent).encode())
    return idempotency.once(person_of(request).label, request.POST.get("key", "")[:80], print_, effect)


def _items(given: QueryDict, row: PrescriptionRow) -> list[Handing]:
    """The lines with a quantity; an empty or a zero one is not handed over now."""
    found = []
    for line in row.lines:
        text = given.get(f"q-{line.id}", "").strip()[:20]
        if text in ("", "0"):
            continue
        other = parse_id(given.get(f"product-{line.id}"))
        quantity = amounts.read(text, f"q-{line.id}")
        found.append(Handing(line.id, quantity, other, given.get(f"why-{line.id}", "")))
    return found


def _agreed(given: QueryDict) -> dict[str, str]:
    """What was agreed with the prescriber, by the key of what has come up since the signature."""
    mark = "settled-"
    return {name.removeprefix(mark): str(text)[:400] for name, text in given.items() if name.startswith(mark)}


@declare("prescription.dispense")
@require_http_methods(["GET", "POST"])
def decline(request: HttpRequest, rx_id: str) -> HttpResponse:
    """Ask why, then hand over nothing (more) of it."""
    row, _there = _both(request, key(rx_id))
    refused: Problem | None = None
    if request.method == "POST":
        try:
            actions.decline(
                actor=person_of(request), prescription_id=row.id, why=request.POST.get("why", ""),
                note=request.POST.get("note", "")[:300], version=version_of(request),
            )  # fmt: skip
        except Problem as problem:
            refused = problem
        else:
            done(request, _("Declined. Nothing more of it is handed over."))
            return see(f"/pharmacy?place={row.facility_id}")
    return show(
        request, "pharmacy/decline.html", refused.status if refused else 200, row=row, given=request.POST,
        errors=errors_of(refused) if refused else {}, **frame(request, "queue", row.facility_id),
    )  # fmt: skip


@declare("prescription.dispense")
@require_POST
def close(request: HttpRequest, rx_id: str) -> HttpResponse:
    """End the visit although a part is owed."""
    rx = key(rx_id)
    try:
        visit = actions.close(actor=person_of(request), prescription_id=rx, version=version_of(request))
    except Problem as problem:
        return _page(request, rx, problem, "close")
    done(request, _("The visit is over. The rest stays open until the prescription runs out."))
    return see(f"/pharmacy?place={visit.facility_id}")


@declare("prescription.witness")
@require_http_methods(["GET", "POST"])
def witness(request: HttpRequest, rx_id: str) -> HttpResponse:
    """A second person writes how many of each controlled medicine they have counted."""
    person = person_of(request)
    row = prescriptions.prescription(person, key(rx_id))
    policy.require_sight(person, "prescription.witness", Subject(row.patient_id, None, row.facility_id))
    lines = [line for line in row.lines if line.state == "open" and line.medicine.controlled]
    refused: Problem | None = None
    if request.method == "POST":
        try:
            counts: dict[UUID, Decimal] = {}
            for line in lines:
                text = request.POST.get(f"q-{line.id}", "").strip()[:20]
                if text:
                    counts[line.id] = amounts.read(text, f"q-{line.id}")
            witnessing.witness(actor=person, prescription_id=row.id, counts=counts, version=version_of(request))
        except Problem as problem:
            refused = problem
        else:
            done(request, _("Noted: you have counted with the pharmacist."))
            return see(f"/pharmacy/prescriptions/{row.id}/witness")
    return show(
        request, "pharmacy/witness.html", refused.status if refused else 200, row=row, lines=lines,
        given=request.POST, errors=errors_of(refused) if refused else {}, **frame(request, "queue", row.facility_id),
    )  # fmt: skip


@declare("prescription.witness")
@require_GET
def find_to_count(request: HttpRequest) -> HttpResponse:
    """Where a second person types the number that the pharmacist's screen shows."""
    code = request.GET.get("code", "")[:40]
    if code:
        try:
            found = counter.by_label(person_of(request), code, "prescription.witness")
        except NotFound:
            tell(request, Problem(_("There is no prescription with this number here.")))
            return see("/pharmacy/witness")
        return see(f"/pharmacy/prescriptions/{found}/witness")
    return show(
        request, "pharmacy/witness.html", row=None, lines=[], given=request.POST, errors={}, **frame(request, "count")
    )


@declare("prescription.dispense")
@require_GET
def labels(request: HttpRequest, rx_id: str) -> HttpResponse:
    """Labels for what is about to go, before it is handed over: with the lots it will come from."""
    row, there = _both(request, key(rx_id))
    if not row.lines:
        raise NotFound()
    return show(
        request, "pharmacy/labels.html", row=row, there=there, made=None, **frame(request, "queue", row.facility_id)
    )
