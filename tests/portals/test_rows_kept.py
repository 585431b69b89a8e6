"""Drawn rows are kept by their content: whatever changes in one is seen at the next look."""

from __future__ import annotations

from typing import Any

import pytest

from polyclinic.people.models import Patient
from polyclinic.portals.doctor import day
from polyclinic.scheduling import actions
from polyclinic.scheduling.models import Appointment
from tests.house import House

pytestmark = pytest.mark.django_db


def _booked(house: House) -> Appointment:
    return actions.book(
        actor=house.person(house.patient),
        patient_id=house.patient.pk,
        schedule_id=house.schedule.pk,
        starts=house.slot(),
    )


def test_the_same_row_is_drawn_once(house: House, browser_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made, client = _booked(house), browser_of(house.doctor)
    first = client.get(f"/doctor?day={house.workday()}").content.decode()
    monkeypatch.setattr(day.loader, "render_to_string", None)
    again = client.get(f"/doctor/day/row/{made.pk}").content.decode()
    assert again in first


def test_a_changed_name_and_state_show_at_once(house: House, browser_of: Any) -> None:
    made, client = _booked(house), browser_of(house.doctor)
    address = f"/doctor/day/row/{made.pk}"
    assert "PILLAI, Meera" in client.get(address).content.decode()
    Patient.objects.filter(pk=house.patient.pk).update(family_name="Nair <b>")
    renamed = client.get(address).content.decode()
    assert "NAIR &lt;B&gt;, Meera" in renamed
    assert "PILLAI" not in renamed
    actions.take(actor=house.person(house.doctor), appointment_id=made.pk, action="confirm")
    confirmed = client.get(address).content.decode()
    assert "Confirmed" in confirmed
    assert "Waiting for confirmation" not in confirmed


def test_what_is_kept_stays_bounded(house: House, browser_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(day, "_DRAWN_KEPT", 1)
    client = browser_of(house.doctor)
    for nth in range(3):
        actions.book(
            actor=house.person(house.receptionist),
            patient_id=(house.patient, house.other_patient)[nth % 2].pk,
            schedule_id=house.schedule.pk,
            starts=house.slot(nth),
        )
    page = client.get(f"/doctor?day={house.workday()}").content.decode()
    assert page.count("data-live-row ") == 3
    assert len(day._drawn) == 1
