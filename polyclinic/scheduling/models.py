"""Schedules, reservations, holds and appointments.

A `Reservation` says that one resource (a doctor, a room, a patient) is taken from then until then. That no two overlap
is the database's own rule: EXCLUDE on PostgreSQL, a trigger on SQLite. Holds and appointments both reserve, so one rule
guards them all.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock
from polyclinic.core.crypto.fields import EncryptedTextField
from polyclinic.core.ids import new_id
from polyclinic.facilities.models import Department, Facility, Room, Service
from polyclinic.people.models import Account, Doctor, Patient


class Schedule(models.Model):
    """When a doctor sees patients at one facility. `version` moves with every change of hours or exceptions."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    doctor = models.ForeignKey(Doctor, models.PROTECT, related_name="schedules")
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="schedules")
    department = models.ForeignKey(Department, models.PROTECT, null=True, blank=True)
    room = models.ForeignKey(Room, models.PROTECT, null=True, blank=True)
    slot_minutes = models.PositiveSmallIntegerField(_("slot length, minutes"), null=True, blank=True)
    buffer_minutes = models.PositiveSmallIntegerField(_("buffer after each slot, minutes"), null=True, blank=True)
    bookable = models.BooleanField(_("bookable"), default=True)
    # How many patients a day may be booked into times that are taken already (`scheduling.overbooking`).
    overbook_limit = models.PositiveSmallIntegerField(_("extra patients a day"), default=0)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["doctor", "facility"], name="schedule_doctor_facility")]


class WeeklyHours(models.Model):
    """Recurring hours or a recurring break, in the facility's wall-clock time. Weekday 0 is Monday."""

    class Kind(models.TextChoices):
        HOURS = "hours", _("Hours")
        BREAK = "break", _("Break")

    schedule = models.ForeignKey(Schedule, models.CASCADE, related_name="weekly")
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.HOURS)
    weekday = models.PositiveSmallIntegerField(_("weekday"))
    starts = models.TimeField(_("from"))
    ends = models.TimeField(_("until"))

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(weekday__lte=6), name="weekly_weekday"),
            models.CheckConstraint(condition=Q(ends__gt=F("starts")), name="weekly_order"),
        ]


class ScheduleException(models.Model):
    """Leave (no slots) or a one-off opening (extra slots), as wall-clock times of the facility on one or more days."""

    class Kind(models.TextChoices):
        LEAVE = "leave", _("Leave")
        OPENING = "opening", _("One-off opening")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    schedule = models.ForeignKey(Schedule, models.CASCADE, related_name="exceptions")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    starts = models.DateTimeField(_("from"))
    ends = models.DateTimeField(_("until"))
    note = EncryptedTextField(_("note"), purpose="schedules", max_length=120, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(ends__gt=F("starts")), name="exception_order")]


class Hold(models.Model):
    """A slot kept for five minutes while someone confirms. It reserves like an appointment and expires by itself."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    schedule = models.ForeignKey(Schedule, models.CASCADE)
    doctor = models.ForeignKey(Doctor, models.PROTECT, db_index=False)
    service = models.ForeignKey(Service, models.PROTECT, null=True, blank=True, db_index=False)
    holder = models.CharField(max_length=64)
    starts = models.DateTimeField()
    ends = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    extended = models.PositiveSmallIntegerField(default=0)


class Appointment(models.Model):
    """A patient's agreed time with a doctor (FHIR Appointment). States and steps: `scheduling.states`.

    Foreign keys have no index of their own where a longer one begins with them: every index is a page written at each
    booking.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="appointments", db_index=False)
    doctor = models.ForeignKey(Doctor, models.PROTECT, related_name="appointments", db_index=False)
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="appointments", db_index=False)
    schedule = models.ForeignKey(Schedule, models.PROTECT, related_name="appointments")
    room = models.ForeignKey(Room, models.PROTECT, null=True, blank=True, db_index=False)
    service = models.ForeignKey(Service, models.PROTECT, null=True, blank=True, db_index=False)
    state = models.CharField(max_length=16)
    version = models.PositiveIntegerField(default=1)
    starts = models.DateTimeField()
    ends = models.DateTimeField()
    reason = EncryptedTextField(_("reason for the visit"), owner="patient_id", max_length=200, blank=True)
    booked_by = models.CharField(max_length=64)
    booked_at = models.DateTimeField(default=clock.now)
    rescheduled = models.PositiveSmallIntegerField(default=0)
    attention = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(ends__gt=F("starts")), name="appointment_order")]
        indexes = [
            models.Index(fields=["doctor", "starts"], name="appointment_doctor_day"),
            models.Index(fields=["patient", "starts"], name="appointment_patient"),
            models.Index(fields=["facility", "starts"], name="appointment_facility_day"),
        ]


class Reservation(models.Model):
    """One resource taken for one stretch of time, by a hold or by an appointment. Overlap is impossible.

    At most a day long (a check), which lets the overlap search look at a day of neighbours and not at all history.
    """

    class Kind(models.TextChoices):
        DOCTOR = "doctor", _("Doctor")
        ROOM = "room", _("Room")
        PATIENT = "patient", _("Patient")
        # Beside a doctor's taken time: where the one extra patient of that time goes.
        EXTRA = "extra", _("Extra")
        # What a service takes besides (`scheduling.needs`).
        DEVICE = "device", _("Device")
        SECOND = "second", _("Second person")

    resource_id = models.UUIDField()
    kind = models.CharField(max_length=8, choices=Kind.choices)
    starts = models.DateTimeField()
    ends = models.DateTimeField()
    appointment = models.ForeignKey(Appointment, models.CASCADE, null=True, related_name="reservations")
    hold = models.ForeignKey(Hold, models.CASCADE, null=True, related_name="reservations")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(ends__gt=F("starts")), name="reservation_order"),
            models.CheckConstraint(
                condition=Q(appointment__isnull=False, hold__isnull=True)
                | Q(appointment__isnull=True, hold__isnull=False),
                name="reservation_one_owner",
            ),
        ]
        indexes = [models.Index(fields=["resource_id", "starts", "ends"], name="reservation_resource")]


class Overbooking(models.Model):
    """An appointment that was booked into a time already taken, and why somebody allowed it. It stays a fact when the
    other appointment goes and this one moves up.
    """

    appointment = models.OneToOneField(Appointment, models.CASCADE, primary_key=True, related_name="overbooking")
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+", db_index=False)
    reason = EncryptedTextField(_("why beyond the limit"), owner="patient_id", max_length=200)
    at = models.DateTimeField(default=clock.now)


class AppointmentSeries(models.Model):
    """Appointments that come again at the same wall-clock time: every so many days, weeks or months, so many times."""

    class Unit(models.TextChoices):
        DAY = "day", _("days")
        WEEK = "week", _("weeks")
        MONTH = "month", _("months")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="appointment_series")
    doctor = models.ForeignKey(Doctor, models.PROTECT, related_name="+", db_index=False)
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="+", db_index=False)
    schedule = models.ForeignKey(Schedule, models.PROTECT, related_name="+", db_index=False)
    service = models.ForeignKey(Service, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    every = models.PositiveSmallIntegerField()
    unit = models.CharField(max_length=8, choices=Unit.choices)
    planned = models.PositiveSmallIntegerField()
    made_by = models.CharField(max_length=64)
    made_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(every__gte=1), name="series_every")]


class SeriesOccurrence(models.Model):
    """One date of a series: when the rule wants it, and the appointment it became; none when it was left out."""

    series = models.ForeignKey(AppointmentSeries, models.CASCADE, related_name="occurrences", db_index=False)
    number = models.PositiveSmallIntegerField()
    planned_starts = models.DateTimeField()
    appointment = models.OneToOneField(
        Appointment, models.CASCADE, null=True, blank=True, related_name="series_occurrence"
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["series", "number"], name="series_occurrence_once")]


class CareLink(models.Model):
    """A patient stands in a doctor's list, since their first booking with them. `seen_at` empties the badge."""

    doctor = models.ForeignKey(Doctor, models.CASCADE, related_name="care_links", db_index=False)
    patient = models.ForeignKey(Patient, models.CASCADE, related_name="care_links")
    since = models.DateTimeField(default=clock.now)
    seen_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["doctor", "patient"], name="carelink_once")]
        indexes = [models.Index(fields=["doctor", "since"], name="carelink_doctor")]


class DoctorInvitation(models.Model):
    """A hospital asks a doctor who is known elsewhere to see patients there too, and proposes hours.

    Accepting makes the schedule, which is what a doctor's membership is. States and steps: `scheduling.states`.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="doctor_invitations", db_index=False)
    doctor = models.ForeignKey(Doctor, models.PROTECT, related_name="invitations")
    department = models.ForeignKey(Department, models.PROTECT, null=True, blank=True)
    room = models.ForeignKey(Room, models.PROTECT, null=True, blank=True)
    # Rows of weekday (0 is Monday), starts and ends ("09:00"), in the facility's wall-clock time.
    weekly = models.JSONField(default=list)
    slot_minutes = models.PositiveSmallIntegerField(_("slot length, minutes"), null=True, blank=True)
    state = models.CharField(max_length=16)
    version = models.PositiveIntegerField(default=1)
    invited_by = models.ForeignKey(Account, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField()
    # When the doctor was last told, and how often again since the first time.
    told_at = models.DateTimeField(default=clock.now)
    reminders = models.PositiveSmallIntegerField(default=0)
    schedule = models.ForeignKey(Schedule, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["facility", "doctor"], condition=Q(state="sent"), name="doctor_invitation_once"
            )
        ]
        indexes = [models.Index(fields=["facility", "created_at"], name="doctor_invitation_facility")]


class LeaveRequest(models.Model):
    """A doctor asks to be away from one hospital; its manager approves, which makes the leave, or declines.

    Why and the note may be about the doctor's health: both are sealed.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    schedule = models.ForeignKey(Schedule, models.PROTECT, related_name="leave_requests", db_index=False)
    doctor = models.ForeignKey(Doctor, models.PROTECT, related_name="leave_requests")
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="leave_requests")
    kind = EncryptedTextField(_("kind"), purpose="schedules", max_length=16)
    note = EncryptedTextField(_("note"), purpose="schedules", max_length=200, blank=True)
    starts = models.DateTimeField(_("from"))
    ends = models.DateTimeField(_("until"))
    state = models.CharField(max_length=16)
    version = models.PositiveIntegerField(default=1)
    asked_at = models.DateTimeField(default=clock.now)
    decided_by = models.ForeignKey(Account, models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    answer = EncryptedTextField(_("answer"), purpose="schedules", max_length=200, blank=True)
    leave = models.ForeignKey(ScheduleException, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(ends__gt=F("starts")), name="leave_request_order"),
            models.UniqueConstraint(
                fields=["schedule", "starts", "ends"], condition=Q(state="asked"), name="leave_request_once"
            ),
        ]
