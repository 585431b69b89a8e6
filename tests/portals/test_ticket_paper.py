"""The ticket on the roll of a ticket printer: what the desk hands over after opening a visit."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from polyclinic.papers.models import Paper
from polyclinic.visits import actions, tickets
from tests.house import House
from tests.papers.bench import text_of
from tests.portals.conftest import send

pytestmark = pytest.mark.django_db


def test_the_desk_prints_the_ticket_of_a_visit(house: House, browser_of: Any, settings: Any) -> None:
    settings.PUBLIC_URL = "https://clinic.example"
    desk: Client = browser_of(house.receptionist)
    made = actions.register(
        actor=house.person(house.receptionist), facility_id=house.facility.pk, patient_id=house.patient.pk,
        complaint="Rash",
    )  # fmt: skip
    address = f"/reception/visits/{made.pk}"
    assert f'href="{address}/slip.pdf"' in desk.get(address).content.decode()
    answer = desk.get(f"{address}/slip.pdf")
    assert answer["Content-Type"] == "application/pdf"
    shown = text_of(answer.content)
    for part in (
        house.facility.name, "A001", "You wait for: Front desk", f"https://clinic.example/t/{tickets.code(made.pk)}",
    ):  # fmt: skip
        assert part.replace(" ", "") in shown.replace(" ", "")
    # A slip that is lost tells nobody whose it was, nor why they came.
    for secret in ("Pillai", "PILLAI", "Meera", house.patient.mrn, "Rash"):
        assert secret not in shown
    assert not Paper.objects.exists()
    send(desk, desk.get(address), f"{address}/leave", reason="Could not wait")
    assert desk.get(f"{address}/slip.pdf").status_code == 409
    assert "slip.pdf" not in desk.get(address).content.decode()
    assert browser_of(house.stranger_receptionist).get(f"{address}/slip.pdf").status_code == 404
