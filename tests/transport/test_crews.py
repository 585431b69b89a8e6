"""Crews and the fleet: who sits where, what may be sent, and where the telephones say that it is."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from polyclinic.core import clock
from polyclinic.core.errors import Conflict, Forbidden, Invalid, NotFound
from polyclinic.core.models import AuditEntry, OutboxEvent
from polyclinic.transport import crews, keeping, selectors
from polyclinic.transport.models import Ambulance, CrewShift
from tests.house import House
from tests.transport.garage import DEMO, HOME, NEAR, Garage


def test_one_place_for_everybody_and_one_for_each_seat(garage: Garage) -> None:
    first, second = garage.add("A1"), garage.add("A2")
    crews.begin(actor=garage.crew, ambulance_id=first.pk, seat="driver")
    with pytest.raises(Conflict) as own:
        crews.begin(actor=garage.crew, ambulance_id=second.pk, seat="driver")
    colleague = garage.person("colleague")
    with pytest.raises(Conflict) as taken:
        crews.begin(actor=colleague, ambulance_id=first.pk, seat="driver")
    assert (own.value.code, taken.value.code) == ("on_shift", "seat_taken")
    crews.begin(actor=colleague, ambulance_id=first.pk, seat="attendant")
    row = selectors.fleet(garage.desk, garage.house.facility.pk)[0]
    assert [(member.name, member.seat) for member in row.crew] == [
        ("Some ambulance_crew", "driver"), ("colleague", "attendant"),
    ]  # fmt: skip
    crews.end(actor=garage.crew)
    assert crews.begin(actor=garage.crew, ambulance_id=second.pk, seat="driver").state == "on"
    with pytest.raises(Invalid):
        crews.begin(actor=garage.person("third"), ambulance_id=second.pk, seat="roof")


def test_only_crews_drive_and_only_here(garage: Garage) -> None:
    vehicle = garage.add()
    with pytest.raises(Forbidden):
        crews.begin(actor=garage.desk, ambulance_id=vehicle.pk, seat="driver")
    with pytest.raises(NotFound):
        crews.begin(
            actor=garage.house.person(garage.house.stranger_receptionist), ambulance_id=vehicle.pk, seat="driver"
        )
    with pytest.raises(NotFound):
        crews.end(actor=garage.crew)


def test_nobody_leaves_a_trip_without_a_crew(garage: Garage) -> None:
    vehicle, colleague = garage.manned(who=garage.crew), garage.person("colleague")
    garage.send(garage.ask(), vehicle)
    with pytest.raises(Conflict) as refused:
        crews.end(actor=garage.crew)
    assert refused.value.code == "on_a_trip"
    crews.begin(actor=colleague, ambulance_id=vehicle.pk, seat="attendant")
    assert crews.end(actor=garage.crew).ended_at is not None


def test_a_vehicle_on_a_trip_stays_in_service(garage: Garage) -> None:
    vehicle = garage.manned()
    garage.send(garage.ask(), vehicle)
    with pytest.raises(Conflict) as refused:
        keeping.withdraw(actor=DEMO, ambulance_id=vehicle.pk, reason="Oil")
    assert refused.value.code == "on_a_trip"
    with pytest.raises(Forbidden):
        keeping.withdraw(actor=garage.desk, ambulance_id=vehicle.pk, reason="Oil")


def test_the_fleet_is_kept_by_whoever_runs_the_house(garage: Garage, house: House) -> None:
    boss = house.person(house.manager)
    made = keeping.add(actor=boss, facility_id=house.facility.pk, call_sign=" R  7 ", kind="advanced")
    assert (made.call_sign, made.state) == ("R 7", "in_service")
    for given, field in (
        ({"call_sign": "R 7"}, "call_sign"),
        ({"call_sign": " "}, "call_sign"),
        ({"kind": "x"}, "kind"),
    ):
        with pytest.raises(Invalid) as refused:
            keeping.add(actor=boss, facility_id=house.facility.pk, **{"call_sign": "R8", "kind": "basic"} | given)
        assert refused.value.field == field
    with pytest.raises(Forbidden):
        keeping.add(actor=garage.desk, facility_id=house.facility.pk, call_sign="R9", kind="basic")
    with pytest.raises(Invalid) as refused:
        keeping.add(actor=DEMO, facility_id=house.elsewhere.pk, call_sign="R9", kind="basic")
    assert refused.value.code == "no_station"
    keeping.place_station(actor=boss, facility_id=house.facility.pk, latitude=1, longitude=2)
    assert selectors.stations(boss)[0].latitude == 1
    assert AuditEntry.objects.filter(action="station.place").count() == 2


def test_the_fleet_in_numbers(garage: Garage) -> None:
    busy, _free, _able = garage.manned("A1"), garage.manned("A2"), garage.manned("A3", "advanced")
    garage.add("A4")
    keeping.withdraw(actor=DEMO, ambulance_id=garage.add("A5").pk, reason="Service")
    garage.send(garage.ask(), busy)
    garage.other()
    found = selectors.availability(garage.desk, garage.house.facility.pk)
    assert (found.total, found.free, found.busy, found.no_crew, found.out_of_service) == (5, 2, 1, 1, 1)
    assert (found.free_advanced, found.waiting) == (1, 1)


def test_the_last_position_alone_is_kept_and_not_too_often(garage: Garage) -> None:
    vehicle, now = garage.manned(who=garage.crew), clock.now()
    before = AuditEntry.objects.count()
    with time_machine.travel(now, tick=False) as time:
        assert crews.report(actor=garage.crew, ambulance_id=vehicle.pk, latitude=HOME[0], longitude=HOME[1])
        time.shift(timedelta(seconds=9))
        assert not crews.report(actor=garage.crew, ambulance_id=vehicle.pk, latitude=NEAR[0], longitude=NEAR[1])
        time.shift(timedelta(seconds=1))
        assert crews.report(actor=garage.crew, ambulance_id=vehicle.pk, latitude=NEAR[0], longitude=NEAR[1])
        row = selectors.fleet(garage.desk, garage.house.facility.pk)[0]
        assert (row.latitude, row.longitude, row.fresh) == (*NEAR, True)
        time.shift(timedelta(seconds=120))
        assert selectors.fleet(garage.desk, garage.house.facility.pk)[0].fresh
        time.shift(timedelta(seconds=1))
        assert not selectors.fleet(garage.desk, garage.house.facility.pk)[0].fresh
    moves = OutboxEvent.objects.filter(type="ambulance.moved")
    assert list(moves.order_by("pk").values_list("stream_seq", flat=True)) == [1, 2]
    assert not any(str(NEAR[0]) in one.payload for one in moves)
    assert AuditEntry.objects.count() == before


def test_a_position_comes_from_inside(garage: Garage) -> None:
    vehicle = garage.manned()
    garage.manned("A2", who=garage.crew)
    for who in (garage.crew, garage.desk):
        with pytest.raises(Forbidden):
            crews.report(actor=who, ambulance_id=vehicle.pk, latitude=0, longitude=0)
    own = Ambulance.objects.get(call_sign="A2")
    with pytest.raises(Invalid):
        crews.report(actor=garage.crew, ambulance_id=own.pk, latitude=91, longitude=0)
    own.refresh_from_db()
    assert (own.position_at, own.moves) == (None, 0)


def test_what_the_crew_sees_is_its_own_vehicle(garage: Garage) -> None:
    assert selectors.own_shift(garage.crew) is None
    vehicle = garage.manned(who=garage.crew)
    assert selectors.own_shift(garage.crew).trip is None  # type: ignore[union-attr]
    garage.send(garage.ask(), vehicle)
    mine = selectors.own_shift(garage.crew)
    assert mine
    assert mine.trip
    assert (mine.trip.problem, mine.vehicle.call_sign) == ("Chest pain", "A1")
    assert selectors.own_shift(garage.desk) is None
    assert CrewShift.objects.count() == 1
