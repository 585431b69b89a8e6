"""What is owed at the desk, one invoice with all that can be done to it, and its receipts."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods

from polyclinic.billing import actions, money, online, paying, selectors
from polyclinic.billing.rows import InvoiceRow
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.errors import Invalid, NotFound, Problem
from polyclinic.core.ids import parse_id
from polyclinic.portals.cashier.desk import GRAVE, amount_of, frame, key, may, place_of
from polyclinic.portals.common import done, page_of, person_of, see, show, version_of
from polyclinic.portals.forms import errors_of
from polyclinic.web import stepup
from polyclinic.web.access import declare


@declare("till.use")
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Who still has to pay, newest first; an invoice by its number; one's own cash box."""
    place, places = place_of(request, "till.use")
    person = person_of(request)
    return show(
        request, "cashier/home.html", **_owed(request, place), till=selectors.own_till(person, place),
        **frame(request, "home", place, places),
    )  # fmt: skip


@declare("till.use")
@require_GET
def owed(request: HttpRequest) -> HttpResponse:
    """Only the list, for when something in it changes."""
    place, places = place_of(request, "till.use")
    return show(request, "cashier/_owed.html", **_owed(request, place), **frame(request, "home", place, places))


def _owed(request: HttpRequest, place: UUID) -> dict[str, Any]:
    text = request.GET.get("number", "").strip()[:12]
    number = int(text) if text.isascii() and text.isdigit() and int(text) < 2**31 else None
    state = request.GET.get("state", "open")
    state = "" if number is not None or state not in ("open", "settled", "void") else state
    found = selectors.invoices(person_of(request), place, state=state, number=number, page=page_of(request))
    missed = bool(text) and not found.rows
    return {"found": found, "number": text, "state": state, "missed": missed}


@declare("till.use")
@require_http_methods(["GET", "POST"])
def invoice(request: HttpRequest, invoice_id: str) -> HttpResponse:
    """An invoice; a POST takes one `step`: a payment, what a terminal said, a refund, or what makes it less."""
    row = _at_the_desk(request, invoice_id)
    if request.method == "GET":
        return _page(request, row)
    if request.POST.get("step") in GRAVE:
        stepup.require(request)
    try:
        sentence = _take_step(request, row)
    except Problem as problem:
        step = request.POST.get("step", "")
        return _page(request, row, errors_of(_beside(problem, step)), problem.status)
    done(request, sentence)
    return see(f"/cashier/invoices/{row.id}")


@declare("till.use")
@require_GET
def invoice_state(request: HttpRequest, invoice_id: str) -> HttpResponse:
    """Only what changes on that page while it is open."""
    row = _at_the_desk(request, invoice_id)
    return show(request, "cashier/_invoice.html", **_shown(request, row))


@declare("till.use")
@require_GET
def receipt(request: HttpRequest, payment_id: str) -> HttpResponse:
    """A receipt to print: of a payment, with what of it was given back."""
    found = selectors.payment(person_of(request), key(payment_id))
    row = _at_the_desk(request, str(found.invoice_id))
    if found.receipt is None:
        raise NotFound()
    return show(request, "cashier/receipt.html", payment=found, **_shown(request, row))


def _at_the_desk(request: HttpRequest, invoice_id: str) -> InvoiceRow:
    """An invoice of a facility where this person is at the desk; their own as a patient is shown elsewhere."""
    row = selectors.invoice(person_of(request), key(invoice_id))
    policy.require_sight(person_of(request), "till.use", Subject(facility_id=row.facility_id))
    return row


def _take_step(request: HttpRequest, row: InvoiceRow) -> Any:  # noqa: ANN401 - a lazy sentence
    """Do what the form asks and give the sentence for the next page."""
    given, person, step = request.POST, person_of(request), request.POST.get("step", "")
    reason = given.get(f"{step}_reason", "")[:300]
    if step == "pay":
        paid = actions.take_payment(
            actor=person, invoice_id=row.id, method=given.get("method", ""), key=given.get("key", ""),
            amount_minor=amount_of(request, row.currency),
        )  # fmt: skip
        return _("Paid.") if paid.state == "taken" else _("Now take the card at the terminal, and say what it answers.")
    if step == "charge":
        return _charge(request, row)
    if step in ("approved", "declined"):
        paying.confirm_card(actor=person, payment_id=_own_payment(request, row), approved=step == "approved")
        return _("Paid.") if step == "approved" else _("Nothing was taken.")
    if step == "give_up":
        online.give_up(actor=person, payment_id=_own_payment(request, row))
        return _("Nobody waits for this payment any more.")
    if step == "refund":
        made = online.refund(
            actor=person, payment_id=_own_payment(request, row), key=given.get("key", ""), reason=reason,
            amount_minor=amount_of(request, row.currency, "refund_amount"), credits=given.get("credits") != "no",
        )  # fmt: skip
        return _("Given back.") if made.state == "done" else _("The bank was asked to give it back.")
    return _lessen(request, row, step, reason)


def _charge(request: HttpRequest, row: InvoiceRow) -> Any:  # noqa: ANN401 - a lazy sentence
    given = request.POST
    price, quantity = parse_id(given.get("price", "")), given.get("quantity", "1").strip()
    if price is None:
        raise Invalid(_("Choose what was done."), field="price")
    if not (quantity.isascii() and quantity.isdecimal() and 0 < len(quantity) < 7):
        raise Invalid(_("The quantity must be at least 1."), field="quantity")
    made = actions.add_line(
        actor=person_of(request), invoice_id=row.id, price_id=price, quantity=int(quantity), key=given.get("key", "")
    )
    return _("%(what)s is on the invoice.") % {"what": made.text}


def _lessen(request: HttpRequest, row: InvoiceRow, step: str, reason: str) -> Any:  # noqa: ANN401 - a lazy sentence
    person, version = person_of(request), version_of(request)
    if step == "drop":
        if not reason.strip():
            raise Invalid(_("Say why."), field="reason")
        actions.drop(actor=person, line_id=_own_line(request, row, "drop_line"), reason=reason.strip()[:200])
        return _("Taken off.")
    if step == "discount":
        line = _own_line(request, row, "line")
        actions.discount(
            actor=person, line_id=line, reason=reason, version=version,
            amount_minor=amount_of(request, row.currency, "discount_amount"),
        )  # fmt: skip
        return _("Made cheaper.")
    steps: dict[str, tuple[Any, Any]] = {
        "waive": (actions.waive, _("Waived: nothing is owed any more.")),
        "write_off": (actions.write_off, _("Written off.")),
        "void": (actions.void, _("Void. It keeps its number and counts no more.")),
    }
    if step not in steps:
        raise Invalid(_("Choose one of the steps."), field="step")
    act, sentence = steps[step]
    act(actor=person, invoice_id=row.id, reason=reason, version=version)
    return sentence


def _own_line(request: HttpRequest, row: InvoiceRow, field: str) -> UUID:
    found = parse_id(request.POST.get(field, ""))
    if found is None or found not in {one.id for one in row.lines}:
        raise Invalid(_("Choose one of the lines."), field=field)
    return found


def _own_payment(request: HttpRequest, row: InvoiceRow) -> UUID:
    """The payment a form names, when it is one of this invoice."""
    found = key(request.POST.get("payment", ""))
    if found not in {one.id for one in row.payments}:
        raise NotFound()
    return found


def _beside(problem: Problem, step: str) -> Problem:
    """The refusal beside the field of the form it came from: several forms of the page have an amount or a reason."""
    if problem.field == "reason":
        problem.field = f"{step}_reason"
    elif problem.field == "amount" and step in ("refund", "discount"):
        problem.field = f"{step}_amount"
    return problem


def _shown(request: HttpRequest, row: InvoiceRow) -> dict[str, Any]:
    steps = may(request, row.facility_id, row.patient_id)
    left = row.due_minor - row.pending_minor
    return {
        "row": row, "may": steps, "left": left, "left_plain": money.plain(left, row.currency),
        "fresh": stepup.is_fresh(person_of(request)),
        "refundable": [
            one for one in row.payments if one.status in ("taken", "surplus") and one.amount_minor > one.refunded_minor
        ],
        **frame(request, "invoice", row.facility_id, [(row.facility_id, row.facility_name)]),
    }  # fmt: skip


def _page(
    request: HttpRequest, row: InvoiceRow, errors: dict[str, list[str]] | None = None, status: int = 200
) -> HttpResponse:
    shown = _shown(request, row)
    charging = shown["may"]["charge"] and row.status != "void"
    listed = selectors.prices(person_of(request), row.facility_id) if charging else []
    return show(
        request, "cashier/invoice.html", status, errors=errors or {}, given=request.POST, listed=listed, **shown
    )
