"""Loading the demo where something is in the way: other data, a breakdown, an odd hour."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.db import connection

from polyclinic.core import clock
from polyclinic.core.errors import Conflict
from polyclinic.demo import load
from polyclinic.facilities.models import Facility
from polyclinic.people.models import Account
from polyclinic.scheduling import frames
from polyclinic.scheduling.models import Appointment
from tests.demo.days import today_of
from tests.house import House


@pytest.fixture(autouse=True)
def _forget_other_loads() -> Iterator[None]:
    """Schedules of the demo have the same ids in every load; one process sees two loads only in these tests."""
    frames._plans.clear()
    yield
    frames._plans.clear()


@pytest.mark.wide
@pytest.mark.django_db
@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 11, 21, 5, 3, tzinfo=UTC),
        datetime(2026, 12, 25, 23, 40, tzinfo=UTC),
        datetime(2027, 1, 1, 0, 5, tzinfo=UTC),
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
    ],
    ids=["saturday night", "late at Christmas", "new year", "clocks back"],
)
def test_it_loads_at_any_hour_of_any_day(moment: datetime) -> None:
    with clock.fixed(moment):
        load.load(lambda line: None, patients=200, visits=60)
        assert Appointment.objects.filter(service__facility=None).count() == 60
        assert today_of("doctor").total() >= 3


def test_it_never_mixes_with_real_people(house: House) -> None:
    before = Account.objects.count()
    with pytest.raises(Conflict, match="not_empty"):
        load.load(lambda line: None)
    assert Account.objects.count() == before


@pytest.mark.django_db(transaction=True)
def test_a_load_that_breaks_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("power cut")

    monkeypatch.setattr(load.actions, "mark_patients_seen", crash)
    with pytest.raises(RuntimeError, match="power cut"):
        load.load(lambda line: None, patients=200, visits=40)
    assert not load.is_loaded()
    assert not Facility.objects.exists()
    assert not connection.in_atomic_block
