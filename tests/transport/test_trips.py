"""A trip from the call to the vehicle being free again: who takes which step, and who is refused what."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, transaction

from polyclinic.core import clock
from polyclinic.core.errors import Conflict, Forbidden, IllegalTransition, Invalid, NotFound, Problem, StaleEdit
from polyclinic.core.models import AuditEntry, OutboxEvent
from polyclinic.notify.models import Notice
from polyclinic.people import merge
from polyclinic.people.models import PatientPlace
from polyclinic.transport import actions, asking, choosing, crews, keeping, roads, selectors
from polyclinic.transport.models import Ambulance, AmbulanceTrip, CrewShift, TripStep
from tests.house import House
from tests.transport.garage import DEMO, HOME, NEAR, Garage

ALL = ("acknowledge", "set_off", "arrive", "load", "deliver", "clear")


def test_from_the_call_to_free_again(garage: Garage) -> None:
    vehicle, trip = garage.manned(who=garage.crew), garage.ask()
    garage.send(trip, vehicle)
    with time_machine.travel(clock.now() + timedelta(minutes=3)):
        garage.take(trip, *ALL, outcome="Handed over, stable")
    row = selectors.trip(garage.desk, trip.pk)
    assert [step.status for step in row.steps] == [
        "requested", "dispatched", "acknowledged", "en_route", "on_scene", "transporting", "at_hospital", "cleared",
    ]  # fmt: skip
    assert (row.outcome, row.problem, row.address, row.call_sign) == (
        "Handed over, stable", "Chest pain", "Mill Lane 3", "A1",
    )  # fmt: skip
    assert row.closed_at is not None
    # 2.2 km as the crow flies, by road 3.2; there and back.
    assert (row.km_to_patient, row.km_to_hospital, row.estimate) == (3.2, 3.2, roads.VERSION)
    assert selectors.fleet(garage.desk, garage.house.facility.pk)[0].status == "free"
    changed = AuditEntry.objects.filter(subject_kind="ambulance_trip", subject_id=str(trip.pk))
    told = OutboxEvent.objects.filter(stream=f"ambulance_trip:{trip.pk}")
    assert changed.exclude(action__endswith=".read").count() == told.count() == TripStep.objects.count() == 8


def test_nothing_of_the_request_stands_in_clear(garage: Garage) -> None:
    vehicle, trip = garage.manned(who=garage.crew), garage.ask(who="Her neighbour")
    garage.take(garage.send(trip, vehicle), *ALL, outcome="Handed over")
    stored = AmbulanceTrip.objects.values().get()
    events = " ".join(OutboxEvent.objects.values_list("payload", flat=True))
    for said in ("Her neighbour", "555 1", "Mill Lane", "Chest pain", "Handed over", "52.54"):
        assert said not in str(stored)
        assert said not in events


def test_for_somebody_whom_nobody_knows(garage: Garage) -> None:
    trip = garage.other()
    row = selectors.trip(garage.desk, trip.pk)
    assert (row.patient_id, row.patient_name, row.who) == (None, "", "A man in a red coat 1")
    garage.other(2)
    assert AmbulanceTrip.objects.count() == 2


def test_a_second_click_makes_no_second_trip(garage: Garage) -> None:
    trip = garage.ask()
    with pytest.raises(Conflict) as refused:
        garage.ask()
    assert (refused.value.code, refused.value.extra["tripId"]) == ("trip_open", str(trip.pk))
    patient = garage.house.person(garage.house.patient)
    with pytest.raises(Conflict):
        garage.ask(actor=patient)
    assert AmbulanceTrip.objects.count() == 1
    actions.cancel(actor=patient, trip_id=trip.pk, reason="Better")
    assert garage.ask().pk != trip.pk


def test_the_database_alone_refuses_two_trips(garage: Garage) -> None:
    """Negative control of the look: without it the constraints still stand."""
    vehicle = garage.manned()
    first, second = garage.ask(), garage.other()
    AmbulanceTrip.objects.filter(pk=first.pk).update(ambulance=vehicle, state="dispatched")
    with pytest.raises(IntegrityError), transaction.atomic():
        AmbulanceTrip.objects.filter(pk=second.pk).update(ambulance=vehicle)
    with pytest.raises(IntegrityError), transaction.atomic():
        AmbulanceTrip.objects.filter(pk=second.pk).update(patient=garage.house.patient)
    shift = CrewShift.objects.get()
    for taken in ({"account": shift.account, "seat": "attendant"}, {"account": garage.account("b"), "seat": "driver"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            CrewShift.objects.create(ambulance=vehicle, state="on", **taken)


def test_a_vehicle_is_sent_once(garage: Garage) -> None:
    vehicle = garage.manned()
    garage.send(garage.ask(), vehicle)
    waiting = garage.other()
    with pytest.raises(Conflict) as refused:
        garage.send(waiting, vehicle)
    assert (refused.value.code, refused.value.field) == ("ambulance_taken", "ambulanceId")
    waiting.refresh_from_db()
    assert (waiting.state, waiting.ambulance_id) == ("requested", None)


def test_only_what_is_ready_is_sent(garage: Garage) -> None:
    trip, empty, broken = garage.ask(), garage.add("E1"), garage.manned("B1")
    keeping.withdraw(actor=DEMO, ambulance_id=broken.pk, reason="Flat tyre")
    for vehicle, code in ((empty, "no_crew"), (broken, "out_of_service")):
        with pytest.raises(Conflict) as refused:
            garage.send(trip, vehicle)
        assert refused.value.code == code
    assert choosing.suggestions(garage.desk, trip.pk) == []
    keeping.restore(actor=DEMO, ambulance_id=broken.pk)
    assert garage.send(trip, broken).state == "dispatched"


def test_another_one_instead_until_the_first_has_arrived(garage: Garage) -> None:
    first, second = garage.manned("A1"), garage.manned("A2", who=garage.crew)
    trip = garage.send(garage.ask(), first)
    with pytest.raises(Conflict) as refused:
        garage.send(trip, first)
    assert refused.value.code == "same_ambulance"
    garage.take(trip, "acknowledge", actor=garage.desk)
    trip = garage.send(trip, second)
    assert (trip.state, trip.ambulance_id) == ("dispatched", second.pk)
    assert [row.status for row in selectors.fleet(garage.desk, garage.house.facility.pk)] == ["free", "busy"]
    garage.take(trip, "acknowledge", "set_off", "arrive")
    with pytest.raises(IllegalTransition):
        garage.send(trip, first)
    assert [(step.status, step.call_sign) for step in selectors.trip(garage.desk, trip.pk).steps][:4] == [
        ("requested", ""), ("dispatched", "A1"), ("acknowledged", "A1"), ("dispatched", "A2"),
    ]  # fmt: skip


def test_only_the_crew_of_the_vehicle_and_the_desk_say_how_far_it_is(garage: Garage) -> None:
    vehicle = garage.manned("A1")
    garage.manned("A2", who=garage.crew)
    trip = garage.send(garage.ask(), vehicle)
    with pytest.raises(Forbidden) as refused:
        garage.take(trip, "acknowledge")
    assert refused.value.code == "not_this_crew"
    with pytest.raises(Forbidden):
        garage.take(trip, "acknowledge", actor=garage.house.person(garage.house.patient))
    assert garage.take(trip, "acknowledge", actor=garage.desk).state == "acknowledged"
    with pytest.raises(StaleEdit):
        garage.take(trip, "set_off", actor=garage.desk, version=1)
    with pytest.raises(IllegalTransition):
        garage.take(trip, "load", actor=garage.desk)
    with pytest.raises(Invalid):
        garage.take(trip, "fly", actor=garage.desk)


def test_helped_where_they_are(garage: Garage) -> None:
    trip = garage.send(garage.ask(), garage.manned(who=garage.crew))
    garage.take(trip, "acknowledge", "set_off", "arrive")
    assert garage.take(trip, "clear", outcome="Refused to come").state == "cleared"


def test_cancelled_with_a_reason_until_the_crew_is_there(garage: Garage) -> None:
    trip = garage.send(garage.ask(), garage.manned(who=garage.crew))
    with pytest.raises(Invalid) as refused:
        actions.cancel(actor=garage.desk, trip_id=trip.pk, reason="  ")
    assert refused.value.field == "reason"
    with pytest.raises(Forbidden):
        actions.cancel(actor=garage.crew, trip_id=trip.pk, reason="No")
    garage.take(trip, "acknowledge", "set_off", "arrive")
    with pytest.raises(IllegalTransition):
        actions.cancel(actor=garage.desk, trip_id=trip.pk, reason="Walked off")


def test_whoever_receives_is_told_before_they_come_and_not_of_whom(garage: Garage) -> None:
    trip = garage.send(garage.ask(), garage.manned(who=garage.crew))
    garage.take(trip, "acknowledge", "set_off", "arrive")
    assert not Notice.objects.filter(kind="ambulance").exists()
    garage.take(trip, "load")
    told = set(Notice.objects.filter(kind="ambulance").values_list("account__email", flat=True))
    assert told == {"nurse@example.org", "main_doctor@example.org"}
    event = OutboxEvent.objects.get(type="ambulance.transporting")
    assert f"facility:{garage.house.facility.pk}:main_doctor" in event.audience


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"phone": " "}, "phone"),
        ({"address": "", "latitude": None, "longitude": None}, "address"),
        ({"latitude": None}, "latitude"),
        ({"longitude": 181.0}, "longitude"),
        ({"problem": "x" * 301}, "problem"),
        ({"need": "helicopter"}, "need"),
        ({"patient_id": None}, "who"),
        ({"patient_id": None, "mrn": "MRN9999999"}, "mrn"),
    ],
    ids=["phone", "nowhere", "half", "off-the-globe", "long", "need", "nobody", "unknown"],
)
def test_a_refused_request_names_its_field_and_leaves_nothing(
    garage: Garage, given: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        garage.ask(**given)
    assert refused.value.field == field
    assert not AmbulanceTrip.objects.exists()


def test_the_nearest_hospital_with_ambulances_is_asked(garage: Garage) -> None:
    house = garage.house
    patient = house.person(house.patient)
    keeping.place_station(actor=DEMO, facility_id=house.elsewhere.pk, latitude=40.71, longitude=-74.0)
    with pytest.raises(Invalid) as refused:
        garage.ask(actor=patient, facility_id=None, latitude=None, longitude=None)
    assert refused.value.field == "facilityId"
    trip = garage.ask(actor=patient, facility_id=None, latitude=40.8, longitude=-73.9)
    assert (trip.facility_id, trip.source) == (house.elsewhere.pk, "patient")


def test_a_hospital_asks_only_for_whom_it_knows_and_nobody_for_others(garage: Garage) -> None:
    house = garage.house
    PatientPlace.objects.create(patient=house.stranger_patient, facility_id=house.elsewhere.pk)
    with pytest.raises(NotFound):
        garage.ask(patient_id=house.stranger_patient.pk)
    with pytest.raises(Invalid):
        garage.ask(patient_id=None, mrn=house.stranger_patient.mrn)
    with pytest.raises(Forbidden):
        garage.ask(actor=house.person(house.other_patient))
    with pytest.raises(Forbidden):
        garage.ask(actor=house.person(house.stranger_receptionist))
    with pytest.raises(Invalid) as refused:
        garage.ask(actor=house.person(house.patient), facility_id=house.elsewhere.pk)
    assert refused.value.code == "no_ambulances"
    assert garage.ask(patient_id=None, mrn=house.patient.mrn.lower()).patient_id == house.patient.pk


def test_a_foreign_vehicle_and_a_foreign_trip_are_missing(garage: Garage) -> None:
    house, far = garage.house, garage.house.person(garage.house.stranger_receptionist)
    trip, vehicle = garage.ask(), garage.manned()
    keeping.place_station(actor=DEMO, facility_id=house.elsewhere.pk, latitude=0, longitude=0)
    theirs = keeping.add(actor=DEMO, facility_id=house.elsewhere.pk, call_sign="F1", kind="basic")
    refusals: tuple[Any, ...] = (
        lambda: garage.send(trip, theirs),
        lambda: garage.send(trip, vehicle, actor=far),
        lambda: selectors.trip(far, trip.pk),
        lambda: selectors.fleet(far, house.facility.pk),
        lambda: choosing.suggestions(far, trip.pk),
        lambda: selectors.trip(house.person(house.other_patient), trip.pk),
    )
    for refused in refusals:
        with pytest.raises(NotFound):
            refused()


def test_the_best_first_with_its_reasons(garage: Garage) -> None:
    far, near, able = garage.manned("F1"), garage.manned("N1"), garage.manned("V1", "advanced")
    now = clock.now()
    for vehicle, (latitude, longitude), age in ((far, HOME, 1), (near, NEAR, 1), (able, NEAR, 60)):
        Ambulance.objects.filter(pk=vehicle.pk).update(
            latitude=latitude, longitude=longitude, position_at=now - timedelta(minutes=age)
        )
    found = choosing.suggestions(garage.desk, garage.ask().pk)
    assert [one.call_sign for one in found] == ["N1", "F1", "V1"]
    assert found[0].reasons == ("nearest", "fits")
    assert (found[0].km, found[0].minutes_least, found[0].minutes_most) == (0.0, 1, 2)
    # An hour old: nobody knows where it is, so that it counts from its station.
    assert found[2].reasons == ("more_than_asked", "from_station")
    worse = garage.ask(patient_id=None, who="Another", need="advanced", latitude=None, longitude=None)
    advanced = choosing.suggestions(garage.desk, worse.pk)
    assert [one.call_sign for one in advanced] == ["V1", "F1", "N1"]
    assert advanced[0].reasons == ("fits", "place_unknown")
    assert advanced[1].reasons == ("less_than_asked", "place_unknown")


def test_no_merging_away_from_under_a_trip(garage: Garage) -> None:
    garage.ask()
    with pytest.raises(Problem) as refused:
        asking.refuse_merging(garage.house.other_patient.pk, garage.house.patient.pk)
    assert refused.value.code == "trip_open"
    assert asking.refuse_merging in merge.guards


def test_the_patient_sees_their_trip_and_when_it_comes(garage: Garage, house: House) -> None:
    patient = house.person(house.patient)
    trip = garage.ask(actor=patient)
    assert selectors.trips_of(patient, house.patient.pk, going=True)[0].eta_from is None
    vehicle = garage.manned(who=garage.crew)
    garage.take(garage.send(trip, vehicle), "acknowledge", "set_off")
    row = selectors.trip(patient, trip.pk)
    assert row.eta_from
    assert row.eta_until
    # 3.2 km: four to eight minutes.
    assert timedelta(minutes=2) < row.eta_from - clock.now() <= timedelta(minutes=4)
    assert timedelta(minutes=6) < row.eta_until - clock.now() <= timedelta(minutes=8)
    crews.report(actor=garage.crew, ambulance_id=vehicle.pk, latitude=NEAR[0], longitude=NEAR[1])
    assert selectors.trip(patient, trip.pk).eta_until < row.eta_until  # type: ignore[operator]
    with pytest.raises(NotFound):
        selectors.trips_of(house.person(house.other_patient), house.patient.pk)
