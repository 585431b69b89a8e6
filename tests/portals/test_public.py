"""What anyone sees without signing in."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from tests.house import House, missing


@pytest.mark.parametrize(
    "path", ["/", "/hospitals", "/hospitals/riverside", "/doctors", "/services", "/emergency", "/book"]
)
def test_anyone_may_look(house: House, path: str) -> None:
    answer = Client().get(path)
    assert answer.status_code == 200
    assert b"<h1" in answer.content
    assert re.search(r'<meta name="description" content="[^"<>]{20,160}">', answer.content.decode())


def test_directory_finds_by_name_specialty_and_hospital(house: House) -> None:
    page = Client().get("/doctors?q=okafor").content.decode()
    assert "Dr Grace Okafor" in page
    assert "Dr Anil Rao" not in page
    page = Client().get(f"/doctors?hospital={house.elsewhere.pk}").content.decode()
    assert "Dr Sam Stranger" in page
    assert "Dr Grace Okafor" not in page
    assert "Nobody found" in Client().get("/doctors?specialty=astrology").content.decode()


def test_next_free_time_leads_to_booking(house: House) -> None:
    part = Client().get(f"/doctors/{house.doctor.pk}/next-free").content.decode()
    assert f"/book?doctor={house.doctor.pk}" in part
    assert "data-live-region" in part


def test_a_doctors_page_shows_free_days(house: House) -> None:
    page = Client().get(f"/doctors/{house.doctor.pk}").content.decode()
    assert "Riverside Clinic" in page
    assert "from 09:00" in page


@pytest.mark.parametrize("path", ["/doctors/{}", "/doctors/nonsense", "/hospitals/nowhere", "/doctors/{}/next-free"])
def test_missing_is_404(house: House, path: str) -> None:
    assert Client().get(path.format(missing())).status_code == 404


def test_bad_query_is_explained(house: House) -> None:
    answer = Client().get("/doctors?hospital=nonsense")
    assert answer.status_code == 422
    assert Client().get(f"/book/time?doctor={house.doctor.pk}&from=2026-02-30").status_code == 422


def test_emergency_names_phones_and_is_on_every_public_page(house: House) -> None:
    page = Client().get("/emergency").content.decode()
    assert "tel:555-0111" in page
    assert 'href="/emergency"' in Client().get("/doctors").content.decode()
