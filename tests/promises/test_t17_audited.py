"""T17: every read of health data and every change leaves exactly one audit row, by HTTP, job and command.

The tables in `t17/` name, for each address that is not public, what one well-formed call leaves in the audit as the
role that may do it (`none` where nothing about a patient is shown or changed). An address without a line fails.
Besides, each answer to any role that carries something of the patient's must have left a row about that patient.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from polyclinic.core import clock
from polyclinic.core.actors import Person, SystemActor
from polyclinic.core.audit import chain, reads
from polyclinic.core.models import AuditEntry, AuditGroupMember
from polyclinic.scheduling import actions, schedules, selectors
from polyclinic.scheduling.models import Hold
from tests.api.calling import Answer
from tests.house import House
from tests.matrix.driving import World
from tests.matrix.expected import ROLES, rows

TABLES = Path(__file__).parent / "t17"
# The addresses are driven in so many parts, which may run side by side.
PARTS = 4
Line = tuple[str, Counter[str]]


def table() -> dict[tuple[str, str], Line]:
    """(method, address) → the role that calls and what that leaves. Raises ValueError for a line there twice."""
    found: dict[tuple[str, str], Line] = {}
    for path in sorted(TABLES.glob("*.txt")):
        for line in path.read_text(encoding="utf-8").splitlines():
            method, address, role, *left = line.split()
            if (method, address) in found or role not in ROLES.values() or not left:
                raise ValueError(f"{path.name}: {line}")
            found[method, address] = (role, Counter(left) if left != ["none"] else Counter())
    return found


def public(cells: dict[str, int], method: str) -> bool:
    """Whether someone who has not signed in is served: what they are shown can be about nobody."""
    return method == "GET" and cells["anonymous"] == 200


class Trail:
    """Drives the world's addresses and says what each call left in the audit."""

    def __init__(self, house: House) -> None:
        self.world = World(house)
        day = f"?day={house.workday()}"
        self.world.queries |= {"/doctor": day, "/doctor/day/figures": day}
        self.patient = house.patient
        self.entries: list[AuditEntry] = []
        self.about: set[Any] = set()
        self._start = 0
        self.world.before_undoing = self._look

    def _look(self) -> None:
        self.entries = list(AuditEntry.objects.filter(pk__gt=self._start).order_by("pk"))
        listed = {one.listed for one in self.entries} - {""}
        members = AuditGroupMember.objects.filter(group__name__in=listed)
        self.about = {one.patient_id for one in self.entries} | set(members.values_list("patient_id", flat=True))

    def ask(self, method: str, address: str, role: str) -> Answer:
        self._start = AuditEntry.objects.order_by("-pk").values_list("pk", flat=True)[0]
        return self.world.ask(method, address, role)

    @property
    def left(self) -> Counter[str]:
        return Counter(one.action for one in self.entries)

    def secrets(self) -> set[bytes]:
        """What gives this patient away in an answer: the number, the visit, and what brings them."""
        return {self.patient.mrn.encode(), str(self.world.appointment.pk).encode(), b"A reason of theirs"}


@pytest.fixture
def trail(house: House) -> Iterator[Trail]:
    made = Trail(house)
    yield made
    # Taking a call back takes its keys out of the books' order, never the chain's.
    assert list(chain.verify()) == []


def undeclared(known: dict[tuple[str, str], Line]) -> set[tuple[str, str]]:
    return {key for key, cells in rows().items() if not public(cells, key[0])} - known.keys()


def test_t17_every_address_says_what_it_leaves() -> None:
    assert undeclared(table()) == set()
    assert table().keys() <= rows().keys()


def test_t17_control_an_address_without_a_line_fails() -> None:
    known = table()
    gone = sorted(undeclared({}))[0]
    del known[gone]
    assert undeclared(known) == {gone}


@pytest.mark.wide
def test_t17_every_call_leaves_what_the_table_says(trail: Trail) -> None:
    wrong = []
    for (method, address), (role, left) in table().items():
        answer = trail.ask(method, address, role)
        if answer.status != rows()[method, address][role]:
            wrong.append(f"{method} {address} as {role}: answered {answer.status}")
        if trail.left != left:
            wrong.append(f"{method} {address} as {role}: left {dict(trail.left)}, expected {dict(left)}")
    assert wrong == [], "\n".join(wrong)


@pytest.mark.wide
@pytest.mark.parametrize("part", range(PARTS))
def test_t17_whatever_shows_the_patient_is_on_record(trail: Trail, part: int) -> None:
    """Every GET as every role: an answer with something of the patient's has left a row about them, by who asked."""
    shown, wrong = 0, []
    for (method, address), cells in sorted(rows().items())[part::PARTS]:
        for role, status in cells.items():
            if method != "GET" or status >= 300 or (public(cells, method) and role not in ("patient", "doctor")):
                continue
            answer = trail.ask(method, address, role)
            tells = any(secret in answer.body for secret in trail.secrets())
            known = trail.patient.pk in trail.about
            shown += tells
            if tells and not known:
                wrong.append(f"{address} as {role} shows the patient and leaves no row")
            if public(cells, method) and trail.entries:
                wrong.append(f"{address} as {role} is public and leaves {dict(trail.left)}")
    assert wrong == [], "\n".join(wrong)
    assert shown > 25 // PARTS


def test_t17_control_a_reader_that_forgets_is_noticed(trail: Trail, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reads, "_note", lambda *_given: None)
    answer = trail.ask("GET", "/api/appointments/<appointmentId>", "receptionist")
    assert any(secret in answer.body for secret in trail.secrets())
    assert trail.patient.pk not in trail.about


@pytest.mark.wide
def test_t17_a_refusal_leaves_nothing(trail: Trail) -> None:
    """Nobody is told to have looked at what they were not shown."""
    for (method, address), cells in rows().items():
        for role in ("other_patient", "other_doctor", "foreign_receptionist"):
            if cells[role] in (401, 403, 404):
                trail.ask(method, address, role)
                # That somebody searched for nobody of theirs is noted, and about no patient.
                about = [one.action for one in trail.entries if one.patient_id or one.listed]
                assert about == [], f"{method} {address} as {role}"


def test_t17_each_step_by_action_leaves_one_row(house: House) -> None:
    doctor = house.person(house.doctor)
    made = actions.book(
        actor=house.person(house.patient), patient_id=house.patient.pk, schedule_id=house.schedule.pk,
        starts=house.slot(0),
    )  # fmt: skip
    for number, step in enumerate(("confirm", "check_in", "complete"), 2):
        with clock.fixed(house.slot(0)):
            actions.take(actor=doctor, appointment_id=made.pk, action=step)
        assert list(AuditEntry.objects.filter(subject_id=str(made.pk)).order_by("pk"))[-1].revision == number
        assert AuditEntry.objects.filter(subject_id=str(made.pk)).count() == number


def test_t17_a_job_leaves_one_row_a_thing(house: House) -> None:
    for who, nth in ((house.patient, 0), (house.other_patient, 1)):
        actions.hold(actor=house.person(who), schedule_id=house.schedule.pk, starts=house.slot(nth))
    Hold.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    before = AuditEntry.objects.count()
    assert actions.sweep_holds(actor=SystemActor("hold-sweeper")) == 2
    fresh = list(AuditEntry.objects.order_by("pk")[before:])
    assert [(one.action, one.actor) for one in fresh] == [("hold.expire", "system:hold-sweeper")] * 2


def test_t17_what_a_job_or_command_reads_is_written_at_once(house: House) -> None:
    made = actions.book(
        actor=house.person(house.patient), patient_id=house.patient.pk, schedule_id=house.schedule.pk,
        starts=house.slot(0),
    )  # fmt: skip
    selectors.appointment(SystemActor("demo", via="cli"), made.pk)
    last = AuditEntry.objects.order_by("-pk")[0]
    assert (last.action, last.actor, last.via, last.patient_id) == (
        "appointment.read", "system:demo", "cli", house.patient.pk,
    )  # fmt: skip


def test_t17_whom_a_change_would_strand_is_a_read(trail: Trail) -> None:
    """A refusal that lists patients has shown them."""
    house = trail.world.house
    doctor = house.person(house.doctor)
    with reads.gathering() as found, pytest.raises(schedules.PatientsStranded):
        schedules.set_weekly(
            actor=doctor, schedule_id=house.schedule.pk, weekly=[], slot_minutes=None, buffer_minutes=None, version=2
        )
    # The one appointment and the two dates of the series.
    assert [one.patients for one in found.told(409)] == [{house.patient.pk}] * 3


def test_t17_looking_through_anothers_eyes_names_who_looks(house: House) -> None:
    person, admin = house.person(house.doctor), house.person(house.manager)
    assert isinstance(person, Person)
    made = reads.Sighting(_as(person, admin), "patient.read", "patient", "x", None, "", {house.patient.pk}, clock.now())
    entry, _members = reads.reading(made)
    assert (entry.actor, entry.detail) == (admin.label, f'{{"as":"{person.label}"}}')


def _as(person: Person, admin: Person) -> Person:
    from dataclasses import replace

    return replace(person, seen_by=admin.account_id)
