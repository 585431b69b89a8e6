"""Anonymised data for research: the form, what was exported before, and the file itself."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from polyclinic.core import clock
from polyclinic.core.errors import Invalid, Problem
from polyclinic.portals.common import day_of, optional_id, person_of, show
from polyclinic.portals.forms import errors_of
from polyclinic.portals.records.views import nav
from polyclinic.privacy import research, retention
from polyclinic.privacy.research import LEAST_K, Wanted
from polyclinic.web import ratelimit, stepup
from polyclinic.web.access import declare


@declare("research.export")
@require_http_methods(["GET", "POST"])
def home(request: HttpRequest) -> HttpResponse:
    """The form; a POST answers with the file, after the person has shown once more who they are."""
    if request.method == "GET":
        return _page(request, {"k": LEAST_K, **_half_a_year()})
    stepup.require(request)
    ratelimit.check("export", account=person_of(request).label)
    try:
        made = research.export(actor=person_of(request), wanted=_wanted(request.POST))
    except Problem as problem:
        return _page(request, request.POST, errors_of(problem), problem.status)
    response = HttpResponse(made.content, content_type="application/zip")
    response.headers["Content-Disposition"] = 'attachment; filename="research.zip"'
    return response


def _page(
    request: HttpRequest,
    given: Any,  # noqa: ANN401 - a QueryDict, or what the form begins with
    errors: dict[str, list[str]] | None = None,
    status: int = 200,
) -> HttpResponse:
    return show(
        request, "privacy/research.html", status, given=given, errors=errors or {}, nav=nav(request, "privacy"),
        places=retention.places(person_of(request)), exports=research.exports(person_of(request)),
    )  # fmt: skip


def _half_a_year() -> dict[str, str]:
    today = clock.now().date()
    return {"from": (today - timedelta(days=182)).isoformat(), "to": today.isoformat()}


def _wanted(given: Any) -> Wanted:  # noqa: ANN401 - a QueryDict
    place, k = optional_id(given.get("facility"), "facility"), given.get("k", "")
    if not (k.isascii() and k.isdigit() and len(k) < 6):
        raise Invalid(_("Write a whole number."), field="k")
    return Wanted(
        facility_ids=(place,) if place else (), first=_day(given, "from"), last=_day(given, "to"), k=int(k),
        purpose=given.get("purpose", "")[:400], approval=given.get("approval", "")[:200],
        weekdays=given.get("dates") == "weeks", years_only=given.get("dates") == "years",
    )  # fmt: skip


def _day(given: Any, field: str) -> date:  # noqa: ANN401 - a QueryDict
    try:
        return day_of(given.get(field) or "-", date.min)
    except Invalid as problem:
        raise Invalid(problem.sentence, field=field) from None
