"""Ranges, comparisons, departments, a doctor's own beside a median; rights, bad input and the number of queries."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from polyclinic.analytics import days, following, selectors
from polyclinic.analytics.days import Range
from polyclinic.core.actors import Person
from polyclinic.core.errors import Forbidden, Invalid, NotFound
from polyclinic.facilities.models import Membership
from tests.analytics import past
from tests.api.calling import bearer, call
from tests.house import House, missing

pytestmark = pytest.mark.django_db
ONE = timedelta(days=1)


@pytest.fixture
def boss(house: House) -> Person:
    return house.person(house.manager)


def follow() -> None:
    while following.catch_up(5):
        pass


def test_a_range_its_days_and_what_it_is_compared_with(house: House, boss: Person) -> None:
    now = past.today(house)
    for back, states in ((1, ("completed", "no_show", "cancelled")), (2, ("completed",)), (8, ("no_show",))):
        for number, state in enumerate(states):
            past.appointment(house, now - ONE * back, state, hour=9 + number)
    for number, waited in enumerate((5, 10, 60)):
        past.visit(house, now - ONE, number + 1, waited)
    past.appointment(house, now, "checked_in")
    assert selectors.stats(boss, house.facility.pk, now - ONE * 6, now, "previous").pending == 6
    follow()
    found = selectors.stats(boss, house.facility.pk, now - ONE * 6, now, "previous")
    assert (found.pending, found.figures.appointments, found.figures.no_show_rate) == (0, 4, 25.0)
    assert (found.figures.by_status["cancelled"], found.figures.came, found.figures.done) == (1, 3, 3)
    assert found.before is not None
    assert (found.before_from, found.before_to, found.before.no_show_rate) == (now - ONE * 13, now - ONE * 7, 100.0)
    wait = next(one.spread for one in found.figures.waits if one.line == "doctor")
    assert wait.count == 3
    assert wait.mean == 25 * 60
    for value, true in ((wait.p50, 600), (wait.p90, 3600), (wait.p95, 3600)):
        assert value == pytest.approx(true, rel=0.05)
    assert [(one.appointments, one.no_shows) for one in found.days][-3:] == [(1, 0), (2, 1), (1, 0)]
    assert found.figures.revenue == ()
    weeks = selectors.stats(boss, house.facility.pk, now - ONE * 60, now).days
    assert (len(weeks), weeks[0].days, sum(one.days for one in weeks)) == (9, 7, 61)
    assert sum(one.appointments for one in weeks) == 5


def test_ranges_end_today_are_two_years_at_most_and_know_leap_days() -> None:
    now = date(2028, 3, 1)
    for first, last, field in (
        (now, now + ONE, "to"), (now, now - ONE, "from"), (now - ONE * 731, now, "from"),
    ):  # fmt: skip
        with pytest.raises(Invalid) as refused:
            days.span(first, last, now)
        assert refused.value.field == field
    assert days.span(now - ONE * 730, now, now).days == 731
    assert Range(date(2028, 2, 29), now).before("year") == Range(date(2027, 2, 28), date(2027, 3, 1))
    assert Range(now, now).before("") is None
    with pytest.raises(Invalid) as refused:
        Range(now, now).before("decade")
    assert refused.value.field == "compare"


def test_departments_are_their_doctors_and_doctors_their_days(house: House, boss: Person) -> None:
    now = past.today(house)
    house.schedule.department = house.department
    house.schedule.save()
    past.appointment(house, now - ONE, "completed")
    past.appointment(house, now, "no_show", house.other_schedule)
    past.visit(house, now, 1, 5)
    follow()
    place = house.facility.pk
    gp, none = selectors.departments(boss, place)
    assert (gp.name, gp.doctors, gp.figures.appointments, gp.figures.came) == ("General practice", 1, 1, 1)
    assert (none.id, none.doctors, none.figures.no_show_rate) == (None, 1, 100.0)
    (rao,) = selectors.doctors(boss, place, house.department.pk)
    (okafor,) = selectors.doctors(boss, place, None)
    assert (rao.id, okafor.id) == (house.doctor.pk, house.other_doctor.pk)
    name, (slot,) = selectors.slots(boss, place, house.doctor.pk, now - ONE)
    assert ("Rao" in name, slot.starts, slot.service, slot.status) == (True, "09:00", "Consultation", "completed")
    for refused in (
        lambda: selectors.doctors(boss, place, missing()),
        lambda: selectors.slots(boss, place, house.stranger_doctor.pk, now),
        lambda: selectors.slots(boss, house.elsewhere.pk, house.stranger_doctor.pk, now),
    ):
        with pytest.raises(NotFound):
            refused()


@pytest.mark.parametrize(("others", "shown"), [(3, False), (4, True)])
def test_a_median_needs_five_doctors_who_saw_somebody(house: House, others: int, shown: bool) -> None:
    now = past.today(house)
    idle = past.colleagues(house, 5, None)
    for number, schedule in enumerate(idle[:others]):
        past.visit(house, now, number + 1, 30, schedule.doctor)
    past.visit(house, now, 20, 10)
    (own,) = selectors.own(house.person(house.doctor))
    assert own.doctors == others + 1
    assert (own.medians is not None) is shown
    if own.medians:
        wait = next(one.spread.p50 for one in own.own.waits if one.line == "doctor")
        assert wait == pytest.approx(600, rel=0.05)
        assert own.medians["wait"] == pytest.approx(1800, rel=0.05)
    with pytest.raises(NotFound):
        selectors.own(house.person(house.manager))


def test_over_the_api_a_day_a_range_and_all_hospitals(house: House) -> None:
    now, place = past.today(house), house.facility.pk
    past.appointment(house, now, "checked_in")
    past.appointment(house, now - ONE, "completed")
    follow()
    boss, desk = bearer(house.manager), bearer(house.receptionist)
    address = f"/api/hospitals/{place}/stats"
    plain = call("GET", address, headers=desk).json
    assert (plain["appointments"], plain["byStatus"]["checked_in"], plain["range"]) == (1, 1, None)
    assert (plain["now"]["appointments"], plain["now"]["taken"], plain["now"]["lowStock"]) == (1, None, None)
    assert call("GET", f"{address}?from={now}", headers=desk).status == 403
    ranged = call("GET", f"{address}?from={now - ONE}&to={now}&compare=year", headers=boss).json["range"]
    assert (ranged["from"], ranged["figures"]["appointments"]) == (str(now - ONE), 2)
    assert ranged["beforeTo"] == str(Range(now, now).before("year").last)  # type: ignore[union-attr]
    for bad, field in (
        (f"from={now + ONE}&to={now + ONE}", "to"),
        ("from=yesterday", "from"),
        ("compare=x", "compare"),
    ):
        answer = call("GET", f"{address}?{bad}", headers=boss)
        assert (answer.status, field in str(answer.json)) == (422, True), answer
    assert call("GET", f"/api/hospitals/{house.elsewhere.pk}/stats", headers=boss).status == 404
    mine = call("GET", "/api/admin/analytics?compare=previous", headers=boss).json
    assert [(one["name"], one["figures"]["appointments"]) for one in mine["facilities"]] == [("Riverside Clinic", 1)]
    admin = call("GET", "/api/admin/analytics", headers=bearer(house.staff["admin"])).json
    assert (admin["facilities"][0]["figures"]["revenue"], admin["facilities"][0]["before"]) == (None, None)


def test_an_answer_asks_as_often_for_two_years_as_for_a_week(house: House, boss: Person) -> None:
    now = past.today(house)
    for back in (0, 1, 40, 400):
        past.appointment(house, now - ONE * back, "completed")
        past.visit(house, now - ONE * back, 1, 5)
    follow()

    def asked(do: Any) -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            do()
        return len(seen)

    place = house.facility.pk
    week = asked(lambda: selectors.stats(boss, place, now - ONE * 6, now, "previous"))
    assert week == asked(lambda: selectors.stats(boss, place, now - ONE * 730, now, "year")) <= 14
    assert asked(lambda: selectors.departments(boss, place, now - ONE * 730, now)) <= 12
    one = asked(lambda: selectors.analytics(boss))
    Membership.objects.create(account=house.manager, facility=house.elsewhere, role="manager")
    both = house.person(house.manager)
    assert one == asked(lambda: selectors.analytics(both, now - ONE * 90))


def test_ranges_are_for_those_who_run_the_house(house: House) -> None:
    desk = house.person(house.receptionist)
    with pytest.raises(Forbidden):
        selectors.hospital(desk, house.facility.pk, compare="year")
    with pytest.raises(NotFound):
        selectors.stats(desk, house.facility.pk)
    with pytest.raises(NotFound):
        selectors.analytics(desk)
