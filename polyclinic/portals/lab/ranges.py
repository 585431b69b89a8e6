"""One test of the catalogue: the published ranges, the laboratory's own in place of them, and what it costs here."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from polyclinic.billing import selectors as billing
from polyclinic.core.access import policy
from polyclinic.core.actors import Person
from polyclinic.core.errors import NotFound, Problem
from polyclinic.facilities import selectors as places
from polyclinic.laboratory import catalogue, house_ranges, ranges, words
from polyclinic.portals.common import done, person_of, see, show
from polyclinic.portals.forms import errors_of
from polyclinic.portals.lab.views import key, nav
from polyclinic.web.access import declare

_FIELDS = ("low", "high", "source", "sex", "from_years", "to_years", "pregnancy")


@declare("lab.view")
@require_GET
def test_page(request: HttpRequest, lab_code: str) -> HttpResponse:
    return _page(request, lab_code)


@declare("lab.set_range")
@require_POST
def set_range(request: HttpRequest, lab_code: str) -> HttpResponse:
    """Begin a range of the house; one of the very same group ends with it."""
    try:
        house_ranges.set_range(
            actor=person_of(request), facility_id=key(request.POST.get("facility", "")), test=lab_code,
            **{name: request.POST.get(name, "")[:200] for name in _FIELDS},
        )  # fmt: skip
    except NotFound:
        raise
    except Problem as problem:
        return _page(request, lab_code, problem)
    done(request, _("The range counts from now on. Results that are judged already keep theirs."))
    return see(f"/lab/catalogue/{lab_code}")


@declare("lab.set_range")
@require_http_methods(["POST"])
def end_range(request: HttpRequest, lab_range_id: str) -> HttpResponse:
    code = house_ranges.end_range(actor=person_of(request), range_id=key(lab_range_id))
    done(request, _("Ended. The published range counts again."))
    return see(f"/lab/catalogue/{code}")


def _page(request: HttpRequest, code: str, refused: Problem | None = None) -> HttpResponse:
    person, test = person_of(request), catalogue.TESTS.get(code)
    if test is None:
        raise NotFound()
    mine = policy.places(person, "lab.set_range")
    return show(
        request, "lab/test.html", refused.status if refused else 200, test=test, published=ranges.ROWS.get(code, ()),
        own=house_ranges.in_force(person, code), prices=_prices(person, test.price_code), given=request.POST,
        errors=errors_of(refused) if refused else {}, words=words,
        pregnancy=dict(words.Pregnancy.choices), kinds=catalogue.KINDS, answers=catalogue.ANSWERS,
        editable=[(str(one.id), one.name) for one in places.facilities(person) if one.id in mine], may=mine,
        year=ranges.YEAR, forever=ranges.FOREVER, oldest=house_ranges.OLDEST, nav=nav(request, "catalogue"),
    )  # fmt: skip


def _prices(person: Person, code: str) -> list[Any]:
    """What the test costs at each place whose prices this person may see: (place, price)."""
    names: dict[UUID, str] = {one.id: one.name for one in places.facilities(person)}
    found = []
    for place in sorted(policy.places(person, "price.view"), key=lambda one: names.get(one, "")):
        found += [(names.get(place, ""), row) for row in billing.prices(person, place) if row.code == code]
    return found
