"""Kinds of ambulance, seats and the states of a trip, in the words of the wire and of people."""

from __future__ import annotations

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _


class Kind(models.TextChoices):
    """What a vehicle can do: basic life support (EN 1789 type B), or advanced (type C)."""

    BASIC = "basic", _("Basic")
    ADVANCED = "advanced", _("Advanced")


class Seat(models.TextChoices):
    """Who somebody is in a vehicle."""

    DRIVER = "driver", _("Driver")
    ATTENDANT = "attendant", _("Attendant")


class Source(models.TextChoices):
    """Who asked for a trip."""

    PATIENT = "patient", _("Patient")
    HOSPITAL = "hospital", _("Hospital")
    PUBLIC = "public", _("Somebody without an account")


TRIP_STATES: Final = {
    "requested": _("Requested"),
    "dispatched": _("Sent"),
    "acknowledged": _("Accepted by the crew"),
    "en_route": _("On its way"),
    "on_scene": _("At the patient"),
    "transporting": _("To the hospital"),
    "at_hospital": _("At the hospital"),
    "cleared": _("Finished"),
    "cancelled": _("Cancelled"),
}
VEHICLE_STATES: Final = {
    "free": _("Free"),
    "busy": _("On a trip"),
    "no_crew": _("No crew"),
    "out_of_service": _("Out of service"),
}
# What speaks for and against a vehicle, in the words of `choosing`.
REASONS: Final = {
    "nearest": _("nearest"),
    "fits": _("of the kind that was asked for"),
    "more_than_asked": _("can do more than was asked for"),
    "less_than_asked": _("can do less than was asked for"),
    "from_station": _("no position of the last 15 minutes: counted from the station"),
    "place_unknown": _("the place has no coordinates: distance unknown"),
}
