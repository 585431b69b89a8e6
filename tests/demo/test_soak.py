"""A simulated day as fast as it goes: nobody stuck, the books balanced, no stock below nothing, every step delivered.

`POLYCLINIC_SOAK=7x300` plays a week of 300 visits a day, as measured for PROMISES.md (`python -m bench day`).
"""

from __future__ import annotations

import os
from datetime import UTC, date, datetime

import pytest

from polyclinic.billing.models import Invoice
from polyclinic.core import clock
from polyclinic.demo import checks, soak
from polyclinic.live.tail import Tail
from polyclinic.live.wire import Wired
from polyclinic.scheduling import frames
from polyclinic.visits.models import QueueEntry, Visit

MONDAY = date(2026, 11, 23)
BEFORE = datetime(2026, 11, 21, 8, tzinfo=UTC)
DAYS, VISITS = map(int, os.environ.get("POLYCLINIC_SOAK", "1x50").split("x"))


@pytest.fixture(autouse=True)
def _forget_other_loads() -> None:
    frames._plans.clear()


@pytest.mark.wide
@pytest.mark.django_db
def test_simulated_days_leave_nothing_behind() -> None:
    delivered: list[Wired] = []
    with clock.fixed(BEFORE):
        home = soak.build(max(200, VISITS * 3))
        tail = Tail(lambda _position: None, delivered.extend)
        tail.pump()
        past = list(soak.days(home, MONDAY, DAYS, VISITS, seed=7))
        tail.pump()
    assert [day.wrong for day in past] == [[]] * DAYS
    tally = sum((day.tally for day in past), start=past[0].tally.__class__())
    assert tally["registered"] >= DAYS * VISITS * 0.9
    assert tally["done"] + tally["left"] + tally["cancelled"] == tally["registered"]
    assert tally["results released"] > 0
    steps = [event for event in delivered if event.type.startswith("visit.")]
    assert len(steps) == checks.transitions(BEFORE)
    assert [event.position for event in delivered] == sorted(event.position for event in delivered)


@pytest.mark.django_db
def test_what_is_out_of_order_is_found() -> None:
    """The checks' own negative control: each finds what was broken by hand behind the actions' back."""
    with clock.fixed(BEFORE):
        home = soak.build(40)
        [day] = soak.days(home, MONDAY, 1, 6, seed=3)
    assert day.wrong == []
    one = Visit.objects.filter(state="done").first()
    assert one is not None
    Visit.objects.filter(pk=one.pk).update(version=one.version + 1)
    assert any("steps" in line for line in checks.told(BEFORE))
    invoice = Invoice.objects.filter(state="settled", paid_minor__gt=0).first()
    assert invoice is not None
    Invoice.objects.filter(pk=invoice.pk).update(paid_minor=invoice.paid_minor - 1)
    assert any("the books say" in line for line in checks.books())
    Visit.objects.filter(pk=one.pk).update(state="checked", closed_at=None)
    assert any("stuck in checked" in line for line in checks.stuck())
    ended = QueueEntry.objects.filter(visit__state="done", visit__closed_at__isnull=False).first()
    assert ended is not None
    QueueEntry.objects.filter(pk=ended.pk).update(ended_at=None)
    assert any("outlived" in line for line in checks.stuck())
