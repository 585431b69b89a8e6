"""Services that take more than a doctor: offered while all of it is free, booked all or none, given back whole."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from polyclinic.core import clock
from polyclinic.core.actors import Anonymous
from polyclinic.core.errors import Conflict, Forbidden, Invalid, NotFound, Problem, StaleEdit
from polyclinic.core.models import AuditEntry, OutboxEvent
from polyclinic.facilities import catalogue, offers, ruling, settings
from polyclinic.facilities.models import Equipment, Facility, Membership, Room, Service, SettingVersion
from polyclinic.facilities.setting import Overtaken
from polyclinic.scheduling import actions, availability, frames, holds, needs, offering, overbooking, selectors, series
from polyclinic.scheduling import house as houses_
from polyclinic.scheduling.models import Appointment, Reservation, Schedule, WeeklyHours
from polyclinic.scheduling.problems import PatientsStranded, SlotTaken
from tests import house as houses
from tests.house import House


def put(house: House, service: Service | None = None, who: Any = None, **more: Any) -> SettingVersion:
    """Set the terms of a service as the manager, who has seen the newest ones unless `seen` says otherwise."""
    key = offers.key_of((service or house.service).pk)
    asked = {
        name: more.pop(name)
        for name in ("seen", "effective_from", "acknowledged", "resolution")
        if name in more
    }  # fmt: skip
    last = SettingVersion.objects.filter(key=key).order_by("-number").first()
    asked.setdefault("seen", last.number if last else 0)
    with transaction.atomic():
        return houses_.change(
            actor=house.person(who or house.manager), facility_id=house.facility.pk, key=key,
            value=offers.write(offers.Offer(**more)), **asked,
        )  # fmt: skip


def equip(house: House, count: int = 1, name: str = "Ultrasound") -> Equipment:
    with transaction.atomic():
        return catalogue.add_equipment(
            actor=house.person(house.manager), facility_id=house.facility.pk, name=name, count=count
        )


def free(house: House, schedule: Schedule, day: date | None = None, service: Service | None = None) -> list[str]:
    found = availability.free_slots(
        Anonymous(), schedule_id=schedule.pk, service_id=(service or house.service).pk,
        first_day=day or house.workday(), days=1,
    )  # fmt: skip
    return [slot.starts.astimezone(ZoneInfo(slot.time_zone)).strftime("%H:%M") for slot in found]


def book(house: House, nth: int = 0, *, other: bool = False, **more: Any) -> Appointment:
    patient = house.other_patient if other else house.patient
    schedule = house.other_schedule if other else house.schedule
    asked = {"service_id": house.service.pk, "schedule_id": schedule.pk, "starts": house.slot(nth), **more}
    with transaction.atomic():
        return actions.book(actor=house.person(patient), patient_id=patient.pk, **asked)


def kinds(made: Appointment) -> list[str]:
    return sorted(Reservation.objects.filter(appointment=made).values_list("kind", flat=True))


def test_one_device_is_offered_to_two_doctors_until_it_is_taken(house: House) -> None:
    put(house, equipment=(equip(house).pk,))
    assert "09:00" in free(house, house.schedule)
    assert "09:00" in free(house, house.other_schedule)
    made = book(house)
    assert kinds(made) == ["device", "doctor", "patient", "room"]
    # The other doctor is free, and so is the room: the device alone is missing.
    assert "09:00" not in free(house, house.other_schedule)
    assert "09:20" in free(house, house.other_schedule)
    with pytest.raises(SlotTaken) as refused:
        book(house, other=True)
    offered = [slot["starts"] for slot in refused.value.extra["slots"]]
    assert len(offered) == 3
    assert offered[0] == (house.slot(1)).astimezone(ZoneInfo("UTC")).isoformat().replace("+00:00", "Z")
    # Nothing of the refused one is left.
    assert not Reservation.objects.filter(resource_id=house.other_doctor.pk).exists()
    # Without the service the doctor can be booked at that time.
    assert book(house, other=True, service_id=None).state == "booked"


def test_two_devices_serve_two_at_once_and_no_third(house: House) -> None:
    put(house, equipment=(equip(house, 2).pk,))
    one, two = book(house), book(house, other=True)
    taken = Reservation.objects.filter(kind="device").values_list("resource_id", flat=True)
    assert len(set(taken)) == 2
    rows = [selectors.appointment(house.person(house.manager), row.pk) for row in (one, two)]
    assert set(offering.beside(rows).values()) == {"Ultrasound 1", "Ultrasound 2"}
    third = houses.schedule(houses.doctor("Third", "Theo"), house.facility)
    assert "09:00" not in free(house, third)
    assert "09:20" in free(house, third)


@pytest.mark.parametrize("way", ["cancel", "decline", "reschedule"])
def test_what_was_taken_is_given_back_whole(house: House, way: str) -> None:
    put(house, equipment=(equip(house).pk,), second="role:nurse")
    made = book(house)
    assert kinds(made) == ["device", "doctor", "patient", "room", "second"]
    assert "09:00" not in free(house, house.other_schedule)
    with transaction.atomic():
        if way == "reschedule":
            actions.reschedule(actor=house.person(house.patient), appointment_id=made.pk, starts=house.slot(5))
        else:
            actions.take(actor=house.person(house.doctor), appointment_id=made.pk, action=way)
    assert "09:00" in free(house, house.other_schedule)
    left = kinds(made)
    assert left == (["device", "doctor", "patient", "room", "second"] if way == "reschedule" else [])
    if way == "reschedule":
        assert "10:40" not in free(house, house.other_schedule)


def test_a_kept_time_keeps_everything_and_gives_it_back(house: House) -> None:
    put(house, equipment=(equip(house).pk,))
    person = house.person(house.patient)
    with transaction.atomic():
        kept = holds.hold(actor=person, schedule_id=house.schedule.pk, starts=house.slot(), service_id=house.service.pk)
    assert "09:00" not in free(house, house.other_schedule)
    with pytest.raises(SlotTaken):
        book(house, other=True)
    # Booking by the hold gets the very same things.
    made = book(house, hold_id=kept.pk)
    assert kinds(made) == ["device", "doctor", "patient", "room"]
    with transaction.atomic():
        kept = holds.hold(
            actor=person, schedule_id=house.schedule.pk, starts=house.slot(3), service_id=house.service.pk
        )
        holds.release_hold(actor=person, hold_id=kept.pk)
    assert "10:00" in free(house, house.other_schedule)
    with transaction.atomic():
        holds.hold(actor=person, schedule_id=house.schedule.pk, starts=house.slot(4), service_id=house.service.pk)
    with clock.fixed(clock.now() + timedelta(minutes=6)):
        assert "10:20" in free(house, house.other_schedule)
        assert book(house, 4, other=True).state == "booked"


def test_a_permitted_room_is_taken_and_stands_on_the_appointment(house: House) -> None:
    scan = Room.objects.create(facility=house.facility, name="Scan 1")
    put(house, rooms=(scan.pk, house.room.pk))
    made, beside = book(house), book(house, other=True)
    # Their own room first, where it is permitted; the other doctor, who has none, gets the one that is left.
    assert (made.room_id, beside.room_id) == (house.room.pk, scan.pk)
    assert selectors.appointment(house.person(house.receptionist), beside.pk).room_name == "Scan 1"
    third = houses.schedule(houses.doctor("Third", "Theo"), house.facility)
    assert "09:00" not in free(house, third)
    with transaction.atomic():
        moved = actions.reschedule(actor=house.person(house.patient), appointment_id=made.pk, starts=house.slot(6))
    assert moved.room_id == house.room.pk
    assert "09:00" in free(house, third)


def test_the_second_person_is_a_doctor_at_work_here_and_not_with_a_patient(house: House) -> None:
    put(house, doctors=(house.doctor.pk,), second=f"doctor:{house.other_doctor.pk}")
    book(house, 1, other=True, service_id=None)
    assert free(house, house.schedule)[:2] == ["09:00", "09:40"]
    # Helping, they are not free for their own patients.
    made = book(house)
    assert "09:00" not in [
        slot.starts.astimezone(ZoneInfo(slot.time_zone)).strftime("%H:%M")
        for slot in availability.free_slots(
            Anonymous(), schedule_id=house.other_schedule.pk, first_day=house.workday(), days=1
        )
    ]
    rows = [selectors.appointment(house.person(house.doctor), made.pk)]
    assert offering.beside(rows) == {made.pk: "Dr Grace Okafor"}
    # They work in the afternoon only: no time before, in search and in booking alike.
    WeeklyHours.objects.filter(schedule=house.other_schedule, kind="hours").update(starts=time(13))
    Schedule.objects.filter(pk=house.other_schedule.pk).update(version=9)
    assert free(house, house.schedule)[0] == "13:00"
    with pytest.raises(SlotTaken):
        book(house, 2)


def test_a_second_doctor_needs_the_way_between_two_hospitals(house: House) -> None:
    put(house, doctors=(house.doctor.pk,), second=f"doctor:{house.other_doctor.pk}")
    far = houses.schedule(house.other_doctor, house.elsewhere)
    WeeklyHours.objects.filter(schedule=far).delete()
    WeeklyHours.objects.bulk_create(
        WeeklyHours(schedule=far, weekday=day, starts=time(0), ends=time(23)) for day in range(7)
    )
    house.other_doctor.travel_minutes = 40
    house.other_doctor.save()
    patient = house.stranger_patient
    with transaction.atomic():
        actions.book(
            actor=house.person(patient), patient_id=patient.pk, schedule_id=far.pk, starts=house.slot(3)
        )  # fmt: skip
    shown = free(house, house.schedule)
    assert shown[0] == "09:00"
    assert not {"09:20", "09:40", "10:00", "10:20", "10:40"} & set(shown)
    with pytest.raises(SlotTaken):
        book(house, 4)
    # And helping here, they are on the way when somebody wants them there.
    book(house, 8)
    taken = availability.free_slots(Anonymous(), schedule_id=far.pk, first_day=house.workday(), days=1)
    assert house.slot(9).astimezone(ZoneInfo("UTC")) not in [slot.starts for slot in taken]


def test_any_nurse_can_help_until_none_is_left(house: House) -> None:
    put(house, second="role:nurse")
    book(house)
    assert "09:00" not in free(house, house.other_schedule)
    another = houses.account("second.nurse@example.org", "Second Nurse")
    membership = Membership.objects.create(account=another, facility=house.facility, role="nurse")
    assert "09:00" in free(house, house.other_schedule)
    made = book(house, other=True)
    rows = [selectors.appointment(house.person(house.receptionist), made.pk)]
    assert offering.beside(rows) == {made.pk: "Second Nurse"}
    # Whoever has left helps no more.
    membership.ended_at = clock.now()
    membership.save()
    assert "09:20" in free(house, house.schedule)
    book(house, 1)
    assert "09:20" not in free(house, house.other_schedule)


def test_length_days_doctors_and_not_offering(house: House) -> None:
    day = house.workday()
    put(house, minutes=60, doctors=(house.doctor.pk,), first=day, last=day)
    assert free(house, house.schedule) == ["09:00", "10:00", "11:00", "13:00", "14:00", "15:00", "16:00"]
    assert free(house, house.other_schedule) == []
    assert free(house, house.schedule, house.workday(10)) == []
    made = book(house)
    assert made.ends - made.starts == timedelta(minutes=60)
    for more, code in (
        ({"other": True}, "other_specialty"), ({"starts": house.slot(0, 10)}, "not_offered"),
    ):  # fmt: skip
        with pytest.raises(Invalid) as refused:
            book(house, **more)
        assert refused.value.code == code
    put(house, offered=False, acknowledged={made.pk})
    assert free(house, house.schedule) == []


def test_terms_that_begin_later_hold_from_then_on(house: House) -> None:
    day = house.workday(8)
    put(house, equipment=(equip(house).pk,), effective_from=house.local(day, 0))
    assert kinds(book(house)) == ["doctor", "patient", "room"]
    made = book(house, starts=house.local(day, 9))
    assert kinds(made) == ["device", "doctor", "patient", "room"]
    assert "09:00" in free(house, house.other_schedule)
    assert "09:00" not in free(house, house.other_schedule, day)


def test_changed_terms_list_whom_they_affect_first(house: House) -> None:
    made, fine = book(house), book(house, 3, other=True, service_id=None)
    kind = equip(house)
    with pytest.raises(PatientsStranded) as refused:
        put(house, equipment=(kind.pk,))
    assert [row["id"] for row in refused.value.extra["appointments"]] == [str(made.pk)]
    assert not SettingVersion.objects.exists()
    (row,) = houses_.affected_by(
        house.person(house.manager), house.facility.pk, offers.key_of(house.service.pk),
        offers.write(offers.Offer(equipment=(kind.pk,))),
    )  # fmt: skip
    assert row.id == made.pk
    put(house, equipment=(kind.pk,), acknowledged={made.pk})
    made.refresh_from_db()
    assert (made.state, made.attention) == ("booked", "service_changed")
    # Decided once, they are not asked about again; whoever is booked now has what the terms ask for.
    with_it = book(house, 5)
    put(house, equipment=(kind.pk,), price="US")
    put(house, minutes=40, equipment=(kind.pk,), acknowledged={with_it.pk}, resolution="cancel")
    with_it.refresh_from_db()
    fine.refresh_from_db()
    assert (with_it.state, fine.state) == ("cancelled", "booked")
    assert AuditEntry.objects.filter(action="appointment.service_changed").count() == 1


def test_terms_are_versions_that_can_be_undone(house: House) -> None:
    manager, key = house.person(house.manager), offers.key_of(house.service.pk)
    put(house, minutes=30)
    with pytest.raises(Overtaken) as late:
        put(house, minutes=45, seen=0)
    assert (late.value.extra["mine"], late.value.extra["theirs"]) == ("45 minutes", "30 minutes")
    scan = Room.objects.create(facility=house.facility, name="Scan 1")
    put(house, minutes=45, rooms=(scan.pk,), equipment=(equip(house).pk,), second="role:nurse", price="US")
    shown = catalogue.service(manager, house.facility.pk, house.service.pk)
    assert shown.said == "45 minutes; Scan 1; Ultrasound; with a nurse; price US"
    assert (shown.version, shown.own, shown.editable) == (2, False, True)
    with transaction.atomic():
        houses_.undo(actor=manager, facility_id=house.facility.pk, key=key, number=1, seen=2)
    assert catalogue.service(manager, house.facility.pk, house.service.pk).said == "30 minutes"
    assert [row.status for row in settings.history(manager, house.facility.pk, key)] == ["in_force", "over", "over"]
    with transaction.atomic():
        houses_.undo(actor=manager, facility_id=house.facility.pk, key=key, number=0, seen=3)
    assert catalogue.service(manager, house.facility.pk, house.service.pk).said == "As usual"


def test_fewer_devices_ask_about_whoever_has_one_that_goes(house: House) -> None:
    kind = equip(house, 2)
    put(house, equipment=(kind.pk,))
    book(house)
    second = book(house, other=True)
    given: dict[str, Any] = {"actor": house.person(house.manager), "equipment_id": kind.pk, "version": 1}
    with pytest.raises(PatientsStranded) as refused, transaction.atomic():
        houses_.set_devices(count=1, **given)
    assert [row["id"] for row in refused.value.extra["appointments"]] == [str(second.pk)]
    with transaction.atomic():
        houses_.set_devices(count=1, acknowledged={second.pk}, resolution="cancel", **given)
    second.refresh_from_db()
    assert second.state == "cancelled"
    assert "09:00" not in free(house, house.other_schedule)
    with pytest.raises(StaleEdit), transaction.atomic():
        houses_.set_devices(count=3, **given)
    with transaction.atomic():
        houses_.set_devices(count=2, **{**given, "version": 2})
    assert "09:00" in free(house, house.other_schedule)


def test_a_series_books_everything_for_each_date_or_nothing(house: House) -> None:
    put(house, equipment=(equip(house).pk,))
    book(house, starts=house.slot() + timedelta(weeks=1), other=True)
    person = house.person(house.patient)
    rule: dict[str, Any] = {
        "schedule_id": house.schedule.pk, "starts": house.slot(), "every": 1, "unit": "week", "count": 3,
        "service_id": house.service.pk,
    }  # fmt: skip
    assert [row.free for row in series.plan(person, **rule)] == [True, False, True]
    with pytest.raises(SlotTaken), transaction.atomic():
        series.book(actor=person, patient_id=house.patient.pk, **rule)
    assert Reservation.objects.filter(kind="device").count() == 1
    with transaction.atomic():
        made = series.book(actor=person, patient_id=house.patient.pk, exceptions={2: None}, **rule)
    assert Reservation.objects.filter(kind="device").count() == 3
    with transaction.atomic():
        series.cancel(actor=house.person(house.receptionist), series_id=made.pk)
    assert Reservation.objects.filter(kind="device").count() == 1


def test_an_extra_patient_is_no_way_around_a_device(house: House) -> None:
    put(house, equipment=(equip(house).pk,))
    Schedule.objects.update(overbook_limit=2)
    book(house)
    known = book(house, 8, other=True, schedule_id=house.schedule.pk, service_id=None)
    assert known.state == "booked"
    asked: dict[str, Any] = {
        "actor": house.person(house.doctor), "patient_id": house.other_patient.pk, "schedule_id": house.schedule.pk,
        "starts": house.slot(), "overbook": "Chest pain",
    }  # fmt: skip
    with pytest.raises(Invalid) as refused, transaction.atomic():
        actions.book(service_id=house.service.pk, **asked)
    assert refused.value.code == "needs_more"
    with transaction.atomic():
        assert actions.book(**asked).state == "booked"


def test_nobody_is_put_beside_a_doctor_who_helps_a_colleague(house: House) -> None:
    put(house, doctors=(house.doctor.pk,), second=f"doctor:{house.other_doctor.pk}")
    Schedule.objects.update(overbook_limit=2)
    book(house)
    book(house, 8, other=True, service_id=None)
    doctor = house.person(house.other_doctor)
    shown = overbooking.taken_times(doctor, house.other_schedule.pk, house.workday())
    assert [slot.starts for slot in shown] == [house.slot(8).astimezone(ZoneInfo("UTC"))]
    with pytest.raises(SlotTaken), transaction.atomic():
        actions.book(
            actor=doctor, patient_id=house.other_patient.pk, schedule_id=house.other_schedule.pk,
            starts=house.slot(), overbook="Chest pain",
        )  # fmt: skip


def test_the_others_who_give_it_are_told_that_a_device_is_gone(house: House) -> None:
    put(house, equipment=(equip(house).pk,))
    book(house)
    told = OutboxEvent.objects.filter(type="availability.changed").values_list("payload", flat=True)
    assert {str(house.doctor.pk), str(house.other_doctor.pk)} <= {
        doctor for payload in told for doctor in (str(house.doctor.pk), str(house.other_doctor.pk))
        if doctor in str(payload)
    }  # fmt: skip


def test_a_house_adds_a_service_that_no_other_has(house: House) -> None:
    manager = house.person(house.manager)
    given: dict[str, Any] = {"actor": manager, "facility_id": house.facility.pk, "specialty": "general-practice"}
    with transaction.atomic():
        made = catalogue.add_service(name="Ultrasound of the neck", **given)
    assert made.slug.startswith("ultrasound-of-the-neck-")
    assert [row.name for row in catalogue.services(manager, house.facility.pk)] == [
        "Consultation", "Ultrasound of the neck",
    ]  # fmt: skip
    assert book(house, service_id=made.pk).state == "booked"
    stranger = house.stranger_patient
    with pytest.raises(NotFound), transaction.atomic():
        actions.book(
            actor=house.person(stranger), patient_id=stranger.pk, schedule_id=house.stranger_schedule.pk,
            starts=house.slot(), service_id=made.pk,
        )  # fmt: skip
    assert availability.free_slots(
        Anonymous(), facility_id=house.elsewhere.pk, service_id=made.pk, first_day=house.workday(), days=2
    ) == []  # fmt: skip
    for more, field in (
        ({"name": "ultrasound OF the neck"}, "name"), ({"name": "<b>"}, "name"), ({"name": ""}, "name"),
        ({"name": "Scan", "specialty": "astrology"}, "specialty"), ({"name": "Scan", "about": "x" * 201}, "about"),
    ):  # fmt: skip
        with pytest.raises(Invalid) as refused, transaction.atomic():
            catalogue.add_service(**{**given, **more})
        assert refused.value.field == field


def test_whose_right_it_is_and_what_terms_may_name(house: House) -> None:
    far = Room.objects.create(facility=house.elsewhere, name="Far")
    kind = equip(house)
    for who in (house.receptionist, house.staff["nurse"], house.staff["admin"]):
        with pytest.raises((Forbidden, NotFound)):
            put(house, who=who, minutes=30)
    with pytest.raises(NotFound):
        catalogue.services(house.person(house.stranger_receptionist), house.facility.pk)
    for more, field in (
        ({"rooms": (far.pk,)}, "rooms"), ({"equipment": (houses.missing(),)}, "equipment"),
        ({"doctors": (house.stranger_doctor.pk,)}, "doctors"), ({"minutes": 4}, "minutes"),
        ({"second": "role:patient"}, "second"), ({"second": f"staff:{house.receptionist.pk}"}, "second"),
        ({"second": f"doctor:{house.doctor.pk}", "doctors": (house.doctor.pk,)}, "second"),
        ({"price": "a b<"}, "price"), ({"first": date(2026, 12, 2), "last": date(2026, 12, 1)}, "last"),
    ):  # fmt: skip
        with pytest.raises(Invalid) as refused:
            put(house, **more)
        assert refused.value.field == field
    for text in ("{", "[1]", '{"minutes": "many"}', '{"rooms": ["x"]}'):
        with pytest.raises(Invalid):
            offers.read(text)
    with pytest.raises(NotFound):
        put(house, Service(pk=houses.missing()), minutes=30)
    assert Equipment.objects.get().pk == kind.pk
    for count in (-1, 51):
        with pytest.raises(Invalid) as refused, transaction.atomic():
            catalogue.add_equipment(
                actor=house.person(house.manager), facility_id=house.facility.pk, name="More", count=count
            )
        assert refused.value.field == "count"
    with pytest.raises(Invalid) as refused:
        equip(house, name="ULTRASOUND")
    assert refused.value.code == "taken"


def test_a_service_without_terms_asks_nothing_more_of_the_database(house: House) -> None:
    """The paths that everybody takes: they cost what they did before houses could set terms."""
    other = Service.objects.create(slug="check", name="Check", specialty="general-practice", minutes=20)
    free(house, house.schedule)
    with CaptureQueriesContext(connection) as before:
        free(house, house.schedule)
    put(house, other, equipment=(equip(house).pk,))
    # As in any later request: the transaction that changes a house remembers nothing of it.
    ruling._touched.ids.clear()
    frames._touched.ids.clear()
    free(house, house.schedule)
    with CaptureQueriesContext(connection) as after:
        free(house, house.schedule)
    assert len(after) == len(before)
    assert needs.plain(needs.terms(Facility.objects.get(pk=house.facility.pk), house.service.pk, clock.now()))


def test_search_and_booking_agree_at_every_time(house: House) -> None:
    """Whatever is offered can be booked, and what is not cannot: over a morning with devices and people half taken."""
    put(house, equipment=(equip(house).pk,), second=f"doctor:{house.other_doctor.pk}", doctors=(house.doctor.pk,))
    for nth in (1, 4):
        book(house, nth, other=True, service_id=None)
    book(house, 6)
    offered = free(house, house.schedule)
    for nth in range(9):
        starts: datetime = house.slot(nth)
        shown = starts.strftime("%H:%M") in offered
        with transaction.atomic():
            mark = transaction.savepoint()
            try:
                with transaction.atomic():
                    patient = house.stranger_patient
                    actions.book(
                        actor=house.person(patient), patient_id=patient.pk, schedule_id=house.schedule.pk,
                        starts=starts, service_id=house.service.pk,
                    )  # fmt: skip
                could = True
            except Problem:
                could = False
            transaction.savepoint_rollback(mark)
        assert could == shown, starts


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_with_two_doctors_one_gets_the_device(committed_house: House) -> None:
    house = committed_house
    put(house, equipment=(equip(house).pk,))
    came: list[str] = []
    ready = threading.Barrier(2)

    def press(patient: Any, schedule: UUID) -> None:
        try:
            ready.wait(20)
            actions.book(
                actor=house.person(patient), patient_id=patient.pk, schedule_id=schedule, starts=house.slot(),
                service_id=house.service.pk,
            )  # fmt: skip
            came.append("booked")
        except Conflict as refused:
            came.append(f"{refused.code} {len(refused.extra['slots'])}")
        finally:
            connection.close()

    pressed: list[Callable[[], None]] = [
        lambda: press(house.patient, house.schedule.pk), lambda: press(house.other_patient, house.other_schedule.pk),
    ]  # fmt: skip
    threads = [threading.Thread(target=one) for one in pressed]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(came) == ["booked", "slot_taken 3"]
    assert Reservation.objects.filter(kind="device").count() == 1
