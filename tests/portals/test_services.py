"""The services of a house as its manager without JavaScript sets them, and two desks that want the same device."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC
from typing import Any

import pytest
from django.test import Client

from polyclinic.core import clock
from polyclinic.facilities import offers
from polyclinic.facilities.models import Equipment, Room, Service, SettingVersion
from polyclinic.scheduling.models import Appointment, Reservation
from tests.house import House
from tests.portals.conftest import form, send
from tests.scheduling.test_services import book, equip, put

Browser = Callable[[Any], Client]


@pytest.fixture
def manager(house: House, browser_of: Browser) -> Client:
    return browser_of(house.manager)


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode())).replace("\u00a0", " ")


def test_a_manager_adds_a_device_and_a_service_and_says_on_what_terms(house: House, manager: Client) -> None:
    scan = Room.objects.create(facility=house.facility, name="Scan 1")
    page = manager.get("/admin/services")
    assert "Consultation General practice As usual" in text(page)
    assert send(manager, page, "/admin/equipment", device="Ultrasound", count="1").status_code == 303
    answer = send(manager, page, "/admin/services/add", name="Neck ultrasound", specialty="general-practice")
    assert answer.status_code == 303
    made = Service.objects.get(name="Neck ultrasound")
    page = manager.get(answer.headers["Location"])
    kind = Equipment.objects.get()
    answer = send(
        manager, page, f"/admin/services/{made.pk}", minutes="30", rooms=str(scan.pk), equipment=str(kind.pk),
        second="role:nurse", doctors=str(house.doctor.pk), last_day="2199-01-01", note="New device",
    )  # fmt: skip
    assert answer.status_code == 303
    shown = text(manager.get(answer.headers["Location"]))
    assert "It is set." in shown
    assert "30 minutes; Dr Anil Rao; Scan 1; Ultrasound; with a nurse; until 01-Jan-2199" in shown
    terms = offers.read(SettingVersion.objects.get().value)
    assert (terms.minutes, terms.equipment, terms.rooms) == (30, (kind.pk,), (scan.pk,))
    # The generic page of settings leads here.
    assert manager.get(f"/admin/house/{offers.key_of(made.pk)}").headers["Location"] == f"/admin/services/{made.pk}"
    page = manager.get(f"/admin/services/{made.pk}")
    assert send(manager, page, "/undo").status_code == 303
    assert "In force As usual" in text(manager.get(f"/admin/services/{made.pk}"))


def test_what_is_wrong_is_said_beside_the_field_and_nothing_is_lost(house: House, manager: Client) -> None:
    address = f"/admin/services/{house.service.pk}"
    for sent, sentence in (
        ({"minutes": "many"}, "Write a whole number."), ({"minutes": "2"}, "Choose between 5 and 480 minutes."),
        ({"first_day": "soon"}, "Write the day as year-month-day"),
        ({"first_day": "2027-02-02", "last_day": "2027-02-01"}, "The end must be after the beginning."),
        ({"second": "role:patient"}, "Choose one of those who work here."),
        ({"doctors": str(house.stranger_doctor.pk)}, "Choose doctors of this specialty"),
        ({"price": "<i>"}, "Choose a price"),
    ):  # fmt: skip
        answer = send(manager, manager.get(address), address, note="Because", **sent)
        assert answer.status_code == 422
        assert sentence in text(answer)
        assert form(answer, address)["fields"]["note"] == "Because"
    page = manager.get("/admin/services")
    for ending, sent, sentence in (
        ("/admin/services/add", {"name": "consultation", "specialty": "general-practice"}, "a service of this name"),
        ("/admin/services/add", {"name": "Scan", "specialty": "x"}, "Choose a specialty"),
        ("/admin/equipment", {"device": "", "count": "1"}, "Write at most 60 letters"),
        ("/admin/equipment", {"device": "Scanner", "count": "900"}, "between 0 and 50"),
    ):
        answer = send(manager, page, ending, **sent)
        assert answer.status_code == 422
        assert sentence in text(answer)
    assert not SettingVersion.objects.exists()
    assert not Equipment.objects.exists()
    for bad in ("x", "00000000-0000-0000-0000-000000000000"):
        assert manager.get(f"/admin/services/{bad}").status_code == 404


def test_who_is_booked_is_shown_before_terms_or_devices_change(house: House, manager: Client) -> None:
    kind = equip(house, 1)
    made = book(house)
    address = f"/admin/services/{house.service.pk}"
    asked = send(manager, manager.get(address), address, equipment=str(kind.pk))
    assert asked.status_code == 409
    assert "would be without what the service asks for" in text(asked)
    assert "PILLAI, Meera" in text(asked)
    assert not SettingVersion.objects.exists()
    assert send(manager, asked, address, resolution="keep").status_code == 303
    made.refresh_from_db()
    assert made.attention == "service_changed"
    with_it = book(house, 4)
    page = manager.get("/admin/services")
    asked = send(manager, page, f"/admin/equipment/{kind.pk}", count="0")
    assert asked.status_code == 409
    assert send(manager, asked, f"/admin/equipment/{kind.pk}", resolution="cancel").status_code == 303
    with_it.refresh_from_db()
    assert with_it.state == "cancelled"
    assert Equipment.objects.get().count == 0


def test_who_saves_an_old_page_is_shown_both(house: House, manager: Client, browser_of: Browser) -> None:
    address, other = f"/admin/services/{house.service.pk}", browser_of(house.manager)
    page = other.get(address)
    send(manager, manager.get(address), address, minutes="30")
    late = send(other, page, address, minutes="45")
    assert late.status_code == 409
    assert "You wanted 45 minutes" in text(late)
    assert "It is set to 30 minutes" in text(late)
    assert form(late, address)["fields"]["minutes"] == "45"
    assert send(other, late, address).status_code == 303


def test_the_desk_books_a_service_and_is_told_the_next_times(
    house: House, browser_of: Browser, manager: Client
) -> None:
    put(house, equipment=(equip(house).pk,), second="role:nurse")
    desk = browser_of(house.receptionist)
    for one in (house.patient, house.other_patient):
        book(house, 8 if one is house.patient else 7, other=one is not house.patient, service_id=None)
    first = house.workday()
    pages = {}
    for one, schedule in ((house.patient, house.schedule), (house.other_patient, house.other_schedule)):
        query = f"?schedule={schedule.pk}&service={house.service.pk}&from={first.isoformat()}"
        pages[one.pk] = desk.get(f"/bookings/{one.pk}{query}")
    slot = f"{house.slot().astimezone(UTC):%Y%m%dT%H%M%SZ}"
    won = send(desk, pages[house.patient.pk], f"/bookings/{house.patient.pk}?", slot=f"{house.schedule.pk}@{slot}",
               deed="one")  # fmt: skip
    assert won.status_code == 303
    lost = send(
        desk, pages[house.other_patient.pk], f"/bookings/{house.other_patient.pk}?",
        slot=f"{house.other_schedule.pk}@{slot}", deed="one",
    )  # fmt: skip
    assert lost.status_code == 409
    shown = text(lost)
    assert "This time has just been taken." in shown
    assert re.search(r"The next free times \S+ 09:20, \S+ 09:40, \S+ 10:00", shown)
    made = Appointment.objects.get(service=house.service)
    assert Reservation.objects.filter(appointment=made, kind="device").count() == 1
    # Whoever sends or awaits the patient reads where and with what.
    day = text(browser_of(house.doctor).get(f"/doctor?day={first.isoformat()}"))
    assert "Room 4 · Ultrasound · Some nurse" in day


def test_the_desk_reads_where_to_send_who_is_due(house: House, browser_of: Browser) -> None:
    put(house, equipment=(equip(house).pk,))
    made = book(house)
    with clock.fixed(made.starts):
        assert "Dr Anil Rao · Room 4 · Ultrasound" in text(browser_of(house.receptionist).get("/reception"))
