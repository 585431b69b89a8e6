"""The administrator's pages as a browser sends them: people, roles, invitations, and looking through other eyes."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from polyclinic.core import clock
from polyclinic.core.models import AuditEntry
from polyclinic.facilities import identity, invitations, roles
from polyclinic.facilities.models import CustomRole, Membership, StaffInvitation
from polyclinic.people.models import Account, Session
from polyclinic.visits import actions as visits
from polyclinic.web import cookies
from tests.house import House, account
from tests.portals.conftest import form

PASSWORD = "seven quiet lanterns drift"
MORNING = datetime(2026, 11, 23, 9, tzinfo=UTC)


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


def send(client: Client, address: str, **fields: Any) -> Any:
    """Open the page, fill its form and send it."""
    page = client.get(address)
    assert page.status_code == 200, (address, page.status_code)
    found = form(page, "") if not fields.pop("action", None) else None
    token = found["fields"]["csrfmiddlewaretoken"] if found else ""
    return client.post(address, {"csrfmiddlewaretoken": token, **fields})


def post(client: Client, page: str, address: str, **fields: Any) -> Any:
    """A button of a page, whose form goes to `address`."""
    token = form(client.get(page), address)["fields"]["csrfmiddlewaretoken"]
    return client.post(address, {"csrfmiddlewaretoken": token, **fields})


def words(response: Any) -> str:
    return str(response.content.decode())


def test_whoever_runs_a_place_is_led_to_its_administration(house: House, browser_of: Any) -> None:
    for who in (house.staff["admin"], house.manager):
        client = browser_of(who)
        assert client.get("/home")["Location"] == "/admin"
        page = words(client.get("/admin"))
        assert "People at work" in page
        assert "Riverside Clinic" in page
    assert browser_of(house.receptionist).get("/admin").status_code == 403


def test_the_day_of_the_house_is_told_in_numbers_to_whoever_runs_it(house: House, browser_of: Any) -> None:
    desk = house.person(house.receptionist)
    with clock.fixed(MORNING):
        first, second = (
            visits.register(actor=desk, facility_id=house.facility.pk, patient_id=one.pk)
            for one in (house.patient, house.other_patient)
        )
        visits.paid(actor=desk, visit_id=first.pk)
    with clock.fixed(MORNING + timedelta(minutes=25)):
        manager = browser_of(house.manager)
        page = words(manager.get("/admin/day"))
        assert stand(page, "desk") == ("1", "longest 25 min")
        assert stand(page, "check") == ("1", "longest 25 min")
        assert stand(page, "doctor") == ("0", "")
        visits.leave(actor=desk, visit_id=second.pk, reason="went home")
        page = words(manager.get("/admin"))
        assert stand(page, "desk") == ("0", "")
        assert [figure(page, name) for name in ("Came", "Done", "Left")] == ["2", "0", "1"]
        assert "Meera" not in page
        assert "Pillai" not in page
    with clock.fixed(MORNING + timedelta(days=1)):
        page = words(browser_of(house.manager).get("/admin/day"))
        assert [figure(page, name) for name in ("Came", "Done", "Left")] == ["0", "0", "0"]
        assert stand(page, "check")[0] == "1", "whoever is forgotten in the house still stands somewhere"
    # Who looks after accounts sees the house's numbers, as on the page of figures, and nobody in them.
    with clock.fixed(MORNING + timedelta(minutes=25)):
        page = words(browser_of(house.staff["admin"]).get("/admin"))
        assert "People at work" in page
        assert stand(page, "check") == ("1", "longest 25 min")
        assert "Meera" not in page
    page = words(browser_of(house.staff["auditor"]).get("/admin"))
    assert "data-stand" not in page


def stand(page: str, line: str) -> tuple[str, str]:
    found = re.search(rf'data-stand="{line}"><dt>[^<]+</dt><dd>(\d+)(?: <small>([^<]*)</small>)?', page)
    assert found is not None
    return found[1], found[2] or ""


def figure(page: str, label: str) -> str:
    found = re.search(rf"<dt>{label}</dt><dd>(\d+)", page)
    assert found is not None
    return found[1]


def test_people_are_found_by_name_role_and_state(house: House, browser_of: Any) -> None:
    client = browser_of(house.staff["admin"])
    everyone = words(client.get("/admin/people"))
    for name in ("Asha Front", "Dr Anil Rao", "Some nurse"):
        assert name in everyone
    assert "Far Desk" not in everyone
    assert "Meera" not in everyone
    only = words(client.get("/admin/people?role=nurse"))
    assert "Some nurse" in only
    assert "Asha Front" not in only
    assert "Nobody found" in words(client.get("/admin/people?q=nobody+at+all"))
    assert "Some nurse" in words(client.get("/admin/people/list?role=nurse&page=1"))
    assert client.get("/admin/people?state=odd").status_code == 422


def test_a_change_asks_first_who_is_there(house: House, browser_of: Any) -> None:
    client = browser_of(house.staff["admin"])
    target = house.receptionist.pk
    for address in (f"/admin/people/{target}/give", f"/admin/people/{target}/do/deactivate", "/admin/invitations/new",
                    f"/admin/people/{target}/view-as", f"/admin/roles/new/{house.facility.pk}"):  # fmt: skip
        answer = client.get(address)
        assert answer.status_code == 303
        assert answer["Location"].startswith("/step-up?next=")
    assert client.get(f"/admin/people/{target}").status_code == 200


def test_giving_and_ending_a_role(house: House, fresh: Any) -> None:
    client, target = fresh(house.staff["admin"]), house.receptionist
    address = f"/admin/people/{target.pk}"
    assert send(client, f"{address}/give", role="").status_code == 422
    assert send(client, f"{address}/give", role=f"{house.facility.pk}:nurse")["Location"] == address
    held = Membership.objects.get(account=target, role="nurse", ended_at__isnull=True)
    assert "Nurse" in words(client.get(f"{address}/state"))
    assert send(client, f"{address}/end/{held.pk}", reason="x" * 201).status_code == 422
    assert send(client, f"{address}/end/{held.pk}", reason="Moved on")["Location"] == address
    assert "Earlier roles" in words(client.get(address))
    assert client.get(f"{address}/end/{held.pk}").status_code == 404


def test_closing_opening_resetting_and_signing_out(house: House, fresh: Any) -> None:
    client, target = fresh(house.staff["admin"]), house.receptionist
    address = f"/admin/people/{target.pk}"
    identity.open_api_session(target)
    assert send(client, f"{address}/do/sign-out")["Location"] == address
    assert not Session.objects.filter(account_id=target.pk).exists()
    send(client, f"{address}/do/deactivate", reason="Left")
    target.refresh_from_db()
    assert not target.is_active
    page = words(client.get(address))
    assert "Open the account again" in page
    assert "Close the account" not in page
    send(client, f"{address}/do/reactivate")
    target.refresh_from_db()
    assert target.is_active
    send(client, f"{address}/do/reset-password")
    target.refresh_from_db()
    assert not target.has_usable_password()
    assert "Must be chosen anew" in words(client.get(address))
    assert client.get(f"{address}/do/nothing").status_code == 404
    done = AuditEntry.objects.filter(subject_id=str(target.pk)).order_by("pk").values_list("action", flat=True)
    assert list(done) == ["account.sign_out", "account.deactivate", "account.reactivate", "account.reset_password"]


def test_a_manager_staffs_and_closes_nobody(house: House, fresh: Any) -> None:
    client = fresh(house.manager)
    address = f"/admin/people/{house.staff['nurse'].pk}"
    page = words(client.get(address))
    assert "Give a role" in page
    assert "Close the account" not in page
    assert "Look through their eyes" not in page
    assert client.get(f"{address}/do/deactivate").status_code == 404
    assert client.get(f"{address}/view-as").status_code == 403
    options = words(client.get(f"{address}/give"))
    assert "Nurse" in options
    assert "Auditor" not in options


def test_one_offers_nobody_a_change_of_oneself(house: House, fresh: Any) -> None:
    admin = house.staff["admin"]
    page = words(fresh(admin).get(f"/admin/people/{admin.pk}"))
    for word in ("Give a role", "Close the account", "Look through"):
        assert word not in page


def test_roles_of_ones_own_are_made_changed_and_retired(house: House, fresh: Any) -> None:
    client, place = fresh(house.manager), house.facility.pk
    form_page = words(client.get(f"/admin/roles/new/{place}"))
    assert "Change schedules" in form_page
    assert "Read why a patient comes" not in form_page
    assert send(client, f"/admin/roles/new/{place}", name="Planner").status_code == 422
    assert send(client, f"/admin/roles/new/{place}", name="Planner", permissions=["patient.view"]).status_code == 422
    sent = send(client, f"/admin/roles/new/{place}", name="Planner", permissions=["schedule.view", "schedule.edit"])
    assert sent["Location"] == "/admin/roles"
    row = CustomRole.objects.get()
    listed = words(client.get("/admin/roles"))
    assert "Planner" in listed
    assert "patient.read_contact" in listed
    send(client, f"/admin/roles/{row.pk}", name="Chief planner", permissions=["schedule.view"], version="1")
    row.refresh_from_db()
    assert (row.name, row.permissions, row.version) == ("Chief planner", ["schedule.view"], 2)
    assert (
        send(client, f"/admin/roles/{row.pk}", name="X", permissions=["schedule.view"], version="1").status_code == 409
    )
    post(client, f"/admin/roles/{row.pk}", f"/admin/roles/{row.pk}/retire", version="2")
    row.refresh_from_db()
    assert row.ended_at is not None
    assert client.get(f"/admin/roles/{row.pk}").status_code == 404
    assert client.get(f"/admin/roles/new/{house.elsewhere.pk}").status_code == 404


def test_from_an_invitation_to_work(house: House, fresh: Any) -> None:
    client = fresh(house.staff["admin"])
    wish = {"name": "Noor New", "email": "noor@example.org", "role": f"{house.facility.pk}:nurse"}
    assert send(client, "/admin/invitations/new", **{**wish, "email": "no address"}).status_code == 422
    assert send(client, "/admin/invitations/new", **wish)["Location"] == "/admin/invitations"
    assert "Noor New" in words(client.get("/admin/invitations"))
    row = StaffInvitation.objects.get()
    post(client, "/admin/invitations", f"/admin/invitations/{row.pk}/resend")
    row.refresh_from_db()
    guest = Client(enforce_csrf_checks=True)
    moved = guest.get(f"/invitation/{invitations.token_of(row)}")
    assert moved["Location"] == "/invitation/open"
    page = guest.get("/invitation/open")
    assert "Join Riverside Clinic" in words(page)
    assert send(guest, "/invitation/open", name="Noor New", password="short").status_code == 422
    assert send(guest, "/invitation/open", name="Noor New", password=PASSWORD)["Location"] == "/home"
    made = Account.objects.get(email="noor@example.org")
    assert house.person(made).has_role("nurse")
    assert guest.get("/home").status_code in (200, 303)
    assert guest.get("/invitation/open").status_code == 410
    assert "Accepted" in words(client.get("/admin/invitations/list"))


def test_somebody_with_an_account_joins_with_it(house: House, fresh: Any, browser_of: Any) -> None:
    invitations.invite(
        actor=house.person(house.staff["admin"]), facility_id=house.facility.pk, email=house.patient.account.email,  # type: ignore[union-attr]
        name="Meera", role="nurse",
    )  # fmt: skip
    link = f"/invitation/{invitations.token_of(StaffInvitation.objects.get())}"
    guest = Client()
    guest.get(link)
    assert "/sign-in?next=/invitation/open" in words(guest.get("/invitation/open"))
    other = browser_of(house.other_patient)
    other.get(link)
    refused = send(other, "/invitation/open")
    assert "another email address" in words(refused)
    own = browser_of(house.patient)
    own.get(link)
    assert send(own, "/invitation/open")["Location"] == "/home"
    assert house.person(house.patient).has_role("nurse")


def test_an_invitation_can_be_taken_back(house: House, fresh: Any) -> None:
    client = fresh(house.staff["admin"])
    row = invitations.invite(
        actor=house.person(house.staff["admin"]), facility_id=house.facility.pk, email="n@example.org", name="N",
        role="nurse",
    )  # fmt: skip
    link = f"/invitation/{invitations.token_of(row)}"
    post(client, "/admin/invitations", f"/admin/invitations/{row.pk}/revoke")
    assert Client().get(link).status_code == 410
    stranger = "/admin/invitations/00000000-0000-0000-0000-000000000000/revoke"
    token = form(client.get("/admin/invitations/new"), "")["fields"]["csrfmiddlewaretoken"]
    assert client.post(stranger, {"csrfmiddlewaretoken": token}).status_code == 404


def looking(house: House, client: Client, who: Any) -> Any:
    return send(client, f"/admin/people/{who.pk}/view-as", reason="She asked me to look")


def test_looking_through_anothers_eyes_is_seen_on_every_page_and_only_reads(house: House, fresh: Any) -> None:
    client = fresh(house.staff["admin"])
    target = house.doctor.account
    assert send(client, f"/admin/people/{target.pk}/view-as", reason="").status_code == 422
    assert looking(house, client, target)["Location"] == "/home"
    assert client.get("/home")["Location"] == "/doctor"
    for address in ("/doctor", "/doctor/patients", "/doctors"):
        page = words(client.get(address))
        assert "You are looking through the eyes of Dr Anil Rao" in page
        assert "data-live-cursor" not in page
    token = form(client.get("/doctor/patients"), "/view-as/end")["fields"]["csrfmiddlewaretoken"]
    for address in ("/doctor/patients", "/account/language", "/sign-in", "/book/hold"):
        refused = client.post(address, {"csrfmiddlewaretoken": token})
        assert refused.status_code == 403, address
    for own in ("/account", "/account/notices", "/account/security", "/admin"):
        assert client.get(own).status_code == 403, own
    pages = AuditEntry.objects.filter(action="person.view_as_page").values_list("actor", "subject_id", "detail")
    assert {entry[0] for entry in pages} == {f"account:{house.staff['admin'].pk}"}
    assert {entry[1] for entry in pages} == {str(target.pk)}
    assert any('"/doctor/patients"' in entry[2] for entry in pages)
    ended = client.post("/view-as/end", {"csrfmiddlewaretoken": token})
    assert ended["Location"] == f"/admin/people/{target.pk}"
    assert "looking through the eyes" not in words(client.get("/admin"))
    assert AuditEntry.objects.filter(action="person.view_as_end").count() == 1


def test_the_view_cookie_is_worth_nothing_to_others(house: House, fresh: Any, browser_of: Any) -> None:
    client = fresh(house.staff["admin"])
    looking(house, client, house.doctor.account)
    key = client.cookies[cookies.VIEW.name].value
    for other in (Client(), browser_of(house.patient), browser_of(house.manager)):
        other.cookies[cookies.VIEW.name] = key
        assert "looking through" not in words(other.get("/doctors"))
    thief = Client()
    thief.cookies["polyclinic_session"] = key
    assert thief.get("/doctor").status_code == 303
    assert thief.get("/api/auth/me").status_code == 401
    # The API and the live gateway know the administrator alone.
    assert client.get("/api/auth/me").json()["accountId"] == str(house.staff["admin"].pk)


def test_signing_out_ends_the_look_too(house: House, fresh: Any) -> None:
    client = fresh(house.staff["admin"])
    looking(house, client, house.doctor.account)
    token = form(client.get("/doctors"), "/view-as/end")["fields"]["csrfmiddlewaretoken"]
    client.post("/sign-out", {"csrfmiddlewaretoken": token})
    assert client.get("/doctor").status_code == 303


def test_an_own_role_opens_the_door_it_names_and_no_other(house: House, browser_of: Any) -> None:
    """Custom roles at the front door: nobody has the role's name in any table."""
    manager = house.person(house.manager)
    made = roles.define(actor=manager, facility_id=house.facility.pk, name="Watcher", permissions=["staff.list"])
    watcher = account("watcher@example.org", "Wim Watcher")
    Membership.objects.create(account=watcher, facility=house.facility, role="custom", custom_role=made)
    client = browser_of(watcher)
    assert client.get("/home")["Location"] == "/admin"
    assert client.get("/admin/people").status_code == 200
    assert client.get("/admin/invitations").status_code == 403
    assert client.get(f"/admin/roles/new/{house.facility.pk}").status_code == 403
    assert browser_of(house.staff["nurse"]).get("/admin/people").status_code == 403
