"""Cash boxes: opening one's own, counting it, the report to print; and what each day brought in."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods

from polyclinic.billing import selectors, tills
from polyclinic.billing.rows import TillRow
from polyclinic.core.errors import Problem
from polyclinic.facilities import selectors as facilities
from polyclinic.portals.cashier.desk import amount_of, frame, key, place_of
from polyclinic.portals.common import day_of, done, person_of, see, show, today_in, version_of
from polyclinic.portals.forms import errors_of
from polyclinic.web.access import declare


@declare("till.use")
@require_http_methods(["GET", "POST"])
def own(request: HttpRequest) -> HttpResponse:
    """One's own box, or the form to open it; those of the house for whom looks after them."""
    place, places = place_of(request, "till.use")
    if request.method == "GET":
        return _boxes(request, place, places)
    try:
        made = tills.open_till(
            actor=person_of(request), facility_id=place, counter=request.POST.get("counter", ""),
            float_minor=amount_of(request, selectors.currency(person_of(request), place), "float"),
        )  # fmt: skip
    except Problem as problem:
        return _boxes(request, place, places, errors_of(problem), problem.status)
    done(request, _("Your box is open."))
    return see(f"/cashier/tills/{made.pk}")


def _boxes(
    request: HttpRequest,
    place: UUID,
    places: list[tuple[UUID, str]],
    errors: dict[str, list[str]] | None = None,
    status: int = 200,
) -> HttpResponse:
    person = person_of(request)
    return show(
        request, "cashier/tills.html", status, mine=selectors.own_till(person, place), errors=errors or {},
        rows=selectors.tills_of(person, place), given=request.POST, currency=selectors.currency(person, place),
        **frame(request, "till", place, places),
    )  # fmt: skip


@declare("till.use")
@require_http_methods(["GET", "POST"])
def one(request: HttpRequest, till_id: str) -> HttpResponse:
    """A box and what went into it, to print; a POST counts and closes it."""
    row = selectors.till(person_of(request), key(till_id))
    if request.method == "GET":
        return _box(request, row)
    try:
        tills.close_till(
            actor=person_of(request), till_id=row.id, reason=request.POST.get("reason", "")[:400],
            counted_minor=amount_of(request, row.currency, "counted"), version=version_of(request),
        )  # fmt: skip
    except Problem as problem:
        return _box(request, selectors.till(person_of(request), row.id), errors_of(problem), problem.status)
    done(request, _("Counted and closed."))
    return see(f"/cashier/tills/{row.id}")


def _box(
    request: HttpRequest, row: TillRow, errors: dict[str, list[str]] | None = None, status: int = 200
) -> HttpResponse:
    return show(
        request, "cashier/till.html", status, row=row, moves=selectors.till_moves(person_of(request), row.id),
        errors=errors or {}, given=request.POST,
        **frame(request, "till", row.facility_id, [(row.facility_id, row.facility_name)]),
    )  # fmt: skip


@declare("revenue.view")
@require_GET
def revenue(request: HttpRequest) -> HttpResponse:
    """What each day brought in: the last thirty, or from one day to another."""
    place, places = place_of(request, "revenue.view")
    person = person_of(request)
    zone = next(row.time_zone for row in facilities.facilities(person) if row.id == place)
    last = day_of(request.GET.get("last"), today_in(zone))
    first = day_of(request.GET.get("first"), last - timedelta(days=29))
    try:
        rows, errors, status = selectors.revenue(person, place, first, last), {}, 200
    except Problem as problem:
        rows, errors, status = [], errors_of(problem), problem.status
    return show(
        request, "cashier/revenue.html", status, rows=rows[::-1], first=first, last=last, errors=errors,
        **frame(request, "revenue", place, places),
    )  # fmt: skip
