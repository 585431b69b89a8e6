"""Prescriptions and their lines, what a doctor is preparing, and the medicines a doctor keeps at hand.

What a line says (dose, how often, how long, why a warning was overridden) is sealed with the patient's key. Which
product and how much of it is not: the pharmacy's worklist, its stock and the prices need it.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from polyclinic.core import clock
from polyclinic.core.crypto.fields import EncryptedTextField
from polyclinic.core.ids import new_id
from polyclinic.facilities.models import Facility
from polyclinic.medicines.models import Medicine
from polyclinic.people.models import Account, Doctor, Patient
from polyclinic.visits.models import Visit


class PrescriptionNumber(models.Model):
    """The last number given to a prescription at a facility. Moved under its lock, so that none is given twice."""

    facility = models.OneToOneField(Facility, models.CASCADE, primary_key=True)
    last = models.PositiveIntegerField(default=0)


class Prescription(models.Model):
    """Medicines prescribed together, in one visit (a group of FHIR MedicationRequest). Steps: `prescribing.states`."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.PositiveIntegerField()
    visit = models.ForeignKey(Visit, models.PROTECT, related_name="prescriptions")
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="prescriptions", db_index=False)
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="+", db_index=False)
    # Who signed, and the visit's doctor at the time, by whom rights follow.
    prescriber = models.ForeignKey(Account, models.PROTECT, null=True, related_name="+")
    doctor = models.ForeignKey(Doctor, models.PROTECT, null=True, related_name="+")
    signed_by = models.CharField(max_length=160)
    signed_at = models.DateTimeField(default=clock.now)
    # The last day, in the facility's calendar, on which it is dispensed.
    valid_until = models.DateField()
    # How often it may be given again when the patient asks and a doctor agrees, and the last day for that.
    repeats = models.PositiveSmallIntegerField(default=0)
    repeat_until = models.DateField(null=True)
    # The prescription that this one repeats: always the first of them.
    repeat_of = models.ForeignKey("self", models.PROTECT, null=True, related_name="repeated")
    state = models.CharField(max_length=20)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["facility", "number"], name="prescription_number"),
            # A repeat is not repeated itself.
            models.CheckConstraint(
                condition=Q(repeats=0, repeat_until__isnull=True)
                | Q(repeats__gt=0, repeat_until__isnull=False, repeat_of__isnull=True),
                name="prescription_repeats",
            ),
        ]
        indexes = [
            models.Index(fields=["facility", "state", "signed_at"], name="prescription_facility"),
            models.Index(fields=["patient", "signed_at"], name="prescription_patient"),
        ]

    @property
    def label(self) -> str:
        """The number as it is written and read out: "R00000042"."""
        return f"R{self.number:08d}"


class PrescriptionLine(models.Model):
    """One medicine of a prescription (FHIR MedicationRequest). `body` is JSON, see `prescribing.bodies`.

    `quantity` and `dispensed` count the medicine's dispensing units.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    prescription = models.ForeignKey(Prescription, models.PROTECT, related_name="lines")
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+", db_index=False)
    medicine = models.ForeignKey(Medicine, models.PROTECT, related_name="+")
    place = models.PositiveSmallIntegerField()
    body = EncryptedTextField(owner="patient_id")
    quantity = models.DecimalField(max_digits=10, decimal_places=2)
    dispensed = models.DecimalField(max_digits=10, decimal_places=2, default=0)
    # The last day of the treatment as prescribed; empty where it has no end. What is taken now is found by it.
    until = models.DateField(null=True)
    state = models.CharField(max_length=12)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["prescription", "place"], name="prescriptionline_place"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="prescriptionline_quantity"),
            models.CheckConstraint(
                condition=Q(dispensed__gte=0) & Q(dispensed__lte=F("quantity")), name="prescriptionline_dispensed"
            ),
        ]
        indexes = [models.Index(fields=["patient", "until"], name="prescriptionline_patient")]


class RefillRequest(models.Model):
    """A patient asks for a prescription to be given again (FHIR Task). Steps: `prescribing.states`.

    `note` is what the patient said with it, `answer` why it was declined; both are sealed. `made` is the repeat that
    was signed: a prescription of its own, which the pharmacy hands over as any other.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    prescription = models.ForeignKey(Prescription, models.PROTECT, related_name="requests", db_index=False)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+")
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="+", db_index=False)
    doctor = models.ForeignKey(Doctor, models.PROTECT, null=True, related_name="+")
    # Who asked: the patient, or who decides for them.
    account = models.ForeignKey(Account, models.PROTECT, null=True, related_name="+")
    note = EncryptedTextField(owner="patient_id", blank=True)
    asked_at = models.DateTimeField(default=clock.now)
    answer = EncryptedTextField(owner="patient_id", blank=True)
    answered_at = models.DateTimeField(null=True)
    answered_by = models.CharField(max_length=160, blank=True)
    made = models.OneToOneField(Prescription, models.PROTECT, null=True, related_name="+")
    state = models.CharField(max_length=12)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["prescription"], condition=Q(state="asked"), name="refillrequest_one_open"),
        ]
        indexes = [
            models.Index(fields=["prescription", "asked_at"], name="refillrequest_of"),
            models.Index(fields=["facility", "asked_at"], condition=Q(state="asked"), name="refillrequest_open"),
        ]


class PrescriptionDraft(models.Model):
    """What one doctor has prepared for a visit and not signed: theirs alone, and no part of the record.

    `body` is JSON (`prescribing.bodies.DraftBody`); `version` counts the changes, and whoever has not seen the last
    cannot make the next.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    account_id = models.UUIDField()
    visit = models.ForeignKey(Visit, models.CASCADE, related_name="+", db_index=False)
    patient = models.ForeignKey(Patient, models.CASCADE, related_name="+")
    body = EncryptedTextField(owner="patient_id")
    version = models.PositiveIntegerField(default=1)
    saved_at = models.DateTimeField(default=clock.now, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["visit", "account_id"], name="prescriptiondraft_once")]


class Favourite(models.Model):
    """A medicine that a doctor keeps at hand, with the dose they usually give. Says nothing about a patient."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    account = models.ForeignKey(Account, models.CASCADE, related_name="+", db_index=False)
    medicine = models.ForeignKey(Medicine, models.CASCADE, related_name="+")
    since = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "medicine"], name="favourite_once")]


class TestReview(models.Model):
    """That a doctor has looked at one number of a test's result ("seen by"), and when. Written once."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    ordered_test_id = models.UUIDField()
    number = models.PositiveSmallIntegerField()
    visit = models.ForeignKey(Visit, models.PROTECT, related_name="+")
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+")
    account = models.ForeignKey(Account, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ordered_test_id", "number", "account"], name="testreview_once")]
