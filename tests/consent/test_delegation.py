"""Acting for a patient: taken up with code and address, ended by either side or by itself, never wider than given."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from polyclinic.consent import actions, rules, selectors
from polyclinic.consent.models import Delegation
from polyclinic.core import clock
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import SystemActor
from polyclinic.core.errors import Conflict, Forbidden, Invalid, NotFound
from polyclinic.core.outbox import rooms
from polyclinic.notify.models import Notice
from polyclinic.people.models import Patient
from polyclinic.scheduling import actions as booking
from tests.api.calling import call, cookies
from tests.house import House, missing

AUNT = "bento@example.org"


def ask(house: House, **changes: Any) -> tuple[Delegation, str]:
    given = {"email": AUNT, "kind": "carer", "rights": "book", **changes}
    return actions.propose(actor=house.person(house.patient), patient_id=house.patient.pk, **given)


def taken(house: House, **changes: Any) -> Delegation:
    _made, code = ask(house, **changes)
    return actions.accept(actor=house.person(house.other_patient), code=code)


def may(house: House, permission: str) -> bool:
    return policy.allowed(house.person(house.other_patient), permission, Subject(patient_id=house.patient.pk))


def test_nothing_is_given_before_it_is_taken_up(house: House) -> None:
    made, code = ask(house)
    assert code not in made.code
    assert not may(house, "appointment.view")
    actions.accept(actor=house.person(house.other_patient), code=code)
    assert may(house, "appointment.view")
    assert may(house, "appointment.book")
    kinds = sorted(Notice.objects.values_list("kind", flat=True))
    assert kinds == ["delegation_proposed", "delegation_started", "delegation_started"]


def test_a_carer_hears_what_the_patient_hears_and_no_longer_than_that(house: House) -> None:
    made = taken(house)
    room = rooms.patient(house.patient.pk)
    assert room in rooms.own_rooms(house.person(house.other_patient))
    actions.end(actor=house.person(house.patient), delegation_id=made.pk)
    assert room not in rooms.own_rooms(house.person(house.other_patient))


def test_seeing_is_not_booking_and_booking_is_not_deciding(house: House) -> None:
    taken(house, rights="view")
    assert may(house, "appointment.view")
    carer, slot = house.person(house.other_patient), house.slot(0)
    with pytest.raises(Forbidden):
        booking.book(actor=carer, patient_id=house.patient.pk, schedule_id=house.schedule.pk, starts=slot)
    for right in ("appointment.cancel", "consent.edit", "privacy.request", "patient.edit", "delegation.edit"):
        assert not may(house, right), right


def test_a_guardian_decides_and_does_not_pass_it_on(house: House) -> None:
    taken(house, kind="guardian")
    assert may(house, "consent.edit")
    assert may(house, "privacy.request")
    assert not may(house, "delegation.edit")


def test_a_code_works_once_for_one_address_and_seven_days(house: House) -> None:
    _made, code = ask(house)
    with pytest.raises(NotFound):
        actions.accept(actor=house.person(house.stranger_patient), code=code)
    with clock.fixed(clock.now() + rules.INVITATION), pytest.raises(NotFound):
        actions.accept(actor=house.person(house.other_patient), code=code)
    actions.accept(actor=house.person(house.other_patient), code=f" {code[:5].lower()}-{code[5:]} ")
    with pytest.raises(NotFound):
        actions.accept(actor=house.person(house.other_patient), code=code)
    _again, second = ask(house)
    with pytest.raises(Conflict):
        actions.accept(actor=house.person(house.other_patient), code=second)


def test_either_side_ends_it_and_nobody_else(house: House) -> None:
    made = taken(house)
    for stranger in (house.stranger_patient, house.receptionist, house.doctor):
        for key in (made.pk, missing()):
            with pytest.raises(NotFound):
                actions.end(actor=house.person(stranger), delegation_id=key)
    actions.end(actor=house.person(house.other_patient), delegation_id=made.pk)
    assert not may(house, "appointment.view")


def test_it_ends_by_itself_at_its_moment(house: House) -> None:
    until = clock.now() + timedelta(days=3)
    made = taken(house, ends_at=until)
    with clock.fixed(until - timedelta(seconds=1)):
        assert may(house, "appointment.view")
        assert actions.sweep(actor=SystemActor("access-sweeper")) == 0
    with clock.fixed(until):
        assert not may(house, "appointment.view")
        assert actions.sweep(actor=SystemActor("access-sweeper")) == 1
        assert actions.sweep(actor=SystemActor("access-sweeper")) == 0
    made.refresh_from_db()
    assert made.state == "ended"


def test_a_parent_acts_until_the_child_is_of_age(house: House) -> None:
    Patient.objects.filter(pk=house.patient.pk).update(born=date(2012, 2, 29))
    with clock.fixed(datetime(2026, 6, 1, tzinfo=UTC)):
        made = taken(house, kind="parent")
    assert made.ends_at == datetime(2030, 3, 1, tzinfo=UTC)
    with clock.fixed(made.ends_at):
        assert not may(house, "appointment.view")
    with clock.fixed(made.ends_at - timedelta(days=1)):
        # Renewed by the patient it goes on.
        actions.renew(
            actor=house.person(house.patient), delegation_id=made.pk, ends_at=made.ends_at + timedelta(days=365)
        )
    with clock.fixed(made.ends_at):
        assert may(house, "appointment.view")


def test_nobody_is_a_parent_of_who_is_of_age(house: House) -> None:
    with pytest.raises(Invalid) as told:
        ask(house, kind="parent")
    assert told.value.field == "kind"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"email": "nobody"}, "email"),
        ({"email": "Meera@example.org"}, "email"),
        ({"kind": "friend"}, "kind"),
        ({"rights": "all"}, "rights"),
        ({"ends_at": clock.now() - timedelta(days=1)}, "until"),
    ],
)
def test_bad_input_is_named(house: House, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as told:
        ask(house, **changes)
    assert told.value.field == field
    assert not Delegation.objects.exists()


def appoint(house: House, actor: Any, **changes: Any) -> Delegation:
    given = {"facility_id": house.facility.pk, "mrn": house.patient.mrn, "born": house.patient.born, "email": AUNT,
             "kind": "carer", "rights": "view", **changes}  # fmt: skip
    return actions.appoint(actor=house.person(actor), **given)


def test_the_desk_appoints_by_two_identifiers(house: House) -> None:
    with pytest.raises(NotFound):
        appoint(house, house.receptionist, born=date(1980, 5, 18))
    with pytest.raises(Invalid):
        appoint(house, house.receptionist, email="nobody@example.org")
    for actor, changes in ((house.doctor, {}), (house.receptionist, {"facility_id": house.elsewhere.pk})):
        with pytest.raises(Forbidden):
            appoint(house, actor, **changes)
    made = appoint(house, house.receptionist)
    assert may(house, "appointment.view")
    with pytest.raises(Conflict):
        appoint(house, house.receptionist)
    actions.end(actor=house.person(house.receptionist), delegation_id=made.pk)
    assert not may(house, "appointment.view")


def test_the_desk_does_not_appoint_itself(house: House) -> None:
    with pytest.raises(Forbidden):
        appoint(house, house.receptionist, email=house.receptionist.email)


def test_for_whom_one_acts_is_told_with_names(house: House) -> None:
    taken(house)
    rows = selectors.acting_for(house.person(house.other_patient))
    assert [(row.patient_name, row.email) for row in rows] == [("Meera Pillai", "")]
    assert selectors.acting_for(house.person(house.stranger_patient)) == []


def test_a_parent_is_asked_by_a_child_alone(house: House) -> None:
    viewer = house.person(house.patient)
    assert set(selectors.kinds_to_ask(viewer)) == {"carer", "guardian"}
    assert b'value="parent"' not in call("GET", "/my/people", headers=cookies(house.patient)).body
    Patient.objects.filter(pk=house.patient.pk).update(born=clock.now().date() - timedelta(days=365 * 10))
    assert "parent" in selectors.kinds_to_ask(viewer)
    assert b'value="parent"' in call("GET", "/my/people", headers=cookies(house.patient)).body


def test_what_ends_by_itself_can_be_let_go_on_from_the_page(house: House) -> None:
    row = taken(house, ends_at=clock.now() + timedelta(days=3))
    page = call("GET", "/my/people", headers=cookies(house.patient)).body
    assert f"/my/people/{row.pk}/renew".encode() in page
    until = (clock.now() + timedelta(days=40)).date().isoformat()
    form = urlencode({"until": until, "version": str(row.version)}).encode()
    headers = {**cookies(house.patient), "Content-Type": "application/x-www-form-urlencoded"}
    assert call("POST", f"/my/people/{row.pk}/renew", body=form, headers=headers).status == 303
    row.refresh_from_db()
    assert row.ends_at is not None
    assert row.ends_at.date().isoformat() > until
