"""How states, frequencies and tiers read."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

STATES: Final[dict[str, str | Promise]] = {
    "signed": _("Signed, to be dispensed"),
    "partly_dispensed": _("Partly dispensed"),
    "dispensed": _("Dispensed"),
    "declined": _("Declined by the patient"),
    "cancelled": _("Cancelled"),
    "expired": _("Expired"),
}
LINE_STATES: Final[dict[str, str | Promise]] = {
    "open": _("To be dispensed"),
    "done": _("Dispensed"),
    "cancelled": _("Will not be dispensed"),
}


@dataclass(frozen=True, slots=True)
class Frequency:
    """How often: in words, and how many times a day (a week's once is 1/7; once alone has no daily count)."""

    label: Promise
    short: Promise
    per_day: Decimal | None


FREQUENCIES: Final[dict[str, Frequency]] = {
    "once": Frequency(_("once only"), _("once only"), None),
    "daily": Frequency(_("once a day"), _("1 × a day"), Decimal(1)),
    "morning": Frequency(_("every morning"), _("mornings"), Decimal(1)),
    "night": Frequency(_("every night"), _("at night"), Decimal(1)),
    "twice": Frequency(_("twice a day"), _("2 × a day"), Decimal(2)),
    "three": Frequency(_("three times a day"), _("3 × a day"), Decimal(3)),
    "four": Frequency(_("four times a day"), _("4 × a day"), Decimal(4)),
    "every_4h": Frequency(_("every 4 hours"), _("every 4 h"), Decimal(6)),
    "every_6h": Frequency(_("every 6 hours"), _("every 6 h"), Decimal(4)),
    "every_8h": Frequency(_("every 8 hours"), _("every 8 h"), Decimal(3)),
    "every_12h": Frequency(_("every 12 hours"), _("every 12 h"), Decimal(2)),
    "alternate": Frequency(_("every other day"), _("every other day"), Decimal("0.5")),
    "weekly": Frequency(_("once a week"), _("once a week"), Decimal(1) / Decimal(7)),
}


class Tier(models.TextChoices):
    """How grave a warning is. The first two interrupt: signing takes a reason for each of them."""

    CONTRAINDICATED = "contraindicated", _("Contraindicated")
    SERIOUS = "serious", _("Serious")
    CAUTION = "caution", _("Caution")


INTERRUPTS: Final = frozenset({Tier.CONTRAINDICATED, Tier.SERIOUS})
