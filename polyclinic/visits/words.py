"""The queues and the classes of priority, in the words of the wire and of people."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Priority(models.TextChoices):
    """How soon somebody must be seen. What each weighs against waiting is in `visits.fairness`."""

    EMERGENCY = "emergency", _("Emergency")
    URGENT = "urgent", _("Urgent")
    PRIORITY = "priority", _("Priority")
    APPOINTMENT = "appointment", _("On time")
    ROUTINE = "routine", _("Routine")


class Line(models.TextChoices):
    """Where somebody waits, and for whom."""

    DESK = "desk", _("Front desk")
    CHECK = "check", _("First check")
    LAB = "lab", _("Laboratory")
    DOCTOR = "doctor", _("Doctor")
    PHARMACY = "pharmacy", _("Pharmacy")
