"""Notices, how many of them are unread, and what leaves the house by mail."""

from __future__ import annotations

from django.db import models

from polyclinic.core import clock
from polyclinic.core.crypto.fields import EncryptedTextField
from polyclinic.core.ids import new_id
from polyclinic.people.models import Account


class Inbox(models.Model):
    """What an account has not read yet, counted, so that every page can show it for one keyed read.

    `seq` numbers the events told about it.
    """

    account = models.OneToOneField(Account, models.CASCADE, primary_key=True, related_name="inbox")
    unread = models.PositiveIntegerField(default=0)
    seq = models.PositiveIntegerField(default=0)


class Notice(models.Model):
    """Something a person was told. `detail` fills the sentence of its kind and holds nothing about health."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    account = models.ForeignKey(Account, models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=40)
    detail = models.JSONField(default=dict)
    at = models.DateTimeField(default=clock.now)
    read_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["account", "-at"], name="notice_account")]


class Delivery(models.Model):
    """A mail to be sent after the commit that caused it. Only the class of a failure is kept, never its words.

    `to` and `detail` are emptied once it has left: a sent mail is nobody's business any more. Of one that was given up
    both stay sealed in `kept` until somebody replays or discards it, for thirty days (`notify.failed`).
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        SENT = "sent"
        FAILED = "failed"
        DROPPED = "dropped"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    channel = models.CharField(max_length=8, default="mail")
    kind = models.CharField(max_length=40)
    to = models.CharField(max_length=254)
    language = models.CharField(max_length=12, blank=True)
    detail = models.JSONField(default=dict)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    made_at = models.DateTimeField(default=clock.now)
    next_at = models.DateTimeField(default=clock.now)
    done_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=80, blank=True)
    kept = EncryptedTextField(purpose="mails", blank=True, default="")
    # Of the address, by keyed hash: what is kept for somebody goes when their record is erased.
    kept_for = models.CharField(max_length=22, blank=True, default="")

    class Meta:
        indexes = [
            models.Index(fields=["next_at"], name="delivery_due", condition=models.Q(state="waiting")),
            models.Index(fields=["made_at"], name="delivery_made"),
            models.Index(fields=["kept_for"], name="delivery_kept", condition=~models.Q(kept_for="")),
        ]
