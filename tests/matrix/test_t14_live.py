"""T14 for sockets and streams: who hears which event, and who may join which room. An event without a row fails.

The tables stand in `live/`: `x` hears it or may join, `.` not. Every event is about `patient`, `doctor` and the place
of the house; an event's account is the patient's. What is said in public rooms anybody may hear.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

import msgspec
import pytest

from polyclinic import docs
from polyclinic.core import clock
from polyclinic.core.access.rules import HELD_AT_FACILITY
from polyclinic.core.actors import Anonymous, Grant, Person, Viewer
from polyclinic.core.ids import new_id
from polyclinic.core.outbox import events, rooms
from polyclinic.live import wire
from tests.house import House

TABLES = Path(__file__).parent / "live"


def cast(house: House) -> dict[str, Viewer]:
    """One viewer in each standing, by the short name of their column."""
    doctor, patient = house.person(house.doctor), house.person(house.patient)
    here = house.facility.pk
    return {
        "ano": Anonymous(),
        "pat": patient,
        "pa2": house.person(house.other_patient),
        # A carer who is no patient here, and one of a foreign patient.
        "car": Person(new_id(), "Carer", frozenset(), delegated=frozenset({house.patient.pk})),
        "ca2": Person(new_id(), "Carer", frozenset(), delegated=frozenset({house.stranger_patient.pk})),
        "doc": doctor,
        "do2": house.person(house.other_doctor),
        "do3": house.person(house.stranger_doctor),
        # The other doctor after break-glass: read, and not listened to.
        "brk": replace(
            house.person(house.other_doctor),
            emergencies=frozenset({(house.patient.pk, datetime(2999, 1, 1, tzinfo=UTC))}),
        ),
        "rec": house.person(house.receptionist),
        "re2": house.person(house.stranger_receptionist),
        "man": house.person(house.manager),
        **{short: house.person(house.staff[role]) for short, role in SHORT.items()},
        # An administrator of the other hospital.
        "ad2": Person(new_id(), "Far", frozenset({Grant("admin", house.elsewhere.pk)})),
        # A role of the facility's own, with the right to see appointments, here and in the other hospital.
        "own": Person(new_id(), "Own", frozenset(), rights=frozenset({("appointment.view", here)})),
        "ow2": Person(new_id(), "Own", frozenset(), rights=frozenset({("appointment.view", house.elsewhere.pk)})),
        # Keys of the doctor's: for appointments alone, for all that is said in a doctor's room; and a manager's.
        "kap": replace(doctor, scopes=frozenset({"appointment.view"})),
        "kal": replace(doctor, scopes=rooms._SAID_TO_DOCTORS),
        "kma": replace(house.person(house.manager), scopes=frozenset({"appointment.view"})),
        # An administrator who looks through the doctor's eyes.
        "eye": replace(doctor, seen_by=new_id()),
    }


SHORT = {
    "adm": "admin", "chk": "checker_doctor", "mai": "main_doctor", "nur": "nurse", "lab": "lab_technician",
    "pha": "pharmacist", "amb": "ambulance_crew", "prv": "privacy_officer", "aud": "auditor",
}  # fmt: skip


def read(name: str) -> tuple[list[str], dict[str, str]]:
    """The columns of a table and its rows: a name and a mark for each column. Raises ValueError for a torn one."""
    head, *lines = (TABLES / name).read_text(encoding="utf-8").strip().splitlines()
    columns, found = head.split(), {}
    for line in lines:
        key, *marks = line.split()
        if len(marks) != len(columns) or set(marks) - {"x", "."} or key in found:
            raise ValueError(line)
        found[key] = "".join(marks)
    return columns, found


def made(kind: type[events.Event], house: House) -> events.Event:
    """An event of this kind about the people of the house."""
    known = {
        "patient_id": house.patient.pk,
        "doctor_id": house.doctor.pk,
        "facility_id": house.facility.pk,
        "facility_ids": (house.facility.pk,),
        "account_id": house.patient.account_id,
    }

    def value(field: Any) -> Any:
        if field.name in known:
            return known[field.name]
        plain = {UUID: new_id(), str: "x", int: 1, datetime: clock.now(), bool: False}
        if field.type in plain:
            return plain[field.type]
        return None if type(None) in getattr(field.type, "__args__", ()) else ()

    return kind(**{field.name: value(field) for field in msgspec.structs.fields(kind)})


def hears(viewer: Viewer, audience: tuple[str, ...]) -> bool:
    own = rooms.own_rooms(viewer)
    return any(room in own or room.startswith(rooms.PUBLIC_PREFIX) for room in audience)


def heard(house: House) -> dict[str, str]:
    viewers = cast(house).values()
    return {
        name: "".join("x" if hears(viewer, made(kind, house).audience()) else "." for viewer in viewers)
        for name, kind in kinds().items()
    }


def kinds() -> dict[str, type[events.Event]]:
    """Every event the product knows. Those that other tests have made up are not its own."""
    docs._know_all()
    ours = ("polyclinic.", __name__)
    return {name: kind for name, kind in events.registered().items() if kind.__module__.startswith(ours)}


def joinable(house: House) -> dict[str, str]:
    """Who may join each kind of room, by its name with the id left out."""
    here = house.facility.pk
    named = {
        "user": rooms.account(house.patient.account_id),  # type: ignore[arg-type]
        "patient": rooms.patient(house.patient.pk),
        "doctor": rooms.doctor(house.doctor.pk),
        **{f"facility:{role}": rooms.facility_role(here, role) for role in sorted(HELD_AT_FACILITY | {"doctor"})},
        **{f"facility:may:{right}": rooms.facility_right(here, right) for right in rooms.HEARD},
        "availability": rooms.availability(house.doctor.pk),
        "everyone": rooms.EVERYONE,
        "nonsense": "facility:nowhere",
    }
    viewers = cast(house).values()
    return {
        name: "".join("x" if rooms.may_join(viewer, room) else "." for viewer in viewers)
        for name, room in named.items()
    }


@pytest.mark.parametrize(("table", "found"), [("events.txt", heard), ("rooms.txt", joinable)])
def test_everyone_hears_what_the_table_says(house: House, table: str, found: Any) -> None:
    columns, expected = read(table)
    assert columns == list(cast(house))
    actual = found(house)
    assert actual.keys() == expected.keys(), "declare it in tests/matrix/live"
    wrong = [
        f"{name} as {column}: {is_}, expected {said}"
        for name in actual
        for column, is_, said in zip(columns, actual[name], expected[name], strict=True)
        if is_ != said
    ]
    assert wrong == [], "\n".join(wrong)


def test_a_new_event_fails_until_it_is_declared(house: House) -> None:
    """Negative control of the test above."""

    class Sneaked(events.Event, frozen=True, rename="camel"):
        MEANING: ClassVar[str] = "A test's."
        patient_id: UUID

        def audience(self) -> tuple[str, ...]:
            return (rooms.EVERYONE,)

    registry = events._REGISTRY
    registry["a.sneaked"] = Sneaked
    try:
        assert heard(house).keys() - read("events.txt")[1].keys() == {"a.sneaked"}
        assert set(heard(house)["a.sneaked"]) == {"x"}
    finally:
        del registry["a.sneaked"]


def test_the_other_names_of_events_are_of_events_that_exist() -> None:
    """A second name gives nobody more: it is sent to the same audience. One without an event would be a leftover."""
    assert {*wire.SOCKET_NAMES, *wire.STREAM_NAMES, *wire.ENDED, *wire.CHANGES_RIGHTS} <= kinds().keys()


def test_short_room_names_lead_to_ones_own_rooms_only(house: House) -> None:
    for begins, ends in wire.ROOM_NAMES.values():
        for viewer in cast(house).values():
            own = rooms.own_rooms(viewer)
            for room in (room for room in own if room.startswith(begins) and room.endswith(ends)):
                assert rooms.may_join(viewer, room)


@pytest.mark.parametrize("text", ["a b\nx x\n", "a b\nx x y\n", "a b\nx x .\nx . x\n"])
def test_a_torn_table_is_refused(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "t.txt").write_text(text)
    monkeypatch.setattr(f"{__name__}.TABLES", tmp_path)
    with pytest.raises(ValueError, match="x"):
        read("t.txt")
