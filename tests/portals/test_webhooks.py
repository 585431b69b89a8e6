"""Webhooks on their pages and over REST: registered, tested, looked into, replayed; and addresses that are refused."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from polyclinic.core import clock
from polyclinic.core.models import AuditEntry
from polyclinic.facilities import identity
from polyclinic.webhooks.models import Message, Webhook
from tests.api.calling import Answer, bearer, call
from tests.house import House
from tests.matrix.hooks import URL, WISH
from tests.matrix.hooks import parts as made_parts
from tests.portals.conftest import form

SECRET = re.compile(r"whsec_[A-Za-z0-9+/]{43}=")


@pytest.fixture
def admin(house: House, browser_of: Any) -> Client:
    """The administrator's browser, who has just shown who they are."""
    client: Client = browser_of(house.staff["admin"])
    session = client.session
    session["stepped_up_at"] = clock.now().isoformat()
    session.save()
    identity.forget()
    return client


def send(client: Client, address: str, page: str, **given: Any) -> Any:
    fields = form(client.get(page), address)["fields"]
    return client.post(address, {**fields, **given})


def words(response: Any) -> str:
    return str(response.content.decode())


def test_a_webhook_is_registered_and_its_secret_is_shown_once(house: House, admin: Client) -> None:
    new = f"/admin/webhooks/new/{house.facility.pk}"
    assert f'href="{new}"' in words(admin.get("/admin/webhooks"))
    assert 'href="/admin/webhooks"' in words(admin.get("/admin/keys"))
    made = send(admin, new, new, **WISH)
    assert SECRET.search(words(made))
    assert made["Cache-Control"] == "no-store"
    row = Webhook.objects.get()
    page = words(admin.get(f"/admin/webhooks/{row.pk}"))
    assert not SECRET.search(page)
    assert URL in page
    rotated = send(admin, f"/admin/webhooks/{row.pk}/rotate", f"/admin/webhooks/{row.pk}")
    assert SECRET.search(words(rotated))
    assert "Both secrets are valid until" in words(rotated)
    audited = AuditEntry.objects.filter(subject_kind="webhook").values_list("action", flat=True)
    assert {"webhook.register", "webhook.rotate"} <= set(audited)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://partner.example/hook", "must begin with https://"),
        ("https://127.0.0.1/hook", "not on the open internet"),
        ("https://169.254.169.254/latest/meta-data", "not on the open internet"),
        ("https://[::ffff:10.0.0.1]/", "not on the open internet"),
        ("https://user:secret@93.184.216.34/", "must not contain a name or password"),
        ("https://0x7f.1/", "cannot"),
        ("gopher://93.184.216.34/", "must begin with https://"),
        ("https://93.184.216.34/" + "x" * 500, "longer than 500"),
    ],
)
def test_an_address_inside_is_refused_with_the_reason_and_what_was_typed_is_kept(
    house: House, admin: Client, settings: Any, url: str, said: str
) -> None:
    settings.DEMO, settings.OUTGOING_ALLOW = False, []
    new = f"/admin/webhooks/new/{house.facility.pk}"
    answer = send(admin, new, new, **{**WISH, "url": url})
    assert answer.status_code == 422
    assert said in words(answer) or "Nothing can be sent to this address" in words(answer)
    assert 'value="A partner"' in words(answer)
    assert not Webhook.objects.exists()


def test_events_that_are_not_on_the_list_are_refused_by_name(house: House, admin: Client) -> None:
    new = f"/admin/webhooks/new/{house.facility.pk}"
    for events in ([], ["note.saved"], ["appointment.booked", "lab.critical_result"]):
        answer = send(admin, new, new, **{**WISH, "events": events})
        assert answer.status_code == 422
        assert "Choose among the events listed" in words(answer)
    assert not Webhook.objects.exists()


def test_it_is_changed_paused_switched_on_and_ended_and_a_stale_form_changes_nothing(
    house: House, admin: Client
) -> None:
    row = Webhook.objects.get(pk=made_parts(house)["webhook_id"])
    at = f"/admin/webhooks/{row.pk}"
    stale = form(admin.get(f"{at}/edit"), f"{at}/edit")["fields"]
    changed = send(admin, f"{at}/edit", f"{at}/edit", name="Register", url=URL, events=["bed.cleaned"])
    assert changed["Location"] == at
    row.refresh_from_db()
    assert (row.name, row.events) == ("Register", ["bed.cleaned"])
    late = admin.post(f"{at}/edit", {**stale, "name": "Other", "url": URL, "events": ["bed.cleaned"]})
    assert late.status_code == 409
    for deed, state in (("pause", "paused"), ("resume", "active"), ("end", "ended")):
        assert send(admin, f"{at}/do/{deed}", at)["Location"] == at
        row.refresh_from_db()
        assert row.state == state
    assert "Send a test" not in words(admin.get(at))


def test_a_dead_letter_is_seen_replayed_and_discarded(house: House, admin: Client) -> None:
    made = made_parts(house)
    at = f"/admin/webhooks/{made['webhook_id']}"
    page = words(admin.get(f"{at}?show=dead"))
    assert "Given up" in page
    assert made["delivery_id"].replace("-", "") in page
    replay = f"/admin/webhooks/messages/{made['delivery_id']}/replay"
    assert send(admin, replay, at)["Location"] == at
    assert Message.objects.get().progress == "waiting"
    discard = replay.replace("replay", "discard")
    given = form(admin.get(at), discard)["fields"]
    admin.post(discard, given)
    assert Message.objects.get().progress == "discarded"
    assert "This message has changed meanwhile" in words(admin.post(discard, given, follow=True))
    audited = AuditEntry.objects.filter(action__endswith="_message").order_by("pk").values_list("action", flat=True)
    assert list(audited) == ["webhook.replay_message", "webhook.discard_message"]


@pytest.mark.parametrize("since", ["", "yesterday", "2020-01-01T00:00", "2999-01-01T00:00"])
def test_sending_once_more_asks_for_a_moment_of_the_last_thirty_days(house: House, admin: Client, since: str) -> None:
    at = f"/admin/webhooks/{made_parts(house)['webhook_id']}"
    answer = send(admin, f"{at}/again", at, since=since)
    assert answer.status_code == 422
    assert 'id="since-error"' in words(answer)
    assert Message.objects.get().progress == "dead"


def test_only_who_looks_after_the_house_gets_in_and_a_manager_cannot_give_the_right(
    house: House, browser_of: Any
) -> None:
    made = made_parts(house)
    for who in (house.manager, house.receptionist, house.doctor):
        assert browser_of(who).get("/admin/webhooks").status_code == 403
        assert browser_of(who).get(f"/admin/webhooks/{made['webhook_id']}").status_code == 403
    key = {"name": "Desk", "permissions": ["webhook.manage"]}
    told = call(
        "POST", "/api/admin/roles", body={**key, "facilityId": house.facility.pk}, headers=bearer(house.manager)
    )
    assert told.status in (403, 422)


# REST


@pytest.fixture
def ask(house: House) -> Any:
    head = bearer(house.staff["admin"])

    def run(method: str, address: str, body: Any = None, **headers: str) -> Answer:
        return call(method, address, body=body, headers={**head, **headers})

    return run


def test_over_rest_it_asks_for_a_step_up_and_answers_as_the_pages_do(house: House, ask: Any) -> None:
    place = f"/api/hospitals/{house.facility.pk}/webhooks"
    assert ask("POST", place, WISH).code == "step_up_needed"
    made = made_parts(house)
    at = f"/api/webhooks/{made['webhookId']}"
    assert [row["stage"] for row in ask("GET", place).json["data"]] == ["active"]
    told = ask("GET", at)
    assert told.json["dead"] == 1
    assert "secret" not in told.json
    stale = ask("PATCH", at, {"name": "Other"}, **{"If-Match": '"7"'})
    assert stale.status == 412
    assert ask("PATCH", at, {"name": "Other"}, **{"If-Match": '"1"'}).json["name"] == "Other"
    assert ask("PATCH", at, {"url": "https://93.184.216.35/"}).code == "step_up_needed"
    assert ask("PUT", f"{at}/status", {"action": "disable"}).status == 422
    assert ask("PUT", f"{at}/status", {"action": "resume"}).code == "illegal_transition"
    rows = ask("GET", f"{at}/deliveries?progress=dead").json
    assert rows["pagination"]["total"] == 1
    assert rows["data"][0]["name"].startswith("msg_")
    assert ask("GET", f"{at}/deliveries?progress=lost").status == 422
    since = {"since": (clock.now() - timedelta(days=31)).isoformat()}
    assert ask("POST", f"{at}/replay", since).json["field"] == "since"


def test_the_list_of_events_says_what_is_sent_and_nothing_about_patients(ask: Any) -> None:
    rows = ask("GET", "/api/webhook-events?limit=200").json["data"]
    assert len(rows) > 20
    assert all("patientId" not in row["fields"] for row in rows)
    assert all(row["link"].startswith("/api/") or not row["link"] for row in rows)
