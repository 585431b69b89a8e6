"""Sharing, delegation and emergency access: who may see a patient's record beyond those who treat them."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock
from polyclinic.core.crypto.fields import EncryptedTextField
from polyclinic.core.ids import new_id
from polyclinic.people.models import Account, Patient


class Purpose(models.TextChoices):
    """Why a patient shares."""

    TREATMENT = "treatment", _("Treatment")
    SECOND_OPINION = "second_opinion", _("Second opinion")
    RESEARCH = "research", _("Research")
    FAMILY = "family", _("Family or friend")


class Category(models.TextChoices):
    """What of the record is shared. `all` is everything, also what is added to the record later."""

    ALL = "all", _("Everything")
    PARTICULARS = "particulars", _("Name, date of birth and contact")
    APPOINTMENTS = "appointments", _("Appointments")
    RESULTS = "results", _("Laboratory results")
    MEDICINES = "medicines", _("Medicines")
    NOTES = "notes", _("Notes and diagnoses")


class Kind(models.TextChoices):
    """What somebody who acts for a patient is to them."""

    PARENT = "parent", _("Parent")
    CARER = "carer", _("Carer")
    GUARDIAN = "guardian", _("Legal guardian")


class Rights(models.TextChoices):
    """What somebody who acts for a patient may do."""

    VIEW = "view", _("See appointments")
    BOOK = "book", _("See, book and change appointments")


class Consent(models.Model):
    """A patient lets a facility or a doctor see parts of their record, for a purpose, until a moment or for good.

    Steps: `consent.states`. It is in force while `active` and before `expires_at`; the moment is compared at every
    question, so nothing has to run for it to end.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="consents", db_index=False)
    facility = models.ForeignKey("facilities.Facility", models.PROTECT, null=True, related_name="+")
    account = models.ForeignKey(Account, models.PROTECT, null=True, related_name="+")
    purpose = models.CharField(max_length=16, choices=Purpose.choices)
    # Names of Category, separated by spaces: few, always read together, never searched alone.
    categories = models.CharField(max_length=120)
    state = models.CharField(max_length=16)
    version = models.PositiveIntegerField(default=1)
    granted_at = models.DateTimeField(default=clock.now)
    granted_by = models.CharField(max_length=64)
    expires_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(facility__isnull=False, account__isnull=True)
                | Q(facility__isnull=True, account__isnull=False),
                name="consent_one_grantee",
            ),
            models.CheckConstraint(
                condition=Q(expires_at__isnull=True) | Q(expires_at__gt=F("granted_at")), name="consent_order"
            ),
        ]
        indexes = [models.Index(fields=["patient", "state"], name="consent_patient")]


class Delegation(models.Model):
    """Somebody acts for a patient: a parent, a carer, a guardian. Steps: `consent.states`.

    Proposed by the patient for an e-mail address and taken up with the code shown to the patient, of which only the
    digest is kept; or made at the front desk.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="delegations", db_index=False)
    carer = models.ForeignKey(Account, models.PROTECT, null=True, related_name="+", db_index=False)
    facility = models.ForeignKey("facilities.Facility", models.PROTECT, null=True, related_name="+", db_index=False)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    rights = models.CharField(max_length=8, choices=Rights.choices)
    state = models.CharField(max_length=16)
    version = models.PositiveIntegerField(default=1)
    email = models.EmailField(max_length=254, blank=True)
    code = models.CharField(max_length=64, blank=True)
    proposed_at = models.DateTimeField(default=clock.now)
    proposed_by = models.CharField(max_length=64)
    starts_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["patient", "carer"], condition=Q(state="active"), name="delegation_once"),
        ]
        indexes = [
            models.Index(fields=["patient", "state"], name="delegation_patient"),
            models.Index(fields=["carer", "state"], name="delegation_carer"),
        ]


class EmergencyAccess(models.Model):
    """A record opened past the ordinary rights, for sixty minutes, and what the privacy officer thought of it.

    `ends_at` is compared at every question: an opening ends on time even when nothing runs. `confirmed` is how surely
    we knew who it was (1 one factor, 2 two). What was said is sealed with the patient's own key.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="emergency_accesses", db_index=False)
    account = models.ForeignKey(Account, models.PROTECT, related_name="+", db_index=False)
    facility = models.ForeignKey("facilities.Facility", models.PROTECT, related_name="+", db_index=False)
    reason = EncryptedTextField(owner="patient_id")
    confirmed = models.PositiveSmallIntegerField(default=1)
    state = models.CharField(max_length=16)
    version = models.PositiveIntegerField(default=1)
    opened_at = models.DateTimeField(default=clock.now)
    ends_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    reviewed_at = models.DateTimeField(null=True)
    reviewed_by = models.CharField(max_length=64, blank=True)
    review_note = EncryptedTextField(owner="patient_id", blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["patient", "account"], condition=Q(state="open"), name="emergency_once"),
            models.CheckConstraint(condition=Q(ends_at__gt=F("opened_at")), name="emergency_order"),
        ]
        indexes = [
            models.Index(fields=["account", "ends_at"], name="emergency_account"),
            models.Index(fields=["patient", "opened_at"], name="emergency_patient"),
            models.Index(fields=["facility", "opened_at"], name="emergency_facility"),
        ]
