"""Signing keys, refresh tokens and API keys. A secret given out is kept as its hash alone."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock
from polyclinic.core.crypto.fields import EncryptedTextField
from polyclinic.core.ids import new_id
from polyclinic.people.models import Account


class SigningKey(models.Model):
    """A key pair that signs access tokens. It signs from `active_from` on, and is believed until `ends_at`."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kid = models.CharField(max_length=32, unique=True)
    private = EncryptedTextField(purpose="signing")
    public = models.TextField()
    made_at = models.DateTimeField(default=clock.now)
    active_from = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)


class RefreshFamily(models.Model):
    """All refresh tokens that follow from one sign-in of an app. Ended as a whole; bound to one device."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    account = models.ForeignKey(Account, models.CASCADE, related_name="refresh_families")
    session_key = models.CharField(max_length=40, unique=True)
    device = models.CharField(max_length=64)
    started_at = models.DateTimeField(default=clock.now)
    # However often it is renewed, it ends here.
    ends_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    why = models.CharField(max_length=16, blank=True)


class RefreshToken(models.Model):
    """One refresh token of a family: good for one use until `expires_at`."""

    digest = models.CharField(primary_key=True, max_length=64)
    family = models.ForeignKey(RefreshFamily, models.CASCADE, related_name="tokens")
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True)


class ApiKey(models.Model):
    """A key with which a program acts for its `account`: a person, or a partner that has an account of its own.

    It may do what the account may and `scopes` names. `prefix` is shown in lists; the secret is known to its owner.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    account = models.ForeignKey(Account, models.CASCADE, related_name="api_keys")
    # The facility that a partner's key belongs to; a person's own key has none.
    facility = models.ForeignKey("facilities.Facility", models.PROTECT, null=True, related_name="+")
    name = models.CharField(_("name"), max_length=80)
    prefix = models.CharField(max_length=16)
    digest = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    # Addresses it may be used from, as networks (203.0.113.0/24); none listed is anywhere.
    networks = models.JSONField(default=list)
    made_by = models.ForeignKey(Account, models.PROTECT, related_name="+")
    made_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    # When whoever has to see to a new one was told that this one ends soon.
    warned_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(expires_at__gt=F("made_at")), name="apikey_order")]
