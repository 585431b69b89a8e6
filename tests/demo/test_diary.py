"""The plan of the demo's appointments: nobody is in two places at once, however long one of them takes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from polyclinic.demo.diary import Desk, Diary, Opening
from polyclinic.demo.seed import Seeded

NOW = datetime(2026, 11, 21, 9, 23, tzinfo=UTC)
SERVICE, PATIENT = UUID(int=1), UUID(int=2)


def desk(number: int, *times: tuple[datetime, int]) -> Desk:
    """A desk whose one patient is the same at every desk; `times` are starts and minutes."""
    openings = [Opening(start, start + timedelta(minutes=minutes), SERVICE) for start, minutes in times]
    return Desk(UUID(int=number), "cardiology", ZoneInfo("UTC"), timedelta(), openings, [PATIENT])


def planned(*desks: Desk) -> list[tuple[datetime, datetime]]:
    visits = Diary(Seeded(), NOW, list(desks)).plan()
    return sorted((visit.opening.starts, visit.opening.ends) for visit in visits)


def test_a_long_appointment_keeps_its_patient_from_the_next_desk() -> None:
    noon = NOW - timedelta(days=1)
    spans = planned(desk(10, (noon, 60)), desk(11, (noon + timedelta(minutes=50), 20)))
    assert len(spans) == 1


def test_appointments_with_time_between_them_are_both_kept() -> None:
    noon = NOW - timedelta(days=1)
    spans = planned(desk(10, (noon, 60)), desk(11, (noon + timedelta(minutes=90), 20)))
    assert len(spans) == 2
