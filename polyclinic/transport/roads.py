"""How far and how long by road, as an estimate: no map, no outside service, and never more exact than it is.

The great circle (haversine on a sphere of the mean radius) times a detour factor. 1.417 is the nationwide mean of
driving distance over straight line to hospitals in F. P. Boscoe, K. A. Henry, M. S. Zdeb, "A Nationwide Comparison of
Driving Distance Versus Straight-Line Distance to Hospitals", The Professional Geographer 64(2), 2012, 188-196. Water
and hills can make it far more, and so a person decides. The speeds are this house's own assumption for a town,
blue lights or not, and are in no publication; they make a range and no promise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext_lazy as _

from polyclinic.core.errors import Invalid

# Of these numbers and this way together; stored beside every estimate that is kept.
VERSION: Final = "road-1"
RADIUS_KM: Final = 6371.0088
DETOUR: Final = 1.417
# Kilometres an hour from door to door: a clear road, and a full one.
FAST: Final = 50.0
SLOW: Final = 25.0
# Minutes until a crew that has just been told is moving; at best none.
TURNOUT: Final = 2.0


@dataclass(frozen=True, slots=True)
class Point:
    """A place in degrees of WGS 84."""

    latitude: float
    longitude: float

    def text(self) -> str:
        """As it is stored: five decimals are a metre."""
        return f"{self.latitude:.5f},{self.longitude:.5f}"


@dataclass(frozen=True, slots=True)
class Minutes:
    """From when to when it may take, in whole minutes, both at least one."""

    least: int
    most: int


def point(latitude: float, longitude: float) -> Point:
    """A place that exists. Raises Invalid naming `latitude` or `longitude`."""
    if not (math.isfinite(latitude) and -90 <= latitude <= 90):
        raise Invalid(_("A latitude is between −90 and 90 degrees."), field="latitude")
    if not (math.isfinite(longitude) and -180 <= longitude <= 180):
        raise Invalid(_("A longitude is between −180 and 180 degrees."), field="longitude")
    return Point(latitude, longitude)


def read(text: str) -> Point | None:
    """A place as `Point.text` wrote it; None for an empty text."""
    if not text:
        return None
    latitude, longitude = text.split(",")
    return Point(float(latitude), float(longitude))


def straight(one: Point, other: Point) -> float:
    """Kilometres along the great circle."""
    first, second = math.radians(one.latitude), math.radians(other.latitude)
    across = math.radians(other.longitude - one.longitude)
    half = math.sin((second - first) / 2) ** 2 + math.cos(first) * math.cos(second) * math.sin(across / 2) ** 2
    return 2 * RADIUS_KM * math.asin(min(1.0, math.sqrt(half)))


def road(one: Point, other: Point) -> float:
    """Kilometres by road, estimated."""
    return straight(one, other) * DETOUR


def minutes(km: float, *, moving: bool = False) -> Minutes:
    """How long so many road kilometres may take: rounded outwards. `moving`: the crew has set off already."""
    least = km / FAST * 60
    most = km / SLOW * 60 + (0 if moving else TURNOUT)
    return Minutes(max(1, math.floor(least)), max(1, math.ceil(most - 1e-9)))
