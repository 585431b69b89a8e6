"""Files that were given and checked. The content lies in `storage`, sealed with a key that stands here, sealed too."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from polyclinic.core import clock
from polyclinic.core.crypto.fields import EncryptedTextField
from polyclinic.core.ids import new_id
from polyclinic.facilities.models import Facility
from polyclinic.laboratory.models import LabOrder, OrderedTest
from polyclinic.people.models import Account, Patient


class StoredFile(models.Model):
    """One file. With a patient, everything about it is sealed with that patient's key and goes when the key goes."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    account = models.ForeignKey(Account, models.PROTECT, related_name="files", db_index=False)
    patient = models.ForeignKey(Patient, models.PROTECT, null=True, related_name="files")
    kind = models.CharField(max_length=16)
    state = models.CharField(max_length=16)
    version = models.PositiveIntegerField(default=1)
    media_type = models.CharField(max_length=40)
    size = models.PositiveIntegerField()
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)
    # The content's key and its SHA-256. The digest alone would tell two copies of one document apart from others.
    secret = EncryptedTextField(owner="patient_id", purpose="files", blank=True)
    digest = EncryptedTextField(owner="patient_id", purpose="files", blank=True)
    made_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account"], condition=Q(kind="photo", state="clean"), name="file_one_photo")
        ]
        indexes = [models.Index(fields=["account", "kind", "state"], name="file_account")]


class ResultFile(models.Model):
    """What an analyser printed or a microscope showed, kept with a laboratory result (FHIR DiagnosticReport.media).

    Sealed as every file is. Withdrawn when it was given to the wrong result; the laboratory alone opens it then.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    ordered_test = models.ForeignKey(OrderedTest, models.PROTECT, related_name="files")
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="+", db_index=False)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+")
    account = models.ForeignKey(Account, models.PROTECT, related_name="+", db_index=False)
    # Which of the test's results it was given with: a corrected one has its own.
    number = models.PositiveSmallIntegerField(default=0)
    state = models.CharField(max_length=16)
    version = models.PositiveIntegerField(default=1)
    media_type = models.CharField(max_length=40)
    size = models.PositiveIntegerField()
    secret = EncryptedTextField(owner="patient_id", purpose="files")
    digest = EncryptedTextField(owner="patient_id", purpose="files")
    made_at = models.DateTimeField(default=clock.now)

    @property
    def order(self) -> LabOrder:
        """The order it belongs to, as its event tells it."""
        return self.ordered_test.order


class Portrait(models.Model):
    """A photo of a patient taken at a facility's desk, by which staff tell them from another (FHIR Patient.photo).

    Sealed with the patient's key. Steps: `files.states`.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+", db_index=False)
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="+", db_index=False)
    account = models.ForeignKey(Account, models.PROTECT, related_name="+", db_index=False)
    state = models.CharField(max_length=16)
    version = models.PositiveIntegerField(default=1)
    media_type = models.CharField(max_length=40)
    size = models.PositiveIntegerField()
    secret = EncryptedTextField(owner="patient_id", purpose="files", blank=True)
    digest = EncryptedTextField(owner="patient_id", purpose="files", blank=True)
    made_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "facility"], condition=Q(state="clean"), name="portrait_one_each"
            )
        ]
        indexes = [models.Index(fields=["patient", "facility", "state"], name="portrait_patient")]
