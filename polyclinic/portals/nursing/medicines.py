"""Medicines in bed: the day's sheet, ordering, stopping, and what became of a dose."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from polyclinic.core.errors import Invalid, NotFound, Problem
from polyclinic.inpatient.rows import StayRow
from polyclinic.medicines import selectors as formulary
from polyclinic.medicines.words import Route
from polyclinic.nursing import medicines, selectors, sheet
from polyclinic.nursing.rows import LineRow
from polyclinic.nursing.words import Outcome
from polyclinic.portals import meanwhile
from polyclinic.portals.common import day_of, done, moment_of, optional_id, person_of, see, show, today_in, version_of
from polyclinic.portals.forms import errors_of
from polyclinic.portals.nursing import house
from polyclinic.portals.ui import formats
from polyclinic.prescribing.words import FREQUENCIES, Tier
from polyclinic.web import stepup
from polyclinic.web.access import declare

TIER_KINDS = {"contraindicated": "bad", "serious": "bad", "caution": "warn"}


@declare("medication.view")
@require_GET
def day(request: HttpRequest, stay_id: str) -> HttpResponse:
    """The sheet of one day: medicines by hours; `part` alone for what changes while it is open."""
    person, found = person_of(request), house.key(stay_id)
    row = selectors.stay(person, found)
    shown = day_of(request.GET.get("day"), today_in(row.time_zone))
    lines = sheet.lines(person, found, shown)
    given = {**grid(lines, row.time_zone), "day": shown, "today": today_in(row.time_zone)}
    if request.GET.get("part"):
        rights = house.may(request, row)
        return show(request, "nursing/_sheet.html", rights=rights, **given, **house.part(row, "medicines"))
    return show(
        request, "nursing/sheet.html", **given, before=shown - timedelta(days=1), after=shown + timedelta(days=1),
        **house.bedside(request, row, "medicines"),
    )  # fmt: skip


def grid(lines: list[LineRow], zone: str) -> dict[str, Any]:
    """The sheet as a grid: the hours of the day that occur, and each medicine's dose at each of them."""
    at = {dose: formats.clock(dose.due_at, zone) for line in lines for dose in line.doses if dose.due_at}
    return {
        "hours": sorted(set(at.values())),
        "lines": [
            {
                "order": line.order, "next_number": line.next_number,
                "cells": {hour: [dose for dose in line.doses if at.get(dose) == hour] for hour in set(at.values())},
                "needed": [dose for dose in line.doses if dose not in at],
            }
            for line in lines
        ],
    }  # fmt: skip


@declare("medication.order")
@require_http_methods(["GET", "POST"])
def order(request: HttpRequest, stay_id: str) -> HttpResponse:
    """Find a medicine, say how it is given, read the warnings, order it."""
    person, found = person_of(request), house.key(stay_id)
    row, problem = selectors.stay(person, found), None
    given = request.POST if request.method == "POST" else request.GET
    if request.method == "POST":
        stepup.require(request)
        try:
            medicines.order(
                actor=person, stay_id=found, wanted=_wanted(given), overrides=_reasons(given),
                seen=frozenset(given.getlist("seen")), replaces=optional_id(given.get("replaces"), "replaces"),
            )  # fmt: skip
        except Problem as caught:
            if caught.status in (401, 403, 404):
                raise
            problem = caught
        else:
            done(request, _("The medicine is ordered; the nurses see it now."))
            return see(f"/nursing/stays/{found}/medicines")
    return _ordering(request, row, given, problem)


def _ordering(request: HttpRequest, row: StayRow, given: QueryDict, problem: Problem | None) -> HttpResponse:
    chosen = optional_id(given.get("medicine"), "medicine")
    query = given.get("q", "")[:80]
    status = meanwhile.status_of(problem) if problem else 200
    warned = problem is not None and problem.code in ("warnings", "new_warnings")
    warnings = _warnings(request, row.id, given) if warned else []
    return show(
        request, "nursing/order.html", status, given=given, q=query,
        found=formulary.search(query) if query and not chosen else [],
        medicine=formulary.medicine(chosen) if chosen else None, warnings=warnings, tiers=dict(Tier.choices),
        tier_kinds=TIER_KINDS, errors=errors_of(problem) if problem else {}, frequencies=_frequencies(),
        routes=Route.choices, **house.bedside(request, row, "medicines"),
    )  # fmt: skip


def _warnings(request: HttpRequest, stay_id: UUID, given: QueryDict) -> list[Any]:
    return list(medicines.previewed(person_of(request), stay_id, _wanted(given)))


@declare("medication.order")
@require_POST
def stop(request: HttpRequest, order_id: str) -> HttpResponse:
    """It is not given any more, and why."""
    found, person = house.key(order_id), person_of(request)
    stay, _line = sheet.line(person, found)
    stepup.require(request)
    try:
        medicines.stop(
            actor=person, order_id=found, reason=request.POST.get("reason", "")[:300], version=version_of(request)
        )
    except Problem as problem:
        house.refused(request, problem)
    else:
        done(request, _("The medicine is stopped. What was given stays on the sheet."))
    return see(f"/nursing/stays/{stay.pk}/medicines")


@declare("medication.give")
@require_POST
def withdraw(request: HttpRequest, dose_id: str) -> HttpResponse:
    """What was written down of a dose is wrong, and why."""
    stay = house.key(request.POST.get("stay"))
    try:
        medicines.withdraw(
            actor=person_of(request), dose_id=house.key(dose_id), reason=request.POST.get("reason", "")[:300],
            version=version_of(request),
        )  # fmt: skip
    except Problem as problem:
        house.refused(request, problem)
    else:
        done(request, _("It is crossed out on the sheet, and the dose can be written down again."))
    return see(f"/nursing/stays/{stay}/medicines")


@declare("medication.give")
@require_http_methods(["GET", "POST"])
def dose(request: HttpRequest, order_id: str) -> HttpResponse:
    """Give one dose to who it is for, or write down why not."""
    found, person, problem = house.key(order_id), person_of(request), None
    stay, line = sheet.line(person, found)
    row = selectors.stay(person, stay.pk)
    given = request.POST if request.method == "POST" else request.GET
    due = moment_of(given["due"], "due") if given.get("due") else None
    if request.method == "POST":
        try:
            medicines.record(
                actor=person, order_id=found, due_at=due, number=_number(given.get("number", "")),
                **{name: given.get(name, "")[:300] for name in ("outcome", "reason", "family", "born", "wristband")},
            )  # fmt: skip
        except Problem as caught:
            if caught.status in (401, 403, 404):
                raise
            problem = caught
        else:
            done(request, _("It is written down on the sheet."))
            return see(f"/nursing/stays/{stay.pk}/medicines")
    return show(
        request, "nursing/dose.html", meanwhile.status_of(problem) if problem else 200, given=given, line=line,
        due=due, outcomes=Outcome.choices, errors=errors_of(problem) if problem else {},
        over=problem is not None and problem.code == "already_recorded", **house.bedside(request, row, "medicines"),
    )  # fmt: skip


def _wanted(given: QueryDict) -> medicines.Wanted:
    medicine = optional_id(given.get("medicine"), "medicine")
    if medicine is None:
        raise NotFound()
    try:
        amount = Decimal(given.get("dose", "").strip().replace(",", ".")[:12])
    except InvalidOperation:
        raise Invalid(_("Write the dose as a number from 0.01 to 1000, for example 1 or 2.5."), field="dose") from None
    needed = given.get("when") == "needed"
    return medicines.Wanted(
        medicine, amount, given.get("frequency", "")[:20], given.get("route", "")[:20], given.get("times", "")[:80],
        needed, _number(given.get("most", "")) or 0 if needed else 0, _number(given.get("days", "")),
        given.get("note", "")[:300],
    )  # fmt: skip


def _number(text: str) -> int | None:
    """A small whole number of a form; empty is none, and what is no number is one that is never right."""
    text = text.strip()
    if not text:
        return None
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 4 else -1


def _reasons(given: QueryDict) -> dict[str, str]:
    return {
        name.removeprefix("reason-"): str(value)
        for name, value in given.items()
        if name.startswith("reason-") and value
    }


def _frequencies() -> list[tuple[str, Any]]:
    return [(name, one.label) for name, one in FREQUENCIES.items()]
