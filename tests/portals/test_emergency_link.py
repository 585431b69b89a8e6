"""A patient's emergency link: made, passed on, opened by a stranger, and ended."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from polyclinic.core import clock
from polyclinic.core.actors import SystemActor
from polyclinic.core.errors import Conflict, Invalid, NotFound
from polyclinic.core.models import AuditEntry
from polyclinic.records import actions as records
from polyclinic.records import links
from polyclinic.records.models import EmergencyLink, EmergencyOpening
from polyclinic.visits import actions as visits
from tests.house import House
from tests.portals.conftest import form, send
from tests.portals.test_ambulance import words

Browser = Callable[[Any], Client]
DEMO = SystemActor("demo")


@pytest.fixture
def record(house: House) -> None:
    visit = visits.register(
        actor=DEMO, facility_id=house.facility.pk, patient_id=house.patient.pk, doctor_id=house.doctor.pk
    )
    records.record_vitals(actor=DEMO, visit_id=visit.pk, values={"pulse": "88"})
    records.note_allergy(actor=DEMO, visit_id=visit.pk, substance="Penicillin", reaction="Rash", severity="severe")


def made(client: Client, minutes: str = "60") -> str:
    """Make a link on the page, and read its address there."""
    assert send(client, client.get("/my/sharing"), "/my/sharing/links", minutes=minutes).status_code == 303
    found = re.search(r">https?://[^<]*(/e/[\w-]{22})<", client.get("/my/sharing").content.decode())
    assert found
    return found[1]


def test_a_stranger_reads_what_matters_and_the_patient_sees_that(
    house: House, record: None, browser_of: Browser
) -> None:
    mine, stranger = browser_of(house.patient), Client()
    link = made(mine)
    page = stranger.get(link)
    assert page.status_code == 200
    assert "Penicillin" not in page.content.decode(), "whatever only looks at the address shows nothing"
    assert not EmergencyOpening.objects.exists()
    page = send(stranger, page, "")
    said = words(page)
    assert all(one in said for one in ("PILLAI, Meera", "Penicillin", "Rash", "88", "Not known here"))
    assert (page.headers["Cache-Control"], page.headers["Referrer-Policy"]) == ("no-store", "no-referrer")
    stranger.post(link)
    assert "opened 2 times" in words(mine.get("/my/sharing"))
    told = AuditEntry.objects.filter(action="emergency_link.open", patient_id=house.patient.pk)
    assert told.count() == 2, "each opening stands in the audit"
    assert "/e/" not in words(browser_of(house.other_patient).get("/my/sharing"))


def test_a_link_ends_by_itself_and_at_the_patients_word(house: House, record: None, browser_of: Browser) -> None:
    mine, stranger = browser_of(house.patient), Client()
    link = made(mine, "15")
    with clock.fixed(clock.now() + timedelta(minutes=15)):
        assert (stranger.get(link).status_code, stranger.post(link).status_code) == (404, 404)
    row = EmergencyLink.objects.get()
    other = browser_of(house.other_patient)
    fields = form(other.get("/my/sharing"), "/my/sharing/links")["fields"]
    assert other.post(f"/my/sharing/links/{row.pk}/revoke", fields).status_code == 404
    assert send(mine, mine.get("/my/sharing"), f"/my/sharing/links/{row.pk}/revoke").status_code == 303
    assert (stranger.get(link).status_code, stranger.post(link).status_code) == (404, 404)
    assert "Ended by you" in words(mine.get("/my/sharing"))
    assert not EmergencyOpening.objects.exists()
    assert stranger.get("/e/" + "x" * 22).status_code == 404


def test_only_the_offered_times_and_three_at_once(house: House) -> None:
    patient = house.person(house.patient)
    for minutes in (0, 14, 1441):
        with pytest.raises(Invalid):
            links.make(actor=patient, patient_id=house.patient.pk, minutes=minutes)
    for _number in range(links.MOST):
        links.make(actor=patient, patient_id=house.patient.pk, minutes=60)
    with pytest.raises(Conflict, match="too_many_links"):
        links.make(actor=patient, patient_id=house.patient.pk, minutes=60)
    with clock.fixed(clock.now() + timedelta(hours=2)):
        assert links.make(actor=patient, patient_id=house.patient.pk, minutes=60).pk, "those that ended do not count"
    with pytest.raises(NotFound):
        links.links(house.person(house.doctor), house.patient.pk)


def test_nobody_else_makes_one(house: House, browser_of: Browser) -> None:
    for who in (house.doctor, house.receptionist):
        assert browser_of(who).post(
            "/my/sharing/links", {"minutes": "60", "for": str(house.patient.pk)}
        ).status_code in (403, 404)
    assert not EmergencyLink.objects.exists()
