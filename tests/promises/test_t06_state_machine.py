"""T6: the appointment's state table driven at random: the database says what the model says, every step has its audit
row and its event, and a refused step leaves nothing behind. 300 runs of up to 40 steps; 60 of them in the fast suite.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from polyclinic.core import clock
from polyclinic.core.actors import Person
from polyclinic.core.db import CompiledQuery
from polyclinic.core.errors import Problem
from polyclinic.core.models import AuditEntry, OutboxEvent
from polyclinic.scheduling import actions
from polyclinic.scheduling.models import Appointment, CareLink, Hold, Reservation
from polyclinic.scheduling.states import APPOINTMENT, HOLDING
from tests.house import House

STEPS = 40
# Written out by hand and not read from the table: what the table must say.
TARGET = {
    "confirm": ("confirmed", {"booked"}, {"doctor", "receptionist"}),
    "decline": ("declined", {"booked", "confirmed"}, {"doctor"}),
    "cancel": ("cancelled", {"booked", "confirmed"}, {"patient", "doctor", "receptionist", "manager"}),
    "check_in": ("checked_in", {"booked", "confirmed", "no_show"}, {"doctor", "receptionist"}),
    "complete": ("completed", {"booked", "confirmed", "checked_in"}, {"doctor"}),
    "no_show": ("no_show", {"booked", "confirmed"}, {"doctor", "receptionist"}),
}
# Asked at every step, ten thousand times and more: what the ORM would build each time anew is built once.
APPOINTMENTS = CompiledQuery(lambda: Appointment.objects.values_list("pk", "state", "version", "starts"))
EVENTS = CompiledQuery(
    lambda: OutboxEvent.objects.filter(stream__startswith="appointment:").values_list("stream", "stream_seq")
)
AUDITED = CompiledQuery(lambda: AuditEntry.objects.filter(subject_kind="appointment").values_list("pk"))
_WATCHED = {
    Appointment: "id, state, version, starts, attention",
    Reservation: "resource_id, starts, ends",
    AuditEntry: "lane, seq, digest",
    OutboxEvent: "id, stream, stream_seq",
    Hold: "id, starts, expires_at",
    CareLink: "id, doctor_id, patient_id",
}
WATCHED = [f"SELECT {columns} FROM {model._meta.db_table} ORDER BY 1, 2" for model, columns in _WATCHED.items()]
WHO = ("patient", "other_patient", "doctor", "other_doctor", "receptionist", "manager", "stranger_receptionist")


class Diary(RuleBasedStateMachine):
    """A day at the desk: two patients, one doctor, and a clock that only goes forward."""

    def __init__(self, house: House, people: dict[str, Person], start: datetime) -> None:
        super().__init__()
        self.house, self.people, self.now = house, people, start
        self.first = house.slot()
        self.rows: dict[UUID, dict[str, Any]] = {}
        self.steps = 0
        self.undo = transaction.atomic()
        self.undo.__enter__()

    @initialize()
    def begin(self) -> None:
        self.attempt(self._book, "patient", "patient", 0)

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.undo.__exit__(None, None, None)

    def attempt(self, what: Any, *arguments: Any) -> Any:
        """Do it as a request would, in a transaction of its own; None when it was refused, and then nothing changed."""
        before = self.everything()
        try:
            with clock.fixed(self.now), transaction.atomic():
                done = what(*arguments)
        except Problem:
            assert self.everything() == before
            return None
        self.steps += 1
        return done

    def everything(self) -> list[object]:
        """What a refused step must leave as it was, row by row."""
        with connection.cursor() as cursor:
            return [(cursor.execute(query), cursor.fetchall())[1] for query in WATCHED]

    def _book(self, who: str, patient: str, nth: int) -> Appointment:
        wanted = self.slot(nth)
        for_whom = getattr(self.house, patient).pk
        return actions.book(
            actor=self.people[who], patient_id=for_whom, schedule_id=self.house.schedule.pk, starts=wanted
        )

    def slot(self, nth: int) -> datetime:
        return self.first + timedelta(minutes=20 * nth)

    @rule(who=st.sampled_from(WHO), patient=st.sampled_from(["patient", "other_patient"]), nth=st.integers(0, 8))
    def book(self, who: str, patient: str, nth: int) -> None:
        made = self.attempt(self._book, who, patient, nth)
        free = all(row["starts"] != self.slot(nth) for row in self.rows.values() if row["state"] in HOLDING)
        if who == patient:
            assert (made is not None) == (free and self.slot(nth) > self.now)
        if made is not None:
            assert free
            assert who in (patient, "doctor", "receptionist")
            self.rows[made.pk] = {"state": "booked", "version": 1, "starts": made.starts, "patient": patient}

    @precondition(lambda self: self.rows)
    @rule(data=st.data(), who=st.sampled_from(WHO), action=st.sampled_from(sorted(TARGET)), stale=st.integers(0, 9))
    def take(self, data: st.DataObject, who: str, action: str, stale: int) -> None:
        key = data.draw(st.sampled_from(list(self.rows)))
        row = self.rows[key]
        version = row["version"] - 1 if stale == 0 else row["version"]
        done = self.attempt(
            lambda: actions.take(actor=self.people[who], appointment_id=key, action=action, version=version)
        )
        target, sources, roles = TARGET[action]
        own = who != "other_patient" if row["patient"] == "patient" else who != "patient"
        role = "patient" if who == "other_patient" else who
        if stale == 0 or row["state"] not in sources or role not in roles or not own:
            assert done is None
        elif done is None:
            # Only the clock can still have said no.
            assert self.refused_by_the_clock(action, who, row["starts"])
        if done is not None:
            assert not self.refused_by_the_clock(action, who, row["starts"])
            row["state"], row["version"] = target, row["version"] + 1

    def refused_by_the_clock(self, action: str, who: str, starts: datetime) -> bool:
        zone = self.first.tzinfo
        same_day = starts.astimezone(zone).date() == self.now.astimezone(zone).date()
        late = who in ("patient", "other_patient") and starts - self.now < timedelta(
            hours=self.house.facility.notice_hours
        )
        return {
            "confirm": starts + timedelta(minutes=20) <= self.now,
            "decline": starts + timedelta(minutes=20) <= self.now,
            "cancel": starts <= self.now or late,
            "check_in": not same_day,
            "complete": starts > self.now,
            "no_show": starts > self.now,
        }[action] and not (action == "complete" and self.checked_in(starts))

    def checked_in(self, starts: datetime) -> bool:
        return any(row["starts"] == starts and row["state"] == "checked_in" for row in self.rows.values())

    @precondition(lambda self: self.rows)
    @rule(data=st.data(), who=st.sampled_from(WHO), nth=st.integers(0, 8))
    def move(self, data: st.DataObject, who: str, nth: int) -> None:
        key = data.draw(st.sampled_from(list(self.rows)))
        row = self.rows[key]
        done = self.attempt(
            lambda: actions.reschedule(actor=self.people[who], appointment_id=key, starts=self.slot(nth))
        )
        if done is not None:
            assert row["state"] in ("booked", "confirmed")
            assert who in (row["patient"], "doctor", "receptionist")
            assert self.slot(nth) > self.now
            row.update(state="booked", version=row["version"] + 1, starts=self.slot(nth))

    @rule(minutes=st.sampled_from([1, 15, 60, 600, 1440]))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @invariant()
    def the_database_is_the_model(self) -> None:
        found = {
            key: {"state": state, "version": version, "starts": starts}
            for key, state, version, starts in APPOINTMENTS.rows()
        }
        begun = [key for key in found if key not in self.rows]
        for key in begun:
            self.rows[key] = {**found[key], "patient": "patient"}
            assert found[key]["version"] == 1
        assert found == {
            key: {name: row[name] for name in ("state", "version", "starts")} for key, row in self.rows.items()
        }
        standing = [row for row in self.rows.values() if row["state"] in HOLDING]
        assert len(self.everything()[1]) == 3 * len(standing)
        assert len({row["starts"] for row in standing}) == len(standing)
        # One version, one audit row, one event for each step taken.
        assert sum(row["version"] for row in self.rows.values()) == self.steps
        assert len(AUDITED.rows()) == self.steps
        assert sorted(map(tuple, EVENTS.rows())) == sorted(
            (f"appointment:{key}", number + 1) for key, row in self.rows.items() for number in range(row["version"])
        )


def test_t06_the_table_says_what_was_agreed() -> None:
    for action, (target, sources, _roles) in TARGET.items():
        rows = [row for row in APPOINTMENT.transitions if row.action == action]
        assert {row.source for row in rows} == sources
        assert {row.target for row in rows} == {target}


@pytest.mark.parametrize("runs", [60, pytest.param(300, marks=pytest.mark.service)])
def test_t06_random_steps_keep_database_audit_and_events_in_agreement(house: House, runs: int) -> None:
    people = {name: house.person(getattr(house, name)) for name in WHO}
    start = clock.now()
    run_state_machine_as_test(
        lambda: Diary(house, people, start),
        settings=settings(
            max_examples=runs, stateful_step_count=STEPS, deadline=None, database=None, derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
