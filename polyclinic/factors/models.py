"""Second factors of an account, the halfway sign-ins that wait for one, and devices that need not show one."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock
from polyclinic.core.crypto.fields import EncryptedTextField
from polyclinic.core.ids import new_id
from polyclinic.people.models import Account


class Factor(models.Model):
    """What all kinds share: whose it is, what its owner calls it, and when it counted last."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    account = models.ForeignKey(Account, models.CASCADE, related_name="+")
    name = models.CharField(_("name"), max_length=60)
    created_at = models.DateTimeField(default=clock.now)
    last_used_at = models.DateTimeField(null=True)
    # Counts what its owner changes (its name), not its use.
    version = models.PositiveIntegerField(default=1, db_default=1)

    class Meta:
        abstract = True


class Totp(Factor):
    """An authenticator app. `last_step` is the newest time step whose code was accepted: no code counts twice.

    Until `confirmed_at` it is only being set up and opens nothing.
    """

    secret = EncryptedTextField(purpose="factors")
    confirmed_at = models.DateTimeField(null=True)
    last_step = models.BigIntegerField(default=0)


class SmsNumber(Factor):
    """A telephone that gets codes by text message, once it has shown that it does."""

    number = EncryptedTextField(purpose="factors")
    verified_at = models.DateTimeField(null=True)


class SmsCode(models.Model):
    """A code on its way to a telephone. Only its keyed digest is kept."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.ForeignKey(SmsNumber, models.CASCADE, related_name="codes")
    digest = models.CharField(max_length=64)
    tries = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True)


class RecoveryCode(models.Model):
    """One of ten codes on paper. `selector` finds the row, `digest` proves the rest; each works once."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    account = models.ForeignKey(Account, models.CASCADE, related_name="+")
    selector = models.CharField(max_length=3)
    digest = models.CharField(max_length=128)
    created_at = models.DateTimeField(default=clock.now)
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "selector"], name="recovery_selector")]


class Passkey(Factor):
    """A WebAuthn credential. Its public key is no secret.

    `refused_at`: its counter once went backwards, so there are two of it; it opens nothing until it is made anew.
    """

    credential_id = models.CharField(max_length=1400, unique=True)
    public_key = models.TextField()
    sign_count = models.BigIntegerField(default=0)
    transports = models.CharField(max_length=80, blank=True)
    backed_up = models.BooleanField(default=False)
    refused_at = models.DateTimeField(null=True)


class RememberedDevice(models.Model):
    """A browser on which its owner need not show a second factor for a while. It never stands in for a step-up.

    It is believed only while the password is still the one it was remembered under.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    account = models.ForeignKey(Account, models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64, unique=True)
    user_agent = models.CharField(max_length=160, blank=True)
    created_at = models.DateTimeField(default=clock.now)
    last_used_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField(db_index=True)


class Ticket(models.Model):
    """Something begun, to be ended once and within minutes: a halfway sign-in, a question put to a passkey.

    The browser holds the token (or the passkey's challenge); here is its digest.
    """

    class Purpose(models.TextChoices):
        SECOND = "second"
        PASSKEY = "passkey"
        NEW_PASSKEY = "new_passkey"

    digest = models.CharField(primary_key=True, max_length=64)
    purpose = models.CharField(max_length=12, choices=Purpose.choices)
    account = models.ForeignKey(Account, models.CASCADE, null=True, related_name="+")
    tries = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField(db_index=True)


class WrongCodes(models.Model):
    """How many wrong codes an account was shown since the last right one, and until when none is looked at."""

    account = models.OneToOneField(Account, models.CASCADE, primary_key=True, related_name="+")
    count = models.PositiveIntegerField(default=0)
    blocked_until = models.DateTimeField(null=True)
