"""Invoices, payments, refunds, prices and revenue over REST. Amounts are in the currency's smallest unit."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from ninja import Router
from pydantic import Field

from polyclinic.api import answers
from polyclinic.api.api import PROBLEMS
from polyclinic.api.schemas import Body, Day, Limit, PageNumber, Text, Version, Words, described, list_of
from polyclinic.billing import actions, figures, online, paying, prices, selectors
from polyclinic.billing.rows import FigureRow, InvoiceBrief, InvoiceRow, PriceRow, RevenueRow
from polyclinic.core.errors import Invalid, NotFound
from polyclinic.core.ids import new_id
from polyclinic.visits import earnings
from polyclinic.web import ratelimit, stepup
from polyclinic.web.access import declare

router = Router(tags=["Billing"])
_INVOICE = {200: described(InvoiceRow), **PROBLEMS}
Minor = Annotated[int, Field(strict=True, ge=1, le=10**13)]
Reason = Annotated[Text, Field(min_length=1, max_length=200)]


class PaymentWish(Body):
    """Money taken at the desk. A `card` payment waits until the terminal has answered."""

    method: Literal["cash", "card"]
    amount_minor: Minor


class OnlineWish(Body):
    """How much of it is to be paid online."""

    amount_minor: Minor


class TerminalAnswer(Body):
    """What the terminal at the desk says."""

    approved: bool


class RefundWish(Body):
    """How much goes back and why. With `credits` what it paid for falls away; without, it is owed again."""

    amount_minor: Minor
    reason: Reason
    credits: bool = True


class LineWish(Body):
    """Something from the price list, by its code."""

    code: Annotated[Text, Field(min_length=1, max_length=40)]
    quantity: Annotated[int, Field(strict=True, ge=1, le=100_000)] = 1


class Lessening(Body):
    """A line taken off, a discount on one line, a waiver of a line or of all that is owed, a write-off, or voiding the
    invoice. The last two ask for a step-up."""

    step: Literal["drop", "discount", "waive", "write_off", "void"]
    reason: Reason
    line_id: UUID | None = None
    amount_minor: Minor | None = None
    version: Version | None = None


class PriceWish(Body):
    """What a code costs from now on."""

    code: Annotated[Text, Field(max_length=40)]
    name: Annotated[Text, Field(max_length=120)]
    kind: Literal["consultation", "lab", "medicine", "procedure", "other"]
    amount_minor: Annotated[int, Field(strict=True, ge=0, le=10**13)]
    # How much of it is tax, in hundredths of a per cent: 1900 is 19 %.
    tax_rate: Annotated[int, Field(strict=True, ge=0, le=10_000)] = 0


class PayRow(msgspec.Struct, frozen=True, rename="camel"):
    """A payment begun online, and the address on which the patient pays."""

    id: UUID
    url: str


def _key(request: HttpRequest) -> str:
    """The payment's own key: a repeated request is the same payment, also where its answer was never stored."""
    return str(request.META.get("HTTP_IDEMPOTENCY_KEY", "")) or new_id().hex


@router.get("/patients/{patientId}/invoices", response={200: list_of(InvoiceBrief), **PROBLEMS}, summary="Invoices")
@declare("invoice.view")
def patient_invoices(
    request: HttpRequest, patientId: str, page: PageNumber = 1, limit: Limit = 50, fields: Words | None = None
) -> HttpResponse:
    """A patient's invoices, newest first: their own, or at the caller's hospitals."""
    rows = selectors.invoices_of(answers.viewer_of(request), answers.key(patientId))
    return answers.cut(request, rows, page, limit, fields)


@router.get("/hospitals/{hospitalId}/invoices", response={200: list_of(InvoiceBrief), **PROBLEMS}, summary="Invoices")
@declare("till.use")
def hospital_invoices(
    request: HttpRequest,
    hospitalId: str,
    state: Literal["open", "settled", "void"] | None = None,
    page: PageNumber = 1,
    limit: Limit = 50,
    fields: Words | None = None,
) -> HttpResponse:
    """Invoices of a hospital, newest first."""
    found = selectors.invoices(
        answers.viewer_of(request), answers.key(hospitalId), state=state or "", page=page, limit=limit
    )
    return answers.listing(request, found.rows, total=found.total, page=found.page, pages=found.pages, fields=fields)


@router.get("/invoices/{invoiceId}", response=_INVOICE, summary="Read an invoice")
@declare("invoice.view")
def read_invoice(request: HttpRequest, invoiceId: str, fields: Words | None = None) -> HttpResponse:
    """With its lines, payments and refunds."""
    return answers.one(request, selectors.invoice(answers.viewer_of(request), answers.key(invoiceId)), fields)


@router.post("/invoices/{invoiceId}/lines", response={201: described(InvoiceRow), **PROBLEMS}, summary="Charge")
@declare("till.use")
def charge(request: HttpRequest, invoiceId: str, body: LineWish) -> HttpResponse:
    """Add something from the price list at the desk. Give an `Idempotency-Key`: sent twice, it is one line."""
    person, invoice = answers.person_of(request), answers.key(invoiceId)

    def effect() -> tuple[int, object]:
        actions.charge(
            actor=person, invoice_id=invoice, source_kind=actions.BY_HAND, source_id=new_id(), code=body.code.strip(),
            quantity=body.quantity,
        )  # fmt: skip
        return 201, selectors.invoice(person, invoice)

    return answers.once(request, effect, kind="invoice")


@router.post("/invoices/{invoiceId}/payments", response={201: described(InvoiceRow), **PROBLEMS}, summary="Take money")
@declare("payment.take")
def take_payment(request: HttpRequest, invoiceId: str, body: PaymentWish) -> HttpResponse:
    """Give an `Idempotency-Key`: sent twice, it is one payment."""
    person, invoice = answers.person_of(request), answers.key(invoiceId)

    def effect() -> tuple[int, object]:
        actions.take_payment(
            actor=person, invoice_id=invoice, method=body.method, amount_minor=body.amount_minor, key=_key(request)
        )
        return 201, selectors.invoice(person, invoice)

    return answers.once(request, effect, kind="invoice")


@router.put("/payments/{paymentId}/terminal", response=_INVOICE, summary="What the card terminal answered")
@declare("payment.take")
def terminal_answer(request: HttpRequest, paymentId: str, body: TerminalAnswer) -> HttpResponse:
    """By the person in front of the terminal."""
    person = answers.person_of(request)
    made = paying.confirm_card(actor=person, payment_id=answers.key(paymentId), approved=body.approved)
    return answers.one(request, selectors.invoice(person, made.invoice_id))


@router.post("/invoices/{invoiceId}/online", response={201: described(PayRow), **PROBLEMS}, summary="Pay online")
@declare("payment.pay_online")
def pay_online(request: HttpRequest, invoiceId: str, body: OnlineWish) -> HttpResponse:
    """The answer names the page to pay on. Sent again with the same `Idempotency-Key` it is the same payment."""
    person = answers.person_of(request)
    ratelimit.check("payment", account=person.label)
    # Not inside `answers.once`: the bank is asked in between, and nobody is asked while a transaction is open.
    payment, url = online.pay(
        actor=person, invoice_id=answers.key(invoiceId), amount_minor=body.amount_minor, key=_key(request)
    )
    return answers.reply(PayRow(payment, url), 201)


@router.post("/payments/{paymentId}/refunds", response={201: described(InvoiceRow), **PROBLEMS}, summary="Give back")
@declare("payment.refund")
def refund(request: HttpRequest, paymentId: str, body: RefundWish) -> HttpResponse:
    """At most what was paid, by whom has just shown who they are. Give an `Idempotency-Key`: sent twice, it is one."""
    stepup.require(request)
    person, payment = answers.person_of(request), answers.key(paymentId)
    made = online.refund(
        actor=person,
        payment_id=payment,
        amount_minor=body.amount_minor,
        reason=body.reason,
        key=_key(request),
        credits=body.credits,
    )
    return answers.reply(selectors.invoice(person, made.payment.invoice_id), 201)


@router.put("/invoices/{invoiceId}/less", response=_INVOICE, summary="Discount, waive, write off or void")
@declare("invoice.settle")
def lessen(request: HttpRequest, invoiceId: str, body: Lessening) -> HttpResponse:
    """Each step needs its own right, and a reason; to write off or void, a step-up."""
    if body.step in ("write_off", "void"):
        stepup.require(request)
    person, key = answers.person_of(request), answers.key(invoiceId)
    version = answers.expected_version(request, body.version)
    if body.line_id is not None and body.line_id not in {one.id for one in selectors.invoice(person, key).lines}:
        raise NotFound()
    if body.step == "drop":
        if body.line_id is None:
            raise Invalid(_("Choose one of the lines."), code="required", field="lineId")
        actions.drop(actor=person, line_id=body.line_id, reason=body.reason)
    elif body.step == "discount":
        actions.discount(
            actor=person, line_id=body.line_id or new_id(), amount_minor=body.amount_minor or 0, reason=body.reason,
            version=version,
        )  # fmt: skip
    elif body.step == "waive":
        target = {"line_id": body.line_id} if body.line_id else {"invoice_id": key}
        actions.waive(actor=person, reason=body.reason, version=version, **target)
    elif body.step == "write_off":
        actions.write_off(actor=person, invoice_id=key, reason=body.reason, version=version)
    else:
        actions.void(actor=person, invoice_id=key, reason=body.reason, version=version)
    return answers.one(request, selectors.invoice(person, key))


@router.post("/payments/notices/{provider}", response={204: None, **PROBLEMS}, summary="A bank's notice")
@declare("public")
def notice(request: HttpRequest, provider: str) -> HttpResponse:
    """Only what the payment service has signed is listened to."""
    online.heard(provider, request.body, request.headers)
    return HttpResponse(status=204)


@router.get("/hospitals/{hospitalId}/prices", response={200: list_of(PriceRow), **PROBLEMS}, summary="Prices")
@declare("price.view")
def list_prices(
    request: HttpRequest, hospitalId: str, page: PageNumber = 1, limit: Limit = 50, fields: Words | None = None
) -> HttpResponse:
    """What things cost now."""
    rows = selectors.prices(answers.viewer_of(request), answers.key(hospitalId))
    return answers.cut(request, rows, page, limit, fields)


@router.put("/hospitals/{hospitalId}/prices", response={200: list_of(PriceRow), **PROBLEMS}, summary="Set a price")
@declare("price.edit")
def set_price(request: HttpRequest, hospitalId: str, body: PriceWish) -> HttpResponse:
    """What a code costs from now on; what was charged stays."""
    person, place = answers.person_of(request), answers.key(hospitalId)
    prices.set_price(
        actor=person, facility_id=place, code=body.code, name=body.name, kind=body.kind,
        amount_minor=body.amount_minor, tax_rate=body.tax_rate,
    )  # fmt: skip
    rows = [row for row in selectors.prices(person, place) if row.code == body.code.strip()]
    return answers.listing(request, rows)


@router.get("/hospitals/{hospitalId}/revenue", response={200: list_of(RevenueRow), **PROBLEMS}, summary="Revenue")
@declare("revenue.view")
def revenue(request: HttpRequest, hospitalId: str, first: Day, last: Day) -> HttpResponse:
    """By day of the hospital's calendar; at most 400 days."""
    rows = selectors.revenue(answers.viewer_of(request), answers.key(hospitalId), first, last)
    return answers.listing(request, rows)


@router.get(
    "/hospitals/{hospitalId}/revenue/{table}", response={200: list_of(FigureRow), **PROBLEMS}, summary="A money report"
)
@declare("revenue.view")
def report(
    request: HttpRequest,
    hospitalId: str,
    table: Literal["services", "doctors", "methods", "reductions", "owed"],
    first: Day,
    last: Day,
) -> HttpResponse:
    """What was charged by service or doctor, what came in by each way to pay, what made invoices less; `owed` is as of
    now, by age, whatever the days."""
    viewer, place = answers.viewer_of(request), answers.key(hospitalId)
    if table == "owed":
        return answers.listing(request, figures.owed(viewer, place))
    read = {
        "services": figures.services,
        "doctors": earnings.by_doctor,
        "methods": figures.methods,
        "reductions": figures.reductions,
    }[table]
    return answers.listing(request, read(viewer, place, first, last))
