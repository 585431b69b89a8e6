"""Keys for programs, one's own and those of partners, and the page of those whose role has no portal."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from polyclinic.core import clock
from polyclinic.core.access.rules import Role
from polyclinic.facilities import identity
from polyclinic.facilities.models import Membership
from polyclinic.tokens import apikeys
from polyclinic.tokens.models import ApiKey
from tests.api.calling import call
from tests.house import House
from tests.portals.conftest import form

SECRET = re.compile(r"pc_[0-9a-f]{8}_[\w-]{20,}")
WISH: dict[str, Any] = {"name": "Calendar", "scopes": ["appointment.view"], "days": "30", "networks": ""}


@pytest.fixture
def fresh(browser_of: Any) -> Any:
    """A browser whose person has just shown who they are."""

    def make(who: Any) -> Client:
        client: Client = browser_of(who)
        session = client.session
        session["stepped_up_at"] = clock.now().isoformat()
        session.save()
        identity.forget()
        return client

    return make


def send(client: Client, address: str, page: str = "", **given: Any) -> Any:
    token = form(client.get(page or address), address)["fields"]["csrfmiddlewaretoken"]
    return client.post(address, {"csrfmiddlewaretoken": token, **given})


def words(response: Any) -> str:
    return str(response.content.decode())


def test_a_key_of_ones_own_is_made_shown_once_and_ended(house: House, fresh: Any) -> None:
    client = fresh(house.patient)
    made = send(client, "/account/keys", **WISH)
    secret = SECRET.search(words(made))
    assert secret
    assert made["Cache-Control"] == "no-store"
    assert "data-copy" in words(made)
    assert call("GET", "/api/appointments", headers={"Authorization": f"Bearer {secret[0]}"}).status == 200
    again = words(client.get("/account/keys"))
    assert not SECRET.search(again), "the secret is shown on one answer and on no other"
    assert "Appointments: See appointments" in again, "rights in words, not by their names"
    assert 'appointment.view"' in again.split("Make a key")[1]
    assert "appointment.view" not in again.split("Make a key")[0]
    row = ApiKey.objects.get()
    send(client, f"/account/keys/{row.pk}/end", "/account/keys")
    assert "Ended" in words(client.get("/account/keys"))
    assert call("GET", "/api/appointments", headers={"Authorization": f"Bearer {secret[0]}"}).status == 401


def test_bad_wishes_keep_what_was_typed(house: House, fresh: Any) -> None:
    client = fresh(house.patient)
    for wrong, sentence in (
        ({"name": ""}, "Give the key a name"),
        ({"days": "none"}, "A key lives for 1 to 366 days"),
        ({"days": "9999999"}, "A key lives for 1 to 366 days"),
        ({"networks": "nonsense"}, "Write networks such as"),
        ({"scopes": []}, "Choose among the rights listed"),
        ({"scopes": ["staff.list"]}, "Choose among the rights listed"),
    ):
        answer = send(client, "/account/keys", **{**WISH, "networks": "203.0.113.0/24", **wrong})
        assert (answer.status_code, sentence in words(answer)) == (422, True), wrong
        if "name" not in wrong:
            assert 'value="Calendar"' in words(answer)
        if "networks" not in wrong:
            assert "203.0.113.0/24" in words(answer)
    assert not ApiKey.objects.exists()


def test_without_a_fresh_step_up_the_form_is_not_shown_and_nothing_is_made(house: House, browser_of: Any) -> None:
    client = browser_of(house.patient)
    page = client.get("/account/keys")
    assert 'href="/step-up?next=/account/keys"' in words(page)
    assert 'name="scopes"' not in words(page)
    token = form(page, "/sign-out")["fields"]["csrfmiddlewaretoken"]
    answer = client.post("/account/keys", {"csrfmiddlewaretoken": token, **WISH})
    assert answer["Location"].startswith("/step-up?next=")
    assert answer["Location"].endswith("&unsent=1"), "the browser is told to keep what was typed"
    assert "has not been done yet" in words(client.get(answer["Location"]))
    assert "has not been done yet" not in words(client.get("/step-up?next=/account"))
    assert not ApiKey.objects.exists()


def test_a_partner_gets_a_key_at_one_hospital(house: House, fresh: Any) -> None:
    client = fresh(house.staff["admin"])
    place = f"/admin/keys/new/{house.facility.pk}"
    assert f'href="{place}"' in words(client.get("/admin/keys"))
    assert 'href="/admin/keys"' in words(client.get("/admin"))
    assert client.get(f"/admin/keys/new/{house.elsewhere.pk}").status_code == 404
    assert send(client, place, **{**WISH, "scopes": ["patient.shred"]}).status_code == 422
    made = send(client, place, **{**WISH, "name": "City laboratory"})
    assert SECRET.search(words(made))
    row = ApiKey.objects.get()
    assert (row.facility_id, row.scopes) == (house.facility.pk, ["appointment.view"])
    assert "City laboratory" in words(client.get("/admin/keys"))
    assert "City laboratory" not in words(client.get("/account/keys")), "it is not the administrator's own"
    end = f"/admin/keys/{row.pk}/end"
    assert send(client, end, "/admin/keys")["Location"] == "/admin/keys"
    row.refresh_from_db()
    assert row.revoked_at


def test_partners_keys_are_for_who_manages_them_there(house: House, fresh: Any) -> None:
    admin = house.staff["admin"]
    client = fresh(admin)
    send(client, f"/admin/keys/new/{house.facility.pk}", **WISH)
    partner = ApiKey.objects.get()
    assert fresh(house.receptionist).get("/admin/keys").status_code == 403
    assert 'href="/admin/keys"' not in words(fresh(house.manager).get("/admin"))
    # An administrator of another hospital: the key does not exist, and neither do its hospital's keys.
    there = house.stranger_receptionist
    Membership.objects.create(account=there, facility=house.elsewhere, role=Role.ADMIN)
    other = fresh(there)
    assert "Calendar" not in words(other.get("/admin/keys"))
    token = form(other.get("/admin/keys"), "/sign-out")["fields"]["csrfmiddlewaretoken"]
    answer = other.post(f"/admin/keys/{partner.pk}/end", {"csrfmiddlewaretoken": token})
    assert answer.status_code == 404
    # One's own key is not ended among the partners'.
    own = ApiKey.objects.create(
        account=admin, name="Mine", prefix="pc_00000000", digest="d", scopes=["patient.list"], made_by=admin,
        expires_at=partner.expires_at,
    )  # fmt: skip
    token = form(client.get("/admin/keys"), "/sign-out")["fields"]["csrfmiddlewaretoken"]
    assert client.post(f"/admin/keys/{own.pk}/end", {"csrfmiddlewaretoken": token}).status_code == 404
    assert "no rights that a program could use" in words(fresh(house.staff["auditor"]).get("/account/keys"))
    own.refresh_from_db()
    assert own.revoked_at is None


@pytest.mark.parametrize(
    ("role", "links"),
    [
        ("receptionist", ["/records", "/records/carers"]),
        ("nurse", ["/records"]),
        ("lab_technician", []),
        ("pharmacist", []),
        ("ambulance_crew", ["/records"]),
    ],
)
def test_every_role_is_led_to_what_it_can_do(house: House, browser_of: Any, role: str, links: list[str]) -> None:
    client = browser_of(house.receptionist if role == "receptionist" else house.staff[role])
    page = words(client.get("/work"))
    main = page.split("<main")[1]
    assert "Riverside Clinic" in main
    for link in ["/account/notices", "/account/security", *links]:
        assert f'href="{link}"' in main
        assert client.get(link).status_code == 200
    assert ('href="/records"' in main) == ("/records" in links)
    assert 'href="/work"' in page, "the menu leads back from everywhere"


def test_what_cannot_be_undone_is_for_no_program() -> None:
    assert not {"patient.shred", "patient.merge"} & {*apikeys.SCOPES, *apikeys.PARTNER_SCOPES}


def test_the_auditor_finds_the_way_back(house: House, browser_of: Any) -> None:
    assert 'href="/audit"' in words(browser_of(house.staff["auditor"]).get("/account"))
