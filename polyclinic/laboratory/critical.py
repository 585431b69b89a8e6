"""Critical results: a named person is called at once; who does not say they have seen it is not the last to be called.

The ladder: who asked for the test; after 5 minutes the doctor in charge; after 10 minutes every doctor and nurse of the
house. It climbs by the clock alone (`escalate` is a chore), also through a restart: what fell due meanwhile is done at
once.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.access.rules import Role
from polyclinic.core.actors import Actor, Person, SystemActor
from polyclinic.core.db import transactional
from polyclinic.core.errors import Forbidden, Invalid, NotFound, Unauthenticated
from polyclinic.facilities.models import Membership
from polyclinic.laboratory.models import AlertCall, CriticalAlert, OrderedTest, Result
from polyclinic.laboratory.states import ALERT, WAITING, subject
from polyclinic.notify import actions as notices
from polyclinic.people.models import Account, Doctor

# When each step after the first is due, counted from the moment the result was verified.
LADDER: Final = (timedelta(minutes=5), timedelta(minutes=10))
NOTICE: Final = "critical_result"
_EVERYBODY: Final = (Role.MAIN_DOCTOR, Role.CHECKER_DOCTOR, Role.NURSE)


def raise_(actor: Actor, row: OrderedTest, result: Result) -> CriticalAlert:
    """Call the first person of the ladder, in the caller's transaction."""
    now = clock.now()
    alert = CriticalAlert(
        ordered_test=row, result=result, facility_id=row.facility_id, patient_id=row.patient_id,
        doctor_id=row.order.doctor_id, raised_at=now, next_at=now + LADDER[0],
    )  # fmt: skip
    named = _first(row)
    level = 0
    if not named:
        # Nobody to name (a job ordered it): the ladder begins with the doctors of the house.
        level, named = 2, _everybody(row.facility_id)
    alert.level, alert.next_at = level, now + LADDER[0] if level == 0 else None
    alert.called = list(named)
    ledger.create(ALERT, "raise", alert, actor=actor)
    _call(alert, named, now)
    return alert


@transactional
def acknowledge(*, actor: Actor, alert_id: UUID, comment: str, version: int | None = None) -> CriticalAlert:
    """Say that one has seen it and what is done about it. Raises NotFound, Forbidden, Invalid, IllegalTransition."""
    row = _alert(actor, alert_id)
    said = comment.strip()
    if not said:
        raise Invalid(_("Write what you do about it."), code="required", field="comment")
    if len(said) > 300:
        raise Invalid(_("This text is longer than can be stored."), code="too_long", field="comment", maxLength=300)
    if not isinstance(actor, Person):
        raise Forbidden()
    sealer = CriticalAlert._meta.get_field("comment")
    sealed = sealer.sealer().seal(row.pk, sealer.owner_of(row), said)
    changes = {"closed_at": clock.now(), "closed_by_id": actor.account_id, "next_at": None, "comment": sealed}
    ledger.apply(ALERT, "acknowledge", row, actor=actor, version=version, changes=changes)
    return row


def withdraw(actor: Actor, row: OrderedTest) -> None:
    """The result is being corrected: nobody is called for the old one any more."""
    for alert in CriticalAlert.objects.filter(ordered_test_id=row.pk, state=WAITING):
        _with_calls(alert)
        ledger.apply(ALERT, "withdraw", alert, actor=actor, changes={"closed_at": clock.now(), "next_at": None})


def escalate(*, actor: Actor) -> int:
    """Take every due alert one step up. Returns how many steps. Safe to run on several nodes at once."""
    due = CriticalAlert.objects.filter(state=WAITING, next_at__lte=clock.now())
    return sum(_climb(actor, key) for key in list(due.order_by("next_at").values_list("pk", flat=True)))


@transactional
def _climb(actor: Actor, alert_id: UUID) -> int:
    steps = 0
    alert = CriticalAlert.objects.select_for_update().get(pk=alert_id)
    while alert.state == WAITING and alert.next_at is not None and alert.next_at <= clock.now():
        level = alert.level + 1
        called = _with_calls(alert)
        more = [one for one in _step(alert, level) if one not in called]
        alert.called = [*called, *more]
        next_at = alert.raised_at + LADDER[level] if level < len(LADDER) else None
        ledger.apply(ALERT, "escalate", alert, actor=actor, changes={"level": level, "next_at": next_at})
        _call(alert, more, clock.now())
        steps += 1
    return steps


def _step(alert: CriticalAlert, level: int) -> list[UUID]:
    return _in_charge(alert) if level == 1 else _everybody(alert.facility_id)


def _first(row: OrderedTest) -> list[UUID]:
    """Who asked for the test, if they still work; else the visit's doctor."""
    asked = row.order.ordered_by_id
    if asked is not None and Account.objects.filter(pk=asked, is_active=True).exists():
        return [asked]
    return _doctor(row.order.doctor_id)


def _in_charge(alert: CriticalAlert) -> list[UUID]:
    """The visit's doctor, and every head doctor of the house."""
    return [*_doctor(alert.doctor_id), *_holders(alert.facility_id, (Role.MAIN_DOCTOR,))]


def _everybody(facility_id: UUID) -> list[UUID]:
    return _holders(facility_id, _EVERYBODY)


def _doctor(doctor_id: UUID | None) -> list[UUID]:
    if doctor_id is None:
        return []
    found = Doctor.objects.filter(pk=doctor_id, account__is_active=True).values_list("account_id", flat=True)
    return list(found)


def _holders(facility_id: UUID, roles: Iterable[str]) -> list[UUID]:
    held = Membership.objects.filter(facility_id=facility_id, role__in=list(roles), account__is_active=True)
    working = held.filter(Q(ended_at__isnull=True) | Q(ended_at__gt=clock.now()))
    return list(dict.fromkeys(working.order_by("started_at", "pk").values_list("account_id", flat=True)))


def _call(alert: CriticalAlert, named: Iterable[UUID], now: datetime) -> None:
    """Leave a call and a notice, which says that there is something to see and nothing of what."""
    for account_id in dict.fromkeys(named):
        AlertCall.objects.create(alert=alert, account_id=account_id, level=alert.level, at=now)
        notices.tell(account_id, NOTICE)


def _with_calls(alert: CriticalAlert) -> list[UUID]:
    """Give the alert the accounts called so far, for its event."""
    found = list(AlertCall.objects.filter(alert_id=alert.pk).order_by("pk").values_list("account_id", flat=True))
    alert.called = found
    return found


def _alert(actor: Actor, alert_id: UUID) -> CriticalAlert:
    found = CriticalAlert.objects.select_for_update().filter(pk=alert_id).first()
    if found is None:
        raise NotFound() if isinstance(actor, Person | SystemActor) else Unauthenticated()
    policy.require_sight(actor, "lab.view", subject(found))
    _with_calls(found)
    return found
