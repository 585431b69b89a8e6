"""How far the log has been handed on, and who hands it on."""

from __future__ import annotations

from django.db import models


class RelayCursor(models.Model):
    """One destination. Everything up to `position` is confirmed by it; `holder` alone may send until `until`.

    `until` is in milliseconds since 1970 by the database's own clock, which all nodes share.
    """

    name = models.CharField(max_length=32, unique=True)
    position = models.PositiveBigIntegerField()
    holder = models.CharField(max_length=64, blank=True)
    until = models.BigIntegerField(default=0)
    sent = models.PositiveBigIntegerField(default=0)
    confirmed_at = models.DateTimeField(null=True)
    failing_since = models.DateTimeField(null=True)
    failure = models.CharField(max_length=120, blank=True)
