"""What was printed, and the letters that are written to be printed: sick notes and referrals.

What a paper says stands where it was written down (an invoice, an order to the laboratory); a paper keeps only the
digest of it, so that anybody who holds the sheet can ask whether it still says what the house says.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock
from polyclinic.core.crypto.fields import EncryptedTextField
from polyclinic.core.ids import new_id
from polyclinic.facilities.models import Facility
from polyclinic.papers.words import LetterKind
from polyclinic.people.models import Account, Doctor, Patient
from polyclinic.visits.models import Visit


class Paper(models.Model):
    """One thing as it was printed, however many copies of it. Steps: `papers.states`.

    `subject_id` is the thing's own id; `variant` tells apart what different readers are given of it. Whoever holds the
    random `code` may ask whether the paper is genuine. `digest` is sealed: of a short text it could be guessed back.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=16)
    subject_id = models.UUIDField()
    variant = models.CharField(max_length=12, blank=True)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="papers", db_index=False)
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="+", db_index=False)
    code = models.CharField(max_length=32, unique=True)
    digest = EncryptedTextField(owner="patient_id")
    state = models.CharField(max_length=12)
    version = models.PositiveIntegerField(default=1)
    # The original counts as one.
    printed = models.PositiveIntegerField(default=1)
    issued_at = models.DateTimeField(default=clock.now)
    issued_by = models.CharField(max_length=64)
    printed_at = models.DateTimeField(default=clock.now)
    printed_by = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject_id", "variant"], condition=Q(state="valid"), name="paper_one_valid"
            ),
            models.CheckConstraint(condition=Q(printed__gte=1), name="paper_printed"),
        ]
        indexes = [
            models.Index(fields=["patient", "issued_at"], name="paper_patient"),
            models.Index(fields=["subject_id"], name="paper_subject"),
        ]


class Letter(models.Model):
    """What sick notes and referrals have in common. `body` is JSON, see `papers.bodies`; it is never changed."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    visit = models.ForeignKey(Visit, models.PROTECT, related_name="+", db_index=False)
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="+", db_index=False)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+", db_index=False)
    # The visit's doctor at the time; `author` is who signed.
    doctor = models.ForeignKey(Doctor, models.PROTECT, null=True, related_name="+")
    author = models.CharField(max_length=160)
    issued_by = models.ForeignKey(Account, models.PROTECT, null=True, related_name="+")
    body = EncryptedTextField(owner="patient_id")
    state = models.CharField(max_length=12)
    version = models.PositiveIntegerField(default=1)
    issued_at = models.DateTimeField(default=clock.now)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True
        indexes = [
            models.Index(fields=["patient", "issued_at"], name="%(class)s_patient"),
            models.Index(fields=["visit"], name="%(class)s_visit"),
        ]


class SickNote(Letter):
    """Says that a patient cannot work or go to school for some days. Steps: `papers.states`."""


class Referral(Letter):
    """Sends a patient to somebody else with a question (FHIR ServiceRequest). Steps: `papers.states`."""


class LetterDraft(models.Model):
    """What one person has typed into a letter and not signed. Theirs alone; `version` counts the autosaves."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    account_id = models.UUIDField()
    visit = models.ForeignKey(Visit, models.CASCADE, related_name="+", db_index=False)
    patient = models.ForeignKey(Patient, models.CASCADE, related_name="+")
    kind = models.CharField(_("kind"), max_length=12, choices=LetterKind.choices)
    body = EncryptedTextField(owner="patient_id")
    version = models.PositiveIntegerField(default=1)
    saved_at = models.DateTimeField(default=clock.now, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["visit", "kind", "account_id"], name="letterdraft_once"),
            models.CheckConstraint(condition=Q(version__gte=1), name="letterdraft_version"),
        ]
