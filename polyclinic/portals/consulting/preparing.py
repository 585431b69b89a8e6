"""Preparing: searching and choosing diagnoses and medicines, a line with its live preview, the list at hand.

What is searched for tells of a patient, so it travels in a body and never in an address.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from polyclinic.core.errors import Invalid, NotFound, Problem
from polyclinic.core.ids import parse_id
from polyclinic.medicines import selectors as medicines
from polyclinic.medicines.rows import MedicineRow
from polyclinic.medicines.units import counted
from polyclinic.medicines.words import Route
from polyclinic.portals.common import done, person_of, see, show
from polyclinic.portals.consulting.reading import DAYS, DOSES, line_of, number_of
from polyclinic.portals.consulting.views import TIER_WORDS, key, nav_of, page, seen
from polyclinic.prescribing import checking, drafts, quick, sentences, writing
from polyclinic.prescribing.bodies import Diagnosis
from polyclinic.prescribing.words import FREQUENCIES
from polyclinic.records import icd10
from polyclinic.records import selectors as records
from polyclinic.web.access import declare


def _partial(request: HttpRequest) -> bool:
    return request.headers.get("X-Requested-With") == "live"


@declare("visit.diagnose")
@require_POST
def find_diagnosis(request: HttpRequest, visit_id: str) -> HttpResponse:
    """Codes for what was typed: below the box while one types, on the whole page without JavaScript."""
    found, asked = key(visit_id), request.POST.get("q", "").strip()[:80]
    codes = icd10.search(asked, 12)
    if not _partial(request):
        return page(request, found, found={"codes": codes, "asked_code": asked})
    person = person_of(request)
    return show(
        request, "consulting/_codes.html", visit=seen(person, found), prepared=drafts.prepared(person, found),
        found={"codes": codes, "asked_code": asked},
    )  # fmt: skip


@declare("visit.diagnose")
@require_POST
def add_diagnosis(request: HttpRequest, visit_id: str) -> HttpResponse:
    """Put a found code, or plain words, on the list."""
    given = request.POST
    diagnosis = Diagnosis(
        given.get("text", "")[:400], given.get("code", "")[:12], given.get("certainty") or "provisional"
    )
    return _change(
        request, visit_id, "diagnosis", lambda found, version: drafts.add_diagnosis(
            actor=person_of(request), visit_id=found, diagnosis=diagnosis, version=version
        ),
    )  # fmt: skip


@declare("visit.diagnose")
@require_POST
def remove_diagnosis(request: HttpRequest, visit_id: str) -> HttpResponse:
    place = number_of(request.POST.get("place", ""), "place")
    return _change(
        request, visit_id, "diagnosis", lambda found, version: drafts.remove_diagnosis(
            actor=person_of(request), visit_id=found, place=place, version=version
        ),
    )  # fmt: skip


@declare("visit.diagnose")
@require_POST
def find_medicine(request: HttpRequest, visit_id: str) -> HttpResponse:
    """Products for what was typed, as `find_diagnosis`."""
    found, asked = key(visit_id), request.POST.get("q", "").strip()[:80]
    rows = medicines.search(asked, 12)
    if not _partial(request):
        return page(request, found, found={"medicines": rows, "asked_medicine": asked})
    person = person_of(request)
    return show(
        request, "consulting/_medicines.html", visit=seen(person, found), starred=quick.starred(person),
        found={"medicines": rows, "asked_medicine": asked},
    )  # fmt: skip


@declare("visit.diagnose")
@require_POST
def choose(request: HttpRequest, visit_id: str) -> HttpResponse:
    """The form of one medicine: dose, how often, how long, and what comes of it."""
    return _form(request, key(visit_id), _medicine(request.POST), {})


@declare("visit.diagnose")
@require_POST
def preview(request: HttpRequest, visit_id: str) -> HttpResponse:
    """The sentence, the sum and the warnings of the line as it stands in the form now."""
    found = key(visit_id)
    seen(person_of(request), found)
    return show(request, "consulting/_preview.html", **_previewed(request, found, request.POST))


@declare("visit.diagnose")
@require_POST
def add_medicine(request: HttpRequest, visit_id: str) -> HttpResponse:
    """Put the line on the list."""
    found = key(visit_id)
    try:
        line = line_of(request.POST)
        drafts.add_line(
            actor=person_of(request), visit_id=found, line=line, version=number_of(request.POST.get("draft", ""))
        )
    except NotFound:
        raise
    except Problem as problem:
        if problem.status == 403:
            raise
        return _form(request, found, _medicine(request.POST), request.POST.dict(), problem)
    done(request, _("On the list. It is not signed yet."))
    return see(f"/consulting/{found}#prescription")


@declare("visit.diagnose")
@require_POST
def remove_medicine(request: HttpRequest, visit_id: str) -> HttpResponse:
    place = number_of(request.POST.get("place", ""), "place")
    return _change(
        request, visit_id, "prescription", lambda found, version: drafts.remove_line(
            actor=person_of(request), visit_id=found, place=place, version=version
        ),
    )  # fmt: skip


@declare("visit.diagnose")
@require_POST
def star(request: HttpRequest, visit_id: str) -> HttpResponse:
    """Keep a medicine at hand, or no longer."""
    found, person = key(visit_id), person_of(request)
    seen(person, found)
    quick.star(actor=person, medicine_id=_medicine(request.POST).id, starred=request.POST.get("starred") == "yes")
    return see(f"/consulting/{found}#prescription")


def _change(request: HttpRequest, visit_id: str, at: str, act: Callable[[UUID, int], object]) -> HttpResponse:
    """A change of the list; a refusal is told on the page."""
    found = key(visit_id)
    try:
        act(found, number_of(request.POST.get("draft", "")))
    except NotFound:
        raise
    except Problem as problem:
        return page(request, found, at=at, problem=problem, given=request.POST.dict())
    return see(f"/consulting/{found}#{at}")


def _medicine(given: Mapping[str, str]) -> MedicineRow:
    found = parse_id(given.get("medicine", ""))
    if found is None:
        raise NotFound()
    return medicines.medicine(found)


def _form(
    request: HttpRequest,
    visit_id: UUID,
    medicine: MedicineRow,
    given: Mapping[str, str],
    problem: Problem | None = None,
) -> HttpResponse:
    person = person_of(request)
    one = seen(person, visit_id)
    prepared = drafts.prepared(person, visit_id)
    field = (problem.field or "").rpartition(".")[2] if problem else ""
    errors = {field or "__all__": [str(problem.sentence)]} if problem else {}
    first = dict(given) or {"medicine": str(medicine.id), "dose": "1", "frequency": "three", "days": "7"}
    first.setdefault("medicine", str(medicine.id))
    return show(
        request, "consulting/medicine.html", problem.status if problem else 200, visit=one, medicine=medicine,
        prepared=prepared, given=first, errors=errors, allergies=records.allergies_at(person, visit_id),
        often=[(code, one.short) for code, one in FREQUENCIES.items()], routes=Route.choices,
        doses=[(one, one) for one in DOSES.get(medicine.dose_unit, ("1", "2"))], days=[(one, one) for one in DAYS],
        dose_units=counted(medicine.dose_unit, Decimal(2)), units=counted(medicine.unit, Decimal(2)),
        starred=medicine.id in quick.starred(person), nav=nav_of(person, "visit"),
        **_previewed(request, visit_id, first, said=problem is None),
    )  # fmt: skip


def _previewed(request: HttpRequest, visit_id: UUID, given: Mapping[str, str], *, said: bool = True) -> dict[str, Any]:
    """What comes of the form: sentence, sum, warnings about this line. While it is not whole, what is missing."""
    person = person_of(request)
    prepared = drafts.prepared(person, visit_id)
    empty = {"shown": None, "line_warnings": [], "missing": "", **TIER_WORDS}
    try:
        line = line_of(given)
        whole = writing.complete(line)
    except NotFound:
        raise
    except Invalid as problem:
        return {**empty, "missing": str(problem.sentence) if said else ""}
    lines = (*prepared.lines, line)
    found = [one for one in checking.of_lines(person, visit_id, lines) if one.place == len(lines) - 1]
    return {
        **empty, "shown": {"sentence": sentences.of_parts(whole.medicine, line), "sum": whole.sum_},
        "line_warnings": found,
    }  # fmt: skip
