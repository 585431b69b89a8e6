"""Handing out roles: nobody more than they hold, nobody to themselves, no hospital without an administrator."""

from __future__ import annotations

import pytest

from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.access.rules import CUSTOM, HELD_AT_FACILITY, MAY_GRANT, POWERS, Role, at_facility
from polyclinic.core.actors import Person
from polyclinic.core.errors import Conflict, Forbidden, Invalid, NotFound, StaleEdit
from polyclinic.core.models import AuditEntry, OutboxEvent
from polyclinic.facilities import actions, granting, identity, roles
from polyclinic.facilities.granting import LastAdministrator
from polyclinic.facilities.models import Membership
from polyclinic.notify.models import Delivery, Notice
from tests.house import House


def membership(account: object, role: str) -> Membership:
    return Membership.objects.get(account=account, role=role, ended_at__isnull=True)


@pytest.mark.parametrize("giver", [Role.ADMIN, Role.MANAGER])
@pytest.mark.parametrize("role", sorted(HELD_AT_FACILITY))
def test_each_giver_gives_the_roles_of_the_table_and_no_others(house: House, giver: Role, role: Role) -> None:
    who = house.person(house.staff["admin"] if giver == Role.ADMIN else house.manager)
    target, here = house.staff["nurse"], house.facility.pk
    if role in MAY_GRANT[giver]:
        made = actions.give_role(actor=who, account_id=target.pk, facility_id=here, role=role)
        assert made.role == role
        actions.end_role(actor=who, membership_id=made.pk)
        assert not house.person(target).has_role(role)
    else:
        with pytest.raises(Forbidden):
            actions.give_role(actor=who, account_id=target.pk, facility_id=here, role=role)
        held = membership(house.staff[role], role)
        with pytest.raises(Forbidden):
            actions.end_role(actor=who, membership_id=held.pk)
        assert house.person(house.staff[role]).has_role(role)


@pytest.mark.parametrize("role", ["patient", "doctor", "custom", "", "chief"])
def test_what_is_no_role_here_is_refused_by_name(house: House, admin: Person, role: str) -> None:
    with pytest.raises(Invalid) as refused:
        actions.give_role(actor=admin, account_id=house.staff["nurse"].pk, facility_id=house.facility.pk, role=role)
    assert refused.value.field == "role"


def test_nobody_changes_their_own_roles(house: House, admin: Person, manager: Person) -> None:
    for who in (admin, manager):
        with pytest.raises(Forbidden):
            actions.give_role(actor=who, account_id=who.account_id, facility_id=house.facility.pk, role=Role.NURSE)
        own = Membership.objects.get(account_id=who.account_id)
        with pytest.raises(Forbidden):
            actions.end_role(actor=who, membership_id=own.pk)
        with pytest.raises(Forbidden if who == admin else NotFound):
            actions.deactivate(actor=who, account_id=who.account_id)


def test_staff_of_another_hospital_do_not_exist_here(house: House, admin: Person, far_admin: Person) -> None:
    far = Membership.objects.get(account=house.stranger_receptionist)
    with pytest.raises(NotFound):
        actions.end_role(actor=admin, membership_id=far.pk)
    with pytest.raises(NotFound):
        actions.give_role(actor=admin, account_id=house.patient.account_id, facility_id=house.facility.pk, role="nurse")  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        actions.give_role(
            actor=admin, account_id=house.stranger_receptionist.pk, facility_id=house.elsewhere.pk, role="nurse"
        )
    for act in (actions.deactivate, actions.reactivate, actions.sign_out_everywhere, actions.reset_password):
        with pytest.raises(NotFound):
            act(actor=admin, account_id=house.stranger_receptionist.pk)
    actions.sign_out_everywhere(actor=far_admin, account_id=house.stranger_receptionist.pk)


def test_a_role_is_told_written_down_and_heard_of(house: House, admin: Person) -> None:
    target = house.receptionist
    actions.give_role(actor=admin, account_id=target.pk, facility_id=house.facility.pk, role=Role.NURSE)
    actions.give_role(actor=admin, account_id=target.pk, facility_id=house.facility.pk, role=Role.NURSE)
    actions.end_role(actor=admin, membership_id=membership(target, "nurse").pk, reason="Moved on")
    done = AuditEntry.objects.filter(action__startswith="membership.").values_list("action", "reason")
    assert list(done.order_by("pk")) == [("membership.grant", ""), ("membership.end", "Moved on")]
    assert list(Notice.objects.filter(account=target).order_by("at").values_list("kind", flat=True)) == [
        "role_given", "role_ended",
    ]  # fmt: skip
    heard = OutboxEvent.objects.filter(type="staff.changed").values_list("audience", flat=True)
    assert len(heard) == 2
    assert all(f"facility:{house.facility.pk}:may:staff.list" in audience for audience in heard)
    kept = Membership.objects.get(account=target, role="nurse")
    assert kept.ended_at is not None


def test_the_last_administrator_stays(house: House, admin: Person) -> None:
    deputy = house.staff["nurse"]
    actions.give_role(actor=admin, account_id=deputy.pk, facility_id=house.facility.pk, role=Role.ADMIN)
    second = house.person(deputy)
    held = membership(house.staff["admin"], "admin")
    actions.end_role(actor=second, membership_id=held.pk)
    # Now the deputy is alone. Nobody may take that role away, nor close the account, the operator included.
    operator = actions_operator()
    with pytest.raises(LastAdministrator):
        actions.deactivate(actor=operator, account_id=deputy.pk)
    with pytest.raises(LastAdministrator):
        granting.require_administered(house.facility.pk, deputy.pk)


def actions_operator() -> object:
    from polyclinic.core.actors import SystemActor

    return SystemActor("operator")


def test_a_closed_account_administers_nothing(house: House, admin: Person) -> None:
    """Two administrators of whom one is closed are one."""
    deputy = house.staff["nurse"]
    actions.give_role(actor=admin, account_id=deputy.pk, facility_id=house.facility.pk, role=Role.ADMIN)
    actions.deactivate(actor=admin, account_id=deputy.pk, reason="Ill")
    with pytest.raises(LastAdministrator):
        granting.require_administered(house.facility.pk, admin.account_id)
    actions.reactivate(actor=admin, account_id=deputy.pk)
    granting.require_administered(house.facility.pk, admin.account_id)


def test_a_reset_makes_the_old_password_worthless_and_mails_a_link(house: House, admin: Person) -> None:
    target = house.receptionist
    before = target.password
    key = identity.open_api_session(target)
    actions.reset_password(actor=admin, account_id=target.pk)
    target.refresh_from_db()
    assert target.password != before
    assert not target.has_usable_password()
    assert target.must_change_password
    assert identity.person_of_session(key) is None
    assert Delivery.objects.filter(kind="password_reset_by_admin", to=target.email).count() == 1
    with pytest.raises(NotFound):
        actions.reset_password(actor=house.person(house.manager), account_id=house.staff["nurse"].pk)


def test_own_roles_are_made_of_what_the_maker_holds(house: House, admin: Person, manager: Person) -> None:
    here = house.facility.pk
    made = roles.define(actor=manager, facility_id=here, name="Planner", permissions=["schedule.view", "schedule.edit"])
    with pytest.raises(Forbidden) as refused:
        roles.define(actor=manager, facility_id=here, name="Spy", permissions=["schedule.view", "patient.view"])
    assert refused.value.extra["rights"] == ["patient.view"]
    with pytest.raises(Forbidden):
        roles.define(actor=manager, facility_id=here, name="Helper", permissions=["staff.reset_password"])
    for power in sorted(POWERS | {"record.break_glass", "no.such"}):
        with pytest.raises(Invalid):
            roles.define(actor=admin, facility_id=here, name="Power", permissions=[power])
    # An administrator holds no right to schedules, and so neither gives nor changes that role.
    for name, rights in (("Planner", ["staff.list"]), ("Planner", ["schedule.view"])):
        with pytest.raises(Forbidden):
            roles.change(actor=admin, role_id=made.pk, name=name, permissions=rights)
    with pytest.raises(Forbidden):
        actions.give_role(actor=admin, account_id=house.staff["nurse"].pk, facility_id=here, custom_role_id=made.pk)
    desk = roles.define(actor=admin, facility_id=here, name="Help desk", permissions=["staff.reset_password"])
    with pytest.raises(Forbidden):
        actions.give_role(actor=manager, account_id=house.staff["nurse"].pk, facility_id=here, custom_role_id=desk.pk)


def test_an_own_role_works_changes_at_once_and_ends(house: House, manager: Person) -> None:
    here, target = house.facility.pk, house.staff["pharmacist"]
    subject = Subject(facility_id=here)
    made = roles.define(actor=manager, facility_id=here, name="Planner", permissions=["schedule.view"])
    held = actions.give_role(actor=manager, account_id=target.pk, facility_id=here, custom_role_id=made.pk)
    assert (held.role, held.custom_role) == (CUSTOM, made)
    who = house.person(target)
    assert policy.allowed(who, "schedule.view", subject)
    assert not policy.allowed(who, "schedule.edit", subject)
    assert not policy.allowed(who, "schedule.view", Subject(facility_id=house.elsewhere.pk))
    with pytest.raises(StaleEdit):
        roles.change(actor=manager, role_id=made.pk, name="Planner", permissions=["schedule.edit"], version=7)
    roles.change(actor=manager, role_id=made.pk, name="Chief planner", permissions=["schedule.edit"], version=1)
    who = house.person(target)
    assert policy.allowed(who, "schedule.edit", subject)
    assert not policy.allowed(who, "schedule.view", subject)
    with pytest.raises(Conflict):
        roles.retire(actor=manager, role_id=made.pk)
    actions.end_role(actor=manager, membership_id=held.pk)
    assert house.person(target).rights == frozenset()
    roles.retire(actor=manager, role_id=made.pk)
    with pytest.raises(Invalid):
        actions.give_role(actor=manager, account_id=target.pk, facility_id=here, custom_role_id=made.pk)


def test_a_right_that_became_a_power_is_no_longer_handed_on(
    house: House, manager: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, target = house.facility.pk, house.staff["pharmacist"]
    made = roles.define(actor=manager, facility_id=here, name="Planner", permissions=["schedule.view"])
    actions.give_role(actor=manager, account_id=target.pk, facility_id=here, custom_role_id=made.pk)
    monkeypatch.setattr(identity, "at_facility", lambda *rights: at_facility(*rights) - {"schedule.view"})
    assert house.person(target).rights == frozenset()


def test_roles_of_one_hospital_are_unknown_in_the_other(house: House, manager: Person, far_admin: Person) -> None:
    made = roles.define(actor=manager, facility_id=house.facility.pk, name="Planner", permissions=["schedule.view"])
    for call in (
        lambda: roles.define(actor=far_admin, facility_id=house.facility.pk, name="X", permissions=["staff.list"]),
        lambda: roles.change(actor=far_admin, role_id=made.pk, name="X", permissions=["staff.list"]),
        lambda: roles.retire(actor=far_admin, role_id=made.pk),
    ):
        with pytest.raises(NotFound):
            call()
    with pytest.raises(Conflict):
        roles.define(actor=manager, facility_id=house.facility.pk, name="PLANNER", permissions=["schedule.view"])
