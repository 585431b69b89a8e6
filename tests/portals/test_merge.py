"""Merging at the desk, as pages: found, compared, merged with a reason, found under the old number, and undone."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from polyclinic.people import registering, search
from polyclinic.people.models import Merge, Patient, PatientPlace
from tests.house import House

pytestmark = pytest.mark.django_db

PAGE = "/reception/merge"


@pytest.fixture
def twin(house: House) -> Patient:
    PatientPlace.objects.create(patient=house.patient, facility_id=house.facility.pk)
    search.index([house.patient])
    return registering.register(
        actor=house.person(house.receptionist), facility_id=house.facility.pk, given_name="Meera",
        family_name="Ahlgren", born=house.patient.born, sex="female", new_because="Not found",
    )  # fmt: skip


class Desk:
    """A browser at the desk that sends what a form would, with the token of a page it has opened."""

    def __init__(self, client: Client) -> None:
        self.client = client
        client.get(PAGE)

    def get(self, path: str) -> Any:
        return self.client.get(path)

    def post(self, path: str, fields: dict[str, str]) -> Any:
        token = self.client.cookies[settings.CSRF_COOKIE_NAME].value
        return self.client.post(path, fields, headers={"X-CSRFToken": token})


def text_of(page: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.content.decode()).split())


def test_the_desk_finds_compares_merges_and_undoes(house: House, twin: Patient, browser_of: Any) -> None:
    desk = Desk(browser_of(house.receptionist))
    found = desk.post(PAGE, {"one": house.patient.mrn, "other": twin.mrn})
    assert found.status_code == 303
    compared = desk.get(found["Location"])
    text = text_of(compared)
    assert house.patient.mrn in text
    assert "AHLGREN, Meera" in text
    assert "Differs" in text
    # Without a reason nothing is merged, and what is missing is said beside the field.
    refused = desk.post(found["Location"], {"reason": " "})
    assert refused.status_code == 422
    assert "Say how you know." in text_of(refused)
    assert not Merge.objects.exists()
    merged = desk.post(found["Location"], {"reason": "Same passport seen"})
    assert merged.status_code == 303
    assert "read as one from now on" in text_of(desk.get(merged["Location"]))
    hits = text_of(desk.post("/reception/find", {"q": twin.mrn}))
    assert house.patient.mrn in hits
    row = Merge.objects.get()
    undone = desk.post(f"/reception/merged/{row.pk}/undo", {"reason": "Two sisters", "version": "1"})
    assert undone.status_code == 303
    assert "apart again" in text_of(desk.get(undone["Location"]))
    again = desk.post(f"/reception/merged/{row.pk}/undo", {"reason": "Two sisters", "version": "1"})
    assert again.status_code == 303
    assert Merge.objects.get().version == 2


@pytest.mark.parametrize(
    ("other", "said"),
    [("", "Nobody like this is known here"), ("MRN9999999", "Nobody like this is known here"), ("meera", "Several")],
)
def test_what_means_nobody_or_several_is_said_beside_the_field(
    house: House, twin: Patient, browser_of: Any, other: str, said: str
) -> None:
    page = Desk(browser_of(house.receptionist)).post(PAGE, {"one": house.patient.mrn, "other": other})
    assert page.status_code == 422
    assert said in text_of(page)


def test_the_record_with_the_account_has_to_stay(house: House, twin: Patient, browser_of: Any) -> None:
    desk = Desk(browser_of(house.receptionist))
    page = desk.post(f"{PAGE}/{twin.pk}/{house.patient.pk}", {"reason": "Same passport seen"})
    assert page.status_code == 422
    assert "Swap the two" in text_of(page)
    assert f"{PAGE}/{house.patient.pk}/{twin.pk}" in page.content.decode()


def test_a_strangers_record_is_missing(house: House, twin: Patient, browser_of: Any) -> None:
    desk = Desk(browser_of(house.receptionist))
    assert desk.get(f"{PAGE}/{house.patient.pk}/{house.stranger_patient.pk}").status_code == 404
    assert desk.get(f"{PAGE}/nonsense/{twin.pk}").status_code == 404
