"""What lies on the shelves of a pharmacy, every movement of it, and what was handed to whom.

Quantities are whole hundredths of the medicine's dispensing unit (`amounts`). A batch's quantity can only change
together with a row of `StockMove`, which nobody can change afterwards; the database refuses one below nothing.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final
from uuid import UUID

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock
from polyclinic.core.crypto.fields import EncryptedTextField
from polyclinic.core.ids import new_id
from polyclinic.facilities.models import Facility
from polyclinic.medicines.models import Medicine
from polyclinic.people.models import Account, Patient
from polyclinic.pharmacy.words import Kind, Why
from polyclinic.prescribing.models import Prescription, PrescriptionLine
from polyclinic.visits.models import Visit

LOT: Final = 40


class Supplier(models.Model):
    """Whom a pharmacy buys from."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="+", db_index=False)
    name = models.CharField(_("name"), max_length=120)
    phone = models.CharField(_("telephone"), max_length=32, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["facility", "name"], name="supplier_once")]


class Delivery(models.Model):
    """A purchase that came: its lines are the moves whose source it is."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="+", db_index=False)
    supplier = models.ForeignKey(Supplier, models.PROTECT, related_name="deliveries", db_index=False)
    # The number on the supplier's paper: the same paper is not entered twice.
    reference = models.CharField(_("delivery note"), max_length=60)
    received_at = models.DateTimeField(default=clock.now)
    received_by = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["supplier", "reference"], name="delivery_once")]
        indexes = [models.Index(fields=["facility", "received_at"], name="delivery_facility")]


class Batch(models.Model):
    """Packs of one product with one lot number and one date, at one pharmacy. `moves` counts its movements."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="+", db_index=False)
    medicine = models.ForeignKey(Medicine, models.PROTECT, related_name="+")
    lot = models.CharField(_("lot"), max_length=LOT)
    # The last day on which it may be handed over.
    expires = models.DateField(_("use by"))
    # What one unit cost when it last came, in the facility's currency.
    unit_cost = models.DecimalField(max_digits=14, decimal_places=4, default=Decimal(0))
    hundredths = models.BigIntegerField(default=0)
    moves = models.PositiveIntegerField(default=0)
    received_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["facility", "medicine", "lot", "expires"], name="batch_once"),
            models.CheckConstraint(condition=Q(hundredths__gte=0), name="batch_never_negative"),
        ]
        indexes = [models.Index(fields=["facility", "expires"], name="batch_expiry", condition=Q(hundredths__gt=0))]


class StockMove(models.Model):
    """One movement of one batch: the ledger of the stock. Append-only by triggers of the database.

    `number` counts a batch's movements from 1 and `after` is what was left, so that a missing row shows.
    """

    id = models.BigAutoField(primary_key=True)
    batch = models.ForeignKey(Batch, models.PROTECT, related_name="ledger", db_index=False)
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=12, choices=Kind.choices)
    why = models.CharField(max_length=12, choices=Why.choices, blank=True)
    hundredths = models.BigIntegerField()
    after = models.BigIntegerField()
    # The delivery, dispensed line, transfer or stock-take it belongs to.
    source_id = models.UUIDField(null=True, db_index=True)
    at = models.DateTimeField(default=clock.now)
    actor = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["batch", "number"], name="stockmove_number"),
            models.CheckConstraint(condition=~Q(hundredths=0), name="stockmove_moves"),
            models.CheckConstraint(condition=Q(after__gte=0), name="stockmove_after"),
        ]


class StockLevel(models.Model):
    """From which quantity on a medicine is to be bought again, and since when it is that low.

    `low_since` is set when people are told and emptied when there is enough again: told once until restocked.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="+", db_index=False)
    medicine = models.ForeignKey(Medicine, models.PROTECT, related_name="+")
    reorder_hundredths = models.BigIntegerField(default=0)
    low_since = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["facility", "medicine"], name="stocklevel_once"),
            models.CheckConstraint(condition=Q(reorder_hundredths__gte=0), name="stocklevel_point"),
        ]


class IdentityCheck(models.Model):
    """Somebody compared what the patient says with the prescription. Not what was said is kept: whether it fits."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    prescription = models.ForeignKey(Prescription, models.PROTECT, related_name="+")
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+")
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="+", db_index=False)
    account = models.ForeignKey(Account, models.PROTECT, related_name="+", db_index=False)
    # Which identifiers were asked for: "name", "born", "mrn", joined by "+".
    asked = models.CharField(max_length=16)
    matched = models.BooleanField()
    at = models.DateTimeField(default=clock.now)


class Witnessing(models.Model):
    """A second person saw the controlled medicines of a prescription counted out. `counts`: hundredths by line."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    prescription = models.ForeignKey(Prescription, models.PROTECT, related_name="+")
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+")
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="+", db_index=False)
    account = models.ForeignKey(Account, models.PROTECT, related_name="+", db_index=False)
    # The prescription's version it was counted for: what was handed over since makes it void.
    seen_version = models.PositiveIntegerField()
    counts = models.JSONField()
    at = models.DateTimeField(default=clock.now)


class Dispense(models.Model):
    """One handing over of medicines of a prescription (FHIR MedicationDispense). Steps: `pharmacy.states`."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    prescription = models.ForeignKey(Prescription, models.PROTECT, related_name="+")
    visit = models.ForeignKey(Visit, models.PROTECT, related_name="+")
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+", db_index=False)
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="+", db_index=False)
    state = models.CharField(max_length=12)
    version = models.PositiveIntegerField(default=1)
    identity = models.ForeignKey(IdentityCheck, models.PROTECT, related_name="+", db_index=False)
    witness = models.ForeignKey(Account, models.PROTECT, null=True, related_name="+", db_index=False)
    given_by = models.ForeignKey(Account, models.PROTECT, null=True, related_name="+", db_index=False)
    given_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [
            models.Index(fields=["patient", "given_at"], name="dispense_patient"),
            models.Index(fields=["facility", "given_at"], name="dispense_facility"),
        ]


class DispenseLine(models.Model):
    """What was handed over for one line of the prescription; which batches it came from its moves say."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    dispense = models.ForeignKey(Dispense, models.PROTECT, related_name="lines")
    line = models.ForeignKey(PrescriptionLine, models.PROTECT, related_name="+")
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+")
    # The product handed over: another than prescribed when it was substituted.
    medicine = models.ForeignKey(Medicine, models.PROTECT, related_name="+")
    hundredths = models.BigIntegerField()
    returned_hundredths = models.BigIntegerField(default=0)
    substituted = EncryptedTextField(owner="patient_id", max_length=200, blank=True, default="")
    # What had come up since the signature and was agreed with the prescriber: JSON (`prescribing.bodies.Settled`).
    settled = EncryptedTextField(owner="patient_id", blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["dispense", "line"], name="dispenseline_once"),
            models.CheckConstraint(condition=Q(hundredths__gt=0), name="dispenseline_something"),
            models.CheckConstraint(
                condition=Q(returned_hundredths__gte=0, returned_hundredths__lte=F("hundredths")),
                name="dispenseline_returned",
            ),
        ]


class Transfer(models.Model):
    """Part of a batch on its way to another pharmacy. Steps: `pharmacy.states`."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    batch = models.ForeignKey(Batch, models.PROTECT, related_name="+")
    source = models.ForeignKey(Facility, models.PROTECT, related_name="+", db_index=False)
    target = models.ForeignKey(Facility, models.PROTECT, related_name="+", db_index=False)
    hundredths = models.BigIntegerField()
    state = models.CharField(max_length=12)
    version = models.PositiveIntegerField(default=1)
    sent_at = models.DateTimeField(default=clock.now)
    sent_by = models.CharField(max_length=64)
    closed_at = models.DateTimeField(null=True)
    # Which of the two pharmacies takes the present step, set by the action: it decides about the right.
    at: UUID

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(hundredths__gt=0), name="transfer_something"),
            models.CheckConstraint(condition=~Q(source=F("target")), name="transfer_elsewhere"),
        ]
        indexes = [
            models.Index(fields=["source", "sent_at"], name="transfer_source"),
            models.Index(fields=["target", "sent_at"], name="transfer_target"),
        ]


class StockTake(models.Model):
    """Counting what is on the shelves: one at a time for each pharmacy. Steps: `pharmacy.states`."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="+", db_index=False)
    state = models.CharField(max_length=12)
    version = models.PositiveIntegerField(default=1)
    started_at = models.DateTimeField(default=clock.now)
    started_by = models.CharField(max_length=64)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["facility"], condition=Q(state="open"), name="stocktake_one_open")
        ]
        indexes = [models.Index(fields=["facility", "started_at"], name="stocktake_facility")]


class CountLine(models.Model):
    """One batch as it was counted, and what the books said at that moment: the difference is what gets posted."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    take = models.ForeignKey(StockTake, models.CASCADE, related_name="lines")
    batch = models.ForeignKey(Batch, models.PROTECT, related_name="+")
    booked_hundredths = models.BigIntegerField()
    counted_hundredths = models.BigIntegerField()
    counted_at = models.DateTimeField(default=clock.now)
    counted_by = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["take", "batch"], name="countline_once"),
            models.CheckConstraint(condition=Q(counted_hundredths__gte=0), name="countline_counted"),
        ]
