"""How the laboratory's states, priorities and reasons read."""

from __future__ import annotations

from typing import Final

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Priority(models.TextChoices):
    """As in FHIR ServiceRequest."""

    ROUTINE = "routine", _("Routine")
    URGENT = "urgent", _("Urgent")
    STAT = "stat", _("At once")


class Reject(models.TextChoices):
    """Why a specimen cannot be used."""

    HAEMOLYSED = "haemolysed", _("Haemolysed")
    CLOTTED = "clotted", _("Clotted")
    TOO_LITTLE = "too_little", _("Too little")
    LABEL = "label", _("Label missing or not matching")
    CONTAINER = "container", _("Wrong container")
    LATE = "late", _("Too old or stored wrongly")
    LOST = "lost", _("Lost or broken")
    OTHER = "other", _("Another reason")


class Pregnancy(models.TextChoices):
    """What was said about a pregnancy when the tests were ordered; ranges follow it."""

    UNASKED = "", _("Not asked")
    NO = "no", _("Not pregnant")
    FIRST = "first", _("Pregnant, weeks 1 to 13")
    SECOND = "second", _("Pregnant, weeks 14 to 27")
    THIRD = "third", _("Pregnant, from week 28")


TEST_STATES: Final[dict[str, str | Promise]] = {
    "ordered": _("Ordered"),
    "collected": _("Collected"),
    "received": _("In the laboratory"),
    "rejected": _("Specimen rejected"),
    "resulted": _("Entered, to be verified"),
    "verified": _("Verified"),
    "released": _("Released to the patient"),
    "cancelled": _("Cancelled"),
}
SPECIMEN_STATES: Final[dict[str, str | Promise]] = {
    "expected": _("To be collected"),
    "collected": _("Collected"),
    "received": _("Received"),
    "rejected": _("Rejected"),
    "cancelled": _("Not needed"),
}
ALERT_STATES: Final[dict[str, str | Promise]] = {
    "waiting": _("Waiting for somebody"),
    "acknowledged": _("Acknowledged"),
    "withdrawn": _("Withdrawn, the result was corrected"),
}
