"""Deliveries: the supplier's note line by line, taken whole or not at all."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from polyclinic.core.errors import Invalid, Problem
from polyclinic.core.ids import parse_id
from polyclinic.core.ledger import idempotency
from polyclinic.medicines import selectors as medicines
from polyclinic.pharmacy import amounts, keeping, selectors
from polyclinic.pharmacy.keeping import Came
from polyclinic.portals.common import done, person_of, see, show
from polyclinic.portals.forms import errors_of
from polyclinic.portals.pharmacy.shelves import day_of_pack
from polyclinic.portals.pharmacy.shop import frame, place_of, zone_of
from polyclinic.web.access import declare

# Lines of the form; a longer note is entered in parts under "N 17/1", "N 17/2".
LINES = 8


@declare("stock.receive")
@require_http_methods(["GET", "POST"])
def receive(request: HttpRequest) -> HttpResponse:
    """The form of a delivery; a POST puts it on the shelf."""
    place, places = place_of(request, "stock.receive")
    if request.method == "GET":
        return _page(request, place, places)
    person, given = person_of(request), request.POST

    def effect() -> idempotency.Answer:
        supplier = _supplier(request, place)
        made = keeping.receive(
            actor=person, facility_id=place, supplier_id=supplier, reference=given.get("reference", "")[:80],
            lines=_lines(given),
        )  # fmt: skip
        return idempotency.Answer(201, str(made.pk))

    sent = sorted((name, values) for name, values in given.lists() if name != "csrfmiddlewaretoken")
    print_ = idempotency.fingerprint(b"receive", place.bytes, repr(sent).encode())
    try:
        idempotency.once(person.label, given.get("key", "")[:80], print_, effect)
    except Problem as problem:
        if problem.status in (403, 404) and not problem.field:
            raise
        return _page(request, place, places, problem)
    done(request, _("The delivery is on the shelf."))
    return see(f"/pharmacy/receive?place={place}")


def _supplier(request: HttpRequest, place: UUID) -> UUID:
    """The one that was chosen, or a new one by the name that was typed."""
    name = request.POST.get("new_supplier", "").strip()
    if name:
        return keeping.add_supplier(actor=person_of(request), facility_id=place, name=name[:200]).pk
    found = parse_id(request.POST.get("supplier"))
    if found is None:
        raise Invalid(_("Choose the supplier, or write the name of a new one."), code="required", field="supplier")
    return found


def _lines(given: QueryDict) -> list[Came]:
    """The lines in which something was typed, with their fields named by the number of the line."""
    found = []
    for number in range(LINES):
        texts = {part: given.get(f"{part}-{number}", "").strip()[:80] for part in
                 ("medicine", "lot", "expires", "quantity", "cost")}  # fmt: skip
        if not any(texts.values()):
            continue
        found.append(
            Came(
                medicine_id=_medicine(texts["medicine"], f"medicine-{number}"), lot=texts["lot"],
                expires=day_of_pack(texts["expires"], f"expires-{number}"),
                quantity=amounts.read(texts["quantity"], f"quantity-{number}"),
                unit_cost=_cost(texts["cost"], f"cost-{number}"),
            )
        )  # fmt: skip
    return found


def _medicine(text: str, field: str) -> UUID:
    """A product by its code or its whole name, as the list of suggestions writes it; or by words that fit one only."""
    wanted = text.casefold()
    known = medicines.formulary() if text else []
    exact = [row for row in known if wanted in (row.code.casefold(), row.name.casefold(), suggestion(row).casefold())]
    found = exact or (medicines.search(text, 2) if text else [])
    if len(found) != 1:
        raise Invalid(
            _("Choose a medicine from the list.") if not found else
            _("Several medicines fit. Choose one from the list, or write its code."), field=field,
        )  # fmt: skip
    return found[0].id


def suggestion(row: Any) -> str:  # noqa: ANN401 - a MedicineRow
    """How the list of suggestions names a product, so that two brands of one substance differ."""
    return f"{row.name} · {row.brand.upper()}" if row.brand else str(row.name)


def _cost(text: str, field: str) -> Decimal:
    try:
        found = Decimal(text.replace(",", ".") or "0")
        if not found.is_finite() or found < 0 or found != round(found, 4):
            raise InvalidOperation
    except InvalidOperation:
        raise Invalid(_("Write what one costs, for example 0.12."), field=field) from None
    return found


def _page(
    request: HttpRequest, place: UUID, places: list[tuple[UUID, str]], problem: Problem | None = None
) -> HttpResponse:
    person = person_of(request)
    return show(
        request, "pharmacy/receive.html", problem.status if problem else 200, places=places, given=request.POST,
        errors=errors_of(problem) if problem else {}, suppliers=selectors.suppliers(person, place),
        products=[suggestion(row) for row in medicines.formulary()], numbers=range(LINES),
        deliveries=selectors.deliveries(person, place), zone=zone_of(request, place),
        **frame(request, "receive", place),
    )  # fmt: skip
