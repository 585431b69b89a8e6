"""Prices, invoices, payments, and the books they are written into.

Money is a whole number of the currency's smallest unit (cents, paise), never a fraction. What an invoice may never be
(overpaid, refunded beyond what was paid) is refused by the database itself.
"""

from __future__ import annotations

from uuid import UUID

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock
from polyclinic.core.crypto.fields import EncryptedTextField
from polyclinic.core.ids import new_id
from polyclinic.facilities.models import Facility
from polyclinic.people.models import Account, Patient


class Books(models.Model):
    """A facility's currency, and the last number it gave to an invoice and to a receipt.

    Numbers are taken in the transaction that uses them, so a failure leaves no gap.
    """

    facility = models.OneToOneField(Facility, models.PROTECT, primary_key=True, related_name="books")
    currency = models.CharField(max_length=3)
    invoices = models.PositiveIntegerField(default=0)
    receipts = models.PositiveIntegerField(default=0)


class Price(models.Model):
    """What one thing costs at a facility, from one day on. A new price ends the old one: the past stays explainable."""

    class Kind(models.TextChoices):
        CONSULTATION = "consultation", _("Consultation")
        LAB = "lab", _("Laboratory test")
        MEDICINE = "medicine", _("Medicine")
        PROCEDURE = "procedure", _("Procedure")
        OTHER = "other", _("Other")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="prices", db_index=False)
    code = models.CharField(_("code"), max_length=40)
    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    # What a patient pays, tax and all; `tax_rate` in hundredths of a per cent says how much of it is tax.
    amount_minor = models.PositiveBigIntegerField()
    tax_rate = models.PositiveSmallIntegerField(default=0)
    currency = models.CharField(max_length=3)
    valid_from = models.DateTimeField(default=clock.now)
    valid_to = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["facility", "code"], condition=Q(valid_to__isnull=True), name="price_one_in_force"
            ),
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gte=F("valid_from")), name="price_order"
            ),
            models.CheckConstraint(condition=Q(tax_rate__lte=10_000), name="price_tax_rate"),
        ]


class Invoice(models.Model):
    """What a patient owes for one thing (a visit), growing with it. Steps: `billing.states`.

    The sums are kept beside the lines so that the database can refuse a wrong one. What is still owed is
    total − credited − written off − (paid − refunded).
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="invoices", db_index=False)
    number = models.PositiveIntegerField()
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="invoices", db_index=False)
    subject_kind = models.CharField(max_length=16)
    subject_id = models.UUIDField()
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=16)
    version = models.PositiveIntegerField(default=1)
    opened_at = models.DateTimeField(default=clock.now)
    settled_at = models.DateTimeField(null=True)
    # Sum of the lines after discounts and waivers, and the tax in it.
    total_minor = models.BigIntegerField(default=0)
    tax_minor = models.BigIntegerField(default=0)
    paid_minor = models.BigIntegerField(default=0)
    refunded_minor = models.BigIntegerField(default=0)
    # Charges that fell away after they had been paid, and what nobody expects to be paid any more.
    credited_minor = models.BigIntegerField(default=0)
    credited_tax_minor = models.BigIntegerField(default=0)
    written_off_minor = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["facility", "number"], name="invoice_number"),
            models.UniqueConstraint(
                fields=["subject_kind", "subject_id"], condition=~Q(state="void"), name="invoice_once_for_subject"
            ),
            models.CheckConstraint(
                condition=Q(
                    total_minor__gte=0,
                    paid_minor__gte=0,
                    refunded_minor__gte=0,
                    credited_minor__gte=0,
                    written_off_minor__gte=0,
                ),
                name="invoice_sums",
            ),
            models.CheckConstraint(condition=Q(refunded_minor__lte=F("paid_minor")), name="invoice_refunds"),
            models.CheckConstraint(
                condition=Q(
                    total_minor__gte=F("paid_minor")
                    - F("refunded_minor")
                    + F("credited_minor")
                    + F("written_off_minor")
                ),
                name="invoice_not_overpaid",
            ),
            models.CheckConstraint(
                condition=Q(
                    credited_tax_minor__gte=0,
                    tax_minor__gte=F("credited_tax_minor"),
                    total_minor__gte=F("tax_minor"),
                ),
                name="invoice_tax",
            ),
        ]
        indexes = [
            models.Index(fields=["patient", "opened_at"], name="invoice_patient"),
            models.Index(fields=["facility", "state", "opened_at"], name="invoice_facility"),
        ]  # fmt: skip

    @property
    def due_minor(self) -> int:
        """What is still owed."""
        return self.total_minor - self.credited_minor - self.written_off_minor - (self.paid_minor - self.refunded_minor)


class InvoiceLine(models.Model):
    """One thing charged. What it was charged for (`source`) is charged once, however often somebody asks."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="lines")
    code = models.CharField(max_length=40)
    text = models.CharField(max_length=120)
    kind = models.CharField(max_length=12, choices=Price.Kind.choices)
    quantity = models.PositiveIntegerField(default=1)
    unit_minor = models.PositiveBigIntegerField()
    discount_minor = models.PositiveBigIntegerField(default=0)
    # The rate of the price when it was charged, and how much of the amount after discounts is tax.
    tax_rate = models.PositiveSmallIntegerField(default=0)
    tax_minor = models.PositiveBigIntegerField(default=0)
    # Why it is cheaper can be about the patient: sealed with their key.
    discount_reason = EncryptedTextField(owner="patient_id", max_length=200, blank=True, default="")
    source_kind = models.CharField(max_length=32)
    source_id = models.UUIDField()
    added_at = models.DateTimeField(default=clock.now)
    added_by = models.CharField(max_length=64)
    # Taken off again: it stays readable and counts no more.
    dropped_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source_kind", "source_id"], condition=Q(dropped_at__isnull=True), name="line_source_once"
            ),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="line_quantity"),
            models.CheckConstraint(
                condition=Q(discount_minor__lte=F("quantity") * F("unit_minor")), name="line_discount"
            ),
            models.CheckConstraint(
                condition=Q(tax_minor__lte=F("quantity") * F("unit_minor") - F("discount_minor")), name="line_tax"
            ),
        ]

    @property
    def patient_id(self) -> UUID:
        """Whose key seals the reason."""
        return self.invoice.patient_id

    @property
    def amount_minor(self) -> int:
        """What the line comes to after its discount."""
        return 0 if self.dropped_at else self.quantity * self.unit_minor - self.discount_minor


class TillShift(models.Model):
    """One person's cash box at a facility, from opening it to counting it. Steps: `billing.states`."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="+", db_index=False)
    account = models.ForeignKey(Account, models.PROTECT, related_name="+", db_index=False)
    counter = models.CharField(_("counter"), max_length=40, blank=True)
    state = models.CharField(max_length=16)
    version = models.PositiveIntegerField(default=1)
    opened_at = models.DateTimeField(default=clock.now)
    closed_at = models.DateTimeField(null=True)
    float_minor = models.PositiveBigIntegerField(default=0)
    # Set when it is counted: what should be in the box, and what is.
    expected_minor = models.BigIntegerField(null=True)
    counted_minor = models.PositiveBigIntegerField(null=True)
    difference_reason = EncryptedTextField(purpose="billing", max_length=300, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["facility", "account"], condition=Q(state="open"), name="till_one_open")
        ]
        indexes = [models.Index(fields=["facility", "opened_at"], name="till_facility")]


class Payment(models.Model):
    """Money for an invoice, asked for or taken. Steps: `billing.states`. `key` makes a repeated request one payment."""

    class Method(models.TextChoices):
        CASH = "cash", _("Cash")
        CARD = "card", _("Card at the desk")
        ONLINE = "online", _("Online")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="payments")
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="+", db_index=False)
    method = models.CharField(max_length=8, choices=Method.choices)
    amount_minor = models.PositiveBigIntegerField()
    refunded_minor = models.PositiveBigIntegerField(default=0)
    key = models.CharField(max_length=255)
    provider = models.CharField(max_length=16, blank=True)
    # The provider's own name for it; one of theirs is one of ours.
    provider_ref = models.CharField(max_length=255, blank=True)
    provider_url = models.TextField(blank=True)
    state = models.CharField(max_length=16)
    version = models.PositiveIntegerField(default=1)
    receipt = models.PositiveIntegerField(null=True)
    started_at = models.DateTimeField(default=clock.now)
    taken_at = models.DateTimeField(null=True)
    taken_by = models.CharField(max_length=64, blank=True)
    till = models.ForeignKey(TillShift, models.PROTECT, null=True, related_name="payments")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["invoice", "key"], name="payment_key"),
            models.UniqueConstraint(fields=["facility", "receipt"], name="payment_receipt"),
            models.UniqueConstraint(
                fields=["provider", "provider_ref"], condition=~Q(provider_ref=""), name="payment_provider_ref"
            ),
            models.CheckConstraint(condition=Q(amount_minor__gte=1), name="payment_amount"),
            models.CheckConstraint(condition=Q(refunded_minor__lte=F("amount_minor")), name="payment_refunds"),
        ]
        indexes = [models.Index(fields=["facility", "taken_at"], name="payment_facility_day")]


class Refund(models.Model):
    """Money of one payment given back. Steps: `billing.states`.

    `credits`: what was paid for falls away (it was not done); else the payment was a mistake and stays owed.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    payment = models.ForeignKey(Payment, models.PROTECT, related_name="refunds")
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="+", db_index=False)
    amount_minor = models.PositiveBigIntegerField()
    credits = models.BooleanField(default=True)
    key = models.CharField(max_length=255)
    reason = EncryptedTextField(owner="patient_id", max_length=200)
    state = models.CharField(max_length=16)
    version = models.PositiveIntegerField(default=1)
    receipt = models.PositiveIntegerField(null=True)
    provider_ref = models.CharField(max_length=255, blank=True)
    asked_at = models.DateTimeField(default=clock.now)
    done_at = models.DateTimeField(null=True)
    done_by = models.CharField(max_length=64, blank=True)
    till = models.ForeignKey(TillShift, models.PROTECT, null=True, related_name="refunds")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["payment", "key"], name="refund_key"),
            models.UniqueConstraint(fields=["facility", "receipt"], name="refund_receipt"),
            models.CheckConstraint(condition=Q(amount_minor__gte=1), name="refund_amount"),
        ]
        indexes = [models.Index(fields=["facility", "done_at"], name="refund_facility_day")]

    @property
    def patient_id(self) -> UUID:
        """Whose key seals the reason."""
        return self.payment.invoice.patient_id


class LedgerEntry(models.Model):
    """One movement in the books: the same amount into one account and out of another. Append-only.

    A movement names both its sides, so that no batch can be out of balance. Amounts are above zero; what is undone is
    a movement the other way.
    """

    class Side(models.TextChoices):
        RECEIVABLE = "receivable", _("Owed by patients")
        REVENUE = "revenue", _("Revenue")
        TAX = "tax", _("Tax owed to the tax office")
        DISCOUNTS = "discounts", _("Discounts")
        WAIVED = "waived", _("Waived fees")
        CREDITED = "credited", _("Credited")
        WRITTEN_OFF = "written_off", _("Written off")
        CASH = "cash", _("Cash")
        CARD = "card", _("Card terminal")
        ONLINE = "online", _("Online payments")
        SURPLUS = "surplus", _("Owed to patients")
        TILL = "till", _("Till differences")

    batch = models.UUIDField(default=new_id)
    at = models.DateTimeField(default=clock.now)
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="+", db_index=False)
    debit = models.CharField(max_length=12, choices=Side.choices)
    credit = models.CharField(max_length=12, choices=Side.choices)
    amount_minor = models.PositiveBigIntegerField()
    currency = models.CharField(max_length=3)
    invoice = models.ForeignKey(Invoice, models.PROTECT, null=True, related_name="+")
    payment = models.ForeignKey(Payment, models.PROTECT, null=True, related_name="+")
    refund = models.ForeignKey(Refund, models.PROTECT, null=True, related_name="+")
    till = models.ForeignKey(TillShift, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gte=1), name="entry_amount"),
            models.CheckConstraint(condition=~Q(debit=F("credit")), name="entry_two_sides"),
        ]
        indexes = [models.Index(fields=["facility", "at"], name="entry_facility_day")]
