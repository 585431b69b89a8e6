"""What scores, parts of the chart and answers are called, and what the score asks for."""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from polyclinic.records.bodies import Severity
from polyclinic.records.news2 import Risk

# The chart's own names, in its order.
PARTS: Final[dict[str, Promise]] = {
    "respiration": _("Respirations /min"),
    "spo2_1": _("SpO₂ scale 1 %"),
    "spo2_2": _("SpO₂ scale 2 % (target 88–92)"),
    "oxygen": _("Air or oxygen"),
    "systolic": _("Blood pressure mmHg (systolic)"),
    "pulse": _("Pulse /min"),
    "consciousness": _("Consciousness"),
    "temperature": _("Temperature °C"),
}
MISSING: Final[dict[str, Promise]] = {
    "respiration": _("respiration rate"),
    "spo2": _("oxygen saturation"),
    "oxygen": _("air or oxygen"),
    "systolic": _("blood pressure"),
    "pulse": _("pulse"),
    "consciousness": _("consciousness"),
    "temperature": _("temperature"),
}
# Charts 2 and 4 of the report: the risk, how often to look again, and whom to tell.
RISKS: Final[dict[str, tuple[Promise, Promise]]] = {
    Risk.NONE: (_("Low risk"), _("Measure again within 12 hours.")),
    Risk.LOW: (_("Low risk"), _("Measure again within 4 to 6 hours; a registered nurse decides whether sooner.")),
    Risk.LOW_MEDIUM: (
        _("3 in one sign"),
        _("Measure at least every hour; tell the medical team, who review and decide whether care must be stepped up."),
    ),
    Risk.MEDIUM: (
        _("Medium risk: urgent"),
        _("Measure at least every hour; tell the medical team at once and ask for an urgent assessment."),
    ),
    Risk.HIGH: (
        _("High risk: emergency"),
        _("Watch continuously; tell the specialist team at once and ask for an emergency assessment."),
    ),
}
KINDS: Final[dict[str, str]] = {
    Risk.NONE: "ok",
    Risk.LOW: "ok",
    Risk.LOW_MEDIUM: "warn",
    Risk.MEDIUM: "warn",
    Risk.HIGH: "bad",
}
NOT_FOR: Final[dict[str, Promise]] = {
    "young": _("NEWS2 is not for anybody under 16 years."),
    "pregnant": _("NEWS2 is not for pregnancy; use the obstetric score."),
}
SEVERITIES: Final[list[tuple[str, Promise]]] = [
    (Severity.UNKNOWN, _("Not known")),
    (Severity.MILD, _("Mild")),
    (Severity.MODERATE, _("Moderate")),
    (Severity.SEVERE, _("Severe")),
]
