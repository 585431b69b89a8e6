"""The administration over the API: lists, roles and invitations, and the question who is there before each change."""

from __future__ import annotations

from typing import Any

import pytest

from polyclinic.core import clock
from polyclinic.facilities import identity
from polyclinic.people.models import Session
from tests.api.calling import bearer, call
from tests.house import House


@pytest.fixture
def admin(house: House) -> dict[str, str]:
    """The administrator's token, of a session in which they have just shown who they are."""
    headers = bearer(house.staff["admin"])
    Session.objects.filter(account_id=house.staff["admin"].pk).update(stepped_up_at=clock.now(), aal=2)
    identity.forget()
    return headers


def test_staff_are_listed_filtered_and_paged(house: House, admin: dict[str, str]) -> None:
    first = call("GET", "/api/admin/users?limit=2", headers=admin).json
    assert (len(first["data"]), first["pagination"]["total"]) == (2, 13)
    assert first["pagination"]["next"].startswith("/api/admin/users?limit=2&page=2")
    (nurse,) = call("GET", "/api/admin/users?role=nurse&fields=name,state", headers=admin).json["data"]
    assert nurse == {"name": "Some nurse", "state": "active"}
    assert call("GET", "/api/admin/users?state=odd", headers=admin).status == 422


def test_a_change_needs_a_fresh_session_and_says_so(house: House) -> None:
    stale, target = bearer(house.staff["admin"]), house.receptionist.pk
    for path, body in (("deactivate", {}), ("roles", {"facilityId": house.facility.pk, "role": "nurse"})):
        answer = call("POST", f"/api/admin/users/{target}/{path}", body=body, headers=stale)
        assert (answer.status, answer.code) == (403, "step_up_needed")


def test_a_role_is_given_and_ended_and_an_account_closed(house: House, admin: dict[str, str]) -> None:
    address = f"/api/admin/users/{house.receptionist.pk}"
    wish = {"facilityId": house.facility.pk, "role": "nurse"}
    given = call("POST", f"{address}/roles", body=wish, headers=admin).json
    held = next(part for part in given["roles"] if part["role"] == "nurse")
    ended = call("DELETE", f"{address}/roles/{held['id']}", headers=admin).json
    assert [part["role"] for part in ended["history"]] == ["nurse"]
    assert call("DELETE", f"{address}/roles/{held['id']}", headers=admin).status == 404
    closed = call("POST", f"{address}/deactivate", body={"reason": "Left"}, headers=admin).json
    assert closed["state"] == "closed"
    assert call("POST", f"{address}/reactivate", body={}, headers=admin).json["state"] == "active"


def test_an_invitation_is_made_once_for_one_key(house: House, admin: dict[str, str]) -> None:
    wish: dict[str, Any] = {
        "facilityId": house.facility.pk, "role": "nurse", "email": "n@example.org", "name": "Noor",
    }  # fmt: skip
    key = {**admin, "Idempotency-Key": "one-invitation"}
    made = [call("POST", "/api/admin/invitations", body=wish, headers=key) for _time in range(2)]
    assert [answer.status for answer in made] == [201, 201]
    assert made[0].json == made[1].json
    again = call("POST", "/api/admin/invitations", body=wish, headers=admin)
    assert (again.status, again.code) == (409, "already_invited")


def test_own_roles_go_with_their_version(house: House) -> None:
    headers = bearer(house.manager)
    Session.objects.filter(account_id=house.manager.pk).update(stepped_up_at=clock.now())
    identity.forget()
    wish: dict[str, Any] = {"name": "Planner", "permissions": ["schedule.view"]}
    made = call("POST", "/api/admin/roles", body={**wish, "facilityId": house.facility.pk}, headers=headers).json
    address = f"/api/admin/roles/{made['id']}"
    stale = call("PUT", address, body=wish, headers={**headers, "If-Match": '"7"'})
    assert (stale.status, stale.code) == (412, "stale")
    foreign = call("PUT", address, body={**wish, "permissions": ["patient.view"]}, headers=headers)
    assert (foreign.status, foreign.code, foreign.json["rights"]) == (403, "not_yours_to_give", ["patient.view"])
    assert call("PUT", address, body={**wish, "name": "Chief"}, headers=headers).json["version"] == 2
    assert call("DELETE", address, headers=headers).status == 204
    assert call("GET", "/api/admin/roles", headers=headers).json["data"] == []
