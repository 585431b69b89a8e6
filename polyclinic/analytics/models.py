"""Figures of days that are over, by facility, and how far they are counted."""

from __future__ import annotations

from django.db import models

from polyclinic.facilities.models import Facility


class Rollup(models.Model):
    """What one day of a facility's own calendar came to: of the whole house, or of one doctor or one service in it.

    `body` is JSON: measure → [count, total, histogram], as `analytics.cells` reads and writes it. It holds numbers
    alone. Everything in it can be counted again from the rows it was counted from (`analytics.following.rebuild`).
    """

    class Dimension(models.TextChoices):
        HOUSE = "house"
        DOCTOR = "doctor"
        SERVICE = "service"

    facility = models.ForeignKey(Facility, models.CASCADE, related_name="+", db_index=False)
    day = models.DateField()
    dimension = models.CharField(max_length=8, choices=Dimension.choices)
    # The doctor's or the service's id; empty for the house, and for what has none.
    key = models.CharField(max_length=36, blank=True)
    body = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["facility", "dimension", "day", "key"], name="rollup_once")]


class Counted(models.Model):
    """Until which day a facility's days are counted, that day among them."""

    facility = models.OneToOneField(Facility, models.CASCADE, primary_key=True, related_name="+")
    through = models.DateField()


class StaleDay(models.Model):
    """A counted day to which something was added or corrected since: it is counted again."""

    facility = models.ForeignKey(Facility, models.CASCADE, related_name="+", db_index=False)
    day = models.DateField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["facility", "day"], name="stale_day_once")]


class Follower(models.Model):
    """Up to which event of the log stale days are marked. One row; whoever counts holds it, so one counts at a time."""

    position = models.PositiveBigIntegerField()
