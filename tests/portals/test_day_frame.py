"""The frame around a day's rows is kept by all it is decided by; nobody gets another's, and nothing in it is old."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import translation

from polyclinic.files import actions as files
from polyclinic.people.models import Account
from polyclinic.portals.doctor import day
from polyclinic.portals.ui.holes import Glimpse, LookedAt
from polyclinic.scheduling import actions
from polyclinic.scheduling.models import Appointment
from polyclinic.web.pages import draw
from tests.crypto.conftest import keys
from tests.files import hostile
from tests.house import House
from tests.portals.conftest import send

__all__ = ["keys"]
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    day._frame.cache_clear()
    yield
    day._frame.cache_clear()


def _book(house: House, who: Any = None, nth: int = 0) -> Appointment:
    patient = who or house.patient
    return actions.book(
        actor=house.person(patient), patient_id=patient.pk, schedule_id=house.schedule.pk, starts=house.slot(nth)
    )


def _text(client: Any, address: str, **headers: str) -> str:
    answer = client.get(address, **headers)
    assert answer.status_code == 200
    return str(answer.content.decode())


def _without_tokens(text: str) -> str:
    return re.sub(r'(name="csrfmiddlewaretoken" value=")\w+', r"\1", text)


def test_a_kept_frame_draws_the_page_a_fresh_one_does(house: House, browser_of: Any) -> None:
    _book(house)
    client, address = browser_of(house.doctor), f"/doctor?day={house.workday()}"
    fresh = _text(client, address)
    assert _without_tokens(_text(client, address)) == _without_tokens(fresh)
    assert day._frame.cache_info().hits == 1


def test_a_filled_frame_is_the_page_drawn_whole(house: House) -> None:
    person, chosen = house.person(house.doctor), house.workday()
    around = day._Around("en", person, 3, False, True, (("Riverside & Sons", "Asia/Kolkata"),))
    texts = (str(chosen), "21-Nov-2026", "Saturday <21>", "2026-11-20", "2026-11-22", "17", *"654321")
    names = dict(zip(day._TEXTS, texts, strict=True))
    whole: Any = Glimpse(person)
    whole.live_cursor = names["cursor"]
    context = {
        **names, "request": whole, "messages": (), "is_today": False, "any_rows": True, "zones": around.zones,
        "kpis": day._labelled(names), "nav": {"current": "day", "new": 3, "doctor": person.doctor_id},
        "csrf_input": "token", "rows": "rows",
    }  # fmt: skip
    assert day._frame(around).fill(texts, "token", "rows") == draw("doctor/day.html", context)


def test_each_doctor_has_their_own(house: House, browser_of: Any) -> None:
    pages = [_text(browser_of(who), "/doctor") for who in (house.doctor, house.other_doctor)]
    for page, who, other in zip(
        pages, (house.doctor, house.other_doctor), (house.other_doctor, house.doctor), strict=True
    ):
        assert f'data-live-as="{who.account_id}"' in page
        assert who.account.name in page
        assert other.account.name not in page
        assert str(other.account_id) not in page


def test_what_changes_from_look_to_look_does(house: House, browser_of: Any) -> None:
    client, address = browser_of(house.doctor), f"/doctor?day={house.workday()}"
    before = _text(client, address)
    assert 'data-kpi="booked">0<' in before
    assert 'id="no-appointments">' in before
    _book(house)
    _book(house, house.other_patient, 1)
    after = _text(client, address)
    assert 'data-kpi="booked">2<' in after
    assert 'id="no-appointments" hidden>' in after
    cursors = [int(re.search(r'data-live-cursor="(\d+)"', page)[1]) for page in (before, after)]  # type: ignore[index]
    # PostgreSQL numbers events after the commit, which a test's own transaction never sees.
    assert cursors[1] > cursors[0] or connection.vendor == "postgresql"
    assert ">0</span>" in before
    assert ">2</span>" in after
    later = _text(client, f"/doctor?day={house.workday() + timedelta(days=1)}")
    assert str(house.workday() + timedelta(days=1)) in later
    assert 'data-kpi="booked">0<' in later


def test_only_today_says_so(house: House, browser_of: Any) -> None:
    client = browser_of(house.doctor)
    assert "· today" in _text(client, "/doctor")
    assert "· today" not in _text(client, f"/doctor?day={house.workday()}")


def test_a_sentence_is_said_once_and_to_one(house: House, browser_of: Any) -> None:
    made, client = _book(house), browser_of(house.doctor)
    address = f"/doctor?day={house.workday()}"
    _text(client, address)
    send(client, client.get(address), f"/doctor/appointments/{made.pk}/confirm")
    assert "The appointment is confirmed." in _text(client, address)
    assert "The appointment is confirmed." not in _text(client, address)


def test_a_new_name_and_another_language_show_at_once(house: House, browser_of: Any, catalogue: Any) -> None:
    client = browser_of(house.doctor)
    _text(client, "/doctor")
    Account.objects.filter(pk=house.doctor.account_id).update(name="Dr <New> Name")
    from polyclinic.facilities import identity

    identity.forget()
    assert "Dr &lt;New&gt; Name" in _text(client, "/doctor")
    person = house.person(house.doctor)
    with translation.override(catalogue({"My day": "Mia tago"})):
        other = day._frame(day._Around("eo", person, 0, True, False, ()))
    english = day._frame(day._Around("en", person, 0, True, False, ()))
    filled = [one.fill(("",) * len(day._TEXTS), "", "") for one in (other, english)]
    assert "Mia tago" in filled[0]
    assert "Mia tago" not in filled[1]


@pytest.mark.parametrize("name", ["GET", "path", "user", "LANGUAGE_CODE"])
def test_a_frame_cannot_know_its_request(name: str) -> None:
    with pytest.raises(LookedAt):
        getattr(Glimpse(None), name)


def test_what_is_kept_stays_bounded() -> None:
    assert day._frame.cache_info().maxsize


def test_a_new_photo_stands_in_the_bar_at_once(
    house: House, browser_of: Any, keys: Path, settings: Any, tmp_path: Path
) -> None:
    """The frame names the file: once that is replaced, the old name is a broken picture."""
    settings.DATA = tmp_path
    client, address = browser_of(house.doctor), f"/doctor?day={house.workday()}"
    assert "/files/" not in _text(client, address)
    for size in ((300, 200), (200, 300)):
        made = files.set_photo(actor=house.person(house.doctor), data=hostile.picture("PNG", size))
        assert f"/files/{made}" in _text(client, address)
