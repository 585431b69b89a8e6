"""What was handed over: the page after it, its labels, and taking some of it back."""

from __future__ import annotations

from decimal import Decimal

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods

from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.errors import Invalid, NotFound, Problem
from polyclinic.core.ids import parse_id
from polyclinic.pharmacy import actions, amounts, counter
from polyclinic.pharmacy.rows import DispenseRow
from polyclinic.portals.common import done, person_of, see, show, version_of
from polyclinic.portals.forms import errors_of
from polyclinic.portals.pharmacy.shop import frame, key
from polyclinic.prescribing import selectors as prescriptions
from polyclinic.web.access import declare


@declare("prescription.dispense")
@require_GET
def one(request: HttpRequest, dispense_id: str) -> HttpResponse:
    """What was handed over, to whom, from which lots, and what comes next."""
    made = _made(request, dispense_id)
    row = prescriptions.prescription(person_of(request), made.prescription_id)
    return show(request, "pharmacy/dispense.html", made=made, row=row, **frame(request, "queue", made.facility_id))


@declare("prescription.dispense")
@require_GET
def labels(request: HttpRequest, dispense_id: str) -> HttpResponse:
    """Labels for the packs that were handed over, again."""
    made = _made(request, dispense_id)
    return show(
        request, "pharmacy/labels.html", made=made, row=made, there=None, **frame(request, "queue", made.facility_id)
    )


@declare("prescription.dispense")
@require_http_methods(["GET", "POST"])
def take_back(request: HttpRequest, dispense_id: str) -> HttpResponse:
    """Ask what comes back and whether it may go on the shelf again."""
    made = _made(request, dispense_id)
    refused: Problem | None = None
    if request.method == "POST":
        try:
            _take(request, made)
        except Problem as problem:
            refused = problem
        else:
            done(request, _("Taken back. What was not paid yet is off the invoice; the rest the cash desk gives back."))
            return see(f"/pharmacy/dispenses/{made.id}")
    return show(
        request, "pharmacy/take_back.html", refused.status if refused else 200, made=made, given=request.POST,
        errors=errors_of(refused) if refused else {}, **frame(request, "queue", made.facility_id),
    )  # fmt: skip


def _take(request: HttpRequest, made: DispenseRow) -> None:
    given = request.POST
    line_id = parse_id(given.get("line"))
    if line_id is None:
        raise Invalid(_("Choose what comes back."), code="required", field="line")
    if given.get("to") not in ("stock", "destroyed"):
        raise Invalid(_("Say where it goes."), code="required", field="to")
    quantity: Decimal = amounts.read(given.get("quantity", "")[:20], "quantity")
    actions.take_back(
        actor=person_of(request), dispense_id=made.id, line_id=line_id, quantity=quantity,
        to_stock=given["to"] == "stock", version=version_of(request),
    )  # fmt: skip


def _made(request: HttpRequest, dispense_id: str) -> DispenseRow:
    person = person_of(request)
    made = counter.dispense(person, key(dispense_id))
    if not policy.allowed(person, "prescription.dispense", Subject(made.patient_id, None, made.facility_id)):
        raise NotFound()
    return made
