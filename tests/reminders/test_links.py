"""The link of a reminder: without signing in, one appointment, two answers, the house's notice, and no more."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.core import mail
from django.test import Client

from polyclinic.core import clock
from polyclinic.core.ids import new_id
from polyclinic.core.models import AuditEntry, OutboxEvent
from polyclinic.reminders import links
from polyclinic.reminders.models import AgreedTime
from polyclinic.scheduling import actions as scheduling
from polyclinic.scheduling.models import Appointment, Reservation
from tests.house import House
from tests.portals.conftest import forms, send
from tests.reminders.conftest import at, book, sent


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode())).replace("\u00a0", " ")


@pytest.fixture
def row(reminded: House) -> Appointment:
    made = book(reminded, 10, reason="Chest pain at night")
    sent()
    return made


@pytest.fixture
def link(row: Appointment) -> str:
    """As it stands in the mail."""
    found = re.search(r"http://localhost:8000(/r/\S+)", mail.outbox[-1].body)
    assert found is not None
    return found[1]


@pytest.fixture
def anyone() -> Client:
    return Client(enforce_csrf_checks=True)


def test_opening_does_nothing_pressing_says_that_one_comes_at_once(
    reminded: House, row: Appointment, link: str, anyone: Client
) -> None:
    page = anyone.get(link)
    assert (page.status_code, page.headers["Cache-Control"]) == (200, "no-store")
    for secret in ("Chest", "Rao", "Pillai", "Meera", "Consultation", str(row.pk)):
        assert secret not in page.content.decode(), secret
    assert AgreedTime.objects.get().coming_at is None
    assert not OutboxEvent.objects.filter(type="appointment.answered").exists()
    done = send(anyone, page, link, answer="come")
    assert (done.status_code, "we expect you" in text(done)) == (200, True)
    event = OutboxEvent.objects.get(type="appointment.answered")
    told = orjson.loads(event.payload)
    assert told["appointmentId"] == str(row.pk)
    assert f"doctor:{row.doctor_id}" in event.audience
    entry = AuditEntry.objects.get(action="appointment.answer")
    assert (entry.actor, entry.patient_id) == ("system:reminder-link", row.patient_id)
    # The doctor's list says so.
    doctor = Client()
    doctor.force_login(reminded.doctor.account)
    line = doctor.get(f"/doctor/day/row/{row.pk}")
    assert "Confirmed by patient" in text(line)
    assert "Confirmed by patient" in text(doctor.get(f"/doctor?day={row.starts.date()}"))
    # It is not the house's own confirmation.
    assert Appointment.objects.get().state == "booked"


def test_pressed_twice_it_is_said_once(row: Appointment, link: str, anyone: Client) -> None:
    page = anyone.get(link)
    for _twice in range(2):
        assert send(anyone, page, link, answer="come").status_code == 200
    assert OutboxEvent.objects.filter(type="appointment.answered").count() == 1
    assert AuditEntry.objects.filter(action="appointment.answer").count() == 1


def test_cancelling_asks_first_and_frees_the_time(row: Appointment, link: str, anyone: Client) -> None:
    page = anyone.get(link)
    assert f"{link}?ask=cancel" in page.content.decode()
    asked = anyone.get(f"{link}?ask=cancel")
    assert "Cancel this appointment?" in text(asked)
    assert Appointment.objects.get().state == "booked"
    done = send(anyone, asked, link, answer="cancel")
    assert "Your appointment is cancelled" in text(done)
    assert Appointment.objects.get().state == "cancelled"
    assert not Reservation.objects.filter(appointment=row).exists()
    # The link is used up: it leads nowhere, and says why.
    for again in (anyone.get(link), send(anyone, page, link, answer="come"), send(anyone, page, link, answer="cancel")):
        assert (again.status_code, "no longer holds" in text(again)) == (410, True)
        assert "Riverside" not in text(again)


def test_within_the_notice_it_does_not_cancel_but_names_the_telephone(
    row: Appointment, link: str, anyone: Client, time_machine: Any
) -> None:
    page = anyone.get(f"{link}?ask=cancel")
    at(time_machine, row.starts, timedelta(hours=2))
    shown = anyone.get(f"{link}?ask=cancel")
    assert "ask=cancel" not in shown.content.decode().partition("<h1>")[2]
    assert "555-0100" in text(shown)
    # Somebody who has kept the page open is refused by the rule itself.
    refused = send(anyone, page, link, answer="cancel")
    assert (refused.status_code, "too late" in text(refused)) == (409, True)
    assert Appointment.objects.get().state == "booked"
    assert send(anyone, shown, link, answer="come").status_code == 200


def test_moved_or_begun_the_link_is_over(
    reminded: House, row: Appointment, link: str, anyone: Client, time_machine: Any
) -> None:
    at(time_machine, clock.now() + timedelta(minutes=1))
    scheduling.reschedule(actor=reminded.person(reminded.patient), appointment_id=row.pk, starts=reminded.slot(2, 12))
    assert anyone.get(link).status_code == 410
    sent()
    fresh = re.search(r"(/r/\S+)", mail.outbox[-1].body)
    assert fresh is not None
    assert anyone.get(fresh[1]).status_code == 200
    at(time_machine, Appointment.objects.get().starts)
    assert anyone.get(fresh[1]).status_code == 410


def test_what_was_said_of_the_old_time_is_not_said_of_the_new_one(
    reminded: House, row: Appointment, link: str, anyone: Client
) -> None:
    send(anyone, anyone.get(link), link, answer="come")
    scheduling.reschedule(actor=reminded.person(reminded.patient), appointment_id=row.pk, starts=reminded.slot(2, 12))
    doctor = Client()
    doctor.force_login(reminded.doctor.account)
    assert "Confirmed by patient" not in text(doctor.get(f"/doctor/day/row/{row.pk}"))


def test_no_other_text_opens_anything(row: Appointment, link: str, anyone: Client) -> None:
    token = link.removeprefix("/r/")
    agreed = AgreedTime.objects.get()
    last = token[:-1] + ("A" if token[-1] != "A" else "B")
    for wrong in (
        last, token[:-1], token + "A", token.swapcase(), "A" * 43, str(agreed.pk), links.feed_token(agreed.pk),
        "é" * 43, "%00", token[:22] + "A" * 21,
    ):  # fmt: skip
        answer = anyone.get(f"/r/{wrong}")
        assert answer.status_code == 404, wrong
        assert anyone.get(f"/calendar/{wrong}.ics").status_code == 404, wrong
    # One that we would have written, of what is no more.
    assert anyone.get(f"/r/{links.answer_token(new_id())}").status_code == 410


def test_every_bit_of_a_link_counts() -> None:
    key = new_id()
    token = links.answer_token(key)
    assert (links.agreed_of(token), len(token)) == (key, 43)
    signs = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for place in range(43):
        for sign in signs:
            other = token[:place] + sign + token[place + 1 :]
            assert other == token or links.agreed_of(other) is None


def test_the_form_is_protected_against_forgery_and_needs_an_answer(row: Appointment, link: str, anyone: Client) -> None:
    assert anyone.post(link, {"answer": "come"}).status_code == 403
    page = anyone.get(link)
    assert send(anyone, page, link, answer="nonsense").status_code == 200
    assert AgreedTime.objects.get().coming_at is None
    assert [one["action"] for one in forms(page) if "/r/" in one["action"]] == [link]
