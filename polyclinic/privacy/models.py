"""Requests a patient makes about their record, and what became of them."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock
from polyclinic.core.crypto.fields import EncryptedTextField
from polyclinic.core.ids import new_id
from polyclinic.facilities.models import Facility
from polyclinic.people.models import Patient


class Kind(models.TextChoices):
    """What a patient can ask for."""

    ACCESS = "access", _("A copy of my record")
    CORRECTION = "correction", _("Correct something")
    RESTRICTION = "restriction", _("Restrict who uses my record")
    ERASURE = "erasure", _("Erase my record")


class PrivacyRequest(models.Model):
    """A request to a facility, due within thirty days (45 CFR 164.524). Steps: `privacy.states`.

    A correction names the field, what it says and what it should say. Whatever was written in own words is sealed with
    the patient's key.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="privacy_requests", db_index=False)
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    state = models.CharField(max_length=16)
    version = models.PositiveIntegerField(default=1)
    words = EncryptedTextField(owner="patient_id", blank=True, default="")
    field = models.CharField(max_length=16, blank=True)
    before = EncryptedTextField(owner="patient_id", blank=True, default="")
    after = EncryptedTextField(owner="patient_id", blank=True, default="")
    answer = EncryptedTextField(owner="patient_id", blank=True, default="")
    received_at = models.DateTimeField(default=clock.now)
    due_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    answered_by = models.CharField(max_length=64, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["patient", "received_at"], name="privacyrequest_patient"),
            models.Index(fields=["facility", "state", "due_at"], name="privacyrequest_facility"),
        ]


class ResearchExport(models.Model):
    """Anonymised data that left the house: for what, by whose approval, and what its report said. Never the data."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facilities = models.ManyToManyField(Facility, related_name="+")
    purpose = models.CharField(max_length=300)
    approval = models.CharField(max_length=160)
    first_day = models.DateField()
    last_day = models.DateField()
    report = models.JSONField(default=dict)
    # SHA-256 of the file that was handed out.
    digest = models.CharField(max_length=64)
    made_at = models.DateTimeField(default=clock.now, db_index=True)
    made_by = models.CharField(max_length=64)


class LegalHold(models.Model):
    """A patient's record must be kept, whatever its time: a lawsuit, an inquiry. In force until it is lifted."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+", db_index=False)
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="+", db_index=False)
    reason = EncryptedTextField(owner="patient_id")
    version = models.PositiveIntegerField(default=1)
    placed_at = models.DateTimeField(default=clock.now)
    placed_by = models.CharField(max_length=64)
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "facility"], condition=models.Q(lifted_at__isnull=True), name="legal_hold_once"
            )
        ]
        indexes = [models.Index(fields=["facility", "placed_at"], name="legal_hold_facility")]


class Restriction(models.Model):
    """A patient's record is used by nobody beyond those who treat them (45 CFR 164.522 (a)), since a facility agreed.

    It holds for the whole record, wherever it is kept, until it is lifted by the patient or by the facility.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+", db_index=False)
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="+", db_index=False)
    version = models.PositiveIntegerField(default=1)
    since = models.DateTimeField(default=clock.now)
    agreed_by = models.CharField(max_length=64)
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "facility"], condition=models.Q(lifted_at__isnull=True), name="restriction_once"
            )
        ]
        indexes = [models.Index(fields=["facility", "since"], name="restriction_facility")]
