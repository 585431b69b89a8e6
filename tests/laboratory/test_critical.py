"""A critical result: the named person, the ladder at five and ten minutes, and who ends it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.core import mail

from polyclinic.core import clock
from polyclinic.core.actors import SystemActor
from polyclinic.core.errors import Forbidden, IllegalTransition, Invalid, NotFound
from polyclinic.core.models import OutboxEvent
from polyclinic.laboratory import critical, entering, selectors
from polyclinic.laboratory.models import AlertCall, CriticalAlert
from polyclinic.notify import worker
from polyclinic.notify.models import Notice
from tests.laboratory.bench import Bench
from tests.portals.conftest import browser_of

__all__ = ["browser_of"]
LADDER = SystemActor("critical-ladder")


def raised(bench: Bench, value: str = "7.1") -> CriticalAlert:
    order = bench.ready("k")
    bench.enter(order, k=value)
    bench.verify(order, "k")
    return CriticalAlert.objects.get()


def called() -> list[UUID]:
    return list(AlertCall.objects.order_by("pk").values_list("account_id", flat=True))


def after(alert: CriticalAlert, **time: float) -> datetime:
    return alert.raised_at + timedelta(**time)


def climb(at: datetime) -> int:
    with clock.fixed(at):
        return critical.escalate(actor=LADDER)


def test_who_asked_for_the_test_is_called_first(bench: Bench) -> None:
    raised(bench)
    assert called() == [bench.checker.account_id]
    notice = Notice.objects.get(account_id=bench.checker.account_id)
    assert notice.kind == "critical_result"
    assert notice.detail == {}
    event = OutboxEvent.objects.get(type="lab.critical_result")
    assert f"user:{bench.checker.account_id}" in event.audience.split()
    assert "7.1" not in event.payload


@pytest.mark.parametrize("value", ["2.6", "6.4", "4.0"])
def test_nobody_is_called_for_less(bench: Bench, value: str) -> None:
    order = bench.ready("k")
    bench.enter(order, k=value)
    bench.verify(order, "k")
    assert not CriticalAlert.objects.exists()


def test_the_ladder_climbs_at_five_and_ten_minutes_to_the_second(bench: Bench) -> None:
    alert = raised(bench)
    assert climb(after(alert, minutes=4, seconds=59)) == 0
    assert climb(after(alert, minutes=5)) == 1
    house = bench.house
    assert set(called()) == {bench.checker.account_id, house.doctor.account_id, house.staff["main_doctor"].pk}
    assert climb(after(alert, minutes=9, seconds=59)) == 0
    assert climb(after(alert, minutes=10)) == 1
    assert house.staff["nurse"].pk in called()
    assert climb(after(alert, hours=5)) == 0
    assert CriticalAlert.objects.get().level == 2


def test_what_fell_due_while_nothing_ran_is_done_at_once(bench: Bench) -> None:
    alert = raised(bench)
    assert climb(after(alert, hours=1)) == 2
    assert len(called()) == len(set(called()))


def test_acknowledging_stops_the_ladder(bench: Bench) -> None:
    alert = raised(bench)
    with pytest.raises(Invalid):
        critical.acknowledge(actor=bench.checker, alert_id=alert.pk, comment=" ")
    critical.acknowledge(actor=bench.checker, alert_id=alert.pk, comment="Calcium given, ECG")
    assert climb(after(alert, hours=1)) == 0
    row = selectors.alert(bench.checker, alert.pk)
    assert (row.state, row.comment, row.closed_by) == ("acknowledged", "Calcium given, ECG", bench.checker.name)
    with pytest.raises(IllegalTransition):
        critical.acknowledge(actor=bench.main, alert_id=alert.pk, comment="Too late")


def test_who_has_nothing_to_do_with_it_cannot_end_it(bench: Bench) -> None:
    alert = raised(bench)
    house = bench.house
    with pytest.raises(Forbidden):
        critical.acknowledge(actor=bench.tech, alert_id=alert.pk, comment="Seen")
    for who in (house.patient, house.stranger_doctor, house.manager, house.receptionist):
        with pytest.raises(NotFound):
            critical.acknowledge(actor=house.person(who), alert_id=alert.pk, comment="Seen")


def test_a_correction_calls_nobody_any_more(bench: Bench) -> None:
    alert = raised(bench)
    entering.amend(actor=bench.tech, test_id=alert.ordered_test_id, value="4.1", reason="Haemolysed")
    assert CriticalAlert.objects.get().state == "withdrawn"
    assert climb(after(alert, hours=1)) == 0
    entering.verify(actor=bench.second, test_id=alert.ordered_test_id)
    assert CriticalAlert.objects.count() == 1


def test_a_corrected_result_that_is_critical_again_is_called_for_again(bench: Bench) -> None:
    alert = raised(bench)
    entering.amend(actor=bench.tech, test_id=alert.ordered_test_id, value="6.9", reason="Repeated")
    entering.verify(actor=bench.second, test_id=alert.ordered_test_id)
    assert sorted(CriticalAlert.objects.values_list("state", flat=True)) == ["waiting", "withdrawn"]


def test_who_has_left_is_not_called(bench: Bench) -> None:
    order = bench.ready("k")
    bench.enter(order, k="7.1")
    account = bench.house.staff["checker_doctor"]
    account.is_active = False
    account.save()
    bench.verify(order, "k")
    assert called() == [bench.house.doctor.account_id]


def test_the_housekeeper_climbs(bench: Bench) -> None:
    from polyclinic.web.housekeeping import CHORES

    alert = raised(bench)
    chore = next(one for one in CHORES if one.name == "call the next for critical results")
    with clock.fixed(after(alert, minutes=5)):
        assert chore.run() == 1


def test_a_mail_leaves_with_no_page_open_and_says_nothing_of_health(bench: Bench) -> None:
    """Who asked has no page open: the mail goes after the commit, at five minutes the next one's, at ten the rest's."""
    alert = raised(bench)
    assert worker.deliver_due() == 1
    house = bench.house
    (first,) = mail.outbox
    assert first.to == ["checker_doctor@example.org"]
    assert "/lab/critical" in first.body
    for told in ("7.1", "otassium", "PILLAI", "Pillai", house.patient.mrn, str(house.patient.pk), str(alert.pk)):
        assert told not in first.subject + first.body
    with clock.fixed(after(alert, minutes=5)):
        assert critical.escalate(actor=LADDER) == 1
        assert worker.deliver_due() == 2
    assert {one for letter in mail.outbox[1:] for one in letter.to} == {
        house.doctor.account.email, "main_doctor@example.org"
    }  # fmt: skip
    with clock.fixed(after(alert, minutes=10)):
        critical.escalate(actor=LADDER)
        worker.deliver_due()
    assert "nurse@example.org" in {one for letter in mail.outbox[3:] for one in letter.to}
    # Nobody is written to twice, and after the last step nobody more.
    everybody = [one for letter in mail.outbox for one in letter.to]
    assert len(everybody) == len(set(everybody))
    with clock.fixed(after(alert, hours=3)):
        assert critical.escalate(actor=LADDER) == worker.deliver_due() == 0


def test_a_page_opened_later_says_what_waits_until_somebody_acts(bench: Bench, browser_of: Any) -> None:
    words = "A critical laboratory result needs you now."
    client = browser_of(bench.house.staff["checker_doctor"])
    doctor = browser_of(bench.house.doctor)
    called_note = 'class="note bad"'
    assert called_note not in client.get("/checker").content.decode()
    alert = raised(bench)
    page = client.get("/checker").content.decode()
    assert called_note in page
    assert words in page
    assert called_note not in doctor.get("/doctor").content.decode()
    climb(after(alert, minutes=5))
    # The doctor's day is drawn in a frame that is kept: the call comes into it all the same.
    assert called_note in doctor.get("/doctor").content.decode()
    assert called_note in doctor.get("/lab/critical/mine").content.decode()
    critical.acknowledge(actor=bench.checker, alert_id=alert.pk, comment="Calcium given")
    for one, path in ((client, "/checker"), (doctor, "/doctor"), (doctor, "/lab/critical/mine")):
        assert called_note not in one.get(path).content.decode(), path
