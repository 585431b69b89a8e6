"""How papers and what stands on them read: kinds, states, days and times.

Clinical papers write days as 21-Nov-2026 and the 24-hour clock, in the zone of the facility.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from django.db import models
from django.utils import dateformat
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock


class PaperKind(models.TextChoices):
    """What can be printed."""

    PRESCRIPTION = "prescription", _("Prescription")
    LAB_REPORT = "lab-report", _("Laboratory report")
    INVOICE = "invoice", _("Invoice")
    RECEIPT = "receipt", _("Receipt")
    SICK_NOTE = "sick-note", _("Sick note")
    REFERRAL = "referral", _("Referral")
    VISIT_SUMMARY = "visit-summary", _("Visit summary")
    DISCHARGE_SUMMARY = "discharge", _("Discharge summary")


class LetterKind(models.TextChoices):
    """Papers that somebody writes and signs."""

    SICK_NOTE = "sick-note", _("Sick note")
    REFERRAL = "referral", _("Referral")


class Size(models.TextChoices):
    """The sheet: A4, or a roll of 80 mm."""

    A4 = "a4", _("A4")
    THERMAL = "thermal", _("Thermal roll")


class Unfit(models.TextChoices):
    """What a sick note says somebody cannot do."""

    WORK = "work", _("Not fit for work")
    SCHOOL = "school", _("Not fit for school or training")
    PARTLY = "partly", _("Fit for work with adjustments")
    CARE = "care", _("Needed to look after a sick child")


class Urgency(models.TextChoices):
    """How soon a referral is to be seen, as in FHIR ServiceRequest."""

    ROUTINE = "routine", _("Routine")
    URGENT = "urgent", _("Urgent")
    STAT = "stat", _("At once")


STATES: Final[dict[str, tuple[str | Promise, str]]] = {
    "issued": (_("Valid"), "ok"),
    "revoked": (_("Withdrawn"), "bad"),
}
SEXES: Final[dict[str, str | Promise]] = {
    "female": _("Female"),
    "male": _("Male"),
    "other": _("Other"),
    "unknown": _("Not known"),
}


def day(value: date | datetime | None, zone: str = "") -> str:
    """21-Nov-2026; a moment by the calendar of `zone`. A dash when there is none."""
    if value is None:
        return "–"
    if isinstance(value, datetime):
        value = value.astimezone(ZoneInfo(zone)).date()
    return dateformat.format(value, "d-M-Y")


def moment(value: datetime | None, zone: str) -> str:
    """21-Nov-2026 14:05 on the clock of `zone`; a dash when there is none."""
    if value is None:
        return "–"
    return f"{day(value, zone)} {value.astimezone(ZoneInfo(zone)):%H:%M}"


def born(value: date) -> str:
    """17-May-1980 (46y), months under two years: two identifiers are read aloud from a paper."""
    today = clock.now().date()
    months = (today.year - value.year) * 12 + today.month - value.month - (today.day < value.day)
    age = (
        gettext("%(number)dy") % {"number": months // 12}
        if months >= 24
        else gettext("%(number)dm") % {"number": months}
    )
    return f"{day(value)} ({age})"
