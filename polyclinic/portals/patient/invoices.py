"""A patient's invoices: what is owed, paying it online, and the receipts."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from polyclinic.billing import money, online, selectors
from polyclinic.billing.providers import Local, ProviderSilent
from polyclinic.billing.rows import InvoiceRow
from polyclinic.core.errors import NotFound, Problem
from polyclinic.core.ids import new_id, parse_id
from polyclinic.portals.cashier.desk import METHODS, STATES, key, percent
from polyclinic.portals.common import done, person_of, see, show, tell
from polyclinic.portals.forms import errors_of
from polyclinic.web import ratelimit
from polyclinic.web.access import declare


@declare("payment.pay_online")
@require_GET
def invoices(request: HttpRequest) -> HttpResponse:
    """One's own invoices and those of whom one acts for, newest first."""
    return show(request, "patient/invoices.html", **_listed(request))


@declare("payment.pay_online")
@require_GET
def newest(request: HttpRequest) -> HttpResponse:
    """Only the list, for when something is charged or paid while the page is open."""
    return show(request, "patient/_invoices.html", **_listed(request))


def _listed(request: HttpRequest) -> dict[str, Any]:
    person = person_of(request)
    ids = [one for one in (person.patient_id, *sorted(person.delegated)) if one is not None]
    rows = [row for one in ids for row in selectors.invoices_of(person, one)]
    rows.sort(key=lambda row: row.opened_at, reverse=True)
    return {"rows": rows, "own": person.patient_id, "STATES": STATES}


@declare("payment.pay_online")
@require_GET
def one(request: HttpRequest, invoice_id: str) -> HttpResponse:
    return _page(request, _own(request, invoice_id))


@declare("payment.pay_online")
@require_GET
def state(request: HttpRequest, invoice_id: str) -> HttpResponse:
    """Only what changes on that page."""
    return show(request, "patient/_invoice.html", **_shown(_own(request, invoice_id)))


@declare("payment.pay_online")
@require_POST
def pay(request: HttpRequest, invoice_id: str) -> HttpResponse:
    """Begin to pay online: on to the page that leads to the bank."""
    row, person = _own(request, invoice_id), person_of(request)
    try:
        ratelimit.check("payment", account=person.label)
        payment, _address = online.pay(
            actor=person, invoice_id=row.id, key=request.POST.get("key", ""),
            amount_minor=money.read(request.POST.get("amount", "")[:40], row.currency),
        )  # fmt: skip
    except Problem as problem:
        return _page(request, row, errors_of(problem), problem.status)
    return see(f"/my/invoices/pay/{payment}")


@declare("payment.pay_online")
@require_http_methods(["GET", "POST"])
def bank(request: HttpRequest, payment_id: str) -> HttpResponse:
    """Where the bank's page is; in the demo it is this one, and a POST is what the patient said there.

    A form that sent the browser straight to another site would need our pages to allow that for every form.
    """
    found = selectors.payment(person_of(request), key(payment_id))
    row = _own(request, str(found.invoice_id))
    if request.method == "POST":
        state = online.local_answer(
            actor=person_of(request), payment_id=found.id, approved=request.POST.get("answer") == "yes"
        )
        _say(request, state)
        return see(f"/my/invoices/{row.id}")
    if found.status != "pending":
        return see(f"/my/invoices/{row.id}")
    return show(request, "patient/pay.html", payment=found, row=row, local=found.provider == Local.name)


@declare("payment.pay_online")
@require_GET
def back(request: HttpRequest, invoice_id: str) -> HttpResponse:
    """Back from the bank: it is asked what became of the payment; the address alone proves nothing."""
    row = _own(request, invoice_id)
    found = parse_id(request.GET.get("payment", ""))
    if found not in {one.id for one in row.payments} or found is None:
        raise NotFound()
    try:
        _say(request, online.refresh(actor=person_of(request), payment_id=found))
    except ProviderSilent as problem:
        tell(request, problem)
    return see(f"/my/invoices/{row.id}")


@declare("payment.pay_online")
@require_POST
def give_up(request: HttpRequest, payment_id: str) -> HttpResponse:
    """Not to pay this way after all."""
    found = selectors.payment(person_of(request), key(payment_id))
    row = _own(request, str(found.invoice_id))
    try:
        _say(request, online.give_up(actor=person_of(request), payment_id=found.id))
    except Problem as problem:
        tell(request, problem)
    return see(f"/my/invoices/{row.id}")


@declare("payment.pay_online")
@require_GET
def receipt(request: HttpRequest, payment_id: str) -> HttpResponse:
    """A receipt to print."""
    found = selectors.payment(person_of(request), key(payment_id))
    row = _own(request, str(found.invoice_id))
    if found.receipt is None:
        raise NotFound()
    return show(request, "patient/receipt.html", payment=found, **_shown(row))


def _say(request: HttpRequest, state: str) -> None:
    sentences: dict[str, Any] = {
        "taken": _("Thank you. Your payment has arrived."),
        "surplus": _("This was paid already. The hospital gives your money back."),
        "failed": _("Nothing was taken."),
        "pending": _("The bank has not answered yet. This page shows the payment once it is there."),
    }
    done(request, sentences[state])


def _own(request: HttpRequest, invoice_id: str) -> InvoiceRow:
    """An invoice of one's own, or of somebody one acts for; the desk's are shown elsewhere."""
    person = person_of(request)
    row = selectors.invoice(person, key(invoice_id))
    if row.status == "void" or (row.patient_id != person.patient_id and row.patient_id not in person.delegated):
        raise NotFound()
    return row


def _shown(row: InvoiceRow) -> dict[str, Any]:
    left = row.due_minor - row.pending_minor
    return {
        "row": row, "left": left, "left_plain": money.plain(left, row.currency), "offered": online.offered(),
        "key": new_id().hex, "STATES": STATES, "METHODS": METHODS, "reasons": False, "percent": percent,
    }  # fmt: skip


def _page(
    request: HttpRequest, row: InvoiceRow, errors: dict[str, list[str]] | None = None, status: int = 200
) -> HttpResponse:
    return show(request, "patient/invoice.html", status, errors=errors or {}, given=request.POST, **_shown(row))
