"""What a manager sets for a hospital: versions never lost, from when on they hold, undoing, and two at once."""

from __future__ import annotations

import json
import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction

from polyclinic.core import clock
from polyclinic.core.actors import Anonymous
from polyclinic.core.errors import Conflict, Forbidden, Invalid, NotFound, Problem
from polyclinic.core.models import AuditEntry, OutboxEvent
from polyclinic.facilities import declared, hours, ruling, settings
from polyclinic.facilities.models import Facility, SettingVersion
from polyclinic.facilities.setting import Overtaken, change
from polyclinic.scheduling import actions, holds, selectors
from polyclinic.scheduling import house as houses
from polyclinic.scheduling.models import Appointment
from polyclinic.scheduling.problems import NotASlot, PatientsStranded
from tests.house import House
from tests.scheduling.test_booking import book


def put(house: House, key: str, value: str, who: Any = None, **more: Any) -> SettingVersion:
    """Set it as the manager, who has seen the newest version unless `seen` says otherwise."""
    last = SettingVersion.objects.filter(key=key, department_id=more.get("department_id")).order_by("-number").first()
    asked = {"seen": last.number if last else 0, "facility_id": house.facility.pk, **more}
    with transaction.atomic():
        return houses.change(actor=house.person(who or house.manager), key=key, value=value, **asked)


def now(house: House, key: str, moment: datetime | None = None) -> Any:
    return ruling.value(Facility.objects.get(pk=house.facility.pk), key, moment)


def free(house: House, day: date) -> list[str]:
    found = selectors.free_slots(Anonymous(), schedule_id=house.schedule.pk, first_day=day, days=1)
    return [slot.starts.astimezone(ZoneInfo(slot.time_zone)).strftime("%H:%M") for slot in found]


def test_a_change_is_a_version_with_who_when_and_from_when_on(house: House) -> None:
    manager = house.person(house.manager)
    assert settings.one(manager, house.facility.pk, "notice_hours").said == "24 hours"
    tomorrow = clock.now() + timedelta(days=1)
    put(house, "notice_hours", "48", note="Too many late calls", effective_from=tomorrow)
    row = settings.one(manager, house.facility.pk, "notice_hours")
    assert (row.said, row.planned, row.planned_from, row.version) == ("24 hours", "48 hours", tomorrow, 1)
    # In force to the instant, and not one before.
    assert now(house, "notice_hours", tomorrow - timedelta(microseconds=1)) == 24
    assert now(house, "notice_hours", tomorrow) == 48
    (kept,) = settings.history(manager, house.facility.pk, "notice_hours")
    assert (kept.before, kept.said, kept.made_by, kept.status) == ("24 hours", "48 hours", "Bo Boss", "planned")
    with clock.fixed(tomorrow):
        (kept,) = settings.history(manager, house.facility.pk, "notice_hours")
        assert kept.status == "in_force"
    entry = AuditEntry.objects.get(action="setting.change")
    assert json.loads(entry.detail) == {
        "key": "notice_hours", "before": "24", "after": "48", "from": tomorrow.isoformat(),
    }  # fmt: skip
    assert json.loads(OutboxEvent.objects.get(type="setting.changed").payload)["key"] == "notice_hours"


def test_undoing_makes_a_new_version_and_undoes_what_has_not_begun(house: House) -> None:
    manager, place = house.person(house.manager), house.facility.pk
    tomorrow = clock.now() + timedelta(days=1)
    put(house, "notice_hours", "48", effective_from=tomorrow)
    made = houses.undo(actor=manager, facility_id=place, key="notice_hours", number=0, seen=1)
    assert (made.number, made.value, made.undoes) == (2, "24", 0)
    assert now(house, "notice_hours", tomorrow + timedelta(days=400)) == 24
    assert [row.status for row in settings.history(manager, place, "notice_hours")] == ["in_force", "replaced"]
    with pytest.raises(NotFound):
        houses.undo(actor=manager, facility_id=place, key="notice_hours", number=7, seen=2)
    # An earlier value set once more is a version like any other.
    assert houses.undo(actor=manager, facility_id=place, key="notice_hours", number=1, seen=2).value == "48"
    assert SettingVersion.objects.count() == 3


def test_the_second_of_two_managers_is_shown_both_values(house: House) -> None:
    put(house, "notice_hours", "48")
    with pytest.raises(Overtaken) as late:
        put(house, "notice_hours", "12", who=house.staff["admin"], seen=0)
    assert late.value.status == 412
    assert {name: late.value.extra[name] for name in ("mine", "theirs", "by", "version")} == {
        "mine": "12 hours", "theirs": "48 hours", "by": "Bo Boss", "version": 1,
    }  # fmt: skip
    assert now(house, "notice_hours") == 48
    assert put(house, "notice_hours", "12", who=house.staff["admin"], seen=1).number == 2


@pytest.mark.parametrize(
    ("key", "value", "more", "field"),
    [
        ("notice_hours", "337", {}, "value"), ("notice_hours", "-1", {}, "value"), ("notice_hours", "٣", {}, "value"),
        ("hold_minutes", "1", {}, "value"), ("horizon_days", "", {}, "value"), ("horizon_days", "0", {}, "value"),
        ("notice_hours", "48", {"note": "x" * 201}, "note"),
        ("notice_hours", "48", {"effective_from": datetime(2020, 1, 1, tzinfo=UTC)}, "effectiveFrom"),
        ("notice_hours", "48", {"effective_from": datetime(2190, 1, 1, tzinfo=UTC)}, "effectiveFrom"),
        ("notice_hours", "48", {"effective_from": datetime(2190, 1, 1)}, "effectiveFrom"),
        ("opening_hours", "mon 12:00-09:00", {}, "value"),
        ("opening_hours", "mon 09:00-12:00 11:00-13:00", {}, "value"),
        ("opening_hours", "mon 22:00-24:01", {}, "value"), ("opening_hours", "day 09:00-12:00", {}, "value"),
        ("letter_name", "x" * 81, {}, "value"), ("letter_note", "<b>", {}, "value"),
        ("opening_hours", "mon", {}, "value"), ("holidays", "2026-02-30 closed Never", {}, "day"),
        ("holidays", "2031-05-01 closed <b>", {}, "name"),
        ("holidays", "2031-05-01 closed A; 2031-05-01 closed B", {}, "value"),
        ("holidays", "2031-05-01 09:00-08:00 Labour Day", {}, "hours"),
    ],
)  # fmt: skip
def test_bad_values_are_refused_by_name_and_nothing_is_written(
    house: House, key: str, value: str, more: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        put(house, key, value, **more)
    assert refused.value.field == field
    assert not SettingVersion.objects.exists()
    assert Facility.objects.get(pk=house.facility.pk).version == 1


@pytest.mark.parametrize(("key", "value"), [("notice_hours", "0"), ("notice_hours", "336"), ("hold_minutes", "2"),
                                            ("horizon_days", "365"), ("lead_minutes", "20160")])  # fmt: skip
def test_the_limits_themselves_are_allowed(house: House, key: str, value: str) -> None:
    put(house, key, value)
    assert now(house, key) == int(value)


def test_the_same_value_again_is_no_change(house: House) -> None:
    put(house, "notice_hours", "48")
    with pytest.raises(Invalid) as refused:
        put(house, "notice_hours", "048")
    assert refused.value.code == "unchanged"


def test_only_who_runs_the_house_sees_and_sets(house: House) -> None:
    for who in (house.receptionist, house.doctor, house.patient, house.stranger_receptionist):
        with pytest.raises(Problem) as refused:
            put(house, "notice_hours", "12", who=who)
        assert refused.value.status in (403, 404)
    # An administrator sets rules; hours touch patients, whom an administrator does not see.
    put(house, "notice_hours", "12", who=house.staff["admin"])
    with pytest.raises(Forbidden):
        put(house, "opening_hours", "mon 09:00-12:00", who=house.staff["admin"])
    with pytest.raises(NotFound):
        put(house, "notice_hours", "12", facility_id=house.elsewhere.pk, seen=0)
    with pytest.raises(NotFound):
        put(house, "no_such_thing", "12")
    with pytest.raises(Invalid) as refused_unit:
        put(house, "notice_hours", "12", department_id=house.department.pk)
    assert refused_unit.value.field == "departmentId"


def test_hours_cannot_be_set_around_the_patients(house: House) -> None:
    with pytest.raises(RuntimeError):
        change(actor=house.person(house.manager), facility_id=house.facility.pk, key="holidays", value="", seen=0)


def test_the_notice_rules_who_may_still_cancel(house: House) -> None:
    made = book(house, starts=house.slot(ahead=3))
    patient = house.person(house.patient)
    put(house, "notice_hours", "336")
    with pytest.raises(Conflict) as refused, transaction.atomic():
        actions.take(actor=patient, appointment_id=made.pk, action="cancel")
    assert (refused.value.code, refused.value.extra["noticeHours"]) == ("notice_too_short", 336)
    put(house, "notice_hours", "1")
    actions.take(actor=patient, appointment_id=made.pk, action="cancel")


def test_horizon_lead_and_hold_rule_bookings_from_their_moment_on(house: House) -> None:
    soon, late = house.slot(ahead=2), house.slot(ahead=40)
    patient = house.person(house.patient)
    kept = holds.hold(actor=patient, schedule_id=house.schedule.pk, starts=soon)
    assert kept.expires_at - clock.now() <= timedelta(minutes=5)
    put(house, "hold_minutes", "20")
    kept = holds.hold(actor=patient, schedule_id=house.schedule.pk, starts=soon)
    assert timedelta(minutes=19) < kept.expires_at - clock.now() <= timedelta(minutes=20)
    assert holds.extend_hold(actor=patient, hold_id=kept.pk).expires_at - clock.now() > timedelta(minutes=19)
    holds.release_hold(actor=patient, hold_id=kept.pk)
    put(house, "horizon_days", "30")
    assert free(house, late.date()) == []
    with pytest.raises(Invalid) as refused, transaction.atomic():
        book(house, starts=late)
    assert refused.value.code == "beyond_horizon"
    put(house, "lead_minutes", "20160", effective_from=clock.now() + timedelta(hours=1))
    assert free(house, soon.date())
    with clock.fixed(clock.now() + timedelta(hours=2)):
        assert free(house, soon.date()) == []
        with pytest.raises(Invalid) as refused, transaction.atomic():
            book(house, starts=soon)
        assert refused.value.code == "too_soon"


def test_nothing_is_offered_outside_the_house_s_hours(house: House) -> None:
    day = house.workday(5)
    assert free(house, day)[0] == "09:00"
    week = "; ".join(f"{name} 10:00-11:00" for name in hours.DAYS)
    put(house, "opening_hours", week)
    assert free(house, day) == ["10:00", "10:20", "10:40"]
    with pytest.raises(NotASlot), transaction.atomic():
        book(house, starts=house.local(day, 9))
    # The department's own hours come before the house's; a holiday comes before both.
    type(house.schedule).objects.filter(pk=house.schedule.pk).update(department_id=house.department.pk)
    put(house, "opening_hours", week.replace("10:00-11:00", "15:00-15:40"), department_id=house.department.pk)
    assert free(house, day) == ["15:00", "15:20"]
    put(house, "holidays", f"{day} 09:00-09:20 Founders' Day")
    assert free(house, day) == ["09:00"]
    put(house, "holidays", f"{day} closed Founders' Day")
    assert free(house, day) == []


def test_hours_of_a_coming_day_leave_the_days_before_as_they_are(house: House) -> None:
    first, second = house.workday(5), house.workday(9)
    begins = house.local(second, 0)
    put(house, "opening_hours", "; ".join(f"{name} 10:00-10:20" for name in hours.DAYS), effective_from=begins)
    assert len(free(house, first)) > 10
    assert free(house, second) == ["10:00"]


@pytest.mark.parametrize("resolution", ["keep", "cancel"])
def test_a_holiday_over_booked_patients_lists_them_first(house: House, resolution: str) -> None:
    made, other = book(house, starts=house.slot(ahead=4)), book(house, nth=3)
    day, manager = house.slot(ahead=4).date(), house.person(house.manager)
    value = f"{day} closed Flood"
    assert [row.id for row in houses.affected_by(manager, house.facility.pk, "holidays", value)] == [made.pk]
    with pytest.raises(PatientsStranded) as refused:
        put(house, "holidays", value)
    assert [row["id"] for row in refused.value.extra["appointments"]] == [str(made.pk)]
    assert not SettingVersion.objects.exists()
    put(house, "holidays", value, acknowledged={made.pk}, resolution=resolution)
    made.refresh_from_db()
    expected = ("cancelled", "") if resolution == "cancel" else (made.state, "outside_hours")
    assert (made.state, made.attention) == expected
    assert Appointment.objects.get(pk=other.pk).attention == ""


def test_shorter_hours_ask_about_whom_they_touch_and_undoing_gives_them_back(house: House) -> None:
    made = book(house, starts=house.slot(ahead=4))
    shorter = "; ".join(f"{name} 13:00-17:00" for name in hours.DAYS)
    with pytest.raises(PatientsStranded):
        put(house, "opening_hours", shorter)
    # From after their day on, nobody is touched.
    put(house, "opening_hours", shorter, effective_from=house.local(house.workday(30), 0))
    put(house, "opening_hours", shorter, acknowledged={made.pk})
    assert free(house, house.workday(5))[0] == "13:00"
    houses.undo(actor=house.person(house.manager), facility_id=house.facility.pk, key="opening_hours", number=0, seen=2)
    assert free(house, house.workday(5))[0] == "09:00"


@pytest.mark.parametrize(
    ("day", "minutes"),
    [(date(2027, 3, 28), 23 * 60), (date(2027, 10, 31), 25 * 60), (date(2027, 6, 1), 24 * 60)],
)
def test_a_day_open_around_the_clock_is_as_long_as_it_is(house: House, day: date, minutes: int) -> None:
    """Berlin's clocks change on 28 March and on 31 October 2027."""
    from polyclinic.scheduling.slots import opened

    zone = ZoneInfo("Europe/Berlin")
    ((start, end),) = opened(hours.read_stretches("00:00-24:00", "value"), day, zone)
    assert end - start == minutes
    # Hours that begin in the skipped hour begin when it is over; those in the doubled one end with its second.
    ((start, end),) = opened(hours.read_stretches("01:00-04:00", "value"), day, zone)
    assert end - start == 3 * 60 + minutes - 24 * 60


def test_slots_on_both_days_when_clocks_change(house: House) -> None:
    Facility.objects.filter(pk=house.facility.pk).update(horizon_days=365)
    put(house, "horizon_days", "365")
    put(house, "opening_hours", "; ".join(f"{name} 09:00-10:00" for name in hours.DAYS))
    type(house.schedule).objects.get(pk=house.schedule.pk).weekly.all().update(weekday=6)
    zone = ZoneInfo("Europe/Berlin")
    for day in (date(2027, 3, 28), date(2027, 10, 31)):
        with clock.fixed(datetime(day.year, day.month, day.day - 1, 12, tzinfo=zone)):
            assert free(house, day) == ["09:00", "09:20", "09:40"]


def test_the_public_sees_today_s_hours_and_coming_holidays(house: House) -> None:
    place = house.facility.pk
    assert settings.opening_hours(Anonymous(), place) == settings.HoursRow((), ())
    day = house.workday(5)
    put(house, "opening_hours", "mon 08:00-12:00; tue 08:00-12:00; wed 08:00-12:00; thu 08:00-12:00; fri 08:00-12:00")
    put(house, "holidays", f"{day} closed Founders' Day; 2001-01-01 closed Long ago")
    shown = settings.opening_hours(Anonymous(), place, days=14)
    by_day = {row.day: row for row in shown.days}
    assert (by_day[day].open, by_day[day].holiday) == ((), "Founders' Day")
    assert by_day[house.workday(6)].open == ((480, 720),)
    assert [row.day for row in shown.holidays] == [day]
    with pytest.raises(NotFound):
        settings.opening_hours(Anonymous(), UUID(int=0))


def test_values_are_read_back_as_they_were_written() -> None:
    for key, text in (
        ("opening_hours", "mon 08:00-12:00 13:00-24:00; sun 00:00-06:30"), ("opening_hours", ""),
        ("holidays", "2026-12-24 08:00-12:00 Christmas Eve; 2026-12-25 closed Noël"), ("notice_hours", "24"),
    ):  # fmt: skip
        kind = declared.known(key).kind
        assert kind.write(kind.read(text)) == text
    assert declared.known("holidays").kind.said(()) == "None"


def test_a_value_that_a_narrower_limit_refuses_rules_nothing(house: House) -> None:
    made = put(house, "notice_hours", "48")
    SettingVersion.objects.filter(pk=made.pk).update(value="9999")
    assert now(house, "notice_hours") == 24


def test_booking_costs_no_question_more_where_nothing_is_set(house: House, django_assert_num_queries: Any) -> None:
    selectors.free_slots(Anonymous(), schedule_id=house.schedule.pk, first_day=house.workday(), days=7)
    with django_assert_num_queries(2):
        selectors.free_slots(Anonymous(), schedule_id=house.schedule.pk, first_day=house.workday(), days=7)


def test_papers_carry_the_letterhead_that_is_in_force_when_they_are_printed(house: House) -> None:
    from polyclinic.papers.printing import letterhead

    def head() -> tuple[str, tuple[str, ...]]:
        found = letterhead(Facility.objects.get(pk=house.facility.pk))
        return found.name, found.lines

    assert head() == ("Riverside Clinic", ("Riverside", "Telephone 555-0100"))
    begins = clock.now() + timedelta(days=1)
    put(house, "letter_name", "Riverside Medical Centre", effective_from=begins)
    put(house, "letter_note", "Reg. no. HRB 1234/5")
    assert head() == ("Riverside Clinic", ("Riverside", "Telephone 555-0100", "Reg. no. HRB 1234/5"))
    with clock.fixed(begins):
        assert head()[0] == "Riverside Medical Centre"


def test_weekdays_with_the_same_hours_are_said_together() -> None:
    kind = declared.known("opening_hours").kind
    text = "mon 08:00-18:00; tue 08:00-18:00; wed 08:00-12:00"
    assert kind.said(kind.read(text)) == "Monday – Tuesday 08:00–18:00; Wednesday 08:00–12:00; Thursday – Sunday closed"


@pytest.mark.django_db(transaction=True)
def test_of_many_who_set_one_rule_at_once_one_does_and_the_others_see_its_value(house: House) -> None:
    manager, together = house.person(house.manager), threading.Barrier(6)
    told: list[str] = []

    def rival(number: int) -> None:
        together.wait(60)
        try:
            houses.change(
                actor=manager, facility_id=house.facility.pk, key="notice_hours", value=str(100 + number), seen=0
            )
        except Overtaken as late:
            told.append(late.extra["theirs"])
        finally:
            connection.close()

    threads = [threading.Thread(target=rival, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert told == [f"{SettingVersion.objects.get().value} hours"] * 5
    assert Facility.objects.get(pk=house.facility.pk).version == 2
