"""Invitations: from the mail's link to the role, once, in time, and only for what the inviter may still give."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth import authenticate

from polyclinic.core import clock
from polyclinic.core.access.rules import Role
from polyclinic.core.actors import Person, SystemActor
from polyclinic.core.errors import Conflict, Forbidden, IllegalTransition, Invalid, NotFound, Problem
from polyclinic.facilities import actions, invitations, letters, roles
from polyclinic.facilities.invitations import InvitationGone, token_of
from polyclinic.facilities.models import Membership, StaffInvitation
from polyclinic.notify.models import Delivery
from tests.house import House, account

PASSWORD = "seven quiet lanterns drift"
DOOR = SystemActor("invitation")


def invited(actor: Person, house: House, role: str = "nurse", email: str = "new@example.org") -> StaffInvitation:
    return invitations.invite(actor=actor, facility_id=house.facility.pk, email=email, name="Noor New", role=role)


def test_a_new_person_becomes_a_nurse_by_the_link(house: House, admin: Person) -> None:
    row = invited(admin, house)
    letter = letters._invitation(Delivery.objects.get(kind="staff_invitation"))
    assert letter is not None
    assert f"/invitation/{token_of(row)}" in letter.body
    assert not invitations.account_exists(invitations.by_token(token_of(row)))
    made = invitations.accept_as_new(token=token_of(row), password=PASSWORD, name="Noor New")
    assert house.person(made).has_role("nurse")
    assert house.person(made).facilities("nurse") == {house.facility.pk}
    assert authenticate(username="new@example.org", password=PASSWORD) == made
    made.refresh_from_db()
    assert made.email_verified_at is not None
    row.refresh_from_db()
    assert (row.state, row.account_id) == ("accepted", made.pk)
    with pytest.raises(InvitationGone):
        invitations.accept_as_new(token=token_of(row), password=PASSWORD, name="Again")


def test_somebody_with_an_account_takes_it_up_with_that_account_and_no_other(house: House, admin: Person) -> None:
    known = account("known@example.org", "Kim Known")
    row = invited(admin, house, email="KNOWN@example.org")
    assert invitations.account_exists(row)
    with pytest.raises(Forbidden) as refused:
        invitations.accept(actor=house.person(house.receptionist), token=token_of(row))
    assert refused.value.code == "another_address"
    invitations.accept(actor=house.person(known), token=token_of(row))
    assert house.person(known).has_role("nurse")


@pytest.mark.parametrize("text", ["", "x", "a:b", "a.1:b", "\x00", "é" * 400])
def test_what_is_no_link_opens_nothing(house: House, admin: Person, text: str) -> None:
    invited(admin, house)
    with pytest.raises(InvitationGone):
        invitations.by_token(text)


def test_a_new_link_ends_the_old_and_a_week_ends_both(house: House, admin: Person) -> None:
    row = invited(admin, house)
    old = token_of(row)
    fresh = token_of(invitations.resend(actor=admin, invitation_id=row.pk))
    with pytest.raises(InvitationGone):
        invitations.by_token(old)
    assert invitations.by_token(fresh).pk == row.pk
    with clock.fixed(clock.now() + timedelta(days=7, seconds=1)):
        with pytest.raises(InvitationGone):
            invitations.by_token(fresh)
        assert invitations.expire(actor=DOOR) == 1
        assert invitations.expire(actor=DOOR) == 0
        row.refresh_from_db()
        assert row.state == "expired"
        with pytest.raises(IllegalTransition):
            invitations.resend(actor=admin, invitation_id=row.pk)


def test_an_invitation_taken_back_opens_nothing(house: House, admin: Person) -> None:
    row = invited(admin, house)
    invitations.revoke(actor=admin, invitation_id=row.pk)
    with pytest.raises(InvitationGone):
        invitations.by_token(token_of(row))
    assert letters._invitation(Delivery.objects.get(kind="staff_invitation")) is None


def test_nobody_is_invited_twice_or_to_what_they_are(house: House, admin: Person) -> None:
    invited(admin, house)
    with pytest.raises(Conflict) as twice:
        invited(admin, house, email="New@Example.org")
    assert twice.value.code == "already_invited"
    with pytest.raises(Conflict) as here:
        invited(admin, house, role="receptionist", email=house.receptionist.email)
    assert here.value.code == "already_here"


@pytest.mark.parametrize(
    ("changes", "field"), [({"email": "no address"}, "email"), ({"name": " "}, "name"), ({"role": "patient"}, "role")]
)
def test_what_cannot_be_is_refused_by_name(house: House, admin: Person, changes: dict[str, str], field: str) -> None:
    wish = {"email": "new@example.org", "name": "Noor New", "role": "nurse", **changes}
    with pytest.raises(Invalid) as refused:
        invitations.invite(actor=admin, facility_id=house.facility.pk, **wish)  # type: ignore[arg-type]
    assert refused.value.field == field


def test_a_manager_invites_no_administrator_and_no_other_hospital_hears_of_it(
    house: House, manager: Person, far_admin: Person
) -> None:
    with pytest.raises(Forbidden):
        invited(manager, house, role="admin")
    row = invited(manager, house)
    for call in (invitations.revoke, invitations.resend):
        with pytest.raises(NotFound):
            call(actor=far_admin, invitation_id=row.pk)
    with pytest.raises(NotFound):
        invited(far_admin, house, email="else@example.org")
    for nobody in (house.patient, house.doctor, house.receptionist):
        with pytest.raises(Problem):
            invited(house.person(nobody), house, email="else@example.org")


@pytest.mark.parametrize("closed", [False, True])
def test_who_lost_the_right_to_invite_has_invited_nobody(house: House, admin: Person, closed: bool) -> None:
    manager = house.person(house.manager)
    row = invited(manager, house)
    if closed:
        actions.deactivate(actor=admin, account_id=house.manager.pk)
    else:
        actions.end_role(actor=admin, membership_id=Membership.objects.get(account=house.manager).pk)
    with pytest.raises(InvitationGone):
        invitations.accept_as_new(token=token_of(row), password=PASSWORD, name="Noor New")
    assert not Membership.objects.filter(account__email="new@example.org").exists()


def test_an_own_role_is_invited_to_like_any_other(house: House, manager: Person) -> None:
    own = roles.define(actor=manager, facility_id=house.facility.pk, name="Planner", permissions=["schedule.view"])
    row = invitations.invite(
        actor=manager, facility_id=house.facility.pk, email="p@example.org", name="Pat", custom_role_id=own.pk
    )
    made = invitations.accept_as_new(token=token_of(row), password=PASSWORD, name="Pat")
    assert house.person(made).rights == {("schedule.view", house.facility.pk)}
    assert not house.person(made).has_role(Role.NURSE)


def test_a_weak_password_makes_no_account(house: House, admin: Person) -> None:
    row = invited(admin, house)
    with pytest.raises(Invalid):
        invitations.accept_as_new(token=token_of(row), password="short", name="Noor New")
    assert not invitations.account_exists(row)
