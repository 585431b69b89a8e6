"""Orders to the laboratory, their specimens, tests and results, and the calls for critical ones.

What a result says is sealed with the patient's key. Which test was asked for is not: worklists, prices and labels need
it.
"""

from __future__ import annotations

from uuid import UUID

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock
from polyclinic.core.crypto.fields import EncryptedTextField
from polyclinic.core.ids import new_id
from polyclinic.facilities.models import Facility
from polyclinic.laboratory.words import Priority, Reject
from polyclinic.people.models import Account, Doctor, Patient
from polyclinic.visits.models import Visit


class LabNumber(models.Model):
    """The last specimen number given at a facility. Moved under its lock, so that none is given twice."""

    facility = models.OneToOneField(Facility, models.CASCADE, primary_key=True)
    last = models.PositiveIntegerField(default=0)


class HouseRange(models.Model):
    """A reference range that this laboratory has confirmed for its own method. See `laboratory.house_ranges`."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="+", db_index=False)
    test = models.CharField(max_length=12)
    sex = models.CharField(max_length=8, blank=True)
    from_years = models.PositiveSmallIntegerField(default=0)
    to_years = models.PositiveSmallIntegerField(default=150)
    pregnancy = models.CharField(max_length=8, blank=True)
    low = models.DecimalField(max_digits=12, decimal_places=4, null=True)
    high = models.DecimalField(max_digits=12, decimal_places=4, null=True)
    source = models.CharField(_("source"), max_length=120)
    valid_from = models.DateTimeField(default=clock.now)
    valid_to = models.DateTimeField(null=True)
    made_by = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["facility", "test", "sex", "from_years", "to_years", "pregnancy"],
                condition=Q(valid_to__isnull=True), name="houserange_once",
            ),
            models.CheckConstraint(condition=Q(low__isnull=False) | Q(high__isnull=False), name="houserange_an_end"),
        ]  # fmt: skip


class LabOrder(models.Model):
    """Tests asked for together, in one visit (FHIR ServiceRequest). Steps: `laboratory.states`."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    visit = models.ForeignKey(Visit, models.PROTECT, related_name="lab_orders")
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="+", db_index=False)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="lab_orders", db_index=False)
    # The visit's doctor at the time, and who asked: the first to be told of a critical result.
    doctor = models.ForeignKey(Doctor, models.PROTECT, null=True, related_name="+")
    ordered_by = models.ForeignKey(Account, models.PROTECT, null=True, related_name="+")
    priority = models.CharField(_("priority"), max_length=8, choices=Priority.choices, default=Priority.ROUTINE)
    note = EncryptedTextField(_("question to the laboratory"), owner="patient_id", max_length=300, blank=True)
    pregnancy = EncryptedTextField(_("pregnancy"), owner="patient_id", max_length=8, blank=True)
    state = models.CharField(max_length=12)
    version = models.PositiveIntegerField(default=1)
    ordered_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [
            models.Index(fields=["facility", "state", "ordered_at"], name="laborder_facility"),
            models.Index(fields=["patient", "ordered_at"], name="laborder_patient"),
        ]


class Specimen(models.Model):
    """One container of one kind, labelled with `number` as a barcode (FHIR Specimen)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    order = models.ForeignKey(LabOrder, models.PROTECT, related_name="specimens")
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="+", db_index=False)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=12)
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=12)
    version = models.PositiveIntegerField(default=1)
    why = models.CharField(_("reason"), max_length=12, choices=Reject.choices, blank=True)
    collected_at = models.DateTimeField(null=True)
    collected_by = models.CharField(max_length=64, blank=True)
    received_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["facility", "number"], name="specimen_number")]

    @property
    def barcode(self) -> str:
        """What the label says in bars and in letters."""
        return f"L{self.number:08d}"


class OrderedTest(models.Model):
    """One test of an order. `number` counts its results; those verified and released are named beside it.

    A corrected result gets a new number, and until it is verified and released again the one before is what is shown.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    order = models.ForeignKey(LabOrder, models.PROTECT, related_name="tests")
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="+", db_index=False)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+", db_index=False)
    specimen = models.ForeignKey(Specimen, models.PROTECT, related_name="tests")
    test = models.CharField(max_length=12)
    state = models.CharField(max_length=12)
    version = models.PositiveIntegerField(default=1)
    number = models.PositiveSmallIntegerField(default=0)
    verified_number = models.PositiveSmallIntegerField(null=True)
    released_number = models.PositiveSmallIntegerField(null=True)
    entered_by = models.ForeignKey(Account, models.PROTECT, null=True, related_name="+")
    # Somebody else than who entered it verifies it.
    needs_second = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["order", "test"], name="orderedtest_once")]
        indexes = [
            models.Index(fields=["facility", "state"], name="orderedtest_worklist"),
            models.Index(fields=["patient", "test"], name="orderedtest_history"),
        ]


class Result(models.Model):
    """One entry of a result. Never changed: a correction is the next number. What it says is `report` (JSON)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    ordered_test = models.ForeignKey(OrderedTest, models.PROTECT, related_name="results", db_index=False)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+")
    number = models.PositiveSmallIntegerField()
    report = EncryptedTextField(owner="patient_id")
    entered_at = models.DateTimeField(default=clock.now)
    entered_by = models.CharField(max_length=64)
    verified_at = models.DateTimeField(null=True)
    verified_by = models.CharField(max_length=64, blank=True)
    released_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ordered_test", "number"], name="result_number")]


class CriticalAlert(models.Model):
    """A critical result that somebody must say they have seen. `level` counts the steps of the ladder taken."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    ordered_test = models.ForeignKey(OrderedTest, models.PROTECT, related_name="alerts")
    result = models.OneToOneField(Result, models.PROTECT, related_name="alert")
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="+", db_index=False)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+")
    doctor = models.ForeignKey(Doctor, models.PROTECT, null=True, related_name="+")
    state = models.CharField(max_length=12)
    version = models.PositiveIntegerField(default=1)
    level = models.PositiveSmallIntegerField(default=0)
    raised_at = models.DateTimeField(default=clock.now)
    # When the next step of the ladder is due; None on the last.
    next_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(Account, models.PROTECT, null=True, related_name="+")
    comment = EncryptedTextField(owner="patient_id", max_length=300, blank=True)
    # Who has been called so far, for the event; kept as `calls`.
    called: list[UUID]

    class Meta:
        indexes = [
            models.Index(fields=["next_at"], name="alert_due", condition=Q(state="waiting")),
            models.Index(fields=["facility", "raised_at"], name="alert_facility"),
        ]


class AlertCall(models.Model):
    """Who was called for a critical result, at which step of the ladder, and when."""

    alert = models.ForeignKey(CriticalAlert, models.CASCADE, related_name="calls")
    account = models.ForeignKey(Account, models.PROTECT, related_name="+")
    level = models.PositiveSmallIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["alert", "account"], name="alertcall_once")]
