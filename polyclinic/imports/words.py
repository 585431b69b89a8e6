"""What can be brought in, and what the steps are called."""

from __future__ import annotations

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _

UPLOADED, CHECKING, CHECKED, APPLYING, DONE, CANCELLED = (
    "uploaded", "checking", "checked", "applying", "done", "cancelled",
)  # fmt: skip
# The server is at work on these.
RUNNING: Final = (CHECKING, APPLYING)
# Nothing happens to these any more.
OVER: Final = (DONE, CANCELLED)


class Kind(models.TextChoices):
    """What the rows of a list are."""

    PATIENTS = "patients", _("Patients")
    STAFF = "staff", _("Staff")
    SCHEDULES = "schedules", _("Weekly hours")
    PRICES = "prices", _("Price list")
    STOCK = "stock", _("Stock")


class Dates(models.TextChoices):
    """In which order dates are written."""

    ISO = "iso", _("Year-month-day (2026-11-21)")
    DAY = "dmy", _("Day, month, year (21.11.2026)")
    MONTH = "mdy", _("Month, day, year (11/21/2026)")


STATES: Final = {
    UPLOADED: (_("To be mapped"), "info"),
    CHECKING: (_("Being checked"), "brand"),
    CHECKED: (_("Checked"), "warn"),
    APPLYING: (_("Being imported"), "brand"),
    DONE: (_("Imported"), "ok"),
    CANCELLED: (_("Cancelled"), ""),
}
