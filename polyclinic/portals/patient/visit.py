"""A patient's visits: today's as it goes on, those before, and what was done in each."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from polyclinic.billing import selectors as billing
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.errors import NotFound
from polyclinic.core.ids import parse_id
from polyclinic.laboratory import selectors as laboratory
from polyclinic.laboratory.catalogue import ANSWERS
from polyclinic.portals.cashier.desk import STATES as MONEY_STATES
from polyclinic.portals.common import person_of, show
from polyclinic.portals.lab.drawing import line, plain_words
from polyclinic.portals.patient.prescriptions import PICK_UP, left
from polyclinic.prescribing import selectors as prescribing
from polyclinic.prescribing import sentences
from polyclinic.records import selectors as records
from polyclinic.visits import following, selectors
from polyclinic.visits.rows import VisitRow
from polyclinic.visits.states import DIAGNOSED, DONE
from polyclinic.visits.words import Line
from polyclinic.web.access import declare

# What a visit waits for at each stage, in the words of whom it is about.
STEPS: Final = {
    "registered": _("Front desk and fee"),
    "paid": _("First check"),
    "lab_pending": _("Laboratory"),
    "checked": _("Doctor"),
    "lab_done": _("Doctor, with your results"),
    "diagnosed": _("Pharmacy, if you get a medicine"),
}
OUTCOMES: Final = {
    "registered": (_("Going on"), "info"),
    "paid": (_("Going on"), "info"),
    "lab_pending": (_("Going on"), "info"),
    "checked": (_("Going on"), "info"),
    "lab_done": (_("Going on"), "info"),
    "diagnosed": (_("Going on"), "info"),
    "done": (_("Finished"), "ok"),
    "left": (_("Ended early"), ""),
    "cancelled": (_("Opened by mistake"), ""),
}
CERTAINTY: Final = {"provisional": _("not certain yet")}


def patients_of(request: HttpRequest) -> list[UUID]:
    """Oneself and whom one acts for. Who is neither gets the answer of a page that does not exist."""
    person = person_of(request)
    found = [one for one in (person.patient_id, *sorted(person.delegated)) if one is not None]
    if not found:
        raise NotFound()
    return found


def current(request: HttpRequest) -> dict[str, Any]:
    """What the panel of today's visit is drawn from: the visits that go on, of oneself and of whom one acts for."""
    person = person_of(request)
    going = [one for patient in patients_of(request) for one in following.now(person, patient)]
    return {
        "journeys": going, "STEPS": STEPS, "LINE_WORDS": dict(Line.choices), "own": person.patient_id,
        "owed": {one.visit.id: _owed(request, one.visit) for one in going if one.visit.stage == "registered"},
    }  # fmt: skip


def _owed(request: HttpRequest, row: VisitRow) -> Any:  # noqa: ANN401 - an InvoiceRow or None
    """The visit's invoice while something on it is to be paid."""
    with suppress(NotFound):
        found = billing.invoice_of(person_of(request), "visit", row.id)
        return found if found.due_minor > found.pending_minor else None
    return None


@declare("visit.view")
@require_GET
def today(request: HttpRequest) -> HttpResponse:
    """Only the panel of today's visit, for when it moves while the page is open."""
    return show(request, "patient/_today.html", **current(request))


@declare("visit.view")
@require_GET
def visits(request: HttpRequest) -> HttpResponse:
    """All visits, the newest first."""
    return show(request, "patient/visits.html", **_listed(request))


@declare("visit.view")
@require_GET
def newest(request: HttpRequest) -> HttpResponse:
    """Only the list, for when a visit begins, moves or ends while the page is open."""
    return show(request, "patient/_visits.html", **_listed(request))


def _listed(request: HttpRequest) -> dict[str, Any]:
    person = person_of(request)
    rows = [row for one in patients_of(request) for row in selectors.visits_of(person, one)]
    rows = sorted((row for row in rows if row.stage != "cancelled"), key=lambda row: row.opened_at, reverse=True)
    return {"rows": rows, "own": person.patient_id, "OUTCOMES": OUTCOMES}


@declare("visit.view")
@require_GET
def visit(request: HttpRequest, visit_id: str) -> HttpResponse:
    """One visit: its steps, what was found, results, medicines, what it cost, and what there is to print."""
    return show(request, "patient/visit.html", **_one(request, visit_id))


@declare("visit.view")
@require_GET
def visit_state(request: HttpRequest, visit_id: str) -> HttpResponse:
    """Only what changes on that page while it is open."""
    return show(request, "patient/_visit.html", **_one(request, visit_id))


def _one(request: HttpRequest, visit_id: str) -> dict[str, Any]:
    person, key = person_of(request), parse_id(visit_id)
    if key is None:
        raise NotFound()
    # First whether they may follow anybody's at all: what staff look at is another page, and no look is noted here.
    mine = patients_of(request)
    journey = following.journey(person, key)
    row = journey.visit
    if row.patient_id not in mine or row.stage == "cancelled":
        raise NotFound()
    subject = Subject(row.patient_id, row.doctor_id, row.facility_id)
    found: dict[str, Any] = {"diagnoses": [], "orders": [], "prescriptions": [], "bill": None}
    # A doctor who is still thinking may write several down; what stands at the end is what was diagnosed.
    if row.stage in (DIAGNOSED, DONE) and policy.allowed(person, "condition.view", subject):
        found["diagnoses"] = records.conditions(person, key)
    if policy.allowed(person, "lab.released", subject):
        found["orders"] = [one for one in laboratory.released(person, row.patient_id) if one.visit_id == key]
    if policy.allowed(person, "prescription.view", subject):
        found["prescriptions"] = prescribing.of_visit(person, key)
    with suppress(NotFound):
        found["bill"] = billing.invoice_of(person, "visit", key)
    return {
        "journey": journey, "row": row, "own": person.patient_id, "STEPS": STEPS, "OUTCOMES": OUTCOMES,
        "CERTAINTY": CERTAINTY, "PICK_UP": PICK_UP, "MONEY_STATES": MONEY_STATES, "line": line,
        "plain_words": plain_words, "answers": ANSWERS, "LINE_WORDS": dict(Line.choices), "left": left,
        "sentence": sentences.of,
        "summary": row.stage == DONE and policy.allowed(person, "paper.print", subject),
        **found,
    }  # fmt: skip
