"""Retention: records are found when their time is over, erased by a person's word alone, and kept under a hold."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import override_settings

from polyclinic.consent import actions as sharing
from polyclinic.consent.models import Consent, Delegation
from polyclinic.core import clock
from polyclinic.core.actors import SystemActor
from polyclinic.core.errors import Conflict, Invalid, NotFound, StaleEdit
from polyclinic.core.models import AuditEntry
from polyclinic.facilities import identity
from polyclinic.facilities.models import Membership, StaffInvitation
from polyclinic.notify import actions as notify
from polyclinic.notify.models import Inbox, Notice
from polyclinic.people import erasing
from polyclinic.people.models import Patient, Session
from polyclinic.privacy import actions, retention
from polyclinic.privacy.models import LegalHold
from polyclinic.scheduling.models import Appointment
from tests.api.calling import call, cookies
from tests.house import House, account, missing


def seen(house: House, who: Patient, years: float) -> Appointment:
    """An appointment so many years ago."""
    starts = clock.now() - timedelta(days=365.25 * years)
    return Appointment.objects.create(
        patient=who, doctor=house.doctor, facility=house.facility, schedule=house.schedule, state="completed",
        starts=starts, ends=starts + timedelta(minutes=20), reason="Long ago", booked_by="test", booked_at=starts,
    )  # fmt: skip


def officer(house: House) -> Any:
    return house.person(house.staff["privacy_officer"])


def due(house: House) -> list[str]:
    return [row.mrn for row in retention.due(officer(house))]


def test_a_record_is_due_after_its_years_and_not_before(house: House) -> None:
    seen(house, house.patient, 9.9)
    seen(house, house.other_patient, 10.1)
    assert due(house) == [house.other_patient.mrn]
    seen(house, house.other_patient, 1)
    assert due(house) == []
    with override_settings(RETENTION_YEARS={"record": 5}):
        assert due(house) == [house.patient.mrn]
    with clock.fixed(clock.now() + timedelta(days=365)):
        row = retention.due(officer(house))[0]
    assert row.mrn == house.patient.mrn
    assert row.due_since.year == row.last_contact.year + 10


def test_a_childs_record_waits_for_the_child_to_grow_up(house: House) -> None:
    """Born twenty years ago and seen as a child: ten years after the eighteenth birthday, not after the visit."""
    seen(house, house.patient, 15)
    today = clock.now().date()
    Patient.objects.filter(pk=house.patient.pk).update(born=date(today.year - 20, 1, 1))
    assert due(house) == []
    Patient.objects.filter(pk=house.patient.pk).update(born=date(today.year - 29, 1, 1))
    assert due(house) == [house.patient.mrn]
    assert retention.due(officer(house))[0].due_since == date(today.year - 1, 1, 1)


def test_nothing_is_erased_without_a_word(house: House) -> None:
    seen(house, house.patient, 40)
    retention.forget_by_itself()
    retention.tell_of_due()
    house.patient.refresh_from_db()
    assert house.patient.family_name == "Pillai"


def test_an_approved_record_is_erased_and_the_audit_says_why(house: House) -> None:
    visit = seen(house, house.patient, 11)
    retention.approve(actor=officer(house), patient_id=house.patient.pk, facility_id=house.facility.pk)
    house.patient.refresh_from_db()
    visit.refresh_from_db()
    assert house.patient.family_name == erasing.ERASED
    assert visit.reason == ""
    entry = AuditEntry.objects.get(action="patient.shred")
    assert "10 years" in str(entry.detail)
    assert due(house) == []


@pytest.mark.parametrize("way", ["retention", "operator"])
def test_sharing_and_acting_for_end_with_the_record_however_it_is_erased(house: House, way: str) -> None:
    seen(house, house.patient, 11)
    given: Any = {"actor": house.person(house.patient), "patient_id": house.patient.pk}
    sharing.grant(**given, facility_id=house.elsewhere.pk, purpose="treatment", categories=["all"])
    sharing.propose(**given, email="aunt@example.org", kind="carer", rights="view")
    if way == "retention":
        retention.approve(actor=officer(house), patient_id=house.patient.pk, facility_id=house.facility.pk)
    else:
        erasing.shred_patient(actor=SystemActor("operator", via="cli"), patient_id=house.patient.pk, reason="request 1")
    assert (Consent.objects.get().state, Delegation.objects.get().state) == ("withdrawn", "ended")
    entries = AuditEntry.objects.filter(patient_id=house.patient.pk).order_by("seq").values_list("action", flat=True)
    assert list(entries)[-3:] == ["consent.withdraw", "delegation.end", "patient.shred"]


def test_what_is_not_due_is_not_erased(house: House) -> None:
    """Negative control, and the race: used again between the list and the click."""
    seen(house, house.patient, 11)
    assert due(house) == [house.patient.mrn]
    seen(house, house.patient, 0.1)
    with pytest.raises(Conflict) as refused:
        retention.approve(actor=officer(house), patient_id=house.patient.pk, facility_id=house.facility.pk)
    assert refused.value.code == "not_due"
    house.patient.refresh_from_db()
    assert house.patient.family_name == "Pillai"


def test_an_open_request_keeps_it(house: House) -> None:
    seen(house, house.patient, 11)
    actions.request(
        actor=house.person(house.patient), patient_id=house.patient.pk, facility_id=house.facility.pk, kind="access"
    )
    assert due(house) == []


def test_a_hold_keeps_it_from_everyone(house: House) -> None:
    seen(house, house.patient, 11)
    held = retention.place_hold(
        actor=officer(house), facility_id=house.facility.pk, mrn=house.patient.mrn, reason="A lawsuit since May"
    )
    assert due(house) == []
    assert [row.reason for row in retention.holds(officer(house))] == ["A lawsuit since May"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT reason FROM privacy_legalhold")
        assert "lawsuit" not in str(cursor.fetchone()[0])
    with pytest.raises(retention.Held):
        retention.approve(actor=officer(house), patient_id=house.patient.pk, facility_id=house.facility.pk)
    # Nor by the command line, nor by a request for erasure.
    with pytest.raises(retention.Held):
        erasing.shred_patient(actor=SystemActor("operator"), patient_id=house.patient.pk)
    with pytest.raises(Conflict):
        retention.place_hold(
            actor=officer(house), facility_id=house.facility.pk, mrn=house.patient.mrn, reason="Once more"
        )
    retention.lift_hold(actor=officer(house), hold_id=held.pk)
    assert due(house) == [house.patient.mrn]
    with pytest.raises(StaleEdit):
        retention.lift_hold(actor=officer(house), hold_id=held.pk)
    said = AuditEntry.objects.filter(action__startswith="legal_hold").values_list("action", flat=True)
    assert sorted(said) == ["legal_hold.lift", "legal_hold.place"]


def test_another_hospitals_record_does_not_exist(house: House) -> None:
    seen(house, house.patient, 11)
    far = account("far.officer@example.com", "Far Officer")
    Membership.objects.create(account=far, facility=house.elsewhere, role="privacy_officer")
    stranger = house.person(far)
    assert retention.due(stranger) == []
    for place in (house.facility.pk, house.elsewhere.pk):
        with pytest.raises(NotFound):
            retention.approve(actor=stranger, patient_id=house.patient.pk, facility_id=place)
    with pytest.raises(Invalid) as foreign:
        retention.place_hold(actor=stranger, facility_id=house.elsewhere.pk, mrn=house.patient.mrn, reason="To keep it")
    with pytest.raises(Invalid) as absent:
        retention.place_hold(actor=stranger, facility_id=house.elsewhere.pk, mrn="MRN9999999", reason="To keep it")
    assert str(foreign.value.sentence) == str(absent.value.sentence)
    held = LegalHold.objects.create(patient=house.patient, facility=house.facility, reason="Ours", placed_by="x")
    assert retention.holds(stranger) == []
    for key in (held.pk, missing()):
        with pytest.raises(NotFound):
            retention.lift_hold(actor=stranger, hold_id=key)


def test_officers_are_told_once_a_month(house: House) -> None:
    assert retention.tell_of_due() == 0
    seen(house, house.patient, 11)
    assert retention.tell_of_due() == 1
    assert retention.tell_of_due() == 0
    assert Notice.objects.filter(kind="retention_due", account=house.staff["privacy_officer"]).count() == 1
    with clock.fixed(clock.now() + timedelta(days=31)):
        assert retention.tell_of_due() == 1


def test_what_is_no_health_data_goes_by_itself(house: House) -> None:
    who = house.patient.account
    assert who is not None
    for age in (3 * 365, 10):
        notify.tell(who.pk, "password_changed", mail=False)
        Notice.objects.filter(at__gt=clock.now() - timedelta(minutes=1)).update(at=clock.now() - timedelta(days=age))
    given: dict[str, Any] = {
        "facility": house.facility, "name": "Asked", "role": "nurse", "invited_by": house.manager,
        "expires_at": clock.now(),
    }  # fmt: skip
    for number, (state, age) in enumerate([("accepted", 3 * 365), ("sent", 3 * 365), ("revoked", 10)]):
        StaffInvitation.objects.create(
            **given, state=state, email=f"{number}@example.org", created_at=clock.now() - timedelta(days=age)
        )
    assert retention.forget_by_itself() == 2
    assert Notice.objects.filter(account=who).count() == 1
    assert Inbox.objects.get(pk=who.pk).unread == 1
    assert set(StaffInvitation.objects.values_list("state", flat=True)) == {"sent", "revoked"}


@override_settings(RETENTION_YEARS={"record": 30}, RETENTION_BASIS={"record": "A law of ours"})
def test_years_and_laws_are_the_installations(house: House) -> None:
    row = next(one for one in retention.table() if one.kind == "record")
    assert (row.years, row.basis) == (30, "A law of ours")
    seen(house, house.patient, 29)
    assert due(house) == []


def form(house: House, path: str, *, fresh: bool = True, **fields: str) -> Any:
    sent = {**cookies(house.staff["privacy_officer"]), "Content-Type": "application/x-www-form-urlencoded"}
    newest = Session.objects.order_by("-started_at").values_list("pk", flat=True)[0]
    Session.objects.filter(pk=newest).update(stepped_up_at=clock.now() if fresh else None)
    identity.forget()
    return call("POST", path, body=urlencode(fields).encode(), headers=sent)


def test_the_page_asks_for_a_tick_and_a_fresh_factor(house: House) -> None:
    seen(house, house.patient, 11)
    key = str(house.patient.pk)
    path, sure = f"/privacy/retention/{key}/erase", {"sure": key, "facility": str(house.facility.pk)}
    answer = form(house, path, fresh=False, **sure)
    assert (answer.status, answer.headers["location"].partition("?")[0]) == (303, "/step-up")
    answer = form(house, path, facility=str(house.facility.pk))
    assert answer.status == 422
    assert b"for good" in answer.body
    house.patient.refresh_from_db()
    assert house.patient.family_name == "Pillai"
    assert form(house, path, **sure).status == 303
    house.patient.refresh_from_db()
    assert house.patient.family_name == erasing.ERASED


def test_the_research_page_hands_out_a_file_after_a_step_up(house: House) -> None:
    day = datetime.now().date()
    given = {
        "facility": str(house.facility.pk), "from": (day - timedelta(days=30)).isoformat(), "to": day.isoformat(),
        "k": "5", "purpose": "Waiting times", "approval": "Board 17", "dates": "weeks",
    }  # fmt: skip
    answer = form(house, "/privacy/research", fresh=False, **given)
    assert (answer.status, answer.headers["location"].partition("?")[0]) == (303, "/step-up")
    answer = form(house, "/privacy/research", **given)
    assert answer.status == 409
    assert b"nothing can be released" in answer.body
    for n in range(6):
        who = Patient.objects.create(mrn=f"MRN888000{n}", family_name="A", given_name="B", born=date(1980, 5, 17))
        seen(house, who, 0.01)
    answer = form(house, "/privacy/research", **given)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/zip")
    assert answer.body[:2] == b"PK"
    assert AuditEntry.objects.filter(action="research.export").count() == 1
    for field, text in (("k", "many"), ("from", "soon"), ("facility", str(missing())), ("purpose", "")):
        answer = form(house, "/privacy/research", **{**given, field: text})
        assert answer.status in (404, 422), field
        assert answer.body[:2] != b"PK"
