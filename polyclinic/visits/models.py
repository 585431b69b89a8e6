"""Visits, how long each stage of one took, and the queues that people wait in between the stages."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock
from polyclinic.core.crypto.fields import EncryptedTextField
from polyclinic.core.ids import new_id
from polyclinic.facilities.models import Department, Facility, Room, Service
from polyclinic.people.models import Doctor, Patient
from polyclinic.scheduling.models import Appointment
from polyclinic.visits.words import Line, Priority


class Visit(models.Model):
    """One coming of a patient, from the front desk to the pharmacy (FHIR Encounter). Steps: `visits.states`.

    `number` runs from 1 each day at each facility, and `token` ("B042") is what is called out. Whoever holds the code
    behind `ticket` may watch the visit's place in the queue and nothing else.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="visits", db_index=False)
    department = models.ForeignKey(Department, models.PROTECT, null=True, blank=True)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="visits", db_index=False)
    day = models.DateField(_("day"))
    number = models.PositiveIntegerField(_("number of the day"))
    token = models.CharField(_("token"), max_length=8)
    appointment = models.OneToOneField(Appointment, models.PROTECT, null=True, blank=True, related_name="visit")
    service = models.ForeignKey(Service, models.PROTECT, null=True, blank=True)
    main_doctor = models.ForeignKey(Doctor, models.PROTECT, null=True, blank=True, related_name="visits")
    priority = models.CharField(_("priority"), max_length=12, choices=Priority.choices, default=Priority.ROUTINE)
    # Why somebody comes before others (a pregnancy, an impairment) is health data; that they do, the hall can see.
    priority_why = EncryptedTextField(_("reason for the priority"), owner="patient_id", max_length=80, blank=True)
    complaint = EncryptedTextField(_("complaint"), owner="patient_id", max_length=300, blank=True)
    state = models.CharField(max_length=16)
    version = models.PositiveIntegerField(default=1)
    ticket = models.CharField(max_length=64, unique=True)
    opened_at = models.DateTimeField(default=clock.now)
    opened_by = models.CharField(max_length=64)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["facility", "day", "number"], name="visit_number"),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True) | Q(closed_at__gte=F("opened_at")), name="visit_order"
            ),
        ]
        indexes = [
            models.Index(fields=["facility", "state", "opened_at"], name="visit_facility_state"),
            models.Index(fields=["patient", "opened_at"], name="visit_patient"),
            models.Index(fields=["facility", "opened_at"], name="visit_open", condition=Q(closed_at__isnull=True)),
        ]


class DayNumber(models.Model):
    """The last number given at a facility on a day of its own calendar, moved under its lock: none is given twice."""

    facility = models.ForeignKey(Facility, models.CASCADE, db_index=False)
    day = models.DateField()
    last = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["facility", "day"], name="visit_day_number")]


class StageTime(models.Model):
    """How long a visit was in one state: what waits are measured by. `left_at` is None while it lasts."""

    visit = models.ForeignKey(Visit, models.CASCADE, related_name="stages")
    stage = models.CharField(max_length=16)
    entered_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["visit"], condition=Q(left_at__isnull=True), name="stage_one_open"),
            models.CheckConstraint(
                condition=Q(left_at__isnull=True) | Q(left_at__gte=F("entered_at")), name="stage_order"
            ),
        ]


class Counter(models.Model):
    """A place to which people are called: a desk, a window, a consulting room."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="counters")
    name = models.CharField(_("name"), max_length=40)
    line = models.CharField(_("queue"), max_length=12, choices=Line.choices)
    room = models.ForeignKey(Room, models.PROTECT, null=True, blank=True)
    version = models.PositiveIntegerField(default=1)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["facility", "name"], condition=Q(ended_at__isnull=True), name="counter_name"
            )
        ]


class QueueEntry(models.Model):
    """A visit's place in one queue. Each stage at which somebody waits makes a new one; the last is the open one.

    `since` is the moment from which the wait counts for the order: skipping somebody moves it (`visits.fairness`),
    while `enqueued_at` stays true for the measured wait.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    visit = models.ForeignKey(Visit, models.CASCADE, related_name="entries")
    facility = models.ForeignKey(Facility, models.PROTECT, db_index=False)
    line = models.CharField(max_length=12, choices=Line.choices)
    doctor = models.ForeignKey(Doctor, models.PROTECT, null=True, blank=True, db_index=False)
    service = models.ForeignKey(Service, models.PROTECT, null=True, blank=True, db_index=False)
    priority = models.CharField(max_length=12, choices=Priority.choices)
    state = models.CharField(max_length=16)
    version = models.PositiveIntegerField(default=1)
    enqueued_at = models.DateTimeField()
    since = models.DateTimeField()
    called_at = models.DateTimeField(null=True, blank=True)
    serving_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    counter = models.ForeignKey(Counter, models.PROTECT, null=True, blank=True, db_index=False)
    # Until when the wait was said to last at most, when it began: whoever waits longer is told so (`visits.waits`).
    told_until = models.DateTimeField(null=True, blank=True)
    recalls = models.PositiveSmallIntegerField(default=0)
    skips = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["visit"], condition=Q(ended_at__isnull=True), name="queue_one_place")
        ]
        indexes = [
            models.Index(fields=["facility", "line"], name="queue_open", condition=Q(ended_at__isnull=True)),
            models.Index(fields=["facility", "line", "ended_at"], name="queue_past"),
        ]


class HallBoard(models.Model):
    """A screen in a hall: which queues it shows. Whoever has the code behind `code` may read tokens and rooms."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="boards")
    name = models.CharField(_("name"), max_length=40)
    # Queues shown, joined by commas; empty shows all.
    lines = models.CharField(max_length=80, blank=True)
    names = models.BooleanField(_("show names"), default=False)
    code = models.CharField(max_length=64, unique=True)
    version = models.PositiveIntegerField(default=1)
    ended_at = models.DateTimeField(null=True, blank=True)
