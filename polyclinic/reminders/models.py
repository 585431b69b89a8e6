"""The times patients were told, what was sent about each, what they chose to be sent, and calendars that follow."""

from __future__ import annotations

from django.db import models

from polyclinic.core import clock
from polyclinic.core.ids import new_id
from polyclinic.people.models import Account
from polyclinic.scheduling.models import Appointment


class AgreedTime(models.Model):
    """One time of an appointment, since when it is agreed, and whether the patient said that they will come then.

    A moved appointment has another one: what was said and sent about the old time is about the old time.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    appointment = models.ForeignKey(Appointment, models.CASCADE, related_name="agreed_times", db_index=False)
    starts = models.DateTimeField()
    since = models.DateTimeField()
    coming_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["appointment", "starts"], name="agreed_time_once")]
        indexes = [models.Index(fields=["starts"], name="agreed_time_starts")]


class Reminder(models.Model):
    """That one reminder of one agreed time was dealt with. Whoever writes this row sends it, and it can be written
    once: the constraint, not a look beforehand, is what keeps two servers from sending the same.
    """

    class State(models.TextChoices):
        SENT = "sent"
        # Nobody to write to, not wanted, or agreed on when its moment was over.
        LEFT_OUT = "left_out"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    agreed = models.ForeignKey(AgreedTime, models.CASCADE, related_name="reminders", db_index=False)
    # So many minutes before the start; 0: when it was agreed.
    offset = models.PositiveIntegerField()
    state = models.CharField(max_length=8, choices=State.choices)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["agreed", "offset"], name="reminder_once")]


class ReminderChoice(models.Model):
    """Which reminders a person wants of those that the house sends. No row: all of them."""

    account = models.OneToOneField(Account, models.CASCADE, primary_key=True, related_name="reminder_choice")
    # Names of `facilities.reminding.OFFSETS`; empty: none.
    wanted = models.JSONField(default=list)
    version = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField(default=clock.now)


class CalendarFeed(models.Model):
    """A person's calendar under an address of its own. Another address is another row; the old one is gone for good."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    account = models.OneToOneField(Account, models.CASCADE, related_name="calendar_feed")
    made_at = models.DateTimeField(default=clock.now)


class Follower(models.Model):
    """How far the log has been read for reminders. One row."""

    position = models.BigIntegerField()
