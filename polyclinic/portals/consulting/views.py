"""The page of one visit: everything known, what is prepared, and the signature. Parts of it follow live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from polyclinic.core.access import policy
from polyclinic.core.actors import Person
from polyclinic.core.errors import NotFound, Problem
from polyclinic.core.ids import new_id, parse_id
from polyclinic.laboratory import catalogue
from polyclinic.laboratory import selectors as lab
from polyclinic.laboratory import words as lab_words
from polyclinic.laboratory.flags import NAMES
from polyclinic.laboratory.rows import OrderRow
from polyclinic.medicines import interactions
from polyclinic.medicines import selectors as medicines
from polyclinic.portals.checker.views import charted, note_parts
from polyclinic.portals.common import person_of, show
from polyclinic.portals.forms import errors_of
from polyclinic.prescribing import asked, checking, drafts, quick, repeats, reviews, selectors, sentences, writing
from polyclinic.prescribing.rows import PreparedRow
from polyclinic.prescribing.words import STATES, Tier
from polyclinic.records import icd10, problems
from polyclinic.records import selectors as records
from polyclinic.visits import selectors as visits
from polyclinic.visits.rows import VisitRow
from polyclinic.visits.states import OPEN
from polyclinic.web import stepup
from polyclinic.web.access import declare

# Stages at which a doctor signs.
SIGNABLE: Final = ("checked", "lab_done", "diagnosed")
# Refusals after which the page is shown again with what was typed. Others show nothing, and leave no reading.
_SHOWN_AGAIN: Final = (409, 412, 422)
# How warnings read and look, and the edition of the table they come from.
TIER_WORDS: Final[dict[str, Any]] = {
    "tiers": dict(Tier.choices),
    "tier_kinds": {"contraindicated": "bad", "serious": "bad", "caution": "warn"},
    "edition": interactions.VERSION,
}
_REPEATS: Final[dict[str, Any]] = {
    "repeat_numbers": [(0, _("not at all")), *((number, number) for number in range(1, repeats.MOST + 1))],
    "repeat_months": [(months, _("%(num)s months") % {"num": months}) for months in repeats.MONTHS],
}


@declare("visit.diagnose")
@require_GET
def visit(request: HttpRequest, visit_id: str) -> HttpResponse:
    return page(request, key(visit_id))


def page(
    request: HttpRequest,
    visit_id: UUID,
    *,
    at: str = "",
    problem: Problem | None = None,
    given: Mapping[str, Any] | None = None,
    found: Mapping[str, Any] | None = None,
) -> HttpResponse:
    """The whole page. `at` names the form that a problem came from, shown again as it was `given`; `found` is what a
    search has brought."""
    if problem is not None and problem.status not in _SHOWN_AGAIN:
        raise problem
    person = person_of(request)
    one = seen(person, visit_id)
    prepared = drafts.prepared(person, visit_id)
    return show(
        request, "consulting/visit.html", problem.status if problem else 200, visit=one, at=at, given=given or {},
        errors={at: errors_of(problem)} if problem else {}, allergies=records.allergies_at(person, visit_id),
        parts=note_parts(person, visit_id, at, given), conditions=records.conditions(person, visit_id),
        history=problems.of_patient(person, one.patient_id, but=visit_id), may=_rights(person, one),
        is_open=one.stage in OPEN, signable=one.stage in SIGNABLE, key=new_id().hex,
        fresh=stepup.is_fresh(person), nav=nav_of(person, "visit"), found=found or {}, **_REPEATS,
        **charted(one, records.vital_sets(person, visit_id)), **_results(person, visit_id),
        **_prescribed(person, one), **written(person, visit_id, prepared),
    )  # fmt: skip


def nav_of(person: Person, current: str) -> dict[str, Any]:
    """What the bar of every page here says: where one is, how many critical results one was called for, and how many
    patients ask for a repeat."""
    return {"current": current, "critical": lab.waiting_for(person), "refills": asked.number(person)}


def seen(person: Person, visit_id: UUID) -> VisitRow:
    """The visit, for whoever may diagnose in it. Raises NotFound for anyone else."""
    one = visits.visit(person, visit_id)
    policy.require_sight(person, "visit.diagnose", visits.subject_of(one))
    return one


def written(person: Person, visit_id: UUID, prepared: PreparedRow) -> dict[str, Any]:
    """The prepared list as the page shows it: each line with its sentence, its sum and its warnings."""
    try:
        whole = [writing.complete(line, place) for place, line in enumerate(prepared.lines)]
        found = checking.of_lines(person, visit_id, prepared.lines)
    except Problem:
        # A medicine was taken out of use meanwhile: the line stands without a sum until it is taken away.
        whole, found = [], []
    names = medicines.many([line.medicine_id for line in prepared.lines])
    lines = [
        {
            "place": place,
            "sentence": sentences.of_parts(names[line.medicine_id], line),
            "sum": whole[place].sum_ if whole else "",
            "quantity": whole[place].quantity if whole else None,
            "warnings": [one for one in found if one.place == place],
            "controlled": names[line.medicine_id].controlled,
        }
        for place, line in enumerate(prepared.lines)
        if line.medicine_id in names
    ]
    return {
        "prepared": prepared, "lines": lines, "warnings": found, **TIER_WORDS,
        "icd_edition": icd10.EDITION, "hand": quick.at_hand(person),
        "starred": quick.starred(person), "broken": bool(prepared.lines) and not whole,
    }  # fmt: skip


def _results(person: Person, visit_id: UUID) -> dict[str, Any]:
    orders = orders_of(person, visit_id)
    looked = reviews.of_visit(person, visit_id) if orders else {}
    return {
        "orders": orders, "looked": looked, "unseen": _unseen(orders, looked), "lab_words": lab_words,
        "flag_names": NAMES, "answers": catalogue.ANSWERS,
    }  # fmt: skip


def _unseen(orders: Sequence[OrderRow], looked: Mapping[tuple[UUID, int], reviews.Seen]) -> list[dict[str, Any]]:
    """The results that stand and that this person has not said to have seen: the last verified one of each test."""
    found = []
    for test in (test for order in orders for test in order.tests):
        stands = next((one for one in test.entries if one.verified_at), None)
        who = looked.get((test.id, stands.number)) if stands else None
        if stands and not (who and who.mine):
            found.append({"key": f"{test.id}:{stands.number}", "name": test.name, "report": stands.report})
    return found


def orders_of(person: Person, visit_id: UUID) -> Sequence[OrderRow]:
    """The visit's orders to the laboratory; none yet is an empty list."""
    try:
        return lab.orders_of_visit(person, visit_id)
    except NotFound:
        return []


def _prescribed(person: Person, one: VisitRow) -> dict[str, Any]:
    rows = selectors.of_patient(person, one.patient_id)
    return {
        "own": [row for row in rows if row.visit_id == one.id],
        "before": [row for row in rows if row.visit_id != one.id][:8],
        "PRESCRIPTION_STATES": STATES,
        "sentence": sentences.of,
    }


@declare("visit.diagnose")
@require_GET
def results(request: HttpRequest, visit_id: str) -> HttpResponse:
    """Only the results, for when the laboratory has something new."""
    person, found = person_of(request), key(visit_id)
    one = seen(person, found)
    return show(request, "consulting/_results.html", visit=one, may=_rights(person, one), **_results(person, found))


@declare("visit.diagnose")
@require_GET
def prescriptions(request: HttpRequest, visit_id: str) -> HttpResponse:
    """Only what is signed, for when the pharmacy or another doctor moves it."""
    person = person_of(request)
    one = seen(person, key(visit_id))
    return show(
        request, "consulting/_prescribed.html", visit=one, may=_rights(person, one), errors={}, at="", given={},
        **_prescribed(person, one),
    )  # fmt: skip


@declare("visit.diagnose")
@require_GET
def state(request: HttpRequest, visit_id: str) -> HttpResponse:
    """Where the visit stands, and whether it has moved on since the page was drawn at `version`."""
    one = seen(person_of(request), key(visit_id))
    return show(request, "consulting/_state.html", visit=one, drawn=request.GET.get("version", "")[:9])


@declare("visit.diagnose")
@require_GET
def banner(request: HttpRequest, visit_id: str) -> HttpResponse:
    """Who it is and what they react to, for when an allergy is written down elsewhere."""
    person, found = person_of(request), key(visit_id)
    return show(
        request, "consulting/_banner.html", visit=seen(person, found), allergies=records.allergies_at(person, found)
    )


def _rights(person: Person, one: VisitRow) -> dict[str, bool]:
    subject = visits.subject_of(one)
    names = (
        "prescription.sign", "prescription.cancel", "note.write", "lab.order", "visit.queue", "letter.issue",
        "appointment.book", "vitals.record", "lab.release",
    )  # fmt: skip
    return {name.replace(".", "_"): policy.allowed(person, name, subject) for name in names}


def key(text: str) -> UUID:
    """The id in an address; a malformed one is answered like a missing thing."""
    found = parse_id(text)
    if found is None:
        raise NotFound()
    return found
