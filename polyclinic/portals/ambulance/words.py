"""Words and colours of ambulances and trips, and the crew's buttons."""

from __future__ import annotations

from typing import Any, Final, TypedDict

from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from polyclinic.core.errors import Invalid
from polyclinic.transport.words import REASONS, TRIP_STATES, VEHICLE_STATES, Kind, Seat

TRIP_KINDS: Final = {
    "requested": "bad", "dispatched": "warn", "acknowledged": "info", "en_route": "info", "on_scene": "brand",
    "transporting": "brand", "at_hospital": "ok", "cleared": "ok", "cancelled": "",
}  # fmt: skip
VEHICLE_KINDS: Final = {"free": "ok", "busy": "info", "no_crew": "warn", "out_of_service": "bad"}
# The one next step in each state: what to send, and what stands on the button; in the crew's words, then the desk's.
NEXT: Final = {
    "dispatched": ("acknowledge", _("Accept the trip"), _("Accepted")),
    "acknowledged": ("set_off", _("We are on our way"), _("Set off")),
    "en_route": ("arrive", _("We are at the patient"), _("At the patient")),
    "on_scene": ("load", _("Drive to the hospital"), _("To the hospital")),
    "transporting": ("deliver", _("We are at the hospital"), _("At the hospital")),
    "at_hospital": ("clear", _("Handed over: we are free"), _("Free again")),
}
CONTEXT: Final[dict[str, Any]] = {
    "TRIP_STATES": TRIP_STATES, "TRIP_KINDS": TRIP_KINDS, "VEHICLE_STATES": VEHICLE_STATES,
    "VEHICLE_KINDS": VEHICLE_KINDS, "KINDS": dict(Kind.choices), "SEATS": dict(Seat.choices), "REASONS": REASONS,
    "NEXT": NEXT,
}  # fmt: skip


class Coordinates(TypedDict):
    """A place of a form, as far as it is written."""

    latitude: float | None
    longitude: float | None


def coordinates_of(given: QueryDict) -> Coordinates:
    """Latitude and longitude of a form; None where nothing is written. Raises Invalid naming the field."""
    return {
        "latitude": _degrees(given.get("latitude", ""), "latitude"),
        "longitude": _degrees(given.get("longitude", ""), "longitude"),
    }


def _degrees(text: str, field: str) -> float | None:
    written = text.strip().replace(",", ".").replace("−", "-")
    if not written:
        return None
    try:
        return float(written[:40])
    except ValueError:
        raise Invalid(_("Write degrees as a number, for example 51.5074."), field=field) from None
