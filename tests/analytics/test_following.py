"""What is counted as things happen is what would be counted from the rows: after any history, after any crash."""

from __future__ import annotations

import contextlib
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import transaction

from polyclinic.analytics import counting, following
from polyclinic.analytics.models import Counted, Follower, Rollup, StaleDay
from polyclinic.core import clock
from polyclinic.core.outbox import log
from polyclinic.demo import soak
from polyclinic.scheduling import actions
from polyclinic.scheduling.models import Appointment
from tests.analytics.history import DEMO, History
from tests.house import House

pytestmark = pytest.mark.django_db
START = datetime(2026, 10, 22, 7, tzinfo=UTC)
Kept = dict[tuple[str, date, str, str], str]


def kept() -> Kept:
    rows = Rollup.objects.values_list("facility__slug", "day", "dimension", "key", "body")
    return {(place, day, dimension, key): body for place, day, dimension, key, body in rows if body != "{}"}


def follow() -> None:
    while following.catch_up(5):
        pass
    assert not StaleDay.objects.exists()


def rebuilt() -> Kept:
    following.rebuild()
    assert kept() == {}
    follow()
    return kept()


@pytest.mark.parametrize("seed", range(2))
def test_rebuilt_is_what_was_counted_on_the_way(house: House, seed: int) -> None:
    """Over the end of summer time, with looks at random and a crash now and then."""
    past = History(house, START, seed)
    for _turn in range(200):
        past.step()
        with clock.fixed(past.now):
            if past.rng.random() < 0.15:
                following.catch_up(past.rng.choice((0, 5)))
            elif past.rng.random() < 0.05:
                crash()
    with clock.fixed(past.now + timedelta(days=1)):
        follow()
        on_the_way = kept()
        assert on_the_way == rebuilt()
    assert len({day for _place, day, _dimension, _key in on_the_way}) > 10
    assert any('"turnaround"' in body for body in on_the_way.values())
    assert any('"response"' in body for body in on_the_way.values())


class Died(Exception):
    pass


def crash() -> None:
    """The process dies in the middle of counting a day: nothing of that day stays, and its mark does."""

    def state() -> object:
        return kept(), set(StaleDay.objects.values_list("day")), set(Counted.objects.values_list("pk", "through"))

    before, real = state(), counting.add_money

    def dies(*_given: object) -> None:
        raise Died

    counting.add_money = dies  # type: ignore[assignment]
    try:
        with contextlib.suppress(Died), transaction.atomic():
            following._mark()
            following._count_one()
            raise Died
    finally:
        counting.add_money = real
    assert state() == before


def test_a_simulated_day_with_tests_and_money(db: None) -> None:
    monday = date(2026, 11, 23)
    with clock.fixed(datetime(2026, 11, 21, 8, tzinfo=UTC)):
        home = soak.build(40)
        follow()
        for _day in soak.days(home, monday, 1, 8, seed=3):
            pass
    with clock.fixed(datetime(2026, 11, 25, 8, tzinfo=UTC)):
        follow()
        on_the_way = kept()
        body = on_the_way[home.slug, monday, "house", ""]
        assert on_the_way == rebuilt()
    for measure in ("appointments.completed", "wait.doctor", "consultation", "tests", "visit", "charged.", "taken."):
        assert f'"{measure}' in body, measure


def test_a_late_change_marks_its_day_and_is_counted_once(house: House) -> None:
    with clock.fixed(START):
        row = actions.book(
            actor=DEMO, patient_id=house.patient.pk, schedule_id=house.schedule.pk, starts=house.slot(6, 0)
        )
    day = row.starts.date()
    with clock.fixed(START + timedelta(days=5)):
        follow()
        assert '"appointments.booked":[1' in kept()["riverside", day, "house", ""]
        actions.take(actor=DEMO, appointment_id=row.pk, action="no_show")
        position = Follower.objects.get().position
        log.assign_positions()
        assert following._mark()
        assert list(StaleDay.objects.values_list("day", flat=True)) == [day]
        assert Follower.objects.get().position > position
        # The same events once more: the figure is counted and not added to.
        Follower.objects.update(position=position)
        follow()
        body = kept()["riverside", day, "house", ""]
        assert ('"appointments.no_show":[1' in body, "booked" in body) == (True, False)
        assert following.catch_up() == 0


def test_events_that_are_no_longer_kept_make_everything_be_counted_anew(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    with clock.fixed(START):
        actions.book(actor=DEMO, patient_id=house.patient.pk, schedule_id=house.schedule.pk, starts=house.slot(6, 0))
    with clock.fixed(START + timedelta(days=5)):
        follow()
        good = kept()
        # Unseen: the row changes and nobody says so.
        Appointment.objects.update(state="no_show")
        follow()
        assert kept() == good
        actions.book(actor=DEMO, patient_id=house.patient.pk, schedule_id=house.schedule.pk, starts=house.slot(0, 3))
        monkeypatch.setattr(log, "oldest", lambda: log.head() + 5)
        follow()
        assert kept() != good


def test_where_nothing_ever_was_nothing_is_waited_for(house: House) -> None:
    follow()
    assert Counted.objects.count() == 2
    assert kept() == {}
