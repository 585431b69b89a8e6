"""The staff of one's own hospitals: found, filtered, paged; nobody else's is there."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from polyclinic.core.actors import Anonymous, Person
from polyclinic.core.errors import Invalid, NotFound, Unauthenticated
from polyclinic.facilities import actions, identity, invitations, roles, staff
from tests.house import House


def names(page: staff.StaffPage) -> set[str]:
    return {row.name for row in page.rows}


def test_staff_are_those_with_a_role_or_a_schedule_here(house: House, admin: Person, far_admin: Person) -> None:
    here, there = names(staff.people(admin, limit=200)), names(staff.people(far_admin))
    assert {"Dr Anil Rao", "Dr Grace Okafor", "Asha Front", "Bo Boss", "Some nurse"} <= here
    assert there == {"Far Chief", "Far Desk", "Dr Sam Stranger"}
    assert not here & there
    assert "Meera Pillai" not in here


@pytest.mark.parametrize("who", ["patient", "doctor", "receptionist"])
def test_those_who_run_nothing_see_nobody(house: House, who: str) -> None:
    viewer = house.person(getattr(house, who))
    for call in (lambda: staff.people(viewer), lambda: staff.member(viewer, house.manager.pk),
                 lambda: staff.own_roles(viewer), lambda: staff.invitations(viewer)):  # fmt: skip
        with pytest.raises(NotFound):
            call()
    with pytest.raises(Unauthenticated):
        staff.people(Anonymous())


def test_filters_narrow_and_pages_add_up(house: House, admin: Person, manager: Person) -> None:
    assert names(staff.people(admin, role="nurse")) == {"Some nurse"}
    assert names(staff.people(admin, role="doctor")) == {"Dr Anil Rao", "Dr Grace Okafor"}
    assert names(staff.people(admin, search="front ASHA")) == {"Asha Front"}
    assert names(staff.people(admin, facility_id=house.elsewhere.pk)) == set()
    own = roles.define(actor=manager, facility_id=house.facility.pk, name="Planner", permissions=["schedule.view"])
    actions.give_role(
        actor=manager, account_id=house.staff["nurse"].pk, facility_id=house.facility.pk, custom_role_id=own.pk
    )
    assert names(staff.people(admin, role=str(own.pk))) == {"Some nurse"}
    actions.deactivate(actor=admin, account_id=house.receptionist.pk)
    assert names(staff.people(admin, state="closed")) == {"Asha Front"}
    assert "Asha Front" not in names(staff.people(admin, state="active", limit=200))
    for wrong in ({"state": "odd"}, {"page": 0}, {"limit": 201}):
        with pytest.raises(Invalid):
            staff.people(admin, **wrong)  # type: ignore[arg-type]
    whole = staff.people(admin, limit=200)
    pages = [staff.people(admin, page=page, limit=3) for page in range(1, -(-whole.total // 3) + 1)]
    assert [row.id for page in pages for row in page.rows] == [row.id for row in whole.rows]


def test_a_page_of_staff_costs_the_same_however_many_there_are(house: House, admin: Person) -> None:
    def cost(limit: int) -> int:
        with CaptureQueriesContext(connection) as seen:
            staff.people(admin, limit=limit)
        return len(seen)

    assert cost(2) == cost(200) <= 5


def test_a_member_is_shown_with_history_and_what_may_be_done(house: House, admin: Person, manager: Person) -> None:
    target = house.staff["nurse"]
    identity.open_api_session(target)
    given = actions.give_role(actor=admin, account_id=target.pk, facility_id=house.facility.pk, role="pharmacist")
    actions.end_role(actor=admin, membership_id=given.pk)
    found = staff.member(admin, target.pk)
    assert [part.role for part in found.roles] == ["nurse"]
    assert [part.role for part in found.history] == ["pharmacist"]
    assert (found.sessions, found.elsewhere) == (1, False)
    assert set(found.may) == {"account.deactivate", "staff.edit", "staff.reset_password", "person.view_as"}
    assert staff.member(manager, target.pk).may == ()
    assert staff.member(admin, admin.account_id).may == ()
    for foreign in (house.stranger_receptionist.pk, house.patient.account_id, house.facility.pk):
        with pytest.raises(NotFound):
            staff.member(admin, foreign)  # type: ignore[arg-type]


def test_somebody_who_works_elsewhere_too_is_not_the_admins_alone(house: House, admin: Person, far_admin: Any) -> None:
    from polyclinic.facilities.models import Membership

    Membership.objects.create(account=house.receptionist, facility=house.elsewhere, role="receptionist")
    found = staff.member(admin, house.receptionist.pk)
    assert (found.elsewhere, found.may) == (True, ())
    assert {part.facility_id for part in found.roles} == {house.facility.pk}


def test_what_one_may_give_is_what_one_is_offered(house: House, admin: Person, manager: Person) -> None:
    offered = dict(staff.roles_to_give(manager, house.facility.pk))
    assert "nurse" in offered
    assert not {"admin", "auditor", "privacy_officer"} & offered.keys()
    assert "admin" in dict(staff.roles_to_give(admin, house.facility.pk))
    assert "schedule.edit" in staff.rights_to_give(manager, house.facility.pk)
    assert "schedule.edit" not in staff.rights_to_give(admin, house.facility.pk)
    for call in (staff.roles_to_give, staff.rights_to_give):
        with pytest.raises(NotFound):
            call(admin, house.elsewhere.pk)


def test_invitations_are_listed_to_their_own_hospital(house: House, admin: Person, far_admin: Person) -> None:
    invitations.invite(actor=admin, facility_id=house.facility.pk, email="n@example.org", name="Noor", role="nurse")
    (row,) = staff.invitations(admin)
    assert (row.email, row.role, row.state) == ("n@example.org", "Nurse", "sent")
    assert staff.invitations(far_admin) == []
    assert staff.invitations(admin, state="accepted") == []
