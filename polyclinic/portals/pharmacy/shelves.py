"""The stock board, one medicine, corrections, reorder points, and transfers to other pharmacies."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from polyclinic.core.errors import Invalid, Problem
from polyclinic.core.ids import parse_id
from polyclinic.facilities import selectors as facilities
from polyclinic.pharmacy import amounts, keeping, levels, selectors
from polyclinic.portals.common import done, person_of, see, show, tell, version_of
from polyclinic.portals.forms import errors_of
from polyclinic.portals.pharmacy.shop import frame, key, place_of, zone_of
from polyclinic.web.access import declare


@declare("stock.view")
@require_GET
def board(request: HttpRequest) -> HttpResponse:
    """The shelves by medicine, with a search and what needs somebody."""
    place, places = place_of(request, "stock.view")
    return show(request, "pharmacy/stock.html", places=places, **_board(request, place))


@declare("stock.view")
@require_GET
def lines(request: HttpRequest) -> HttpResponse:
    """Only the board, for when something moves while the page is open."""
    place, _places = place_of(request, "stock.view")
    return show(request, "pharmacy/_stock.html", **_board(request, place))


def _board(request: HttpRequest, place: UUID) -> dict[str, Any]:
    person, text = person_of(request), request.GET.get("q", "")[:80]
    chosen = request.GET.get("show", "all")
    rows = selectors.board(person, place, text=text, show=chosen)
    return {
        "rows": rows, "q": text, "chosen": chosen, "figures": selectors.figures(person, place),
        **frame(request, "stock", place),
    }  # fmt: skip


@declare("stock.view")
@require_GET
def medicine(request: HttpRequest, product_id: str) -> HttpResponse:
    """One medicine: its batches, its reorder point, and every movement."""
    place, places = place_of(request, "stock.view")
    return _medicine(request, place, places, key(product_id))


def _medicine(
    request: HttpRequest,
    place: UUID,
    places: list[tuple[UUID, str]],
    medicine_id: UUID,
    problem: Problem | None = None,
) -> HttpResponse:
    if problem is not None and problem.status not in (409, 412, 422):
        raise problem
    person = person_of(request)
    return show(
        request, "pharmacy/medicine.html", problem.status if problem else 200, places=places,
        row=selectors.of_medicine(person, place, medicine_id), batches=selectors.batches(person, place, medicine_id),
        moves=selectors.moves(person, place, medicine_id), errors=errors_of(problem) if problem else {},
        given=request.POST, zone=zone_of(request, place), **frame(request, "stock", place),
    )  # fmt: skip


@declare("stock.adjust")
@require_POST
def reorder(request: HttpRequest, product_id: str) -> HttpResponse:
    """From which quantity on it is to be bought again."""
    place, places = place_of(request, "stock.adjust")
    try:
        point = amounts.read(request.POST.get("point", "")[:20], "point", zero=True)
        levels.set_point(
            actor=person_of(request), facility_id=place, medicine_id=key(product_id), point=point,
            version=version_of(request) or None,
        )  # fmt: skip
    except Problem as problem:
        return _medicine(request, place, places, key(product_id), problem)
    done(request, _("Buyers are told when there is as little as this."))
    return see(f"/pharmacy/stock/{key(product_id)}?place={place}")


@declare("stock.adjust")
@require_http_methods(["GET", "POST"])
def adjust(request: HttpRequest, batch_id: str) -> HttpResponse:
    """Correct a batch, with the reason."""
    row = selectors.batch(person_of(request), key(batch_id))
    refused: Problem | None = None
    if request.method == "POST":
        given = request.POST
        try:
            sign = -1 if given.get("direction") == "less" else 1
            if given.get("direction") not in ("less", "more"):
                raise Invalid(_("Say whether there is less or more."), code="required", field="direction")
            keeping.adjust(
                actor=person_of(request), batch_id=row.id, note=given.get("note", "")[:300],
                difference=sign * amounts.read(given.get("difference", "")[:20], "difference"),
                why=given.get("why", ""), seen=version_of(request),
            )  # fmt: skip
        except Problem as problem:
            refused = problem
        else:
            done(request, _("Corrected, and written down."))
            return see(f"/pharmacy/stock/{row.medicine_id}?place={row.facility_id}")
    return show(
        request, "pharmacy/adjust.html", refused.status if refused else 200, row=row, given=request.POST,
        errors=errors_of(refused) if refused else {}, **frame(request, "stock", row.facility_id),
    )  # fmt: skip


@declare("stock.transfer")
@require_http_methods(["GET", "POST"])
def send(request: HttpRequest, batch_id: str) -> HttpResponse:
    """Send some of a batch to another hospital's pharmacy."""
    person = person_of(request)
    row = selectors.batch(person, key(batch_id))
    refused: Problem | None = None
    if request.method == "POST":
        try:
            target = parse_id(request.POST.get("target"))
            if target is None:
                raise Invalid(_("Choose another hospital."), code="required", field="target")
            quantity: Decimal = amounts.read(request.POST.get("quantity", "")[:20], "quantity")
            keeping.send(actor=person, batch_id=row.id, target_id=target, quantity=quantity)
        except Problem as problem:
            refused = problem
        else:
            done(request, _("On its way. It is on the other shelf when they have received it."))
            return see(f"/pharmacy/transfers?place={row.facility_id}")
    others = [(one.id, one.name) for one in facilities.facilities(person) if one.id != row.facility_id]
    return show(
        request, "pharmacy/send.html", refused.status if refused else 200, row=row, given=request.POST, others=others,
        errors=errors_of(refused) if refused else {}, **frame(request, "transfers", row.facility_id),
    )  # fmt: skip


@declare("stock.view")
@require_GET
def transfers(request: HttpRequest) -> HttpResponse:
    """What is on its way to us and from us, and what was."""
    place, places = place_of(request, "stock.view")
    rows = selectors.transfers(person_of(request), place)
    return show(request, "pharmacy/transfers.html", places=places, rows=rows, **frame(request, "transfers", place))


@declare("stock.receive")
@require_POST
def arrive(request: HttpRequest, transfer_id: str) -> HttpResponse:
    row = selectors.transfer(person_of(request), key(transfer_id))
    try:
        keeping.arrive(actor=person_of(request), transfer_id=row.id, version=version_of(request))
    except Problem as problem:
        if problem.status in (403, 404):
            raise
        tell(request, problem)
    else:
        done(request, _("Received, and on the shelf."))
    return see(f"/pharmacy/transfers?place={row.target_id if row.ours == 'target' else row.facility_id}")


@declare("stock.transfer")
@require_POST
def call_back(request: HttpRequest, transfer_id: str) -> HttpResponse:
    row = selectors.transfer(person_of(request), key(transfer_id))
    try:
        keeping.call_back(actor=person_of(request), transfer_id=row.id, version=version_of(request))
    except Problem as problem:
        if problem.status in (403, 404):
            raise
        tell(request, problem)
    else:
        done(request, _("Back on our shelf."))
    return see(f"/pharmacy/transfers?place={row.facility_id if row.ours == 'source' else row.target_id}")


def day_of_pack(text: str, field: str) -> date:
    """A date from a pack: 2027-05-31, or 2027-05 which lasts to the end of the month. Raises Invalid naming `field`."""
    bare = text.strip()
    try:
        if len(bare) == 7:
            first = date.fromisoformat(f"{bare}-01")
            following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
            return date.fromordinal(following.toordinal() - 1)
        return date.fromisoformat(bare)
    except (ValueError, OverflowError):
        raise Invalid(_("Write the date as on the pack, for example 2027-05 or 2027-05-31."), field=field) from None
