"""What reading billing gives: rows, in the currency's smallest unit."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import msgspec


class PriceRow(msgspec.Struct, frozen=True, rename="camel"):
    """What a thing costs now."""

    id: UUID
    facility_id: UUID
    code: str
    name: str
    kind: str
    amount_minor: int
    tax_rate: int
    currency: str
    valid_from: datetime


class LineRow(msgspec.Struct, frozen=True, rename="camel"):
    """A line of an invoice; `amount` after its discount. A dropped one counts no more."""

    id: UUID
    code: str
    text: str
    kind: str
    quantity: int
    unit_minor: int
    discount_minor: int
    discount_reason: str
    amount_minor: int
    tax_rate: int
    tax_minor: int
    dropped: bool


class RefundRow(msgspec.Struct, frozen=True, rename="camel"):
    """Money given back; `receipt` is its number once it is."""

    id: UUID
    payment_id: UUID
    amount_minor: int
    credits: bool
    status: str
    reason: str
    receipt: int | None
    asked_at: datetime
    done_at: datetime | None


class PaymentRow(msgspec.Struct, frozen=True, rename="camel"):
    """Money taken or asked for. `at_desk`: a person reads the answer off a terminal; `pay_url`: where it is paid."""

    id: UUID
    invoice_id: UUID
    method: str
    amount_minor: int
    refunded_minor: int
    status: str
    receipt: int | None
    at_desk: bool
    provider: str
    pay_url: str
    started_at: datetime
    taken_at: datetime | None
    refunds: tuple[RefundRow, ...]


class InvoiceRow(msgspec.Struct, frozen=True, rename="camel"):
    """An invoice with its lines and payments."""

    id: UUID
    number: int
    status: str
    version: int
    facility_id: UUID
    facility_name: str
    time_zone: str
    patient_id: UUID
    patient_name: str
    mrn: str
    subject_kind: str
    subject_id: UUID
    currency: str
    total_minor: int
    tax_minor: int
    paid_minor: int
    refunded_minor: int
    credited_minor: int
    written_off_minor: int
    due_minor: int
    pending_minor: int
    opened_at: datetime
    settled_at: datetime | None
    lines: tuple[LineRow, ...]
    payments: tuple[PaymentRow, ...]


class InvoiceBrief(msgspec.Struct, frozen=True, rename="camel"):
    """An invoice in a list."""

    id: UUID
    number: int
    status: str
    version: int
    facility_id: UUID
    facility_name: str
    time_zone: str
    patient_id: UUID
    patient_name: str
    mrn: str
    currency: str
    total_minor: int
    due_minor: int
    opened_at: datetime


class InvoicePage(msgspec.Struct, frozen=True, rename="camel"):
    """One page of invoices; `total` counts all that match."""

    rows: list[InvoiceBrief]
    total: int
    page: int
    pages: int


class MovedRow(msgspec.Struct, frozen=True, rename="camel"):
    """Money that moved during a shift: a payment, or (below nothing) a refund."""

    receipt: int | None
    at: datetime | None
    method: str
    invoice: int
    amount_minor: int


class TillRow(msgspec.Struct, frozen=True, rename="camel"):
    """A cash box. `expected` is what it should hold: as counted when closed, as of now while open."""

    id: UUID
    facility_id: UUID
    facility_name: str
    time_zone: str
    account_id: UUID
    holder: str
    counter: str
    status: str
    version: int
    currency: str
    opened_at: datetime
    closed_at: datetime | None
    float_minor: int
    taken_minor: int
    returned_minor: int
    expected_minor: int
    counted_minor: int | None
    difference_reason: str

    @property
    def difference_minor(self) -> int:
        """What was counted beyond what should be there; below nothing when some is missing."""
        return 0 if self.counted_minor is None else self.counted_minor - self.expected_minor


class RevenueRow(msgspec.Struct, frozen=True, rename="camel"):
    """A day of a facility: what was charged, the tax that it owes for that day, what came in by each way, what went
    back."""

    day: date
    currency: str
    charged_minor: int
    reduced_minor: int
    tax_minor: int
    cash_minor: int
    card_minor: int
    online_minor: int
    returned_minor: int


class FigureRow(msgspec.Struct, frozen=True, rename="camel"):
    """A row of a report: what it is about, how many, what it comes to, what of that fell away or went back, and the tax
    in what is left. `key` is a code, a way to pay, an account of the books or an age; `name` the words for it."""

    key: str
    name: str
    kind: str
    count: int
    amount_minor: int
    less_minor: int
    tax_minor: int
    currency: str
