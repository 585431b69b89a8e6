"""Distance and time by road: against hand-worked numbers, at the edges of the globe, and rounded outwards."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest

from polyclinic.core import clock
from polyclinic.core.errors import Invalid
from polyclinic.transport import arriving, roads
from polyclinic.transport.roads import Minutes, Point


def test_a_degree_of_the_meridian_is_a_360th_of_the_globe() -> None:
    whole = 2 * math.pi * roads.RADIUS_KM / 360
    assert roads.straight(Point(0, 0), Point(1, 0)) == pytest.approx(whole)
    assert roads.straight(Point(0, 0), Point(0, 1)) == pytest.approx(whole)
    assert roads.straight(Point(60, 0), Point(60, 1)) == pytest.approx(whole / 2, rel=1e-3)
    assert roads.road(Point(0, 0), Point(1, 0)) == pytest.approx(whole * 1.417)


@pytest.mark.parametrize(
    ("one", "other", "km"),
    [
        (Point(10, 20), Point(10, 20), 0.0),
        # Across the date line is a short way.
        (Point(0, 179.5), Point(0, -179.5), math.pi * roads.RADIUS_KM / 180),
        # From pole to pole, and to the other side of the globe.
        (Point(90, 0), Point(-90, 77), math.pi * roads.RADIUS_KM),
        (Point(0, 0), Point(0, 180), math.pi * roads.RADIUS_KM),
        # Every meridian meets at the pole.
        (Point(90, 0), Point(90, 123), 0.0),
    ],
    ids=["same", "date-line", "poles", "antipodes", "at-the-pole"],
)
def test_edges_of_the_globe(one: Point, other: Point, km: float) -> None:
    assert roads.straight(one, other) == pytest.approx(km, abs=1e-6)
    assert roads.straight(one, other) == pytest.approx(roads.straight(other, one), abs=1e-9)


def test_a_known_distance() -> None:
    """London to Paris, city centres: 344 km."""
    assert roads.straight(Point(51.5074, -0.1278), Point(48.8566, 2.3522)) == pytest.approx(343.6, abs=0.5)


@pytest.mark.parametrize(
    ("km", "moving", "least", "most"),
    [
        (0, True, 1, 1),
        (0, False, 1, 2),
        (10, True, 12, 24),
        (10, False, 12, 26),
        (10.1, True, 12, 25),
        (2.5, True, 3, 6),
    ],
)
def test_minutes_are_a_range_rounded_outwards(km: float, moving: bool, least: int, most: int) -> None:
    assert roads.minutes(km, moving=moving) == Minutes(least, most)


@pytest.mark.parametrize(("latitude", "longitude"), [(90, 180), (-90, -180), (0, 0)])
def test_the_edges_are_places(latitude: float, longitude: float) -> None:
    assert roads.point(latitude, longitude) == Point(latitude, longitude)


@pytest.mark.parametrize(
    ("latitude", "longitude", "field"),
    [
        (90.0001, 0, "latitude"),
        (-91, 0, "latitude"),
        (0, 180.0001, "longitude"),
        (math.nan, 0, "latitude"),
        (0, math.inf, "longitude"),
    ],
)
def test_nowhere_is_refused(latitude: float, longitude: float, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        roads.point(latitude, longitude)
    assert refused.value.field == field


def test_a_place_is_stored_to_the_metre() -> None:
    assert Point(51.507412345, -0.127799999).text() == "51.50741,-0.12780"
    assert roads.read("51.50741,-0.12780") == Point(51.50741, -0.1278)
    assert roads.read("") is None


def test_arrival_counts_from_the_last_position_and_is_never_in_the_past() -> None:
    now, home, at = clock.now(), Point(0, 0), Point(0, 0.1)
    km = roads.road(home, at)
    takes = roads.minutes(km, moving=True)
    first, last = arriving.expected("en_route", now - timedelta(minutes=5), at, home, None) or (now, now)
    assert (first - now) / timedelta(minutes=1) == pytest.approx(takes.least - 5, abs=0.1)
    assert (last - now) / timedelta(minutes=1) == pytest.approx(takes.most - 5, abs=0.1)
    # Long overdue: at any moment.
    late = arriving.expected("en_route", now - timedelta(hours=3), at, home, None)
    assert late
    assert late[0] >= now
    assert late[1] > late[0]
    # A fresh position near by counts, and an old one does not.
    close = Point(0, 0.099)
    fresh = arriving.expected("en_route", now, at, home, (close, now))
    old = arriving.expected("en_route", now, at, home, (close, now - timedelta(minutes=16)))
    assert fresh
    assert old
    assert fresh[1] < old[0]


@pytest.mark.parametrize("state", ["requested", "on_scene", "at_hospital", "cleared", "cancelled"])
def test_nobody_is_expected_who_does_not_come(state: str) -> None:
    assert arriving.expected(state, clock.now(), Point(0, 0), Point(1, 1), None) is None
    assert arriving.expected("en_route", clock.now(), None, Point(1, 1), None) is None
