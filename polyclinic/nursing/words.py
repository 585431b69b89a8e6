"""How outcomes, parts of a handover and of a summary read."""

from __future__ import annotations

from typing import Final

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from polyclinic.records.news2 import Risk


class Outcome(models.TextChoices):
    """What became of a dose (FHIR MedicationAdministration status and statusReason)."""

    GIVEN = "given", _("Given")
    HELD = "held", _("Held back")
    REFUSED = "refused", _("Refused")
    MISSED = "missed", _("Missed")


# Colour and icon beside the word.
OUTCOME_LOOKS: Final[dict[str, tuple[str, str]]] = {
    "given": ("ok", "check"),
    "held": ("warn", "ban"),
    "refused": ("warn", "x"),
    "missed": ("bad", "circle-alert"),
}
# SBAR, in its order.
SBAR: Final[dict[str, str | Promise]] = {
    "situation": _("Situation"),
    "background": _("Background"),
    "assessment": _("Assessment"),
    "recommendation": _("Recommendation"),
}
# The parts of a discharge summary, in the order in which they are read.
SUMMARY: Final[dict[str, str | Promise]] = {
    "reason": _("Why the patient came"),
    "diagnoses": _("Diagnoses"),
    "course": _("Course"),
    "results": _("Results"),
    "medicines": _("Medicines from now on"),
    "stopped": _("Medicines stopped or changed"),
    "follow_up": _("What happens next"),
}
# As the chart of the first check has them.
RISKS: Final[dict[str, tuple[str | Promise, str]]] = {
    Risk.NONE: (_("Low risk"), "ok"),
    Risk.LOW: (_("Low risk"), "ok"),
    Risk.LOW_MEDIUM: (_("Low to medium risk"), "warn"),
    Risk.MEDIUM: (_("Medium risk"), "warn"),
    Risk.HIGH: (_("High risk"), "bad"),
}
