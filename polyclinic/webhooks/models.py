"""Addresses of partners that are told of events, what is to be sent there, and every try."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from polyclinic.core import clock
from polyclinic.core.crypto.fields import EncryptedTextField
from polyclinic.core.ids import new_id
from polyclinic.facilities.models import Facility
from polyclinic.people.models import Account


class Webhook(models.Model):
    """An address of another system, and what it hears of. Steps: `webhooks.states`.

    `position` is how far it has come in the event log: whatever is behind has a message of its own, whatever is before
    waits in the log. While `failures` tries in a row have failed nothing is tried before `held_until`.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="+", db_index=False)
    name = models.CharField(max_length=80)
    # An address can be a secret by itself: many services name the customer in it.
    url = EncryptedTextField(purpose="webhooks", max_length=500, blank=True)
    host = models.CharField(max_length=253)
    events = models.JSONField(default=list)
    state = models.CharField(max_length=12)
    version = models.PositiveIntegerField(default=1)
    secret = EncryptedTextField(purpose="webhooks", blank=True)
    # The secret before the last rotation, and until when messages are signed with it too.
    old_secret = EncryptedTextField(purpose="webhooks", blank=True)
    old_until = models.DateTimeField(null=True)
    position = models.PositiveBigIntegerField()
    failures = models.PositiveIntegerField(default=0)
    held_until = models.DateTimeField(null=True)
    last_ok_at = models.DateTimeField(null=True)
    made_by = models.ForeignKey(Account, models.PROTECT, related_name="+", db_index=False)
    made_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [
            models.Index(fields=["facility", "made_at"], name="webhook_facility"),
            models.Index(fields=["id"], name="webhook_active", condition=Q(state="active")),
        ]


class Message(models.Model):
    """One event for one webhook. Its key is worked out from both, so that no event becomes two messages, and is the
    `webhook-id` by which the receiver knows a message that comes a second time.

    `progress`: waiting, sent, dead (given up until a person decides) or discarded.
    """

    class Progress(models.TextChoices):
        WAITING = "waiting"
        SENT = "sent"
        DEAD = "dead"
        DISCARDED = "discarded"

    id = models.UUIDField(primary_key=True, editable=False)
    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="messages", db_index=False)
    position = models.PositiveBigIntegerField()
    stream = models.CharField(max_length=64)
    type = models.CharField(max_length=64)
    at = models.DateTimeField()
    body = models.TextField()
    progress = models.CharField(max_length=10, choices=Progress.choices, default=Progress.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(default=clock.now)
    # When it was first tried: a webhook that took nothing since then takes nothing at all.
    tried_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    # Numbers what is told of it.
    version = models.PositiveIntegerField(default=1)

    class Meta:
        indexes = [
            models.Index(fields=["webhook", "position"], name="message_waiting", condition=Q(progress="waiting")),
            models.Index(
                fields=["webhook", "stream", "position"], name="message_stream", condition=Q(progress="waiting")
            ),
            models.Index(fields=["webhook", "progress", "-at"], name="message_shown"),
            models.Index(fields=["webhook", "at"], name="message_since"),
            models.Index(fields=["at"], name="message_old"),
        ]


class Attempt(models.Model):
    """One try: what the other side answered (0: nothing), in how many milliseconds, and the kind of failure."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="tries")
    at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(default=0)
    ms = models.PositiveIntegerField()
    error = models.CharField(max_length=20, blank=True)
