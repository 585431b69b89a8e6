"""Money in figures: by service, doctor, way of paying, what made it less, and what is owed; to read and as tables."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from polyclinic.billing import figures, money
from polyclinic.billing.rows import FigureRow
from polyclinic.core.errors import Invalid, NotFound, Problem
from polyclinic.facilities import selectors as facilities
from polyclinic.portals.cashier.desk import KINDS, frame, place_of
from polyclinic.portals.common import day_of, person_of, show, today_in
from polyclinic.portals.forms import errors_of
from polyclinic.portals.sheets import cell
from polyclinic.visits import earnings
from polyclinic.web.access import declare

_READ: Final[dict[str, Callable[..., list[FigureRow]]]] = {
    "services": figures.services,
    "doctors": earnings.by_doctor,
    "methods": figures.methods,
    "reductions": figures.reductions,
}
TABLES: Final = (*_READ, "owed")
REDUCTIONS: Final = {
    "discounts": _("Discounts"),
    "waived": _("Waived fees"),
    "credited": _("Taken off or given back"),
    "written_off": _("Written off"),
}
AGES: Final = {
    "0-30": _("Up to 30 days"),
    "31-60": _("31 to 60 days"),
    "61-90": _("61 to 90 days"),
    "91-": _("More than 90 days"),
}


@declare("revenue.view")
@require_GET
def page(request: HttpRequest) -> HttpResponse:
    """All tables of a stretch of days, the last thirty unless told."""
    place, places = place_of(request, "revenue.view")
    errors: dict[str, list[str]] = {}
    status, tables = 200, {}
    first, last = date.min, date.min
    try:
        first, last = _days(request, place)
        tables = {name: _rows(request, place, name, first, last) for name in TABLES}
    except Invalid as problem:
        errors, status = errors_of(_beside(problem)), problem.status
    return show(
        request, "cashier/reports.html", status, tables=tables, first=first, last=last, errors=errors,
        KIND_WORDS=dict(KINDS), REDUCTIONS=REDUCTIONS, AGES=AGES, **frame(request, "reports", place, places),
    )  # fmt: skip


@declare("revenue.view")
@require_GET
def sheet(request: HttpRequest, table: str) -> HttpResponse:
    """One table for a spreadsheet; amounts with a point and no currency, which has a column of its own."""
    if table not in TABLES:
        raise NotFound()
    place, _places = place_of(request, "revenue.view")
    first, last = _days(request, place)
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(["key", "name", "kind", "count", "amount", "less", "tax", "currency"])
    for row in _rows(request, place, table, first, last):
        amounts = (money.plain(one, row.currency) for one in (row.amount_minor, row.less_minor, row.tax_minor))
        writer.writerow([cell(row.key), cell(row.name), row.kind, row.count, *amounts, row.currency])
    answer = HttpResponse(file.getvalue(), content_type="text/csv; charset=utf-8")
    stretch = "" if table == "owed" else f"-{first.isoformat()}-{last.isoformat()}"
    answer.headers["Content-Disposition"] = f'attachment; filename="{table}{stretch}.csv"'
    return answer


def _days(request: HttpRequest, place: UUID) -> tuple[date, date]:
    zone = next(row.time_zone for row in facilities.facilities(person_of(request)) if row.id == place)
    last = day_of(request.GET.get("last"), today_in(zone))
    return day_of(request.GET.get("first"), last - timedelta(days=29)), last


def _rows(request: HttpRequest, place: UUID, table: str, first: date, last: date) -> list[FigureRow]:
    person = person_of(request)
    if table == "owed":
        return figures.owed(person, place)
    return _READ[table](person, place, first, last)


def _beside(problem: Problem) -> Problem:
    """A day that cannot be read is said at the first of the two."""
    if problem.field == "day":
        problem.field = "first"
    return problem
