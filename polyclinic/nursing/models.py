"""What is written down beside a bed. What is clinical is sealed with the patient's key; ids, times and steps are not.

When a dose was due and whether it was given stands open, as a worklist needs it; why it was not is sealed.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from polyclinic.core import clock
from polyclinic.core.crypto.fields import EncryptedTextField
from polyclinic.core.ids import new_id
from polyclinic.inpatient.models import BedStay
from polyclinic.medicines.models import Medicine
from polyclinic.nursing.words import Outcome
from polyclinic.people.models import Patient


class Observation(models.Model):
    """Vital signs measured together beside a bed (FHIR Observation). `body` is JSON, see `records.bodies.VitalsBody`.

    Never edited: what was typed wrongly is withdrawn, stays readable as such, and is measured again.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    stay = models.ForeignKey(BedStay, models.PROTECT, related_name="observations", db_index=False)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+")
    body = EncryptedTextField(owner="patient_id")
    taken_at = models.DateTimeField()
    made_at = models.DateTimeField(default=clock.now)
    made_by = models.CharField(max_length=64)
    author = models.CharField(max_length=160)
    state = models.CharField(max_length=16)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        indexes = [models.Index(fields=["stay", "taken_at"], name="observation_stay")]


class RoundNote(models.Model):
    """What the ward round says of a stay, as it stands now. Earlier wordings are in `RoundNoteVersion`."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    stay = models.OneToOneField(BedStay, models.PROTECT, related_name="round_note")
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+")
    body = EncryptedTextField(owner="patient_id")
    saved_at = models.DateTimeField(default=clock.now)
    saved_by = models.CharField(max_length=64)
    author = models.CharField(max_length=160)
    version = models.PositiveIntegerField(default=1)


class RoundNoteVersion(models.Model):
    """A round note as it was saved once: it is amended and never overwritten."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    note = models.ForeignKey(RoundNote, models.PROTECT, related_name="versions", db_index=False)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+")
    version = models.PositiveIntegerField()
    body = EncryptedTextField(owner="patient_id")
    saved_at = models.DateTimeField()
    saved_by = models.CharField(max_length=64)
    author = models.CharField(max_length=160)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["note", "version"], name="roundnote_version_once")]


class MedicineOrder(models.Model):
    """A medicine that is given in bed (FHIR MedicationRequest, inpatient). `body` is JSON, see `nursing.bodies`.

    Never edited: a change stops this one and begins another that names it in `replaces`.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    stay = models.ForeignKey(BedStay, models.PROTECT, related_name="medicine_orders", db_index=False)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+")
    medicine = models.ForeignKey(Medicine, models.PROTECT, related_name="+")
    replaces = models.OneToOneField("self", models.PROTECT, null=True, related_name="replaced_by")
    body = EncryptedTextField(owner="patient_id")
    starts_at = models.DateTimeField()
    # When it ends: as ordered, or earlier when it was stopped. Empty: until somebody stops it.
    stops_at = models.DateTimeField(null=True)
    stopped_because = EncryptedTextField(owner="patient_id", blank=True)
    made_at = models.DateTimeField(default=clock.now)
    made_by = models.CharField(max_length=64)
    author = models.CharField(max_length=160)
    state = models.CharField(max_length=12)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(stops_at__isnull=True) | Q(stops_at__gte=F("starts_at")) | Q(state="stopped"),
                name="medicineorder_times",
            )
        ]
        indexes = [models.Index(fields=["stay", "state"], name="medicineorder_stay")]


class Dose(models.Model):
    """What became of one dose (FHIR MedicationAdministration): given, held, refused or missed. Never edited.

    `due_at` is the planned time; a dose that is given when needed has none and counts by `number`. `body`: the reason.
    What was wrongly written down is withdrawn, stays readable as such, and its place on the plan is free again.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    order = models.ForeignKey(MedicineOrder, models.PROTECT, related_name="doses", db_index=False)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+")
    due_at = models.DateTimeField(null=True)
    number = models.PositiveIntegerField(default=0)
    outcome = models.CharField(max_length=8, choices=Outcome.choices)
    body = EncryptedTextField(owner="patient_id", blank=True)
    recorded_at = models.DateTimeField(default=clock.now)
    recorded_by = models.CharField(max_length=64)
    author = models.CharField(max_length=160)
    withdrawn_because = EncryptedTextField(owner="patient_id", blank=True)
    withdrawn_by = models.CharField(max_length=160, blank=True)
    withdrawn_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=12)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            # The database has the last word: nobody is given a planned dose twice.
            models.UniqueConstraint(
                fields=["order", "due_at"], condition=Q(due_at__isnull=False, state="recorded"), name="dose_once"
            ),
            models.UniqueConstraint(fields=["order", "number"], condition=Q(due_at__isnull=True), name="dose_number"),
        ]

    @property
    def stay(self) -> BedStay:
        """Whose dose it is."""
        return self.order.stay


class Handover(models.Model):
    """A nurse hands a patient over to the next (SBAR). `body` is JSON by its four parts; written once."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    stay = models.ForeignKey(BedStay, models.PROTECT, related_name="handovers", db_index=False)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+")
    body = EncryptedTextField(owner="patient_id")
    signed_at = models.DateTimeField(default=clock.now)
    signed_by = models.CharField(max_length=64)
    author = models.CharField(max_length=160)
    read_at = models.DateTimeField(null=True)
    read_by = models.CharField(max_length=64, blank=True)
    reader = models.CharField(max_length=160, blank=True)
    state = models.CharField(max_length=12)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        indexes = [models.Index(fields=["stay", "signed_at"], name="handover_stay")]


class DischargeSummary(models.Model):
    """What a patient leaves with (FHIR Composition, LOINC 18842-5). `body` is JSON by part.

    Signed, it is what the patient reads; it is amended by a new wording with a reason (`why`), and the one before is
    kept in `SignedSummary`. `amended` counts those.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    stay = models.OneToOneField(BedStay, models.PROTECT, related_name="summary")
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+")
    body = EncryptedTextField(owner="patient_id")
    saved_at = models.DateTimeField(default=clock.now)
    saved_by = models.CharField(max_length=64)
    author = models.CharField(max_length=160)
    signed_at = models.DateTimeField(null=True)
    amended = models.PositiveSmallIntegerField(default=0)
    why = EncryptedTextField(owner="patient_id", blank=True)
    state = models.CharField(max_length=12)
    version = models.PositiveIntegerField(default=1)


class SignedSummary(models.Model):
    """A discharge summary as it was signed once and is no longer: what the patient was given stays to be read."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    summary = models.ForeignKey(DischargeSummary, models.PROTECT, related_name="earlier", db_index=False)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+")
    number = models.PositiveSmallIntegerField()
    body = EncryptedTextField(owner="patient_id")
    why = EncryptedTextField(owner="patient_id", blank=True)
    author = models.CharField(max_length=160)
    signed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["summary", "number"], name="signedsummary_number")]
