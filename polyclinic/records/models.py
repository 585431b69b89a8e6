"""What is written down about a patient. Everything clinical is sealed with the patient's key; ids and times are not."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from polyclinic.core import clock
from polyclinic.core.crypto.fields import EncryptedTextField
from polyclinic.core.ids import new_id
from polyclinic.people.models import Patient
from polyclinic.records.forms import Kind
from polyclinic.visits.models import Visit


class VitalSet(models.Model):
    """Vital signs measured together (FHIR Observation vital-signs panel). `body` is JSON, see `records.bodies`.

    Never edited: what was typed wrongly is withdrawn, stays readable as such, and is measured again.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    visit = models.ForeignKey(Visit, models.PROTECT, related_name="vitals", db_index=False)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="vitals")
    body = EncryptedTextField(owner="patient_id")
    taken_at = models.DateTimeField()
    made_at = models.DateTimeField(default=clock.now)
    made_by = models.CharField(max_length=64)
    author = models.CharField(max_length=160)
    state = models.CharField(max_length=16)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        indexes = [models.Index(fields=["visit", "taken_at"], name="vitals_visit")]


class AllergyList(models.Model):
    """What is known of a patient's allergies. No row: nobody has asked. `status` is none_known or present."""

    patient = models.OneToOneField(Patient, models.PROTECT, primary_key=True, related_name="allergy_list")
    status = EncryptedTextField(owner="patient_id")
    version = models.PositiveIntegerField(default=1)
    asked_at = models.DateTimeField(default=clock.now)
    asked_by = models.CharField(max_length=64)


class Allergy(models.Model):
    """One substance a patient reacts to (FHIR AllergyIntolerance). `body` is JSON: substance, reaction, severity."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="allergies", db_index=False)
    visit = models.ForeignKey(Visit, models.PROTECT, related_name="allergies")
    body = EncryptedTextField(owner="patient_id")
    made_at = models.DateTimeField(default=clock.now)
    made_by = models.CharField(max_length=64)
    author = models.CharField(max_length=160)
    state = models.CharField(max_length=16)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        indexes = [models.Index(fields=["patient", "state"], name="allergy_patient")]


class Condition(models.Model):
    """A diagnosis of a visit (FHIR Condition). `body` is JSON: ICD-10 code, text, how sure it is."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    visit = models.ForeignKey(Visit, models.PROTECT, related_name="conditions", db_index=False)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="conditions")
    body = EncryptedTextField(owner="patient_id")
    made_at = models.DateTimeField(default=clock.now)
    made_by = models.CharField(max_length=64)
    author = models.CharField(max_length=160)
    state = models.CharField(max_length=16)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        indexes = [models.Index(fields=["visit", "state"], name="condition_visit")]


class Note(models.Model):
    """One part of a visit's note as it stands now. Earlier wordings are in `NoteVersion`; `body` is JSON by field."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    visit = models.ForeignKey(Visit, models.PROTECT, related_name="notes", db_index=False)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="notes")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    body = EncryptedTextField(owner="patient_id")
    saved_at = models.DateTimeField(default=clock.now)
    saved_by = models.CharField(max_length=64)
    author = models.CharField(max_length=160)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["visit", "kind"], name="note_once")]


class NoteVersion(models.Model):
    """A note as it was saved once: a record is amended and never overwritten."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    note = models.ForeignKey(Note, models.PROTECT, related_name="versions", db_index=False)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+")
    version = models.PositiveIntegerField()
    body = EncryptedTextField(owner="patient_id")
    saved_at = models.DateTimeField()
    saved_by = models.CharField(max_length=64)
    author = models.CharField(max_length=160)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["note", "version"], name="note_version_once")]


class Draft(models.Model):
    """What one person has typed into a part of a note and not saved. Theirs alone, and no part of the record.

    `base` is the note's version it was begun from (0: there was none), `version` counts the autosaves.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    account_id = models.UUIDField()
    visit = models.ForeignKey(Visit, models.CASCADE, related_name="+", db_index=False)
    patient = models.ForeignKey(Patient, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    body = EncryptedTextField(owner="patient_id")
    base = models.PositiveIntegerField(default=0)
    version = models.PositiveIntegerField(default=1)
    saved_at = models.DateTimeField(default=clock.now, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["visit", "kind", "account_id"], name="draft_once"),
            models.CheckConstraint(condition=Q(version__gte=1), name="draft_version"),
        ]


class EmergencyLink(models.Model):
    """A patient's way to let a stranger who helps them read what matters, for some hours (`records.links`).

    `code` is what the link is known by and cannot be turned back into it.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+", db_index=False)
    code = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField(default=clock.now)
    made_by = models.CharField(max_length=64)
    ends_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    opened = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=16)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(ends_at__gt=F("made_at")), name="emergencylink_order")]
        indexes = [models.Index(fields=["patient", "made_at"], name="emergencylink_patient")]


class EmergencyOpening(models.Model):
    """When somebody opened a link; who, nobody knows."""

    link = models.ForeignKey(EmergencyLink, models.CASCADE, related_name="openings", db_index=False)
    number = models.PositiveIntegerField()
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["link", "number"], name="emergencyopening_number")]
