"""What billing tells the world: ids, amounts and states; never a name, and never what was paid for."""

from __future__ import annotations

from typing import Any, Self
from uuid import UUID

from polyclinic.core.outbox import rooms
from polyclinic.core.outbox.events import Event, event


class InvoiceEvent(Event, frozen=True, rename="camel"):
    """Common to all of an invoice's events. Amounts are in the currency's smallest unit; `due` is still owed."""

    invoice_id: UUID
    facility_id: UUID
    patient_id: UUID
    subject_kind: str
    subject_id: UUID
    status: str
    currency: str
    total: int
    due: int
    revision: int

    @classmethod
    def of(cls, row: Any) -> Self:  # noqa: ANN401 - an Invoice; importing it here would be a circle
        return cls(
            invoice_id=row.pk,
            facility_id=row.facility_id,
            patient_id=row.patient_id,
            subject_kind=row.subject_kind,
            subject_id=row.subject_id,
            status=row.state,
            currency=row.currency,
            total=row.total_minor,
            due=row.due_minor,
            revision=row.version,
        )

    def stream(self) -> str:
        return f"invoice:{self.invoice_id}"

    def stream_seq(self) -> int:
        return self.revision

    def audience(self) -> tuple[str, ...]:
        return (rooms.patient(self.patient_id), rooms.facility_right(self.facility_id, "invoice.view"))


@event("invoice.opened", "A patient's invoice was begun.")
class InvoiceOpened(InvoiceEvent, frozen=True, rename="camel"):
    pass


@event("invoice.changed", "Something was charged, paid, taken off or given back.")
class InvoiceChanged(InvoiceEvent, frozen=True, rename="camel"):
    pass


@event("invoice.settled", "Nothing is owed on it any more.")
class InvoiceSettled(InvoiceEvent, frozen=True, rename="camel"):
    pass


@event("invoice.voided", "It was made in error and counts no more.")
class InvoiceVoided(InvoiceEvent, frozen=True, rename="camel"):
    pass


class PaymentEvent(Event, frozen=True, rename="camel"):
    """Common to all of a payment's events."""

    payment_id: UUID
    invoice_id: UUID
    facility_id: UUID
    patient_id: UUID
    method: str
    currency: str
    amount: int
    status: str
    revision: int

    @classmethod
    def of(cls, row: Any) -> Self:  # noqa: ANN401 - a Payment
        return cls(
            payment_id=row.pk,
            invoice_id=row.invoice_id,
            facility_id=row.facility_id,
            patient_id=row.invoice.patient_id,
            method=row.method,
            currency=row.invoice.currency,
            amount=row.amount_minor,
            status=row.state,
            revision=row.version,
        )

    def stream(self) -> str:
        return f"payment:{self.payment_id}"

    def stream_seq(self) -> int:
        return self.revision

    def audience(self) -> tuple[str, ...]:
        return (rooms.patient(self.patient_id), rooms.facility_right(self.facility_id, "invoice.view"))


@event("payment.started", "A payment was asked for and is not there yet.")
class PaymentStarted(PaymentEvent, frozen=True, rename="camel"):
    pass


@event("payment.taken", "Money for an invoice was taken.")
class PaymentTaken(PaymentEvent, frozen=True, rename="camel"):
    pass


@event("payment.failed", "A payment that was asked for did not come.")
class PaymentFailed(PaymentEvent, frozen=True, rename="camel"):
    pass


class RefundEvent(Event, frozen=True, rename="camel"):
    """Common to all of a refund's events."""

    refund_id: UUID
    payment_id: UUID
    invoice_id: UUID
    facility_id: UUID
    patient_id: UUID
    currency: str
    amount: int
    status: str
    revision: int

    @classmethod
    def of(cls, row: Any) -> Self:  # noqa: ANN401 - a Refund
        return cls(
            refund_id=row.pk,
            payment_id=row.payment_id,
            invoice_id=row.payment.invoice_id,
            facility_id=row.facility_id,
            patient_id=row.payment.invoice.patient_id,
            currency=row.payment.invoice.currency,
            amount=row.amount_minor,
            status=row.state,
            revision=row.version,
        )

    def stream(self) -> str:
        return f"refund:{self.refund_id}"

    def stream_seq(self) -> int:
        return self.revision

    def audience(self) -> tuple[str, ...]:
        return (rooms.patient(self.patient_id), rooms.facility_right(self.facility_id, "invoice.view"))


@event("payment.refund_started", "Money is to be given back and the provider was asked to.")
class RefundStarted(RefundEvent, frozen=True, rename="camel"):
    pass


@event("payment.refunded", "Money of a payment was given back.")
class PaymentRefunded(RefundEvent, frozen=True, rename="camel"):
    pass


@event("payment.refund_failed", "The provider did not give the money back.")
class RefundFailed(RefundEvent, frozen=True, rename="camel"):
    pass


class TillEvent(Event, frozen=True, rename="camel"):
    """Common to both of a till's events; what was in it is said on the page."""

    till_id: UUID
    facility_id: UUID
    account_id: UUID
    status: str
    revision: int

    @classmethod
    def of(cls, row: Any) -> Self:  # noqa: ANN401 - a TillShift
        return cls(
            till_id=row.pk,
            facility_id=row.facility_id,
            account_id=row.account_id,
            status=row.state,
            revision=row.version,
        )

    def stream(self) -> str:
        return f"till:{self.till_id}"

    def stream_seq(self) -> int:
        return self.revision

    def audience(self) -> tuple[str, ...]:
        return (rooms.account(self.account_id), rooms.facility_right(self.facility_id, "till.view"))


@event("till.opened", "Somebody opened their cash box.")
class TillOpened(TillEvent, frozen=True, rename="camel"):
    pass


@event("till.closed", "A cash box was counted and closed.")
class TillClosed(TillEvent, frozen=True, rename="camel"):
    pass
