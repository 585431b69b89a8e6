"""A restriction that was agreed to takes effect: nothing is shared beyond those who treat, until it is lifted."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec
import orjson
import pytest

from polyclinic.consent import actions as sharing
from polyclinic.consent import sharing as shared
from polyclinic.core import clock
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.errors import Conflict, NotFound, StaleEdit
from polyclinic.core.models import AuditEntry, OutboxEvent
from polyclinic.facilities import identity
from polyclinic.facilities.models import Membership
from polyclinic.notify.models import Notice
from polyclinic.privacy import actions, breakglass, closing, cohort, lookup, records, restrictions
from polyclinic.privacy.models import Restriction
from polyclinic.records import actions as writing
from polyclinic.records import sight
from polyclinic.scheduling import actions as booking
from polyclinic.scheduling import selectors
from polyclinic.scheduling.models import Appointment
from polyclinic.visits import actions as visiting
from polyclinic.visits import selectors as visits
from polyclinic.visits.models import Visit
from tests.api.calling import bearer, call, cookies
from tests.house import House, account, missing
from tests.records.conftest import paid


def officer(house: House) -> Any:
    return house.person(house.staff["privacy_officer"])


def agree(house: House) -> Restriction:
    made = actions.request(
        actor=house.person(house.patient), patient_id=house.patient.pk, facility_id=house.facility.pk,
        kind="restriction", words="Nobody else",
    )  # fmt: skip
    actions.answer(actor=officer(house), request_id=made.pk, text="Agreed")
    return Restriction.objects.get(patient=house.patient)


@pytest.fixture
def sharer(house: House) -> House:
    """The patient has a visit with the doctor, and shares everything with the other hospital's doctor."""
    patient = house.person(house.patient)
    booking.book(
        actor=patient, patient_id=house.patient.pk, schedule_id=house.schedule.pk, starts=house.slot(0), reason="Cough"
    )
    sharing.grant(
        actor=patient, patient_id=house.patient.pk, account_id=house.stranger_doctor.account_id,
        purpose="treatment", categories=["all"],
    )  # fmt: skip
    return house


def test_consents_are_not_honoured_until_it_is_lifted(sharer: House) -> None:
    house, far = sharer, sharer.person(sharer.stranger_doctor)
    assert lookup.may_see(far, house.patient.pk)
    assert selectors.appointments(far, patient_id=house.patient.pk).total == 1
    row = agree(house)
    shared.forget()
    assert not lookup.may_see(far, house.patient.pk)
    # One record and a list say the same.
    assert selectors.appointments(far, patient_id=house.patient.pk).total == 0
    restrictions.lift(actor=house.person(house.patient), restriction_id=row.pk)
    shared.forget()
    assert lookup.may_see(far, house.patient.pk)
    assert selectors.appointments(far, patient_id=house.patient.pk).total == 1


CLOSED = ("vitals.view", "allergy.view", "condition.view", "note.view", "lab.view", "visit.view")


def holds(house: House, who: Any) -> set[str]:
    """Which rights over what is written in the record somebody has now, asked of the one record."""
    found = set()
    for right in CLOSED:
        with suppress(NotFound):
            sight.patient(house.person(who), right, house.patient.pk)
            found.add(right)
    return found


def left(house: House, visit: Visit) -> None:
    visiting.leave(actor=house.person(house.receptionist), visit_id=visit.pk, reason="Could not wait")
    closing.forget()


def away(house: House) -> None:
    """The appointment is over and no care goes on: last week, and completed."""
    past = clock.now() - timedelta(days=7)
    Appointment.objects.filter(patient=house.patient).update(
        state="completed", starts=past, ends=past + timedelta(minutes=20)
    )
    closing.forget()


def test_the_places_own_staff_know_who_it_is_and_nothing_that_is_written(sharer: House) -> None:
    house = sharer
    away(house)
    nurse, main = house.staff["nurse"], house.staff["main_doctor"]
    assert holds(house, nurse) == holds(house, main) == holds(house, house.doctor) == set(CLOSED)
    since = agree(house).since
    for who in (nurse, main, house.doctor):
        assert holds(house, who) == set(), who
        seen = records.record(house.person(who), house.patient.pk)
        assert (seen.restricted_since, seen.closed) == (since, True)
        assert seen.appointments is not None
        assert [row.reason for row in seen.appointments] == [msgspec.UNSET]
    # The desk can still tell who comes, or it would write them down a second time.
    assert records.record(house.person(house.receptionist), house.patient.pk).patient.name
    assert restrictions.since(house.person(house.doctor), house.patient.pk) == since
    with pytest.raises(NotFound):
        restrictions.since(house.person(house.stranger_doctor), house.patient.pk)
    # The patient and who acts for them are not concerned.
    assert {"vitals.view", "allergy.view"} <= {
        right for right in CLOSED if policy.allowed(house.person(house.patient), right, Subject(house.patient.pk))
    }


def test_another_place_that_agreed_to_nothing_keeps_its_own_work(sharer: House) -> None:
    house = sharer
    away(house)
    made = agree(house)
    Restriction.objects.filter(pk=made.pk).update(facility=house.elsewhere)
    closing.forget()
    assert holds(house, house.staff["nurse"]) == set(CLOSED)


def test_lists_leave_out_what_one_record_does_not_show(sharer: House) -> None:
    house = sharer
    away(house)
    visit = paid(house)
    left(house, visit)
    nurse = house.person(house.staff["nurse"])
    assert [row.id for row in visits.visits_of(nurse, house.patient.pk)] == [visit.pk]
    agree(house)
    with suppress(NotFound):
        assert visits.visits_of(nurse, house.patient.pk) == []
    with pytest.raises(NotFound):
        visits.visit(nurse, visit.pk)
    restrictions.lift(actor=officer(house), restriction_id=Restriction.objects.get().pk)
    assert [row.id for row in visits.visits_of(nurse, house.patient.pk)] == [visit.pk]


def test_it_opens_while_the_patient_is_there_for_care(sharer: House) -> None:
    house = sharer
    away(house)
    agree(house)
    assert holds(house, house.staff["nurse"]) == set()
    visit = paid(house)
    closing.forget()
    assert holds(house, house.staff["nurse"]) == set(CLOSED)
    # By the work at the place, not for a doctor who only treated them once.
    assert holds(house, house.doctor) == set()
    left(house, visit)
    closing.forget()
    assert holds(house, house.staff["nurse"]) == set()


@pytest.mark.parametrize(("hours", "open_"), [(11.9, True), (12.1, False), (-12.2, True), (-12.5, False)])
def test_an_appointment_opens_it_for_its_own_hours_alone(sharer: House, hours: float, open_: bool) -> None:
    house = sharer
    starts = clock.now() + timedelta(hours=hours)
    Appointment.objects.filter(patient=house.patient).update(starts=starts, ends=starts + timedelta(minutes=20))
    agree(house)
    assert holds(house, house.doctor) == holds(house, house.staff["nurse"]) == (set(CLOSED) if open_ else set())


def test_a_consent_given_since_counts_and_one_from_before_does_not(sharer: House) -> None:
    house = sharer
    away(house)
    given: Any = {"actor": house.person(house.patient), "patient_id": house.patient.pk, "purpose": "treatment"}
    sharing.grant(**given, facility_id=house.facility.pk, categories=["all"])
    agree(house)
    shared.forget()
    assert holds(house, house.staff["nurse"]) == set()
    sharing.grant(**given, facility_id=house.facility.pk, categories=["results"])
    shared.forget()
    assert holds(house, house.staff["nurse"]) == {"lab.view"}
    far = house.person(house.stranger_doctor)
    assert not lookup.may_see(far, house.patient.pk)
    sharing.grant(**given, account_id=house.stranger_doctor.account_id, categories=["all"])
    shared.forget()
    assert lookup.may_see(far, house.patient.pk)
    assert selectors.appointments(far, patient_id=house.patient.pk).total == 1


@pytest.mark.parametrize("who", ["nurse", "stranger"])
def test_break_glass_opens_it(sharer: House, who: str) -> None:
    house = sharer
    away(house)
    asked = house.staff["nurse"] if who == "nurse" else house.stranger_doctor
    person = replace(house.person(asked), stepped_up_at=clock.now(), aal=2)
    wish: Any = {
        "who": lookup.Identifiers(born=house.patient.born, mrn=house.patient.mrn), "reason": "Unconscious in the hall",
        "facility_id": house.facility.pk if who == "nurse" else house.elsewhere.pk,
    }  # fmt: skip
    if who == "nurse":
        with pytest.raises(Conflict):
            breakglass.open_record(actor=person, **wish)
    agree(house)
    shared.forget()
    breakglass.open_record(actor=person, **wish)
    identity.forget()
    assert holds(house, asked) == set(CLOSED)
    found = records.record(house.person(asked), house.patient.pk)
    assert (found.restricted_since is not None, found.closed) == (True, False)
    assert found.appointments is not None
    assert len(found.appointments) == 1


def test_no_program_sees_more_than_its_place(sharer: House) -> None:
    house = sharer
    away(house)
    agree(house)
    program = replace(
        house.person(house.manager), grants=frozenset(), scopes=frozenset(CLOSED),
        rights=frozenset((right, house.facility.pk) for right in CLOSED),
    )  # fmt: skip
    where = Subject(patient_id=house.patient.pk, facility_id=house.facility.pk)
    assert not any(policy.allowed(program, right, where) for right in CLOSED)
    other = Subject(patient_id=house.other_patient.pk, facility_id=house.facility.pk)
    assert all(policy.allowed(program, right, other) for right in CLOSED)


def test_a_decision_costs_no_question_to_the_database(sharer: House, django_assert_num_queries: Any) -> None:
    house = sharer
    away(house)
    agree(house)
    closing.refresh()
    nurse, where = house.person(house.staff["nurse"]), Subject(house.other_patient.pk, None, house.facility.pk)
    with django_assert_num_queries(0):
        assert all(policy.allowed(nurse, right, where) for right in CLOSED)


def test_research_leaves_the_patient_out(sharer: House) -> None:
    house, day = sharer, sharer.workday()
    assert len(cohort.gather([house.facility.pk], day, day)[0]) == 1
    row = agree(house)
    assert cohort.gather([house.facility.pk], day, day) == ([], 1)
    restrictions.lift(actor=officer(house), restriction_id=row.pk)
    assert len(cohort.gather([house.facility.pk], day, day)[0]) == 1


def test_it_is_lifted_by_the_patient_or_the_facilitys_officer_alone(house: House) -> None:
    row = agree(house)
    far = account("far.officer@example.com", "Far Officer")
    Membership.objects.create(account=far, facility=house.elsewhere, role="privacy_officer")
    for who in (far, house.other_patient, house.doctor, house.manager):
        for key in (row.pk, missing()):
            with pytest.raises(NotFound):
                restrictions.lift(actor=house.person(who), restriction_id=key)
    with pytest.raises(StaleEdit):
        restrictions.lift(actor=officer(house), restriction_id=row.pk, version=7)
    assert [one.id for one in restrictions.restrictions(officer(house))] == [row.pk]
    assert restrictions.restrictions(house.person(far)) == []
    restrictions.lift(actor=officer(house), restriction_id=row.pk, version=1)
    with pytest.raises(StaleEdit):
        restrictions.lift(actor=officer(house), restriction_id=row.pk)
    assert Notice.objects.filter(account=house.patient.account, kind="restriction_lifted").count() == 1
    kinds = ["record.restrict", "record.unrestrict"]
    assert sorted(AuditEntry.objects.filter(action__in=kinds).values_list("action", flat=True)) == kinds
    told = OutboxEvent.objects.filter(stream=f"restriction:{row.pk}").order_by("stream_seq")
    assert [one.type for one in told] == ["record.restricted", "record.unrestricted"]


def test_agreeing_twice_is_one_restriction(house: House) -> None:
    first = agree(house)
    assert agree(house).pk == first.pk


def test_a_refused_request_restricts_nothing(house: House) -> None:
    made = actions.request(
        actor=house.person(house.patient), patient_id=house.patient.pk, facility_id=house.facility.pk,
        kind="restriction", words="Nobody else",
    )  # fmt: skip
    actions.refuse(actor=officer(house), request_id=made.pk, text="It cannot be done")
    assert not Restriction.objects.exists()


def post(who: Any, path: str, **fields: str) -> Any:
    headers = {**cookies(who), "Content-Type": "application/x-www-form-urlencoded"}
    identity.forget()
    return call("POST", path, body=urlencode(fields).encode(), headers=headers)


def test_pages_say_it_and_have_the_button(sharer: House) -> None:
    house = sharer
    row = agree(house)
    for who, path, words in (
        (house.patient, "/my/privacy", b"Lift the restriction"),
        (house.patient, "/my/sharing", b"Your record is restricted"),
        (house.doctor, f"/records/{house.patient.pk}", b"Restricted by the patient"),
        (house.doctor, f"/doctor/patients/{house.patient.pk}", b"Restricted by the patient"),
        (house.staff["privacy_officer"], "/privacy", f"/privacy/restrictions/{row.pk}/lift".encode()),
    ):
        assert words in call("GET", path, headers=cookies(who)).body, path
    lifted = post(house.patient, f"/my/privacy/restrictions/{row.pk}/lift", version="1")
    assert lifted.status == 303
    assert b"Lift the restriction" not in call("GET", "/my/privacy", headers=cookies(house.patient)).body
    assert post(house.staff["privacy_officer"], f"/privacy/restrictions/{row.pk}/lift").status == 409


def test_the_api_lists_and_lifts(house: House) -> None:
    row = agree(house)
    found = call("GET", "/api/restrictions", headers=bearer(house.patient))
    (listed,) = orjson.loads(found.body)["data"]
    assert (listed["id"], listed["facilityId"]) == (str(row.pk), str(house.facility.pk))
    assert call("DELETE", f"/api/restrictions/{row.pk}", headers=bearer(house.other_patient)).status == 404
    assert call("DELETE", f"/api/restrictions/{row.pk}", headers=bearer(house.staff["privacy_officer"])).status == 204
    row.refresh_from_db()
    assert row.lifted_at is not None


def test_every_channel_says_the_same(sharer: House) -> None:
    """What is written is closed on pages and in the API alike, and open on each of them while care goes on."""
    house = sharer
    away(house)
    visit = paid(house)
    nurse, main = house.staff["nurse"], house.staff["main_doctor"]
    writing.record_vitals(actor=house.person(nurse), visit_id=visit.pk, values={"pulse": "123"})
    left(house, visit)
    channels = (
        (nurse, f"/checker/visits/{visit.pk}", False),
        (house.staff["checker_doctor"], f"/checker/visits/{visit.pk}", False),
        (nurse, f"/api/visits/{visit.pk}/vitals", True),
        (main, f"/api/visits/{visit.pk}/allergies", True),
        (main, f"/api/visits/{visit.pk}/conditions", True),
        (main, f"/api/visits/{visit.pk}/notes", True),
    )

    def statuses() -> list[int]:
        identity.forget()
        return [
            call("GET", path, headers=bearer(who) if api else cookies(who)).status for who, path, api in channels
        ]  # fmt: skip

    before = statuses()
    assert set(before) == {200}, before
    agree(house)
    assert set(statuses()) == {404}
    again = paid(house)
    # A refusal is never older than closing.SURE_SECONDS; this is younger still.
    closing.forget()
    assert set(statuses()) == {200}
    left(house, again)
    assert set(statuses()) == {404}
    restrictions.lift(actor=officer(house), restriction_id=Restriction.objects.get().pk)
    assert set(statuses()) == {200}
