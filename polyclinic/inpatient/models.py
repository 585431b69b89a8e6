"""Wards, beds, how long each bed was in which state, and stays.

Who lies where is told by ids alone; why somebody needs a bed is sealed with the patient's key. What they need of it is
not: the bed board and the list of suggestions go by it.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock
from polyclinic.core.crypto.fields import EncryptedTextField
from polyclinic.core.ids import new_id
from polyclinic.facilities.models import Facility
from polyclinic.inpatient.states import HOLDING, IN_BED
from polyclinic.inpatient.words import Fault, Priority, SexPolicy, WardKind
from polyclinic.people.models import Doctor, Patient
from polyclinic.visits.models import Visit


class Ward(models.Model):
    """A unit of a facility with beds (FHIR Location, physicalType wa)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="wards")
    name = models.CharField(_("name"), max_length=60)
    kind = models.CharField(_("kind"), max_length=12, choices=WardKind.choices, default=WardKind.GENERAL)
    sex = models.CharField(_("who may lie here"), max_length=8, choices=SexPolicy.choices, default=SexPolicy.ANY)
    version = models.PositiveIntegerField(default=1)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["facility", "name"], condition=Q(ended_at__isnull=True), name="ward_name")
        ]

    def __str__(self) -> str:
        return self.name


class Bed(models.Model):
    """One bed (FHIR Location, physicalType bd). Steps: `inpatient.states`.

    `room` is a name and no `facilities.Room`: that one is a room which one appointment at a time can have.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    ward = models.ForeignKey(Ward, models.PROTECT, related_name="beds")
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="+", db_index=False)
    name = models.CharField(_("name"), max_length=20)
    room = models.CharField(_("room or bay"), max_length=40, blank=True)
    isolation = models.BooleanField(_("isolation"), default=False)
    oxygen = models.BooleanField(_("oxygen"), default=False)
    intensive = models.BooleanField(_("intensive care"), default=False)
    children = models.BooleanField(_("for children"), default=False)
    # Empty: as the ward has it.
    sex = models.CharField(_("who may lie here"), max_length=8, choices=SexPolicy.choices, blank=True)
    state = models.CharField(max_length=12)
    version = models.PositiveIntegerField(default=1)
    # When the present state began; when somebody began to clean it; why nobody can be put into it.
    since = models.DateTimeField(default=clock.now)
    cleaning_since = models.DateTimeField(null=True, blank=True)
    why = models.CharField(_("reason"), max_length=12, choices=Fault.choices, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["ward", "name"], condition=~Q(state="retired"), name="bed_name"),
            models.CheckConstraint(
                condition=Q(state="blocked", why__gt="") | (~Q(state="blocked") & Q(why="")), name="bed_why"
            ),
            models.CheckConstraint(condition=Q(cleaning_since__isnull=True) | Q(state="cleaning"), name="bed_cleaning"),
        ]
        indexes = [models.Index(fields=["facility", "state"], name="bed_facility")]

    def __str__(self) -> str:
        return self.name


class BedStay(models.Model):
    """A patient's stay, from the request for a bed until they have left (FHIR Encounter, class inpatient).

    A departed stay keeps its last bed. Which beds it had before is told by `BedTime`.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="+", db_index=False)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="stays", db_index=False)
    visit = models.ForeignKey(Visit, models.PROTECT, null=True, blank=True, related_name="stays")
    # Who answers for the patient here; a discharge is theirs to order, or a head doctor's.
    doctor = models.ForeignKey(Doctor, models.PROTECT, null=True, blank=True, related_name="+")
    bed = models.ForeignKey(Bed, models.PROTECT, null=True, blank=True, related_name="stays", db_index=False)
    ward = models.ForeignKey(Ward, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    priority = models.CharField(_("priority"), max_length=12, choices=Priority.choices, default=Priority.ROUTINE)
    isolation = models.BooleanField(_("isolation"), default=False)
    oxygen = models.BooleanField(_("oxygen"), default=False)
    intensive = models.BooleanField(_("intensive care"), default=False)
    reason = EncryptedTextField(_("why a bed is needed"), owner="patient_id", max_length=200, blank=True)
    state = models.CharField(max_length=18)
    version = models.PositiveIntegerField(default=1)
    requested_at = models.DateTimeField(default=clock.now)
    requested_by = models.CharField(max_length=64)
    admitted_at = models.DateTimeField(null=True, blank=True)
    # The day on which the patient will probably leave, in the facility's calendar: what the forecast counts.
    expected_on = models.DateField(_("expected to leave"), null=True, blank=True)
    ordered_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            # The database has the last word: one patient a bed, and one bed a patient, wherever they lie.
            models.UniqueConstraint(fields=["bed"], condition=Q(state__in=HOLDING), name="stay_one_a_bed"),
            models.UniqueConstraint(fields=["patient"], condition=Q(state__in=IN_BED), name="stay_one_a_patient"),
            models.UniqueConstraint(
                fields=["facility", "patient"], condition=Q(ended_at__isnull=True), name="stay_one_open"
            ),
            models.CheckConstraint(condition=Q(bed__isnull=False) | ~Q(state__in=HOLDING), name="stay_has_bed"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(ended_at__gte=F("requested_at")), name="stay_order"
            ),
        ]
        indexes = [
            models.Index(fields=["facility", "state", "requested_at"], name="stay_facility"),
            models.Index(fields=["patient", "requested_at"], name="stay_patient"),
        ]


class BedTime(models.Model):
    """How long a bed was in one state, and with whose stay: turnaround, occupancy, and who lay where."""

    bed = models.ForeignKey(Bed, models.CASCADE, related_name="times", db_index=False)
    state = models.CharField(max_length=12)
    stay = models.ForeignKey(BedStay, models.CASCADE, null=True, blank=True, related_name="beds")
    entered_at = models.DateTimeField()
    # When somebody began to clean, of a time of cleaning.
    begun_at = models.DateTimeField(null=True, blank=True)
    left_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["bed"], condition=Q(left_at__isnull=True), name="bedtime_one_open"),
            models.CheckConstraint(
                condition=Q(left_at__isnull=True) | Q(left_at__gte=F("entered_at")), name="bedtime_order"
            ),
        ]
        indexes = [models.Index(fields=["bed", "state", "left_at"], name="bedtime_past")]
