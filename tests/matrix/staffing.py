"""What the addresses of administration are about: a nurse of the house, a role of its own, an open invitation."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from polyclinic.core import clock
from polyclinic.core.access.rules import Role
from polyclinic.facilities import identity, invitations, roles
from polyclinic.facilities.models import Membership
from polyclinic.people import joining as signing_up
from polyclinic.people.models import Account, Session, SignUp
from tests import house as houses
from tests.house import House


def people(house: House) -> dict[str, Account]:
    """Those who run a hospital and have just shown who they are; the second one runs the other hospital."""
    far = houses.account("chief@example.com", "Far Chief")
    Membership.objects.create(account=far, facility=house.elsewhere, role=Role.ADMIN)
    return {"fresh_admin": house.staff["admin"], "fresh_manager": house.manager, "fresh_foreign_admin": far}


def step_up(accounts: dict[str, Account], before: set[str]) -> None:
    """Mark the sessions these people have opened since as ones in which they have just shown who they are."""
    theirs = Session.objects.filter(account_id__in=[one.pk for one in accounts.values()])
    theirs.exclude(session_key__in=before).update(stepped_up_at=clock.now(), aal=2)
    identity.forget()


def open_now() -> set[str]:
    """The keys of all sessions there are."""
    return set(Session.objects.values_list("session_key", flat=True))


def parts(house: House) -> dict[str, str]:
    manager, admin = house.person(house.manager), house.person(house.staff["admin"])
    # Made of a right that managers and administrators both have, so that both can change it.
    own = roles.define(actor=manager, facility_id=house.facility.pk, name="Watcher", permissions=["staff.list"])
    asked = invitations.invite(
        actor=admin, facility_id=house.facility.pk, email="asked@example.org", name="Ann Asked", role=Role.NURSE
    )
    nurse = house.staff["nurse"]
    held = str(Membership.objects.get(account=nurse).pk)
    return {
        "account_id": str(nurse.pk), "userId": str(nurse.pk), "membership_id": held, "membershipId": held,
        "role_id": str(own.pk), "roleId": str(own.pk), "facility_id": str(house.facility.pk),
        "invitation_id": str(asked.pk), "invitationId": str(asked.pk), "deed": "deactivate",
    }  # fmt: skip


def bodies(house: House) -> dict[str, Callable[[], dict[str, Any]]]:
    here = house.facility.pk
    wish: dict[str, Any] = {"facilityId": here, "role": "pharmacist"}
    return {
        "POST /api/admin/users/<userId>/deactivate": lambda: {"reason": "Left"},
        "POST /api/admin/users/<userId>/reactivate": lambda: {"reason": "Back"},
        "POST /api/admin/users/<userId>/roles": lambda: wish,
        "POST /api/admin/invitations": lambda: {**wish, "email": "new@example.org", "name": "Noor New"},
        "POST /api/admin/roles": lambda: {"facilityId": here, "name": "Desk", "permissions": ["staff.list"]},
        "PUT /api/admin/roles/<roleId>": lambda: {"name": "Viewer", "permissions": ["staff.list"]},
    }


def forms(house: House) -> dict[str, dict[str, Any]]:
    choice = f"{house.facility.pk}:pharmacist"
    return {
        "POST /admin/people/<str:account_id>/give": {"role": choice},
        "POST /admin/people/<str:account_id>/end/<str:membership_id>": {"reason": "Moved on"},
        "POST /admin/people/<str:account_id>/do/<str:deed>": {"reason": "Left"},
        "POST /admin/people/<str:account_id>/view-as": {"reason": "Asked for help"},
        "POST /admin/invitations/new": {"role": choice, "email": "new@example.org", "name": "Noor New"},
        "POST /admin/roles/new/<str:facility_id>": {"name": "Desk", "permissions": "staff.list"},
        "POST /admin/roles/<str:role_id>": {"name": "Viewer", "permissions": "staff.list", "version": "1"},
        "POST /admin/roles/<str:role_id>/retire": {"version": "1"},
    }


def joining() -> dict[str, str]:
    """What a new patient sends with the link in their mail."""
    given = {"given_name": "Nia", "family_name": "New", "sex": "unknown"}
    signing_up.ask(email="newer@example.org", password="a long enough passphrase", born=date(1990, 2, 3), **given)
    token = signing_up.token_of(str(SignUp.objects.latest("made_at").pk))
    return {"token": token, "password": "a long enough passphrase"}
