"""The price list of a facility."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from polyclinic.billing import prices as actions
from polyclinic.billing import selectors
from polyclinic.core.errors import Problem
from polyclinic.portals.cashier.desk import amount_of, frame, key, place_of, rate_of
from polyclinic.portals.common import done, person_of, see, show, tell
from polyclinic.portals.forms import errors_of
from polyclinic.web.access import declare


@declare("price.view")
@require_http_methods(["GET", "POST"])
def prices(request: HttpRequest) -> HttpResponse:
    """What things cost; a POST says what one costs from now on."""
    place, places = place_of(request, "price.view")
    if request.method == "GET":
        return _page(request, place, places)
    given, person = request.POST, person_of(request)
    try:
        actions.set_price(
            actor=person, facility_id=place, code=given.get("code", "")[:60], name=given.get("name", "")[:200],
            kind=given.get("kind", ""), amount_minor=amount_of(request, selectors.currency(person, place)),
            tax_rate=rate_of(request),
        )  # fmt: skip
    except Problem as problem:
        return _page(request, place, places, errors_of(problem), problem.status)
    done(request, _("From now on it costs this."))
    return see(f"/cashier/prices?place={place}")


@declare("price.edit")
@require_POST
def end(request: HttpRequest, price_id: str) -> HttpResponse:
    """Take a price off the list."""
    try:
        row = actions.end_price(actor=person_of(request), price_id=key(price_id))
    except Problem as problem:
        if problem.status == 404:
            raise
        tell(request, problem)
        return see("/cashier/prices")
    done(request, _("Taken off the list."))
    return see(f"/cashier/prices?place={row.facility_id}")


def _page(
    request: HttpRequest,
    place: UUID,
    places: list[tuple[UUID, str]],
    errors: dict[str, list[str]] | None = None,
    status: int = 200,
) -> HttpResponse:
    person = person_of(request)
    return show(
        request, "cashier/prices.html", status, rows=selectors.prices(person, place), errors=errors or {},
        given=request.POST, currency=selectors.currency(person, place), **frame(request, "prices", place, places),
    )  # fmt: skip
