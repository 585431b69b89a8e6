"""T15: with two hospitals loaded, no function that reads shows anyone a row of the other one.

The functions are found by introspection: a new one without a line here fails the test.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from polyclinic import facilities, people, scheduling
from polyclinic.core import clock
from polyclinic.core.actors import Anonymous, Person, Viewer
from polyclinic.core.errors import NotFound, Problem
from polyclinic.facilities import selectors as directory
from polyclinic.people import selectors as persons
from polyclinic.scheduling import actions, availability, held, schedules, selectors, stats
from polyclinic.scheduling.rows import ExceptionRow
from tests.house import House

# The filter behind the selectors: it takes a viewer and returns no rows.
TOOLS = ("polyclinic.scheduling.sight",)


class Side:
    """One of the two hospitals: what a caller could ask for by id, and what nobody of the other may be shown."""

    def __init__(self, house: House, doctor: Any, schedule: Any, patient: Any, *staff: Any) -> None:
        self.doctor, self.schedule, self.patient = doctor.pk, schedule.pk, patient.pk
        self.facility, self.slug = schedule.facility_id, schedule.facility.slug
        person = house.person(patient)
        free = availability.first_free(Anonymous(), schedule_id=schedule.pk, limit=4)
        made = actions.book(actor=person, patient_id=patient.pk, schedule_id=schedule.pk, starts=free[0].starts)
        self.day, self.appointment = free[0].starts.date(), made.pk
        self.hold = actions.hold(actor=person, schedule_id=schedule.pk, starts=free[3].starts).pk
        self.people = [house.person(one) for one in (patient, doctor, *staff)]
        # What would give a person away wherever it stood in an answer.
        self.secret = {str(self.patient), str(made.pk), str(self.hold), patient.mrn, patient.family_name.upper()}

    def leave(self) -> ExceptionRow:
        now = clock.now()
        return ExceptionRow(self.hold, "leave", now, now + timedelta(days=60), "")


Call = Callable[[Viewer, Side], Any]
# Asked for a thing of the other hospital, these answer that it does not exist.
CLOSED: dict[str, Call] = {
    "people.selectors.patient": lambda v, s: persons.patient(v, s.patient),
    "scheduling.selectors.appointment": lambda v, s: selectors.appointment(v, s.appointment),
    "scheduling.selectors.doctor_day": lambda v, s: selectors.doctor_day(v, s.doctor, s.day),
    "scheduling.selectors.doctor_patients": lambda v, s: selectors.doctor_patients(v, s.doctor),
    "scheduling.selectors.new_patient_count": lambda v, s: selectors.new_patient_count(v, s.doctor),
    "scheduling.selectors.patient_of_doctor": lambda v, s: selectors.patient_of_doctor(v, s.patient),
    "scheduling.selectors.schedule": lambda v, s: selectors.schedule(v, s.schedule),
    "scheduling.selectors.schedules_of_doctor": lambda v, s: selectors.schedules_of_doctor(v, s.doctor),
    "scheduling.selectors.places_of_doctor": lambda v, s: selectors.places_of_doctor(v, s.doctor),
    "scheduling.schedules.affected_by": lambda v, s: schedules.affected_by(v, s.schedule, exception=s.leave()),
    "scheduling.held.hold": lambda v, s: held.hold(v, s.hold),
    "scheduling.stats.facility_stats": lambda v, s: stats.facility_stats(v, s.facility, s.day),
}
# These answer with what is left after the other hospital's rows are taken out, or with what is public anyway.
FILTERED: dict[str, Call] = {
    "scheduling.selectors.appointments": lambda v, s: [
        selectors.appointments(v, **more)
        for more in ({}, {"doctor_id": s.doctor}, {"patient_id": s.patient}, {"facility_id": s.facility})
    ],
    "scheduling.availability.free_slots": lambda v, s: availability.free_slots(
        v, doctor_id=s.doctor, first_day=s.day, days=3
    ),
    "scheduling.availability.first_free": lambda v, s: availability.first_free(v, facility_id=s.facility),
    "scheduling.availability.next_free_by_doctor": lambda v, s: availability.next_free_by_doctor(v, [s.doctor]),
    "facilities.selectors.facilities": lambda v, s: directory.facilities(v),
    "facilities.selectors.facility": lambda v, s: directory.facility(v, s.slug),
    "facilities.selectors.doctors": lambda v, s: directory.doctors(v, facility_id=s.facility),
    "facilities.selectors.doctor": lambda v, s: directory.doctor(v, s.doctor),
    "facilities.selectors.services": lambda v, s: directory.services(v),
    "facilities.selectors.specialties": lambda v, s: directory.specialties(v),
}


def readers() -> set[str]:
    """Every public function of the domain apps that takes a viewer first, by its own module's name."""
    found = set()
    for app in (facilities, people, scheduling):
        for info in pkgutil.walk_packages(app.__path__, app.__name__ + "."):
            if info.name in TOOLS or ".migrations" in info.name:
                continue
            module = importlib.import_module(info.name)
            for name, function in inspect.getmembers(module, inspect.isfunction):
                if function.__module__ != module.__name__ or name.startswith("_"):
                    continue
                if next(iter(inspect.signature(function).parameters), "") == "viewer":
                    found.add(f"{info.name.removeprefix('polyclinic.')}.{name}")
    return found


@pytest.fixture
def sides(house: House) -> tuple[Side, Side]:
    return (
        Side(house, house.doctor, house.schedule, house.patient, house.receptionist, house.manager),
        Side(
            house, house.stranger_doctor, house.stranger_schedule, house.stranger_patient, house.stranger_receptionist
        ),
    )


def told(call: Call, viewer: Viewer, side: Side) -> str:
    """The answer as text with everything in it; empty when refused."""
    try:
        return msgspec.json.encode(call(viewer, side)).decode()
    except Problem:
        return ""


def shown(text: str, side: Side) -> set[str]:
    return {secret for secret in side.secret if secret in text}


def test_t15_every_reader_has_a_line_here() -> None:
    assert readers() == CLOSED.keys() | FILTERED.keys()


def test_t15_nobody_is_shown_a_foreign_row(sides: tuple[Side, Side]) -> None:
    for own, other in (sides, sides[::-1]):
        for viewer in own.people:
            for name, call in {**CLOSED, **FILTERED}.items():
                assert shown(told(call, viewer, other), other) == set(), name
                assert shown(told(call, viewer, own), other) == set(), name
            for name, call in CLOSED.items():
                try:
                    answer = call(viewer, other)
                except NotFound:
                    continue
                raise AssertionError(f"{name} answered {answer}")


def test_t15_someone_not_signed_in_is_shown_nobody(sides: tuple[Side, Side]) -> None:
    for side in sides:
        for name, call in {**CLOSED, **FILTERED}.items():
            assert shown(told(call, Anonymous(), side), side) == set(), name
        assert all(told(call, Anonymous(), side) == "" for call in CLOSED.values())


def test_t15_the_rows_are_there_to_be_seen(sides: tuple[Side, Side]) -> None:
    """Control: each closed reader answers its own people, and those with names in them show the names."""
    for side in sides:
        seen = {name: "".join(told(call, viewer, side) for viewer in side.people) for name, call in CLOSED.items()}
        assert all(seen.values())
        counts = {"scheduling.selectors.new_patient_count", "scheduling.stats.facility_stats"}
        bare = {f"scheduling.selectors.{name}" for name in ("schedule", "schedules_of_doctor", "places_of_doctor")}
        assert {name for name, text in seen.items() if shown(text, side)} == CLOSED.keys() - counts - bare


def test_t15_sees_a_leak(sides: tuple[Side, Side], monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: with the policy out of the way the same comparison finds the foreign rows."""
    from polyclinic.core.access import policy

    monkeypatch.setattr(policy, "allowed", lambda *_given: True)
    viewer, other = sides[0].people[0], sides[1]
    assert isinstance(viewer, Person)
    assert shown(told(CLOSED["scheduling.selectors.appointment"], viewer, other), other)
    assert shown(told(CLOSED["scheduling.selectors.doctor_day"], viewer, other), other)
