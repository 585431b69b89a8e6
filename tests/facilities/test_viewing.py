"""Looking through another's eyes: sight without hands, for half an hour, known to the person, written down."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from polyclinic.core import clock
from polyclinic.core.access.rules import Role
from polyclinic.core.actors import Person
from polyclinic.core.errors import Forbidden, Invalid, NotFound, Problem
from polyclinic.core.models import AuditEntry
from polyclinic.core.outbox import rooms
from polyclinic.facilities import actions, identity, viewing
from polyclinic.facilities.models import Membership
from polyclinic.notify.models import Notice
from polyclinic.people.models import Account, Session
from polyclinic.scheduling import actions as booking
from polyclinic.scheduling import selectors
from tests.house import House


@pytest.fixture
def key(house: House, admin: Person) -> str:
    return viewing.begin(actor=admin, account_id=house.receptionist.pk, reason="She asked for help")


def test_the_admin_sees_what_the_person_sees_and_changes_nothing(house: House, admin: Person, key: str) -> None:
    made = booking.book(
        actor=house.person(house.patient), patient_id=house.patient.pk, schedule_id=house.schedule.pk,
        starts=house.slot(0),
    )  # fmt: skip
    seen = identity.seen_through(key, admin)
    assert seen is not None
    assert (seen.account_id, seen.seen_by) == (house.receptionist.pk, admin.account_id)
    assert selectors.appointment(seen, made.pk).id == made.pk
    with pytest.raises(Forbidden) as refused:
        booking.take(actor=seen, appointment_id=made.pk, action="confirm")
    assert refused.value.code == "view_as_reads_only"
    with pytest.raises(Problem):
        actions.give_role(actor=seen, account_id=house.manager.pk, facility_id=house.facility.pk, role="nurse")
    assert rooms.own_rooms(seen) == frozenset()


def test_the_look_alone_signs_nobody_in(house: House, admin: Person, key: str) -> None:
    assert identity.person_of_session(key) is None
    assert identity.seen_through(key, house.person(house.manager)) is None
    assert identity.seen_through("nosuchsession", admin) is None
    # A session of the admin's own is no look at anybody.
    own = identity.open_api_session(house.staff["admin"])
    assert identity.seen_through(own, admin) is None
    assert identity.person_of_session(own) is not None


def test_it_ends_after_half_an_hour_and_when_the_admin_says_so(house: House, admin: Person, key: str) -> None:
    row = Session.objects.get(session_key=key)
    assert timedelta(minutes=29) < row.expire_date - clock.now() <= timedelta(minutes=30)
    with clock.fixed(clock.now() + timedelta(minutes=30, seconds=1)):
        identity.forget()
        assert identity.seen_through(key, admin) is None
    identity.forget()
    assert identity.seen_through(key, admin) is not None
    viewing.end(actor=house.person(house.manager), key=key)
    assert identity.seen_through(key, admin) is not None
    viewing.end(actor=admin, key=key)
    assert identity.seen_through(key, admin) is None


def test_it_ends_with_the_admins_right_to_it(house: House, admin: Person, key: str) -> None:
    """At once for a role taken away, and when the person begins to work where the admin has no say."""
    assert identity.seen_through(key, replace(admin, grants=frozenset())) is None
    Membership.objects.create(account=house.receptionist, facility=house.elsewhere, role=Role.RECEPTIONIST)
    identity.forget()
    assert identity.seen_through(key, admin) is None


def test_what_is_the_persons_own_as_a_patient_stays_theirs(house: House, admin: Person) -> None:
    both = house.patient.account
    assert isinstance(both, Account)
    Membership.objects.create(account=both, facility=house.facility, role=Role.NURSE)
    key = viewing.begin(actor=admin, account_id=both.pk, reason="Help")
    seen = identity.seen_through(key, admin)
    assert seen is not None
    assert seen.patient_id is None
    assert not seen.has_role(Role.PATIENT)
    assert seen.has_role(Role.NURSE)


def test_the_person_is_told_and_the_audit_knows_both(house: House, admin: Person, key: str) -> None:
    notice = Notice.objects.get(account=house.receptionist, kind="viewed_as")
    assert notice.detail["reason"] == "She asked for help"
    seen = identity.seen_through(key, admin)
    assert seen is not None
    viewing.note(actor=admin, seen=seen, page="/home")
    for action in ("person.view_as", "person.view_as_page"):
        entry = AuditEntry.objects.get(action=action)
        assert (entry.actor, entry.subject_id) == (admin.label, str(house.receptionist.pk))
        assert entry.facility_id == house.facility.pk


def test_whom_nobody_may_look_through(house: House, admin: Person, manager: Person) -> None:
    ask: dict[str, Any] = {"reason": "Because"}
    with pytest.raises(Forbidden):
        viewing.begin(actor=admin, account_id=admin.account_id, **ask)
    for foreign in (house.stranger_receptionist.pk, house.patient.account_id, house.facility.pk):
        with pytest.raises(NotFound):
            viewing.begin(actor=admin, account_id=foreign, **ask)  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        viewing.begin(actor=manager, account_id=house.receptionist.pk, **ask)
    with pytest.raises(Invalid) as refused:
        viewing.begin(actor=admin, account_id=house.receptionist.pk, reason="  ")
    assert refused.value.field == "reason"
    Membership.objects.create(account=house.receptionist, facility=house.elsewhere, role=Role.RECEPTIONIST)
    with pytest.raises(NotFound):
        viewing.begin(actor=admin, account_id=house.receptionist.pk, **ask)
