"""How wards, beds and stays read: kinds, policies, priorities, reasons and states."""

from __future__ import annotations

from typing import Final

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class WardKind(models.TextChoices):
    """What a ward is for."""

    GENERAL = "general", _("General")
    SURGICAL = "surgical", _("Surgical")
    MATERNITY = "maternity", _("Maternity")
    CHILDREN = "children", _("Children")
    INTENSIVE = "intensive", _("Intensive care")
    EMERGENCY = "emergency", _("Emergency")


class SexPolicy(models.TextChoices):
    """Who may lie in a bed. A bed without a policy of its own has its ward's."""

    ANY = "any", _("Anybody")
    ROOM = "room", _("One sex in each room")
    FEMALE = "female", _("Women only")
    MALE = "male", _("Men only")


class Priority(models.TextChoices):
    """How soon somebody needs a bed."""

    EMERGENCY = "emergency", _("Emergency")
    URGENT = "urgent", _("Urgent")
    ROUTINE = "routine", _("Planned")


class Fault(models.TextChoices):
    """Why nobody can be put into a bed."""

    REPAIR = "repair", _("Broken or being repaired")
    INFECTION = "infection", _("Closed for infection control")
    STAFF = "staff", _("Not enough staff")
    KEPT = "kept", _("Kept for somebody expected")
    OTHER = "other", _("Another reason")


RANK: Final = {Priority.EMERGENCY: 0, Priority.URGENT: 1, Priority.ROUTINE: 2}
BED_STATES: Final[dict[str, str | Promise]] = {
    "available": _("Free"),
    "reserved": _("Reserved"),
    "occupied": _("Occupied"),
    "cleaning": _("To be cleaned"),
    "blocked": _("Blocked"),
    "retired": _("Taken out"),
}
STAY_STATES: Final[dict[str, str | Promise]] = {
    "requested": _("Waits for a bed"),
    "reserved": _("Bed reserved"),
    "admitted": _("In bed"),
    "discharge_ordered": _("May leave"),
    "departed": _("Departed"),
    "cancelled": _("Cancelled"),
}
# What somebody needs of a bed and a bed may have, by the name of the column of either.
FEATURES: Final[dict[str, str | Promise]] = {
    "isolation": _("Isolation"),
    "oxygen": _("Oxygen"),
    "intensive": _("Intensive care"),
}
