"""The demo hospital, loaded small: believable, alive today, made by the real actions, and never into someone's data."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.password_validation import validate_password
from django.db import transaction
from django.db.models import F

from polyclinic.core import clock
from polyclinic.core.actors import SystemActor
from polyclinic.core.audit import chain
from polyclinic.core.models import AuditEntry, OutboxEvent
from polyclinic.demo import accounts, crowd, diary, load, names, places
from polyclinic.demo.seed import Seeded
from polyclinic.facilities.models import Department, Facility, Room, Service
from polyclinic.notify.models import Delivery
from polyclinic.people.actions import next_record_number
from polyclinic.people.models import Account, Doctor, Patient
from polyclinic.scheduling import frames, selectors
from polyclinic.scheduling.models import Appointment, CareLink, Reservation, Schedule
from tests.demo.days import today_of

# The mark is what makes the runner set up its own database; the module's fixture alone would meet the real one.
pytestmark = pytest.mark.django_db
PATIENTS, VISITS = 300, 260
WORKDAY = datetime(2026, 11, 18, 10, 25, tzinfo=UTC)


@pytest.fixture(scope="module")
def loaded(django_db_setup: None, django_db_blocker: Any) -> Iterator[list[str]]:
    """A small demo, loaded once on a Wednesday morning, with the clock still there; rolled back at the end."""
    lines: list[str] = []
    with django_db_blocker.unblock(), clock.fixed(WORKDAY), transaction.atomic():
        frames._plans.clear()
        assert load.load(lines.append, patients=PATIENTS, visits=VISITS)
        yield lines
        transaction.set_rollback(True)
        frames._plans.clear()


def test_the_hospital_is_all_there(loaded: list[str]) -> None:
    assert (Facility.objects.count(), Department.objects.count()) == (3, 8)
    assert (Doctor.objects.count(), Service.objects.count()) == (40, 18)
    assert Patient.objects.count() == PATIENTS
    # What the home house alone gives is booked besides.
    assert Appointment.objects.filter(service__facility=None).count() == VISITS
    assert Appointment.objects.filter(service__facility__isnull=False).exists()
    assert len(set(Facility.objects.values_list("time_zone", flat=True))) == 3
    assert Room.objects.count() == Schedule.objects.count()
    assert len(loaded) >= 5


def test_nobody_is_written_to_about_what_was_only_played(loaded: list[str]) -> None:
    assert Delivery.objects.exists()
    assert not Delivery.objects.exclude(state="dropped").exists()
    assert not Delivery.objects.exclude(to="").exists()


def test_every_state_occurs_and_every_step_left_its_traces(loaded: list[str]) -> None:
    states = Counter(Appointment.objects.values_list("state", flat=True))
    assert set(states) == {"booked", "confirmed", "checked_in", "completed", "cancelled", "declined", "no_show"}
    steps = sum(Appointment.objects.values_list("version", flat=True))
    assert AuditEntry.objects.filter(subject_kind="appointment").count() == steps
    assert OutboxEvent.objects.filter(type__startswith="appointment.").count() == steps
    assert list(chain.verify()) == []


def test_history_is_told_in_the_order_it_happened(loaded: list[str]) -> None:
    times = list(AuditEntry.objects.order_by("id").values_list("at", flat=True))
    assert times == sorted(times)
    assert times[-1] <= WORKDAY
    assert WORKDAY - times[0] > timedelta(days=10)


def test_the_next_patient_gets_a_record_number_of_their_own(loaded: list[str]) -> None:
    assert not Patient.objects.filter(mrn=next_record_number()).exists()


def test_the_past_is_settled_and_the_future_is_not(loaded: list[str]) -> None:
    over = Appointment.objects.filter(ends__lt=WORKDAY)
    assert not over.filter(state__in=["booked", "confirmed"]).exists()
    coming = Appointment.objects.filter(starts__gt=WORKDAY + timedelta(days=1))
    assert not coming.filter(state__in=["completed", "no_show", "checked_in"]).exists()
    assert not Appointment.objects.filter(booked_at__gte=F("starts")).exists()


def test_nobody_is_seen_before_they_were_born(loaded: list[str]) -> None:
    for starts, born in Appointment.objects.values_list("starts", "patient__born"):
        assert starts.date() > born


def test_only_appointments_that_hold_a_time_reserve_it(loaded: list[str]) -> None:
    freed = Reservation.objects.filter(appointment__state__in=["cancelled", "declined"])
    assert not freed.exists()
    kept = Appointment.objects.exclude(state__in=["cancelled", "declined"])
    assert set(kept.values_list("pk", flat=True)) == set(
        Reservation.objects.filter(kind="doctor").values_list("appointment_id", flat=True)
    )


@pytest.mark.parametrize("key", ["doctor", "doctor2"])
def test_the_demo_doctors_have_a_living_day(loaded: list[str], key: str) -> None:
    day = today_of(key)
    assert {"completed", "checked_in", "confirmed", "booked"} <= set(day)
    assert 6 <= day.total() <= 30
    doctor = Doctor.objects.get(account__email=accounts.account(key).email)
    assert 1 <= CareLink.objects.filter(doctor=doctor, seen_at__isnull=True).count() <= 6


def test_there_are_free_times_to_book_today(loaded: list[str]) -> None:
    doctor = Doctor.objects.get(account__email=accounts.account("doctor").email)
    free = selectors.free_slots(SystemActor("demo"), doctor_id=doctor.pk, first_day=WORKDAY.date(), days=1)
    assert free


def test_the_demo_patient_has_a_past_and_a_future(loaded: list[str]) -> None:
    mine = Appointment.objects.filter(patient__account__email=accounts.account("patient").email)
    assert mine.filter(starts__lt=WORKDAY, state="completed").exists()
    # Far enough ahead to be moved and cancelled under the notice rule.
    assert mine.filter(starts__gt=WORKDAY + timedelta(days=2), state="confirmed").exists()


def test_every_demo_account_opens_and_no_other_does(loaded: list[str]) -> None:
    for entry in accounts.ACCOUNTS:
        found = authenticate(username=entry.email, password=entry.password)
        assert isinstance(found, Account), entry.email
        assert found.name == entry.name
        validate_password(entry.password)
        assert len(entry.password) >= 15
        assert entry.password not in repr(entry)
    demo = {entry.email for entry in accounts.ACCOUNTS}
    others = Account.objects.exclude(email__in=demo)
    assert others.exists()
    assert not any(other.has_usable_password() for other in others)


def test_loading_twice_changes_nothing(loaded: list[str]) -> None:
    before = (AuditEntry.objects.count(), Patient.objects.count())
    said: list[str] = []
    assert load.load(said.append) is False
    assert (AuditEntry.objects.count(), Patient.objects.count()) == before
    assert "already" in said[0]


def test_the_same_people_come_every_time() -> None:
    def draw() -> list[tuple[object, ...]]:
        seeded = Seeded()
        drawn = [crowd.draw_patient(seeded, n, WORKDAY.date(), str(n)) for n in range(50)]
        return [(p.pk, p.family_name, p.given_name, p.born, p.sex) for p in drawn]

    assert draw() == draw()


def test_the_crowd_looks_like_a_town() -> None:
    seeded = Seeded()
    drawn = [crowd.draw_patient(seeded, n, WORKDAY.date(), str(n)) for n in range(2_000)]
    ages = [crowd.age(patient, WORKDAY.date()) for patient in drawn]
    assert 0.15 < sum(age < 18 for age in ages) / 2_000 < 0.3
    assert 0.12 < sum(age >= 65 for age in ages) / 2_000 < 0.3
    assert max(ages) < 101
    everything = "".join(patient.family_name + patient.given_name for patient in drawn)
    kinds = {unicodedata.bidirectional(letter) for letter in everything}
    assert {"R", "AL", "L"} <= kinds
    assert any(unicodedata.combining(letter) for letter in everything)
    assert all(patient.family_name.strip() and patient.given_name.strip() for patient in drawn)
    limit = Patient._meta.get_field("family_name").max_length
    assert all(len(part) <= limit for culture in names.CULTURES for part in culture.family)


def test_no_doctor_is_in_two_places_on_one_day() -> None:
    for physician in places.PHYSICIANS:
        if physician.elsewhere:
            here = {day for hours in places.PATTERNS[physician.pattern] for day in hours.weekdays}
            there = {day for hours in places.PATTERNS[physician.elsewhere[1]] for day in hours.weekdays}
            assert not here & there, physician.family


def test_steps_of_every_visit_are_in_order(loaded: list[str]) -> None:
    assert diary.VISITS == 6_000
    for versions in Appointment.objects.values_list("pk", "version"):
        entries = AuditEntry.objects.filter(subject_id=str(versions[0])).order_by("id")
        assert [entry.revision for entry in entries] == list(range(1, versions[1] + 1))
