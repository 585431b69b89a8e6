"""Drawn rows are kept by their content: whatever changes in one is seen at the next look, and nobody gets another's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any

import msgspec
import pytest
from django.utils import translation

from polyclinic.core import clock
from polyclinic.core.ids import new_id
from polyclinic.people.models import Patient
from polyclinic.portals.doctor import lines
from polyclinic.scheduling import actions
from polyclinic.scheduling.models import Appointment
from polyclinic.scheduling.rows import AppointmentRow
from polyclinic.web.pages import draw
from tests.house import House

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
NASTY = "<b>%s{{ 7*7 }}\0name\0&amp;"


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    kept = lines._row, lines._skeleton
    for one in kept:
        one.cache_clear()
    yield
    for one in kept:
        one.cache_clear()


def _booked(house: House, nth: int = 0) -> Appointment:
    return actions.book(
        actor=house.person(house.patient),
        patient_id=house.patient.pk,
        schedule_id=house.schedule.pk,
        starts=house.slot(nth),
    )


def _made(**changes: Any) -> AppointmentRow:
    row = AppointmentRow(
        new_id(), "booked", 1, NOON, NOON + timedelta(minutes=20), "Asia/Kolkata", new_id(), "Riverside Clinic",
        new_id(), new_id(), "Dr Anil Rao", "cardiology", new_id(), "PILLAI, Meera", "MRN1",
        date(1980, 5, 17), "female", None, "", "Room 1", "", "",
    )  # fmt: skip
    return msgspec.structs.replace(row, **changes)


def _whole(row: AppointmentRow, *, coming: bool = False) -> str:
    """The row drawn from the template at once, with no hole and nothing kept."""
    one = lines.line(row)
    shape = lines._Shape(
        "en", row.status, row.sex, one.main, one.more, row.attention, coming, row.extra, bool(row.service_name),
        bool(row.reason), bool(row.room_name),
    )  # fmt: skip
    texts = lines._texts(lines._decode(lines._encode(row)), "en", clock.now().date())
    return draw("doctor/_row.html", {"shape": shape, **dict(zip(lines._NAMES, texts, strict=True))})


@pytest.mark.django_db
def test_the_same_row_is_drawn_once(house: House, browser_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made, client = _booked(house), browser_of(house.doctor)
    first = client.get(f"/doctor?day={house.workday()}").content.decode()
    monkeypatch.setattr(lines, "_skeleton", None)
    again = client.get(f"/doctor/day/row/{made.pk}").content.decode()
    assert again in first


@pytest.mark.django_db
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


@pytest.mark.django_db
def test_what_one_doctor_was_drawn_another_is_not_shown(house: House, browser_of: Any) -> None:
    made = _booked(house)
    day = f"/doctor?day={house.workday()}"
    assert str(made.pk) in browser_of(house.doctor).get(day).content.decode()
    other = browser_of(house.other_doctor)
    assert str(made.pk) not in other.get(day).content.decode()
    assert other.get(f"/doctor/day/row/{made.pk}").status_code == 404


@pytest.mark.django_db
def test_rows_carry_no_token_and_each_page_has_its_own(house: House, browser_of: Any) -> None:
    made, client = _booked(house), browser_of(house.doctor)
    tokens = set()
    for _look in range(2):
        page = client.get(f"/doctor?day={house.workday()}").content.decode()
        tokens.add(page.partition('name="csrfmiddlewaretoken" value="')[2][:64])
    assert len(tokens) == 2
    assert "csrfmiddlewaretoken" not in client.get(f"/doctor/day/row/{made.pk}").content.decode()


def test_a_filled_row_is_the_row_drawn_whole() -> None:
    states = ("booked", "confirmed", "checked_in", "completed", "no_show")
    with clock.fixed(NOON):
        for state, sex, text in product(states, ("female", "male", "other", "unknown"), ("", NASTY)):
            for hours in (-24, -1, 1, 24):
                starts = NOON + timedelta(hours=hours)
                row = _made(
                    status=state, sex=sex, starts=starts, ends=starts + timedelta(minutes=20), patient_name=text or "X",
                    reason=text, service_name=text, room_name=text, attention=text, mrn=text or "M", facility_name=text,
                )  # fmt: skip
                assert str(lines.drawn([row])) == _whole(row)


@pytest.mark.parametrize(
    "field", [name for name in AppointmentRow.__struct_fields__ if name not in ("service_id", "age")]
)
def test_whatever_changes_in_a_row_it_is_drawn_anew(field: str) -> None:
    before = _made()
    old: Any = getattr(before, field)
    changed = {
        "status": "confirmed", "time_zone": "Europe/Berlin", "sex": "male", "attention": "outside_hours", "version": 2,
        "starts": NOON - timedelta(hours=3), "ends": NOON + timedelta(hours=1), "born": date(1990, 1, 1), "age": 46,
        "extra": True,
    }.get(field, new_id() if not isinstance(old, str) else f"{old} changed")  # fmt: skip
    after = msgspec.structs.replace(before, **{field: changed})
    with clock.fixed(NOON):
        lines.drawn([before])
        assert str(lines.drawn([after])) == _whole(after)


def test_what_a_viewer_is_not_shown_is_a_dash() -> None:
    whole = _made(reason="cough", mrn="MRN77")
    cut = msgspec.structs.replace(whole, reason=msgspec.UNSET, mrn=msgspec.UNSET, born=msgspec.UNSET)
    coarse = msgspec.structs.replace(cut, age=46)
    with clock.fixed(NOON):
        for row, shown in ((whole, "F 46y · MRN77"), (cut, "F – · –"), (coarse, "F 46y · –")):
            drawn = str(lines.drawn([row]))
            assert shown in drawn
            assert ("cough" in drawn) == (row is whole)


def test_that_the_patient_comes_is_drawn_anew() -> None:
    row = _made()
    with clock.fixed(NOON):
        for coming in (False, True, False):
            html = str(lines.drawn([row], {row.id} if coming else ()))
            assert html == _whole(row, coming=coming)
            assert ("Confirmed by patient" in html) == coming


def test_the_hour_and_the_day_change_what_is_offered() -> None:
    row = _made(status="confirmed", born=date(1980, 11, 22))
    seen = []
    for moment in (NOON - timedelta(hours=1), NOON + timedelta(minutes=1), NOON + timedelta(days=1)):
        with clock.fixed(moment):
            seen.append(str(lines.drawn([row])))
            assert seen[-1] == _whole(row)
    assert "No-show" not in seen[0]
    assert "No-show" in seen[1]
    assert "46y" in seen[2]
    assert "45y" in seen[1]


def test_another_language_is_drawn_anew(catalogue: Any) -> None:
    row = _made()
    with clock.fixed(NOON - timedelta(hours=1)):
        english = str(lines.drawn([row]))
        with translation.override(catalogue({"Confirm": "Konfirmi", "Waiting for confirmation": "Atendas", "F": "I"})):
            other = str(lines.drawn([row]))
        assert str(lines.drawn([row])) == english
    assert "<span>Confirm</span>" not in other
    assert "Konfirmi" in other
    assert "Atendas" in other
    assert "Konfirmi" not in english


def test_what_is_kept_stays_bounded() -> None:
    for kept in (lines._row, lines._skeleton, lines._steps):
        assert kept.cache_info().maxsize
