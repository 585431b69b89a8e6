"""The page of a visit: banner, signs with their chart, allergies, notes, tests, and what comes next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.utils import dateformat
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from polyclinic.core.access import policy
from polyclinic.core.actors import Person
from polyclinic.core.errors import NotFound, Problem
from polyclinic.core.ids import parse_id
from polyclinic.laboratory import actions as laboratory
from polyclinic.laboratory import catalogue
from polyclinic.laboratory import selectors as lab
from polyclinic.laboratory.rows import OrderRow
from polyclinic.portals.checker import words
from polyclinic.portals.common import done, person_of, see, show, version_of
from polyclinic.portals.forms import errors_of
from polyclinic.portals.ui import formats
from polyclinic.records import chart, forms, selectors
from polyclinic.records import vitals as signs
from polyclinic.records.bodies import VitalsBody
from polyclinic.records.news2 import EDITIONS
from polyclinic.records.rows import DraftRow, NoteRow, VitalsRow
from polyclinic.visits import actions as visits
from polyclinic.visits import selectors as visit_selectors
from polyclinic.visits.rows import VisitRow
from polyclinic.visits.states import OPEN, VISIT
from polyclinic.web.access import declare

# Refusals after which the page is shown again with what was typed. Others show nothing, and leave no reading.
_SHOWN_AGAIN: Final = (409, 412, 422)


@declare("vitals.record")
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
) -> HttpResponse:
    """The whole page. `at` names the form that a problem came from; it is shown again as it was `given`."""
    if problem is not None and problem.status not in _SHOWN_AGAIN:
        raise problem
    person = person_of(request)
    one = visit_selectors.visit(person, visit_id)
    rows = selectors.vital_sets(person, visit_id)
    return show(
        request, "checker/visit.html", problem.status if problem else 200, visit=one, at=at, given=given or {},
        errors={at: errors_of(problem)} if problem else {},
        unusual=problem.extra.get("unusual", []) if problem and problem.code == "unusual" else [],
        allergies=selectors.allergies_at(person, visit_id), parts=note_parts(person, visit_id, at, given),
        orders=_orders(person, visit_id),
        may=_rights(person, one), steps=VISIT.possible(one.stage), is_open=one.stage in OPEN,
        panels=[(panel.code, panel.name) for panel in catalogue.PANELS.values()],
        tests=[(test.code, test.name) for test in catalogue.TESTS.values()],
        vitals=signs.VITALS, levels=signs.Consciousness.choices, severities=words.SEVERITIES,
        nav={"current": "visit"}, **charted(one, rows),
    )  # fmt: skip


def _orders(person: Person, visit_id: UUID) -> list[OrderRow]:
    try:
        return lab.orders_of_visit(person, visit_id)
    except NotFound:
        return []  # none yet: whoever sees this page sees them all


def _rights(person: Person, one: VisitRow) -> dict[str, bool]:
    subject = visit_selectors.subject_of(one)
    names = ("vitals.record", "allergy.edit", "note.write", "lab.order", "visit.check")
    return {name.replace(".", "_"): policy.allowed(person, name, subject) for name in names}


def charted(one: VisitRow, rows: list[VitalsRow]) -> dict[str, Any]:
    """The chart of the sets that stand, the latest score in words, and all sets for the table."""
    standing = [row for row in rows if row.status == "recorded"]
    latest = standing[-1] if standing else None
    names = {name: str(words.PARTS[name]) for name in words.PARTS}
    drawn = [_reading(one, row) for row in standing if not row.score.not_for]
    risk = latest.score.risk if latest else None
    return {
        "rows": rows[::-1],
        "latest": latest,
        "chart": chart.draw(drawn, names, str(_("NEWS2 observation chart")), str(_("NEWS2 total"))) if drawn else "",
        "undrawn": max(0, len(drawn) - chart.MOST),
        "risk": words.RISKS[risk] if risk else None,
        "risk_kind": words.KINDS.get(risk, "") if risk else "",
        "missing": [words.MISSING[name] for name in latest.score.missing] if latest else [],
        "not_for": words.NOT_FOR.get(latest.score.not_for, "") if latest else "",
    }


def _reading(one: VisitRow, row: VitalsRow) -> chart.Reading:
    body = VitalsBody(
        {name: value for name in row.values if (value := signs.read(name, row.values[name])) is not None},
        row.oxygen, row.consciousness, row.score.scale,
    )  # fmt: skip
    day = row.taken_at.astimezone(ZoneInfo(one.time_zone)).date()
    return chart.Reading(
        dateformat.format(day, "d-M"), formats.clock(row.taken_at, one.time_zone), body.signs(),
        EDITIONS[row.score.edition](body.signs()), row.values.get("oxygen_flow", ""),
    )  # fmt: skip


def note_parts(
    person: Person, visit_id: UUID, at: str = "", given: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Each part of the note with what to show in its form: what was given, else the draft, else what is saved."""
    saved = {row.kind: row for row in selectors.notes(person, visit_id)}
    drafts = {row.kind: row for row in selectors.drafts(person, visit_id)}
    return [_part(kind, saved.get(kind), drafts.get(kind), at, given) for kind in forms.Kind]


def _part(
    kind: forms.Kind, saved: NoteRow | None, draft: DraftRow | None, at: str, given: Mapping[str, Any] | None
) -> dict[str, Any]:
    mine = dict(given) if given is not None and at == kind else draft.fields if draft else None
    return {
        "kind": str(kind), "label": kind.label, "fields": forms.fields_of(kind), "saved": saved, "draft": draft,
        "values": mine if mine is not None else saved.fields if saved else {},
        # What the form may replace: for a draft the version it was begun from, so that a later one stops it.
        "version": draft.base if draft and mine is draft.fields else saved.version if saved else 0,
        "stale": bool(saved) and (at == kind or bool(draft and draft.stale)),
    }  # fmt: skip


@declare("vitals.record")
@require_GET
def banner(request: HttpRequest, visit_id: str) -> HttpResponse:
    """Who it is and what they react to, for when an allergy is written down elsewhere."""
    person, found = person_of(request), key(visit_id)
    return show(
        request, "checker/_banner.html", visit=visit_selectors.visit(person, found),
        allergies=selectors.allergies_at(person, found),
    )  # fmt: skip


@declare("lab.order")
@require_POST
def order(request: HttpRequest, visit_id: str) -> HttpResponse:
    """Ask the laboratory for the chosen panels and tests; the visit goes there."""
    found = key(visit_id)
    codes = [code for code in request.POST.getlist("codes") if code]
    try:
        laboratory.order(
            actor=person_of(request), visit_id=found, codes=codes, priority=request.POST.get("priority") or "routine",
            note=request.POST.get("note", ""), version=version_of(request),
        )  # fmt: skip
    except NotFound:
        raise
    except Problem as problem:
        return page(request, found, at="tests", problem=problem, given={"codes": codes})
    done(request, _("The tests are ordered; the laboratory is next."))
    return see(f"/checker/visits/{found}")


@declare("visit.check")
@require_POST
def done_with(request: HttpRequest, visit_id: str) -> HttpResponse:
    """The first check is done: the doctor is next."""
    found = key(visit_id)
    try:
        visits.check(actor=person_of(request), visit_id=found, version=version_of(request))
    except NotFound:
        raise
    except Problem as problem:
        return page(request, found, at="done", problem=problem)
    done(request, _("The first check is done; the doctor is next."))
    return see("/checker")


def key(text: str) -> UUID:
    """The id in an address; a malformed one is answered like a missing thing."""
    found = parse_id(text)
    if found is None:
        raise NotFound()
    return found
