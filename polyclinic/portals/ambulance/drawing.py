"""The map of the board: drawn here from coordinates alone, without streets and without asking anybody outside.

An equirectangular projection around the station is true enough for a town. North is up in every language.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from markupsafe import Markup

from polyclinic.transport.roads import Point
from polyclinic.transport.rows import StationRow, TripRow, VehicleRow

_WIDE, _TALL, _EDGE = 320.0, 240.0, 30.0
_KM_A_DEGREE: Final = 111.195
# The least that the map shows across, so that two vehicles in one yard are not drawn a town apart.
_LEAST_KM: Final = 2.0
# What is further away than this is not drawn: one wrong position would make a dot of the town.
_FURTHEST_KM: Final = 150.0
_BARS: Final = (0.2, 0.5, 1, 2, 5, 10, 20, 50)
# Degrees of longitude grow short towards the poles; nearer to one than this nobody drives.
_POLE: Final = 0.05
_SHAPES: Final = {
    "station": Markup('<rect x="-9" y="-9" width="18" height="18" rx="4"/><path class="map-line" d="M-4 0h8M0-4v8"/>'),
    "pickup": Markup('<path d="M0 0l-8-14a8 8 0 1 1 16 0z"/>'),
}
_CIRCLE: Final = Markup('<circle r="9"/>')
_GROUP: Final = Markup(
    '<g class="map-{}" transform="translate({} {})">{}<text x="{}" y="{}" text-anchor="{}">{}</text></g>'
)


@dataclass(frozen=True, slots=True)
class Spot:
    """One thing on the map: kilometres east and north of the station."""

    kind: str
    name: str
    east: float
    north: float


def spots(station: StationRow, vehicles: Iterable[VehicleRow], trips: Iterable[TripRow]) -> list[Spot]:
    """What is to be drawn: the station first, then pick-ups, then vehicles on top."""
    home = Point(station.latitude, station.longitude)
    found = [Spot("station", station.name, 0.0, 0.0)]
    for number, trip in enumerate(trips, 1):
        if trip.latitude is not None and trip.longitude is not None:
            found.append(_spot("pickup", str(number), home, trip.latitude, trip.longitude))
    for one in vehicles:
        if one.latitude is not None and one.longitude is not None:
            state = one.status if one.fresh else f"{one.status} old"
            found.append(_spot(f"vehicle {state}", one.call_sign, home, one.latitude, one.longitude))
    return [one for one in found if math.hypot(one.east, one.north) <= _FURTHEST_KM]


def _spot(kind: str, name: str, home: Point, latitude: float, longitude: float) -> Spot:
    across = (longitude - home.longitude + 180) % 360 - 180
    east = across * _KM_A_DEGREE * max(_POLE, math.cos(math.radians(home.latitude)))
    return Spot(kind, name, east, (latitude - home.latitude) * _KM_A_DEGREE)


def scale_of(found: list[Spot]) -> tuple[float, float, float]:
    """Pixels a kilometre, and the kilometres (east, north) that are in the middle."""
    easts, norths = [one.east for one in found], [one.north for one in found]
    across, up = max(easts) - min(easts), max(norths) - min(norths)
    scale = min((_WIDE - 2 * _EDGE) / max(across, _LEAST_KM), (_TALL - 2 * _EDGE) / max(up, _LEAST_KM))
    return scale, (max(easts) + min(easts)) / 2, (max(norths) + min(norths)) / 2


def bar_of(scale: float) -> float:
    """The longest of the usual lengths, in kilometres, that takes at most a third of the map."""
    return max((length for length in _BARS if length * scale <= _WIDE / 3), default=_BARS[0])


def draw(station: StationRow, vehicles: list[VehicleRow], trips: list[TripRow]) -> Markup:
    """The map as SVG. Its words say how many things are on it; where each is, the lists beside it say."""
    found = spots(station, vehicles, trips)
    there = sum(one.kind.startswith("vehicle") for one in found)
    words = _("Map: %(station)s and %(vehicles)s around it") % {
        "station": station.name,
        "vehicles": ngettext("%(num)s ambulance", "%(num)s ambulances", there) % {"num": there},
    }
    return _picture(found, words)


def way(station: tuple[str, Point], at: Point, crew: tuple[str, Point] | None = None, *, words: str) -> Markup:
    """A map of one way: between the place where somebody waits and a hospital, or the crew that comes to them.

    The line is drawn straight, for there are no streets here. Nothing is drawn where the two are too far apart.
    """
    home = station[1]
    found = [Spot("station", station[0], 0.0, 0.0), _spot("pickup", "", home, at.latitude, at.longitude)]
    if crew is not None:
        found.append(_spot("vehicle busy", crew[0], home, crew[1].latitude, crew[1].longitude))
    if any(math.hypot(one.east, one.north) > _FURTHEST_KM for one in found):
        return Markup("")
    return _picture(found, words, line=(found[1], found[2] if crew is not None else found[0]))


def _picture(found: list[Spot], words: str, line: tuple[Spot, Spot] | None = None) -> Markup:
    scale, east, north = scale_of(found)
    length = bar_of(scale)

    def on(one: Spot) -> tuple[float, float]:
        return (
            round(_WIDE / 2 + (one.east - east) * scale, 1),
            round(_TALL / 2 - (one.north - north) * scale, 1),
        )

    drawn = Markup("")
    if line is not None:
        drawn = Markup('<path class="map-line" stroke-dasharray="6 4" d="M{} {}L{} {}"/>').format(
            *on(line[0]), *on(line[1])
        )
    marks = drawn + Markup("").join(_mark(one, *on(one)) for one in found)
    return Markup(
        '<svg class="map" viewBox="0 0 {} {}" role="img" aria-label="{}" direction="ltr">{}'
        '<g><path class="map-line" d="M12 {}v6h{}v-6"/><text x="{}" y="{}">{} km</text></g>'
        '<g><path class="map-line" d="M{} 28v-16l-5 7m5-7l5 7"/></g></svg>'
    ).format(
        int(_WIDE), int(_TALL), words, marks, int(_TALL) - 16, round(length * scale, 1), 18 + round(length * scale, 1),
        int(_TALL) - 9, f"{length:g}", int(_WIDE) - 16,
    )  # fmt: skip


def _mark(one: Spot, x: float, y: float) -> Markup:
    shape = _SHAPES.get(one.kind, _CIRCLE)
    # The number of a pick-up stands in its head; every other name beside its mark, on the side that has room.
    inside = one.kind == "pickup"
    ends = not inside and x > _WIDE - 90
    return _GROUP.format(
        one.kind, round(x, 1), round(y, 1), shape, 0 if inside else -13 if ends else 13, -11 if inside else 4,
        "middle" if inside else "end" if ends else "start", one.name,
    )  # fmt: skip
