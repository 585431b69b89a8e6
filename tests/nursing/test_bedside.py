"""Rounds, medicines, handovers and summaries as their actions and selectors have them."""

from __future__ import annotations

import threading
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from polyclinic.core import clock
from polyclinic.core.errors import Conflict, Forbidden, IllegalTransition, Invalid, NotFound, Problem, StaleEdit
from polyclinic.core.models import OutboxEvent
from polyclinic.inpatient import actions as stays
from polyclinic.nursing import actions, handovers, medicines, paper, selectors, sheet, summaries
from polyclinic.nursing.models import Dose, MedicineOrder, RoundNoteVersion
from polyclinic.records import actions as records
from tests.house import House
from tests.nursing.bedside import AIR, CALM, Bedside


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Moves the clock on."""
    real, moved = clock.now, [timedelta()]
    monkeypatch.setattr(clock, "now", lambda: real() + moved[0])

    def move(**by: float) -> None:
        moved[0] += timedelta(**by)

    return move


def observe(bedside: Bedside, **changes: str) -> Any:
    return actions.observe(actor=bedside.nurse, stay_id=bedside.stay.pk, values={**CALM, **changes}, **AIR)


def round_(bedside: Bedside, by: str = "need") -> list[Any]:
    return selectors.ward_round(bedside.nurse, bedside.house.facility.pk, bedside.wing.ward.pk, by=by)


def test_the_round_shows_who_needs_somebody_first(bedside: Bedside, later: Any) -> None:
    other = bedside.second()
    observe(bedside)
    first, second = round_(bedside)
    # Nobody has measured the second yet: a score known to be calm comes first, then who is due.
    assert (first.stay.id, first.total, first.risk, first.observation) == (bedside.stay.pk, 0, "none", "later")
    assert (second.total, second.observation, second.allergies) == (None, "due", None)
    actions.observe(actor=bedside.nurse, stay_id=other.pk, values={**CALM, "spo2": "91", "pulse": "135"}, **AIR)
    first, second = round_(bedside)
    assert (first.stay.id, first.total, first.risk) == (other.pk, 6, "medium")
    assert [row.stay.bed_name for row in round_(bedside, "bed")] == ["A1", "A2"]
    later(minutes=61)
    assert [row.observation for row in round_(bedside)] == ["overdue", "later"]
    observe(bedside, temperature="38.5")
    found = selectors.round_row(bedside.nurse, bedside.stay.pk)
    assert [total for _at, total in found.trend] == [0, 1]
    assert found.day in (1, 2)


def test_the_round_asks_as_many_questions_however_many_lie_there(bedside: Bedside) -> None:
    observe(bedside)
    bedside.order(frequency="daily")
    round_(bedside)
    with CaptureQueriesContext(connection) as few:
        round_(bedside)
    other = bedside.second()
    actions.observe(actor=bedside.nurse, stay_id=other.pk, values=CALM, **AIR)
    round_(bedside)
    with CaptureQueriesContext(connection) as more:
        round_(bedside)
    assert len(more) <= len(few) + 1  # the second patient's key


def test_signs_are_read_by_the_rules_of_the_record_and_withdrawn_ones_stay(bedside: Bedside) -> None:
    with pytest.raises(Invalid) as refused:
        observe(bedside, temperature="372")
    assert refused.value.field == "temperature"
    with pytest.raises(Invalid) as refused:
        observe(bedside, pulse="190")
    assert refused.value.code == "unusual"
    row = observe(bedside, pulse="130")
    actions.withdraw(actor=bedside.nurse, observation_id=row.pk, reason="Another patient's")
    assert [one.status for one in selectors.observations(bedside.nurse, bedside.stay.pk)] == ["withdrawn"]
    assert round_(bedside)[0].total is None
    with pytest.raises(NotFound):
        selectors.observations(bedside.house.person(bedside.house.other_doctor), bedside.stay.pk)


def test_two_editors_of_the_round_note_never_overwrite(bedside: Bedside) -> None:
    note: dict[str, Any] = {"actor": bedside.nurse, "stay_id": bedside.stay.pk}
    actions.note(**note, text="Drinks well", version=0)
    actions.note(actor=bedside.head, stay_id=bedside.stay.pk, text="Chest X-ray today", version=1)
    for seen in (0, 1):
        with pytest.raises(StaleEdit):
            actions.note(**note, text="Mine", version=seen)
    assert selectors.round_note(bedside.nurse, bedside.stay.pk).text == "Chest X-ray today"
    versions = selectors.round_note_versions(bedside.nurse, bedside.stay.pk)
    assert [(one.version, one.text) for one in versions] == [(2, "Chest X-ray today"), (1, "Drinks well")]
    stored = RoundNoteVersion.objects.values_list("body", flat=True)
    assert not any("Drinks" in str.__str__(one) for one in stored)


def test_a_dose_is_given_once_to_who_it_is_for(bedside: Bedside) -> None:
    order = bedside.order()
    give: dict[str, Any] = {"actor": bedside.nurse, "order_id": order.pk, "outcome": "given", "due_at": order.starts_at}
    with pytest.raises(Conflict) as wrong:
        medicines.record(**give, wristband="MRN9999999", born=bedside.patient.born.isoformat())
    assert wrong.value.code == "wrong_patient"
    with pytest.raises(Invalid):
        medicines.record(**give, wristband=bedside.patient.mrn)
    assert not Dose.objects.exists()
    medicines.record(**give, **bedside.two)
    with pytest.raises(Conflict) as again:
        medicines.record(**give, **bedside.two)
    assert again.value.code == "already_recorded"
    with pytest.raises(Conflict):
        medicines.record(**{**give, "due_at": order.starts_at + timedelta(minutes=1)}, **bedside.two)
    told = OutboxEvent.objects.filter(type="nursing.dose_recorded").values_list("payload", flat=True)
    assert len(told) == 1
    assert "amox" not in str(told[0]).lower()


def test_a_dose_written_down_wrongly_is_crossed_out_and_can_be_given(bedside: Bedside) -> None:
    order = bedside.order()
    give: dict[str, Any] = {"actor": bedside.nurse, "order_id": order.pk, "outcome": "given", "due_at": order.starts_at}
    wrong = medicines.record(**give, **bedside.two)
    with pytest.raises(Invalid) as lacking:
        medicines.withdraw(actor=bedside.nurse, dose_id=wrong.pk, reason=" ")
    assert lacking.value.field == "reason"
    with pytest.raises(NotFound):
        medicines.withdraw(actor=bedside.house.person(bedside.house.manager), dose_id=wrong.pk, reason="x")
    medicines.withdraw(actor=bedside.late, dose_id=wrong.pk, reason="Was the neighbour's", version=1)
    with pytest.raises(IllegalTransition):
        medicines.withdraw(actor=bedside.late, dose_id=wrong.pk, reason="Again", version=2)
    ((line,),) = [sheet.lines(bedside.nurse, bedside.stay.pk, clock.now().date())]
    assert [(one.status, one.withdrawn_because) for one in line.doses] == [
        ("given", "Was the neighbour's"),
        ("due", ""),
    ]
    stored = Dose.objects.values_list("withdrawn_because", flat=True)
    assert not any("neighbour" in str.__str__(one) for one in stored)
    with pytest.raises(Conflict) as other:
        medicines.record(**give, wristband="MRN9999999", born=bedside.patient.born.isoformat())
    assert other.value.code == "wrong_patient", "the second time by the same rules"
    medicines.record(**give, **bedside.two)
    with pytest.raises(Conflict) as again:
        medicines.record(**give, **bedside.two)
    assert again.value.code == "already_recorded"
    assert sorted(Dose.objects.values_list("state", flat=True)) == ["recorded", "withdrawn"]


def test_what_was_crossed_out_does_not_count_towards_the_most(bedside: Bedside) -> None:
    order = bedside.order(as_needed=True, most=1)
    give: dict[str, Any] = {"actor": bedside.nurse, "order_id": order.pk, "outcome": "given", **bedside.two}
    first = medicines.record(**give, number=1)
    with pytest.raises(Conflict) as enough:
        medicines.record(**give, number=2)
    assert enough.value.code == "most_reached"
    medicines.withdraw(actor=bedside.nurse, dose_id=first.pk, reason="Spat out before")
    assert medicines.record(**give, number=2).number == 2, "numbers are never used again"


def test_not_given_needs_a_reason_and_no_identifiers(bedside: Bedside) -> None:
    order = bedside.order()
    for outcome in ("held", "refused", "missed"):
        with pytest.raises(Invalid) as refused:
            medicines.record(actor=bedside.nurse, order_id=order.pk, outcome=outcome, due_at=order.starts_at)
        assert refused.value.field == "reason"
    medicines.record(
        actor=bedside.nurse, order_id=order.pk, outcome="refused", due_at=order.starts_at, reason="Feels sick"
    )
    (line,) = sheet.lines(bedside.nurse, bedside.stay.pk, clock.now().date())
    assert [(dose.status, dose.reason) for dose in line.doses] == [("refused", "Feels sick")]


def test_when_needed_has_a_most_in_24_hours(bedside: Bedside, later: Any) -> None:
    order = bedside.order("paracetamol-500-mg-tablet", as_needed=True, most=2)
    give: dict[str, Any] = {"actor": bedside.nurse, "order_id": order.pk, "outcome": "given", **bedside.two}
    medicines.record(**give, number=1)
    with pytest.raises(Conflict) as twice:
        medicines.record(**give, number=1)
    assert twice.value.code == "already_recorded"
    later(hours=6)
    medicines.record(**give, number=2)
    with pytest.raises(Conflict) as most:
        medicines.record(**give, number=3)
    assert most.value.code == "most_reached"
    later(hours=17, minutes=59)
    with pytest.raises(Conflict):
        medicines.record(**give, number=3)
    later(minutes=2)
    medicines.record(**give, number=3)


def allergic(bedside: Bedside, substance: str) -> None:
    """Somebody writes it down in a visit of the patient."""
    from tests.prescribing.ward import Ward

    visit = Ward(bedside.house).visit
    records.note_allergy(actor=bedside.nurse, visit_id=visit, substance=substance, severity="severe")


def test_an_allergy_asks_the_doctor_for_a_reason(bedside: Bedside) -> None:
    allergic(bedside, "Penicillin")
    with pytest.raises(Conflict) as warned:
        bedside.order()
    assert warned.value.code == "warnings"
    (key,) = {one["key"] for one in warned.value.extra["warnings"]}
    row = medicines.order(
        actor=bedside.head, stay_id=bedside.stay.pk, wanted=bedside.wanted(), overrides={key: "A rash as a child"}
    )
    (line,) = sheet.lines(bedside.nurse, bedside.stay.pk, row.starts_at.date())
    assert "A rash as a child" in line.order.overridden[0]
    medicines.record(actor=bedside.nurse, order_id=row.pk, outcome="given", due_at=row.starts_at, **bedside.two)


def test_an_allergy_that_came_up_since_stops_the_nurse(bedside: Bedside) -> None:
    row = bedside.order()
    allergic(bedside, "Penicillin")
    give: dict[str, Any] = {"actor": bedside.nurse, "order_id": row.pk, "due_at": row.starts_at}
    with pytest.raises(Conflict) as stopped:
        medicines.record(**give, outcome="given", **bedside.two)
    assert stopped.value.code == "new_warnings"
    assert not Dose.objects.exists()
    medicines.record(**give, outcome="held", reason="Allergy; the doctor is told")


def test_an_interaction_with_another_medicine_of_the_stay_asks_for_a_reason(bedside: Bedside) -> None:
    bedside.order("warfarin-5-mg-tablet")
    with pytest.raises(Conflict) as warned:
        bedside.order("ibuprofen-400-mg-tablet")
    assert {one["kind"] for one in warned.value.extra["warnings"]} >= {"interaction"}


def test_changing_and_stopping_never_erase_what_was_given(bedside: Bedside) -> None:
    order = bedside.order()
    medicines.record(
        actor=bedside.nurse, order_id=order.pk, outcome="given", due_at=order.starts_at, **bedside.two
    )  # fmt: skip
    changed = medicines.order(
        actor=bedside.head, stay_id=bedside.stay.pk, wanted=bedside.wanted(dose=Decimal(2)), replaces=order.pk
    )
    order.refresh_from_db()
    assert (order.state, order.stopped_because, changed.replaces_id) == ("stopped", "Changed", order.pk)
    medicines.stop(actor=bedside.head, order_id=changed.pk, reason="Rash")
    with pytest.raises(Problem):
        medicines.stop(actor=bedside.head, order_id=changed.pk, reason="Rash")
    lines = sheet.lines(bedside.nurse, bedside.stay.pk, clock.now().date())
    assert next([dose.status for dose in line.doses] for line in lines) == ["given"]
    assert MedicineOrder.objects.count() == 2
    with pytest.raises(Forbidden):
        medicines.order(actor=bedside.nurse, stay_id=bedside.stay.pk, wanted=bedside.wanted())
    with pytest.raises(Forbidden):
        medicines.stop(actor=bedside.nurse, order_id=changed.pk, reason="No")


def test_what_is_late_stands_on_the_round(bedside: Bedside, later: Any) -> None:
    bedside.order()
    later(minutes=59)
    assert round_(bedside)[0].late_doses == 0
    later(minutes=2)
    assert round_(bedside)[0].late_doses == 1
    (line,) = sheet.lines(bedside.nurse, bedside.stay.pk, MedicineOrder.objects.get().starts_at.date())
    assert [dose.status for dose in line.doses] == ["late"]


def test_a_handover_is_begun_from_the_facts_and_read_by_somebody_else(bedside: Bedside) -> None:
    observe(bedside)
    parts = handovers.facts(bedside.nurse, bedside.stay.pk)
    assert "Pneumonia" in parts["situation"]
    assert "NEWS2 0" in parts["assessment"]
    with pytest.raises(Invalid) as refused:
        actions.hand_over(actor=bedside.nurse, stay_id=bedside.stay.pk, parts={**parts, "recommendation": " "})
    assert refused.value.field == "recommendation"
    row = actions.hand_over(actor=bedside.nurse, stay_id=bedside.stay.pk, parts=parts)
    with pytest.raises(Conflict) as own:
        actions.acknowledge(actor=bedside.nurse, handover_id=row.pk)
    assert own.value.code == "own_handover"
    actions.acknowledge(actor=bedside.late, handover_id=row.pk)
    actions.hand_over(actor=bedside.late, stay_id=bedside.stay.pk, parts=parts)
    assert [one.status for one in handovers.handovers(bedside.nurse, bedside.stay.pk)] == ["signed", "read"]
    ((stay, last),) = handovers.of_ward(bedside.nurse, bedside.house.facility.pk, bedside.wing.ward.pk)
    assert (stay.id, last and last.status) == (bedside.stay.pk, "signed")


def test_a_summary_from_the_draft_to_the_patient(bedside: Bedside) -> None:
    bedside.order(frequency="daily")
    patient = bedside.house.person(bedside.patient)
    draft = summaries.summary(bedside.head, bedside.stay.pk)
    assert draft.parts["reason"] == "Pneumonia"
    assert "amoxicillin" in draft.parts["medicines"].lower()
    parts = {**draft.parts, "diagnoses": "Pneumonia", "course": "Better with antibiotics"}
    given: dict[str, Any] = {"actor": bedside.head, "stay_id": bedside.stay.pk}
    summaries.save(**given, parts=parts, version=0)
    with pytest.raises(StaleEdit):
        summaries.save(**given, parts={}, version=0)
    with pytest.raises(NotFound):
        summaries.summary(patient, bedside.stay.pk)
    with pytest.raises(Invalid) as lacking:
        summaries.sign(**given)
    assert lacking.value.field == "follow_up"
    summaries.sign(**given, parts={**parts, "follow_up": "Chest X-ray in six weeks"}, version=1)
    assert summaries.summary(patient, bedside.stay.pk).parts["course"] == "Better with antibiotics"
    with pytest.raises(Conflict) as final:
        summaries.save(**given, parts=parts, version=3)
    assert final.value.code == "signed"
    with pytest.raises(Forbidden):
        summaries.save(actor=bedside.nurse, stay_id=bedside.stay.pk, parts=parts, version=3)


def test_a_signed_summary_is_amended_and_the_one_before_is_kept(bedside: Bedside) -> None:
    patient = bedside.house.person(bedside.patient)
    given: dict[str, Any] = {"actor": bedside.head, "stay_id": bedside.stay.pk}
    parts = dict.fromkeys(("diagnoses", "course", "follow_up"), "As said")
    with pytest.raises(NotFound):
        summaries.amend(**given, parts=parts, reason="Typing error")
    summaries.sign(**given, parts=parts, version=0)
    new = {**parts, "follow_up": "Chest X-ray in two weeks"}
    for wrong, field in (({"parts": new, "reason": ""}, "why"), ({"parts": {}, "reason": "x"}, "diagnoses")):
        with pytest.raises(Invalid) as lacking:
            summaries.amend(**given, **wrong)  # type: ignore[arg-type]
        assert lacking.value.field == field
    with pytest.raises(Conflict) as same:
        summaries.amend(**given, parts=parts, reason="Nothing")
    assert same.value.code == "unchanged"
    with pytest.raises(StaleEdit):
        summaries.amend(**given, parts=new, reason="Too long a wait", version=1)
    with pytest.raises(Forbidden):
        summaries.amend(actor=bedside.nurse, stay_id=bedside.stay.pk, parts=new, reason="x", version=2)
    summaries.amend(**given, parts=new, reason="Too long a wait", version=2)
    ((_stay, row),) = summaries.signed_of(patient, bedside.patient.pk)
    assert (row.parts["follow_up"], row.amended, row.why) == ("Chest X-ray in two weeks", 1, "Too long a wait")
    assert [(one.number, one.parts["follow_up"]) for one in row.earlier] == [(1, "As said")]
    source = paper.find(patient, bedside.stay.pk)
    drawn = str(source.draw())
    assert "amended" in drawn
    assert "Too long a wait" in drawn
    assert selectors.without_summary(bedside.nurse, bedside.house.facility.pk, bedside.wing.ward.pk) == []


def test_a_round_begins_where_somebody_lies_or_where_one_worked_last(bedside: Bedside) -> None:
    place = bedside.house.facility.pk
    wards = [bedside.wing.intensive.pk, bedside.wing.ward.pk]
    assert selectors.first_ward(bedside.nurse, place, wards) == bedside.wing.ward.pk, "nobody lies in the first"
    assert selectors.first_ward(bedside.nurse, place, wards[:1]) == bedside.wing.intensive.pk
    stay = bedside.wing.ask(bedside.house.other_patient)
    stays.admit(actor=bedside.nurse, stay_id=stay.pk, bed_id=bedside.wing.beds["I1"].pk, despite="Full")
    assert selectors.first_ward(bedside.nurse, place, wards) == bedside.wing.intensive.pk
    observe(bedside)
    assert selectors.first_ward(bedside.nurse, place, wards) == bedside.wing.ward.pk
    assert selectors.first_ward(bedside.late, place, wards) == bedside.wing.intensive.pk
    with pytest.raises(NotFound):
        selectors.first_ward(bedside.house.person(bedside.patient), place, wards)


def test_the_course_shows_what_was_measured_in_bed(bedside: Bedside) -> None:
    observe(bedside)
    ((stay, rows),) = selectors.course(bedside.nurse, bedside.patient.pk)
    assert (stay.id, [one.values["pulse"] for one in rows]) == (bedside.stay.pk, ["70"])
    with pytest.raises(NotFound):
        selectors.course(bedside.nurse, bedside.house.stranger_patient.pk)


def test_leaving_without_a_summary_is_possible_and_flagged(bedside: Bedside) -> None:
    where = (bedside.house.facility.pk, bedside.wing.ward.pk)
    stays.depart(actor=bedside.nurse, stay_id=bedside.stay.pk, reason="Against advice")
    assert [row.id for row in selectors.without_summary(bedside.nurse, *where)] == [bedside.stay.pk]
    for refused in (
        lambda: observe(bedside),
        lambda: bedside.order(),
        lambda: actions.note(actor=bedside.nurse, stay_id=bedside.stay.pk, text="x", version=0),
    ):
        with pytest.raises(Conflict) as gone:
            refused()
        assert gone.value.code == "not_in_bed"
    parts = dict.fromkeys(("diagnoses", "course", "follow_up"), "As said")
    summaries.sign(actor=bedside.head, stay_id=bedside.stay.pk, parts=parts, version=0)
    assert selectors.without_summary(bedside.nurse, *where) == []


def test_of_two_nurses_one_gives_the_dose(committed_house: House) -> None:
    """Two threads, really committed: one gives it, the other is told."""
    bedside = Bedside(committed_house)
    order, barrier, told = bedside.order(), threading.Barrier(2), []

    def rival(who: Any) -> None:
        barrier.wait(10)
        try:
            medicines.record(
                actor=who, order_id=order.pk, outcome="given", due_at=order.starts_at, **bedside.two
            )  # fmt: skip
        except Problem as refused:
            told.append(refused.code)
        else:
            told.append("given")
        finally:
            connection.close()

    threads = [threading.Thread(target=rival, args=[who]) for who in (bedside.nurse, bedside.late)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == ["already_recorded", "given"]
    assert Dose.objects.count() == 1


def test_without_the_look_the_database_alone_lets_one_through(
    bedside: Bedside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control: the constraint is no ornament."""
    monkeypatch.setattr(medicines, "_planned", lambda *_given: 0)
    order = bedside.order()
    give: dict[str, Any] = {"actor": bedside.nurse, "order_id": order.pk, "outcome": "given", **bedside.two}
    medicines.record(**give, due_at=order.starts_at)
    with pytest.raises(Conflict) as again:
        medicines.record(**give, due_at=order.starts_at)
    assert again.value.code == "already_recorded"
    assert Dose.objects.count() == 1
