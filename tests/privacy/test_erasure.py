"""A granted request for erasure erases for good; while the law or a hold asks to keep the record, none is granted."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
from django.db import transaction
from django.test import override_settings

from polyclinic.consent import actions as sharing
from polyclinic.consent.models import Consent, Delegation
from polyclinic.core import clock
from polyclinic.core.actors import SystemActor
from polyclinic.core.crypto.ring import ring
from polyclinic.core.errors import Conflict, Forbidden, IllegalTransition, StepUpNeeded
from polyclinic.core.models import AuditEntry
from polyclinic.facilities import identity
from polyclinic.facilities.models import Membership
from polyclinic.notify import letters
from polyclinic.notify.models import Delivery
from polyclinic.people.erasing import ERASED, shred_patient
from polyclinic.people.models import Account, Patient, Session
from polyclinic.privacy import actions, erasure, retention
from polyclinic.privacy.models import PrivacyRequest
from polyclinic.scheduling.models import Appointment
from tests.api.calling import bearer, call, cookies
from tests.crypto.conftest import keys
from tests.house import House

__all__ = ["keys"]


def officer(house: House, fresh: bool = True) -> Any:
    found = house.person(house.staff["privacy_officer"])
    return replace(found, stepped_up_at=clock.now()) if fresh else found


def ask(house: House, kind: str = "erasure") -> PrivacyRequest:
    return actions.request(
        actor=house.person(house.patient), patient_id=house.patient.pk, facility_id=house.facility.pk,
        kind=kind, words="I moved away" if kind == "erasure" else "",
    )  # fmt: skip


def seen(house: House, years: float) -> None:
    starts = clock.now() - timedelta(days=365.25 * years)
    Appointment.objects.create(
        patient=house.patient, doctor=house.doctor, facility=house.facility, schedule=house.schedule,
        state="completed", starts=starts, ends=starts + timedelta(minutes=20), booked_by="test", booked_at=starts,
    )  # fmt: skip


def answer(house: House, made: PrivacyRequest, **changes: Any) -> PrivacyRequest:
    return actions.answer(**{"actor": officer(house), "request_id": made.pk, "text": "Erased today", **changes})


def test_yes_erases_the_record_and_closes_the_account(house: House, keys: Path) -> None:
    patient = house.person(house.patient)
    given: Any = {"actor": patient, "patient_id": house.patient.pk}
    seen(house, 11)
    sharing.grant(**given, facility_id=house.elsewhere.pk, purpose="treatment", categories=["all"])
    sharing.propose(**given, email="aunt@example.org", kind="carer", rights="view")
    made = ask(house)
    assert erasure.standing(officer(house), made.pk).free
    row = answer(house, made)
    assert row.state == "answered"
    left = Patient.objects.get(pk=house.patient.pk)
    assert (left.family_name, left.phone, left.account_id) == (ERASED, "", None)
    closed = Account.objects.get(pk=patient.account_id)
    assert (closed.is_active, closed.name) == (False, ERASED)
    assert not Session.objects.filter(account_id=closed.pk).exists()
    # The key is gone: what was said in the request, and the answer, open no more.
    again = PrivacyRequest.objects.get(pk=made.pk)
    assert (again.words, again.answer) == ("", "")
    assert Consent.objects.get().state == "withdrawn"
    assert Delegation.objects.get().state == "ended"
    mail = Delivery.objects.get(kind="record_erased")
    assert mail.to == "meera@example.org"
    letter = letters.write(mail)
    assert letter is not None
    assert "Riverside Clinic" in letter.body
    entry = AuditEntry.objects.get(action="patient.shred")
    assert str(made.pk) in entry.detail
    with pytest.raises(IllegalTransition):
        answer(house, made)
    # The officer's pages still open.
    for path in ("/privacy", f"/privacy/requests/{made.pk}", "/privacy/retention"):
        assert call("GET", path, headers=cookies(house.staff["privacy_officer"])).status == 200


def untouched(house: House, made: PrivacyRequest) -> bool:
    made.refresh_from_db()
    left = Patient.objects.get(pk=house.patient.pk)
    return made.state == "received" and left.family_name == "Pillai" and made.words == "I moved away"


def test_what_the_law_keeps_is_refused_with_law_and_day(house: House) -> None:
    seen(house, 3)
    made = ask(house)
    with override_settings(RETENTION_BASIS={"record": "BGB 630f (3)"}), pytest.raises(erasure.MustBeKept) as told:
        answer(house, made)
    assert told.value.extra["basis"] == "BGB 630f (3)"
    until = erasure.standing(officer(house), made.pk).kept_until
    assert until is not None
    assert told.value.extra["keptUntil"] == until.isoformat()
    assert abs(until - (clock.now() + timedelta(days=7 * 365.25)).date()) < timedelta(days=3)
    assert untouched(house, made)
    # Years are the installation's own.
    with override_settings(RETENTION_YEARS={"record": 2}):
        assert erasure.standing(officer(house), made.pk).free
    assert actions.refuse(actor=officer(house), request_id=made.pk, text="BGB 630f (3), until then").state == "refused"


def test_a_childs_record_is_kept_until_long_after_coming_of_age(house: House) -> None:
    Patient.objects.filter(pk=house.patient.pk).update(born=clock.now().date() - timedelta(days=365 * 20))
    seen(house, 11)
    with pytest.raises(erasure.MustBeKept):
        answer(house, ask(house))


def test_a_legal_hold_and_an_open_request_stand_in_the_way(house: House) -> None:
    seen(house, 11)
    made = ask(house)
    held = retention.place_hold(
        actor=officer(house), facility_id=house.facility.pk, mrn=house.patient.mrn, reason="A lawsuit since May"
    )
    with pytest.raises(retention.Held):
        answer(house, made)
    retention.lift_hold(actor=officer(house), hold_id=held.pk)
    copy = ask(house, "access")
    with pytest.raises(Conflict) as told:
        answer(house, made)
    assert told.value.code == "other_requests_open"
    assert untouched(house, made)
    actions.answer(actor=officer(house), request_id=copy.pk)
    assert answer(house, made).state == "answered"


def test_only_a_person_who_has_just_shown_who_they_are_erases(house: House) -> None:
    made = ask(house)
    old = replace(officer(house), stepped_up_at=clock.now() - timedelta(minutes=6))
    for actor in (officer(house, fresh=False), old):
        with pytest.raises(StepUpNeeded):
            answer(house, made, actor=actor)
    key = replace(officer(house), scopes=frozenset({"privacy.answer", "patient.shred"}))
    with pytest.raises(Forbidden):
        answer(house, made, actor=key)
    assert untouched(house, made)


def test_a_colleague_keeps_their_account(house: House) -> None:
    Membership.objects.create(account=house.patient.account, facility=house.elsewhere, role="nurse")
    answer(house, ask(house))
    assert Account.objects.get(pk=house.patient.account_id).is_active
    assert Patient.objects.get(pk=house.patient.pk).account_id is None


def test_other_hospitals_asked_for_the_same_are_done_with_it(house: House) -> None:
    made = ask(house)
    other = actions.request(
        actor=house.person(house.patient), patient_id=house.patient.pk, facility_id=house.elsewhere.pk,
        kind="erasure", words="I moved away",
    )  # fmt: skip
    answer(house, made)
    other.refresh_from_db()
    assert (other.state, other.answered_by) == ("answered", "system:eraser")


def test_a_request_that_outlives_the_record_can_still_be_closed(house: House) -> None:
    made = ask(house)
    shred_patient(actor=SystemActor("operator"), patient_id=house.patient.pk)
    assert actions.refuse(actor=officer(house), request_id=made.pk, text="Done already").state == "refused"


def test_a_failure_on_the_way_erases_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    made = ask(house)

    def broken(_owner: str) -> None:
        raise OSError("the vault is away")

    monkeypatch.setattr(ring, "shred", broken)
    with pytest.raises(OSError, match="vault"), transaction.atomic():
        answer(house, made)
    assert untouched(house, made)


def test_the_page_shows_what_stands_in_the_way(house: House) -> None:
    seen(house, 3)
    made = ask(house)
    page = call("GET", f"/privacy/requests/{made.pk}", headers=cookies(house.staff["privacy_officer"])).body
    assert b"Must be kept until" in page
    assert b'value="answer"' not in page
    assert b"The law asks us to keep your record until" in page
    Appointment.objects.all().delete()
    page = call("GET", f"/privacy/requests/{made.pk}", headers=cookies(house.staff["privacy_officer"])).body
    assert b"Yes, erase it for good" in page


def test_the_page_and_the_api_ask_for_a_fresh_factor(house: House) -> None:
    made = ask(house)
    sent = {**cookies(house.staff["privacy_officer"]), "Content-Type": "application/x-www-form-urlencoded"}
    form = urlencode({"step": "answer", "answer": "Erased", "version": "1"}).encode()
    newest = Session.objects.order_by("-started_at").values_list("pk", flat=True)[0]
    Session.objects.filter(pk=newest).update(stepped_up_at=clock.now() - timedelta(minutes=6))
    identity.forget()
    told = call("POST", f"/privacy/requests/{made.pk}", body=form, headers=sent)
    assert (told.status, told.headers["location"].split("?")[0]) == (303, "/step-up")
    path = f"/api/privacy-requests/{made.pk}/status"
    wish = {"step": "answer", "answer": "Erased", "version": 1}
    sent_by_program = bearer(house.staff["privacy_officer"])
    Session.objects.exclude(pk=newest).update(stepped_up_at=None)
    identity.forget()
    refused = call("PUT", path, body=wish, headers=sent_by_program)
    assert (refused.status, orjson.loads(refused.body)["code"]) == (403, "step_up_needed")
    assert untouched(house, made)
    Session.objects.filter(pk=newest).update(stepped_up_at=clock.now())
    identity.forget()
    assert call("POST", f"/privacy/requests/{made.pk}", body=form, headers=sent).status == 303
    assert Patient.objects.get(pk=house.patient.pk).family_name == ERASED
