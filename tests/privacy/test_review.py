"""Judging a break-glass: by another, once it is over, within three days, and with a note when it was wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from polyclinic.consent.models import EmergencyAccess
from polyclinic.core import clock
from polyclinic.core.actors import SystemActor
from polyclinic.core.errors import Forbidden, IllegalTransition, Invalid, NotFound
from polyclinic.facilities.models import Membership
from polyclinic.notify.models import Notice
from polyclinic.privacy import breakglass, records, selectors
from polyclinic.privacy.lookup import Identifiers
from tests.house import House, account, missing


def opened(house: House) -> EmergencyAccess:
    doctor = replace(house.person(house.other_doctor, via="web"), stepped_up_at=clock.now(), aal=2)
    who = Identifiers(house.patient.born, house.patient.mrn)
    return breakglass.open_record(actor=doctor, who=who, reason="Unconscious after a fall")


def officer(house: House) -> Any:
    return house.person(house.staff["privacy_officer"])


def test_it_is_judged_once_and_only_when_it_is_over(house: House) -> None:
    made, judge = opened(house), officer(house)
    with pytest.raises(IllegalTransition):
        breakglass.review(actor=judge, access_id=made.pk, justified=True)
    with clock.fixed(made.ends_at):
        with pytest.raises(Invalid):
            breakglass.review(actor=judge, access_id=made.pk, justified=False)
        breakglass.review(actor=judge, access_id=made.pk, justified=False, note="Not your patient", version=1)
        with pytest.raises(IllegalTransition):
            breakglass.review(actor=judge, access_id=made.pk, justified=True)
    row = selectors.opening(judge, made.pk)
    assert (row.status, row.review_note, row.reviewed_by) == ("unjustified", "Not your patient", "Some privacy_officer")
    assert Notice.objects.filter(account=house.patient.account, kind="record_reviewed").exists()


def test_after_72_hours_it_is_overdue(house: House) -> None:
    made = opened(house)
    with clock.fixed(made.opened_at + timedelta(hours=72, seconds=1)):
        assert [row.overdue for row in selectors.openings(officer(house))] == [True]
        assert breakglass.sweep(actor=SystemActor("access-sweeper")) == 1
        assert breakglass.sweep(actor=SystemActor("access-sweeper")) == 0
    assert [row.over_at for row in selectors.openings(officer(house))] == [made.ends_at]


def test_nobody_judges_their_own_or_another_hospitals(house: House) -> None:
    made = opened(house)
    far = account("far.officer@example.com", "Far Officer")
    Membership.objects.create(account=far, facility=house.elsewhere, role="privacy_officer")
    Membership.objects.create(account=house.other_doctor.account, facility=house.facility, role="privacy_officer")
    with clock.fixed(made.ends_at):
        for key in (made.pk, missing()):
            with pytest.raises(NotFound):
                breakglass.review(actor=house.person(far), access_id=key, justified=True)
        with pytest.raises(Forbidden):
            breakglass.review(actor=house.person(house.other_doctor), access_id=made.pk, justified=True)


def test_what_was_looked_at_is_listed_and_nothing_of_others(house: House) -> None:
    made = opened(house)
    records.record(house.person(house.other_doctor), house.patient.pk)
    seen = selectors.seen_during(officer(house), made.pk)
    assert [row.action for row in seen][:2] == ["emergency_access.open", "patient.read"]
    assert {row.who for row in seen} == {"Dr Grace Okafor"}
