"""The words of the pharmacy: why stock moves, and what its things are called on pages."""

from __future__ import annotations

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _


class Kind(models.TextChoices):
    """Why a quantity changed."""

    RECEIVE = "receive", _("Received")
    DISPENSE = "dispense", _("Dispensed")
    RETURN = "return", _("Came back")
    ADJUST = "adjust", _("Corrected")
    WRITE_OFF = "write_off", _("Written off")
    TRANSFER_OUT = "transfer_out", _("Sent to another hospital")
    TRANSFER_IN = "transfer_in", _("Came from another hospital")
    COUNT = "count", _("Counted")


class Why(models.TextChoices):
    """Reasons for a correction by hand. Chosen and not written, so that nobody's name gets into the stock's ledger."""

    BROKEN = "broken", _("Broken or spilled")
    EXPIRED = "expired", _("Past its date")
    RECALLED = "recalled", _("Recalled by the maker")
    COLD_CHAIN = "cold_chain", _("Not kept cold")
    LOST = "lost", _("Missing")
    FOUND = "found", _("Found")
    MISTYPED = "mistyped", _("Entered wrongly before")


# Reasons that destroy what they take; the others correct the books.
DESTROYING: Final = (Why.BROKEN, Why.EXPIRED, Why.RECALLED, Why.COLD_CHAIN)
# Reasons with which there can be more than before.
ADDING: Final = (Why.FOUND, Why.MISTYPED)


class Declining(models.TextChoices):
    """Why nothing (more) of a prescription is handed over."""

    PATIENT = "patient", _("The patient does not want it")
    ELSEWHERE = "elsewhere", _("The patient gets it elsewhere")
    COST = "cost", _("The patient cannot pay for it")
    NONE_LEFT = "none_left", _("We do not have it and cannot get it in time")
    SAFETY = "safety", _("It would not be safe; the prescriber was told")


class Substituting(models.TextChoices):
    """Why another product is handed over than the one prescribed."""

    NONE_LEFT = "none_left", _("The prescribed product is not in stock")
    COST = "cost", _("The patient asks for a cheaper one")
    RECALLED = "recalled", _("The prescribed product is recalled")
    PACK = "pack", _("The pack fits the course better")


TRANSFER_STATES: Final = {"sent": _("On its way"), "received": _("Received"), "cancelled": _("Called back")}
TAKE_STATES: Final = {"open": _("Being counted"), "posted": _("Posted"), "cancelled": _("Given up")}
