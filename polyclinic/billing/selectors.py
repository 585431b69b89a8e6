"""Reading prices, invoices, cash boxes and revenue. Whoever may not see a thing is answered as if it did not exist."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext_lazy as _

from polyclinic.billing import books, tills
from polyclinic.billing.models import Invoice, InvoiceLine, LedgerEntry, Payment, Price, Refund, TillShift
from polyclinic.billing.rows import (
    InvoiceBrief,
    InvoicePage,
    InvoiceRow,
    LineRow,
    MovedRow,
    PaymentRow,
    PriceRow,
    RefundRow,
    RevenueRow,
    TillRow,
)
from polyclinic.billing.states import DONE, OPEN, PENDING, VOID, invoice_subject
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Person, SystemActor, Viewer
from polyclinic.core.audit import reads
from polyclinic.core.errors import Invalid, NotFound, Unauthenticated
from polyclinic.facilities.models import Facility
from polyclinic.people import joined

MOST: Final = 200
_MOST_DAYS: Final = 400
Side = LedgerEntry.Side


def prices(viewer: Viewer, facility_id: UUID) -> list[PriceRow]:
    """What things cost at a facility now, by name. Raises NotFound for whom the list is none of their business."""
    policy.require_sight(viewer, "price.view", Subject(facility_id=facility_id))
    rows = Price.objects.filter(facility_id=facility_id, valid_to__isnull=True).order_by("kind", "name", "pk")
    columns = ("id", "facility_id", "code", "name", "kind", "amount_minor", "tax_rate", "currency", "valid_from")
    return [PriceRow(*cells) for cells in rows.values_list(*columns)]


def currency(viewer: Viewer, facility_id: UUID) -> str:
    """The currency a facility charges in. Raises NotFound."""
    policy.require_sight(viewer, "price.view", Subject(facility_id=facility_id))
    return books.currency_of(facility_id)


def invoice(viewer: Viewer, invoice_id: UUID) -> InvoiceRow:
    """One invoice with its lines and payments. Raises NotFound."""
    return _one(viewer, Invoice.objects.filter(pk=invoice_id))


def invoice_of(viewer: Viewer, subject_kind: str, subject_id: UUID) -> InvoiceRow:
    """The invoice of one thing (a visit). Raises NotFound, also when nothing was billed yet."""
    rows = Invoice.objects.filter(subject_kind=subject_kind, subject_id=subject_id)
    return _one(viewer, rows.exclude(state=VOID))


def invoices_of(viewer: Viewer, patient_id: UUID) -> list[InvoiceBrief]:
    """A patient's invoices that this viewer may see, newest first. Raises NotFound for a stranger."""
    rows = Invoice.objects.filter(patient_id__in=joined.same(patient_id)).exclude(state=VOID)
    if not policy.allowed(viewer, "invoice.view", Subject(patient_id=patient_id)):
        rows = rows.filter(facility_id__in=_places(viewer, "invoice.view"))
        if not rows.exists():
            raise NotFound()
    return _listed(viewer, patient_id, rows.order_by("-opened_at", "-pk")[:MOST])


def invoices(
    viewer: Viewer, facility_id: UUID, *, state: str = "", number: int | None = None, page: int = 1, limit: int = 50
) -> InvoicePage:
    """Invoices of a facility, newest first. Raises NotFound; Invalid naming `state`, `page` or `limit`."""
    policy.require_sight(viewer, "invoice.view", Subject(facility_id=facility_id))
    if page < 1:
        raise Invalid(_("Pages count from 1."), field="page")
    if not 1 <= limit <= MOST:
        raise Invalid(_("Ask for 1 to 200 rows."), field="limit")
    rows = Invoice.objects.filter(facility_id=facility_id)
    if state:
        if state not in ("open", "settled", "void"):
            raise Invalid(_("Choose one of the listed values."), field="state", possible=["open", "settled", "void"])
        rows = rows.filter(state=state)
    if number is not None:
        rows = rows.filter(number=number)
    total = rows.count()
    shown = rows.order_by("-opened_at", "-pk")[(page - 1) * limit : page * limit]
    return InvoicePage(_listed(viewer, None, shown), total, page, max(1, -(-total // limit)))


def payment(viewer: Viewer, payment_id: UUID) -> PaymentRow:
    """One payment, for those who may see its invoice. Raises NotFound."""
    row = _payments().select_related("invoice").filter(pk=payment_id).first()
    if row is None:
        raise NotFound() if isinstance(viewer, Person | SystemActor) else Unauthenticated()
    policy.require_sight(viewer, "invoice.view", invoice_subject(row.invoice))
    reads.opened(viewer, "invoice", row.invoice_id, patient_id=row.invoice.patient_id, facility_id=row.facility_id)
    return _payment(row)


def own_till(viewer: Viewer, facility_id: UUID) -> TillRow | None:
    """The viewer's own open cash box at a facility, or None. Raises NotFound for whom there can be none."""
    policy.require_sight(viewer, "till.use", Subject(facility_id=facility_id))
    if not isinstance(viewer, Person):
        raise Unauthenticated()
    row = _tills().filter(facility_id=facility_id, account_id=viewer.account_id, state=OPEN).first()
    return _till(row) if row else None


def till(viewer: Viewer, till_id: UUID) -> TillRow:
    """One cash box: one's own, or for whom looks after those of the facility. Raises NotFound."""
    row = _tills().filter(pk=till_id).first()
    if row is None:
        raise NotFound() if isinstance(viewer, Person | SystemActor) else Unauthenticated()
    own = isinstance(viewer, Person) and viewer.account_id == row.account_id
    policy.require_sight(viewer, "till.use" if own else "till.view", Subject(facility_id=row.facility_id))
    return _till(row)


def till_moves(viewer: Viewer, till_id: UUID) -> list[MovedRow]:
    """The cash that went into and out of a box, in order of the receipts. Raises NotFound as `till` does."""
    row = till(viewer, till_id)
    taken = Payment.objects.filter(till_id=row.id).select_related("invoice")
    given = Refund.objects.filter(till_id=row.id, state=DONE).select_related("payment__invoice")
    moves = [MovedRow(one.receipt, one.taken_at, one.method, one.invoice.number, one.amount_minor) for one in taken]
    moves += [
        MovedRow(one.receipt, one.done_at, one.payment.method, one.payment.invoice.number, -one.amount_minor)
        for one in given
    ]
    return sorted(moves, key=lambda move: move.receipt or 0)


def tills_of(viewer: Viewer, facility_id: UUID) -> list[TillRow]:
    """The cash boxes of a facility, newest first: all for whom looks after them, else one's own. Raises NotFound."""
    subject = Subject(facility_id=facility_id)
    rows = _tills().filter(facility_id=facility_id).order_by("-opened_at", "-pk")
    if not policy.allowed(viewer, "till.view", subject):
        policy.require_sight(viewer, "till.use", subject)
        if not isinstance(viewer, Person):
            raise Unauthenticated()
        rows = rows.filter(account_id=viewer.account_id)
    return [_till(row) for row in rows[:50]]


def revenue(viewer: Viewer, facility_id: UUID, first: date, last: date) -> list[RevenueRow]:
    """The days of a facility from `first` to `last`, by its own calendar; days without money are left out.

    Raises NotFound, Invalid when the stretch is no stretch or longer than 400 days.
    """
    policy.require_sight(viewer, "revenue.view", Subject(facility_id=facility_id))
    if not timedelta(0) <= last - first <= timedelta(days=_MOST_DAYS):
        raise Invalid(_("Ask for 1 to 400 days."), field="last")
    zone = ZoneInfo(Facility.objects.values_list("time_zone", flat=True).get(pk=facility_id))
    since, until = (datetime.combine(day, time(0), zone) for day in (first, last + timedelta(days=1)))
    entries = LedgerEntry.objects.filter(facility_id=facility_id, at__gte=since, at__lt=until)
    days: dict[tuple[date, str], dict[str, int]] = {}
    for at, debit, credit, amount, unit in entries.values_list("at", "debit", "credit", "amount_minor", "currency"):
        sums = days.setdefault((at.astimezone(zone).date(), unit), dict.fromkeys(_SUMS, 0))
        name = _name_of(debit, credit)
        if name:
            sums[name] += amount
        if Side.TAX in (debit, credit):
            sums["tax_minor"] += amount if credit == Side.TAX else -amount
    return [RevenueRow(day, unit, **sums) for (day, unit), sums in sorted(days.items())]


_SUMS: Final = (
    "charged_minor", "reduced_minor", "tax_minor", "cash_minor", "card_minor", "online_minor", "returned_minor",
)  # fmt: skip
_HELD: Final = {Side.CASH.value: "cash_minor", Side.CARD.value: "card_minor", Side.ONLINE.value: "online_minor"}


def _name_of(debit: str, credit: str) -> str | None:
    """Which sum of a day a movement belongs to."""
    if Side.TILL in (debit, credit):
        return None
    if credit in (Side.REVENUE, Side.TAX):
        return "charged_minor"
    if debit in _HELD:
        return _HELD[debit]
    return "returned_minor" if credit in _HELD else "reduced_minor"


def _places(viewer: Viewer, permission: str) -> frozenset[UUID]:
    if not isinstance(viewer, Person):
        raise Unauthenticated()
    return policy.places(viewer, permission)


def _payments() -> QuerySet[Payment]:
    refunds = Refund.objects.order_by("asked_at", "pk").select_related("payment__invoice")
    return Payment.objects.order_by("started_at", "pk").prefetch_related(Prefetch("refunds", refunds))


def _one(viewer: Viewer, rows: QuerySet[Invoice]) -> InvoiceRow:
    lines = InvoiceLine.objects.order_by("pk").select_related("invoice")
    row = (
        rows.select_related("facility", "patient")
        .prefetch_related(Prefetch("lines", lines), Prefetch("payments", _payments()))
        .first()
    )
    if row is None:
        raise NotFound() if isinstance(viewer, Person | SystemActor) else Unauthenticated()
    policy.require_sight(viewer, "invoice.view", invoice_subject(row))
    reads.opened(viewer, "invoice", row.pk, patient_id=row.patient_id, facility_id=row.facility_id)
    return InvoiceRow(
        id=row.pk,
        number=row.number,
        status=row.state,
        version=row.version,
        facility_id=row.facility_id,
        facility_name=row.facility.name,
        time_zone=row.facility.time_zone,
        patient_id=row.patient_id,
        patient_name=str(row.patient),
        mrn=row.patient.mrn,
        subject_kind=row.subject_kind,
        subject_id=row.subject_id,
        currency=row.currency,
        total_minor=row.total_minor,
        tax_minor=row.tax_minor - row.credited_tax_minor,
        paid_minor=row.paid_minor,
        refunded_minor=row.refunded_minor,
        credited_minor=row.credited_minor,
        written_off_minor=row.written_off_minor,
        due_minor=row.due_minor,
        pending_minor=sum(one.amount_minor for one in row.payments.all() if one.state == PENDING),
        opened_at=row.opened_at,
        settled_at=row.settled_at,
        lines=tuple(_line(one) for one in row.lines.all()),
        payments=tuple(_payment(one) for one in row.payments.all()),
    )


def _line(row: InvoiceLine) -> LineRow:
    return LineRow(
        row.pk, row.code, row.text, row.kind, row.quantity, row.unit_minor, row.discount_minor, row.discount_reason,
        row.amount_minor, row.tax_rate, 0 if row.dropped_at else row.tax_minor, row.dropped_at is not None,
    )  # fmt: skip


def _payment(row: Payment) -> PaymentRow:
    refunds = tuple(
        RefundRow(
            one.pk, row.pk, one.amount_minor, one.credits, one.state, one.reason, one.receipt, one.asked_at,
            one.done_at,
        )
        for one in row.refunds.all()
    )  # fmt: skip
    return PaymentRow(
        row.pk, row.invoice_id, row.method, row.amount_minor, row.refunded_minor, row.state, row.receipt,
        row.method == Payment.Method.CARD, row.provider,
        row.provider_url if row.state == PENDING else "", row.started_at, row.taken_at, refunds,
    )  # fmt: skip


def _listed(viewer: Viewer, owner: UUID | None, rows: QuerySet[Invoice]) -> list[InvoiceBrief]:
    found = [_brief(row) for row in rows.select_related("facility", "patient")]
    reads.listed(viewer, "invoice", owner, ((row.patient_id, row.facility_id) for row in found))
    return found


def _brief(row: Invoice) -> InvoiceBrief:
    return InvoiceBrief(
        row.pk, row.number, row.state, row.version, row.facility_id, row.facility.name, row.facility.time_zone,
        row.patient_id, str(row.patient), row.patient.mrn, row.currency, row.total_minor, row.due_minor, row.opened_at,
    )  # fmt: skip


def _tills() -> QuerySet[TillShift]:
    return TillShift.objects.select_related("facility", "account")


def _till(row: TillShift) -> TillRow:
    taken, returned = _sum(Payment.objects.filter(till=row)), _sum(Refund.objects.filter(till=row, state=DONE))
    return TillRow(
        id=row.pk,
        facility_id=row.facility_id,
        facility_name=row.facility.name,
        time_zone=row.facility.time_zone,
        account_id=row.account_id,
        holder=row.account.name,
        counter=row.counter,
        status=row.state,
        version=row.version,
        currency=books.currency_of(row.facility_id),
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        float_minor=row.float_minor,
        taken_minor=taken,
        returned_minor=returned,
        expected_minor=tills.expected_minor(row) if row.expected_minor is None else row.expected_minor,
        counted_minor=row.counted_minor,
        difference_reason=row.difference_reason,
    )


def _sum(rows: Iterable[Payment] | Iterable[Refund]) -> int:
    return sum(row.amount_minor for row in rows)
