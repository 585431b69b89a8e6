"""Background work and dead letters: what fares how, and mails given up that are sent again or let go."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client

from polyclinic.core import clock
from polyclinic.core.actors import SystemActor
from polyclinic.core.models import AuditEntry
from polyclinic.notify import actions, worker
from polyclinic.notify.models import Delivery
from polyclinic.people import erasing
from polyclinic.web import housekeeping
from polyclinic.web.housekeeping import Chore, Housekeeper
from tests.api.calling import bearer, call
from tests.house import House
from tests.portals.conftest import form


@pytest.fixture
def lost(house: House, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Delivery:
    """A mail to the patient that was given up while the mail server was away; it is back by now."""
    settings.EMAIL_BACKEND = "tests.notify.test_notices.Broken"
    actions.tell(house.patient.account_id, "password_changed")  # type: ignore[arg-type]
    now = clock.now()
    with monkeypatch.context() as away:
        away.setattr(clock, "_source", lambda: now)
        while Delivery.objects.filter(state="waiting").exists():
            now = Delivery.objects.get().next_at
            worker.deliver_due()
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    return Delivery.objects.get()


@pytest.fixture
def admin(house: House, browser_of: Any) -> Client:
    client: Client = browser_of(house.staff["admin"])
    return client


def press(client: Client, address: str) -> Any:
    return client.post(address, form(client.get("/admin/jobs"), address)["fields"])


def stored() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM notify_delivery")
        return str(cursor.fetchall())


def test_a_mail_given_up_is_kept_sealed_and_sent_again(house: House, lost: Delivery, admin: Client) -> None:
    address = house.patient.account.email  # type: ignore[union-attr]
    assert (lost.state, lost.to, lost.detail) == ("failed", "", {})
    assert address not in stored()
    page = admin.get("/admin/jobs").content.decode()
    assert "Your password was changed" in page
    assert "ConnectionRefusedError" in page
    assert address not in page
    assert press(admin, f"/admin/jobs/mails/{lost.pk}/replay")["Location"] == "/admin/jobs"
    assert worker.deliver_due() == 1
    assert [sent.to for sent in mail.outbox] == [[address]]
    row = Delivery.objects.get()
    assert (row.state, row.to, row.kept, row.kept_for) == ("sent", "", "", "")
    assert AuditEntry.objects.filter(action="mail.replay", subject_id=str(lost.pk)).count() == 1


def test_a_mail_given_up_is_discarded_once(house: House, lost: Delivery, admin: Client) -> None:
    discard = f"/admin/jobs/mails/{lost.pk}/discard"
    given = form(admin.get("/admin/jobs"), discard)["fields"]
    admin.post(discard, given)
    row = Delivery.objects.get()
    assert (row.state, row.kept, row.kept_for) == ("dropped", "", "")
    assert "Somebody else has dealt with this mail" in admin.post(discard, given, follow=True).content.decode()
    assert AuditEntry.objects.filter(action="mail.discard").count() == 1
    assert worker.deliver_due() == 0


def test_after_thirty_days_it_is_gone(lost: Delivery) -> None:
    now = clock.now()
    with clock.fixed(now + timedelta(days=29)):
        assert worker.forget_old() == 0
    with clock.fixed(now + timedelta(days=33)):
        assert worker.forget_old() == 1


def test_it_goes_with_its_patients_record(house: House, lost: Delivery, admin: Client) -> None:
    assert Delivery.objects.get().kept
    erasing.shred_patient(actor=SystemActor("operator"), patient_id=house.patient.pk)
    row = Delivery.objects.get()
    assert (row.kept, row.kept_for) == ("", "")
    page = admin.get("/admin/jobs").content.decode()
    assert f"/admin/jobs/mails/{lost.pk}/replay" not in page
    told = call(
        "PUT", f"/api/admin/failed-mails/{lost.pk}/status", body={"action": "replay"},
        headers=bearer(house.staff["admin"]),
    )  # fmt: skip
    assert told.code == "gone"


def test_who_may_not_repair_neither_sees_nor_decides(house: House, lost: Delivery, browser_of: Any) -> None:
    for who in (house.manager, house.doctor, house.patient):
        assert browser_of(who).get("/admin/jobs").status_code == 403
        head = bearer(who)
        assert call("GET", "/api/admin/failed-mails", headers=head).status == 403
        told = call("PUT", f"/api/admin/failed-mails/{lost.pk}/status", body={"action": "discard"}, headers=head)
        assert told.status == 403
    assert Delivery.objects.get().state == "failed"


def test_over_rest_it_is_told_without_address(house: House, lost: Delivery) -> None:
    head = bearer(house.staff["admin"])
    told = call("GET", "/api/admin/failed-mails", headers=head)
    assert [(row["kind"], row["replayable"]) for row in told.json["data"]] == [("password_changed", True)]
    assert b"example.org" not in told.body
    decide = f"/api/admin/failed-mails/{lost.pk}/status"
    assert call("PUT", decide, body={"action": "replay"}, headers=head).status == 204
    assert call("PUT", decide, body={"action": "replay"}, headers=head).status == 409
    assert Delivery.objects.get().state == "waiting"


def test_a_mistake_in_one_chore_ends_no_lane_and_shows_on_the_page(admin: Client, monkeypatch: Any) -> None:
    """Whatever a chore raises, the lane goes on: a thread that died would end all its chores in silence."""
    monkeypatch.setattr(housekeeping, "_runs", dict(housekeeping._runs))
    ran = threading.Event()

    def broken() -> int:
        raise RuntimeError("about somebody@example.org")

    def fine() -> int:
        ran.set()
        return 1

    keeper = Housekeeper((Chore("break", 0.02, broken), Chore("go on", 0.02, fine)))
    keeper.start()
    try:
        assert ran.wait(5)
    finally:
        keeper.stop()
    page = admin.get("/admin/jobs").content.decode()
    assert "RuntimeError" in page
    assert "somebody@" not in page
    told = {run.name: run for run in housekeeping.runs()}
    assert told["break"].failures >= 1
    assert told["go on"].done == 1
    assert told["send mails"].lane == "mail"
