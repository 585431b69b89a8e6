"""A stay from the request to the clean bed, and what the states, the constraints and the rights refuse."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from polyclinic.core import clock
from polyclinic.core.errors import Conflict, Forbidden, IllegalTransition, Invalid, NotFound, Problem, StaleEdit
from polyclinic.core.models import AuditEntry, OutboxEvent
from polyclinic.facilities.models import Facility
from polyclinic.inpatient import actions, beds, selectors, wards
from polyclinic.inpatient.models import Bed, BedStay, BedTime, Ward
from polyclinic.inpatient.states import BED, HOLDING, STAY
from polyclinic.people import merge
from polyclinic.people.models import Patient
from polyclinic.visits import actions as visits
from polyclinic.visits import known
from tests.house import missing
from tests.inpatient.wing import DEMO, Wing


def refused(code: str, act: object, **given: object) -> Problem:
    """The refusal; nothing was written."""
    before = AuditEntry.objects.count(), OutboxEvent.objects.count(), list(Bed.objects.values_list("state", "version"))
    with pytest.raises(Problem) as caught:
        act(**given)  # type: ignore[operator]
    assert caught.value.code == code
    after = AuditEntry.objects.count(), OutboxEvent.objects.count(), list(Bed.objects.values_list("state", "version"))
    assert after == before
    return caught.value


def test_a_bed_from_the_request_to_the_next_patient(wing: Wing) -> None:
    nurse, bed = wing.nurse, wing.beds["A1"]
    start = clock.now()
    stay = wing.ask(reason="Pneumonia", oxygen=False, priority="urgent")
    actions.reserve(actor=nurse, stay_id=stay.pk, bed_id=bed.pk)
    assert (wing.bed("A1").state, BedStay.objects.get().bed_id) == ("reserved", bed.pk)
    actions.admit(actor=nurse, stay_id=stay.pk)
    assert wing.bed("A1").state == "occupied"
    # The order lets the patient go, and changes nothing about the bed.
    actions.order_discharge(actor=wing.head, stay_id=stay.pk)
    assert (BedStay.objects.get().state, wing.bed("A1").state) == ("discharge_ordered", "occupied")
    actions.depart(actor=nurse, stay_id=stay.pk)
    assert (BedStay.objects.get().state, wing.bed("A1").state) == ("departed", "cleaning")
    with clock.fixed(start + timedelta(minutes=20)):
        beds.start_cleaning(actor=nurse, bed_id=bed.pk)
    with clock.fixed(start + timedelta(minutes=45)):
        beds.finish_cleaning(actor=nurse, bed_id=bed.pk)
    assert wing.bed("A1").state == "available"
    assert beds.turnarounds(wing.house.facility.pk, start - timedelta(days=1)) in ([44], [45])
    times = BedTime.objects.filter(bed=bed).order_by("entered_at", "pk")
    assert [one.state for one in times] == ["available", "reserved", "occupied", "cleaning", "available"]
    assert [one.stay_id == stay.pk for one in times] == [False, True, True, False, False]
    kinds = list(
        OutboxEvent.objects.filter(stream=f"bed:{bed.pk}").order_by("stream_seq").values_list("type", flat=True)
    )
    assert kinds == [
        "bed.added", "bed.reserved", "bed.occupied", "bed.vacated", "bed.cleaning_started", "bed.cleaned",
    ]  # fmt: skip
    assert AuditEntry.objects.filter(action__startswith="bed_stay.", action__endswith=".depart").count() == 1


def test_nobody_is_named_in_what_is_told_of_a_bed(wing: Wing) -> None:
    stay = wing.put("A1", reason="Pneumonia")
    told = " ".join(OutboxEvent.objects.filter(stream__startswith="bed:").values_list("payload", flat=True))
    for secret in (str(stay.patient_id), "PILLAI", "Pneumonia"):
        assert secret not in told
    assert "Pneumonia" not in " ".join(OutboxEvent.objects.values_list("payload", flat=True))


def test_one_patient_a_bed_and_one_bed_a_patient_in_the_database(wing: Wing) -> None:
    """The constraints themselves, past every look of ours."""
    stay, other = wing.put("A1"), wing.ask(wing.house.other_patient)
    with pytest.raises(IntegrityError), transaction.atomic():
        BedStay.objects.filter(pk=other.pk).update(bed=wing.beds["A1"], state="reserved")
    with pytest.raises(IntegrityError), transaction.atomic():
        BedStay.objects.create(
            facility=wing.house.elsewhere, patient=wing.house.patient, state="admitted", requested_by="x",
            bed=wing.beds["A2"],
        )  # fmt: skip
    with pytest.raises(IntegrityError), transaction.atomic():
        BedStay.objects.filter(pk=other.pk).update(state="admitted")
    # Who has left is in nobody's way.
    BedStay.objects.filter(pk=stay.pk).update(state="departed", ended_at=clock.now())
    BedStay.objects.filter(pk=other.pk).update(bed=wing.beds["A1"], state="reserved")


def test_a_bed_that_is_not_free_is_refused_with_its_state(wing: Wing) -> None:
    wing.put("A1")
    other = wing.ask(wing.house.other_patient)
    for step in (actions.reserve, actions.admit):
        told = refused("bed_taken", step, actor=wing.nurse, stay_id=other.pk, bed_id=wing.beds["A1"].pk)
        assert (told.status, told.extra["state"]) == (409, "occupied")
    beds.block(actor=wing.nurse, bed_id=wing.beds["I1"].pk, why="repair")
    refused("bed_taken", actions.reserve, actor=wing.nurse, stay_id=other.pk, bed_id=wing.beds["I1"].pk)


def test_the_database_answers_who_got_past_the_look(wing: Wing, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the look out of the way the constraint alone gives the clear answer, and nothing is written."""
    wing.put("A1")
    other = wing.ask(wing.house.other_patient)
    taken = wing.bed("A1")
    monkeypatch.setattr(actions, "_wanted", lambda *_given, **_more: taken)
    refused("bed_taken", actions.reserve, actor=wing.nurse, stay_id=other.pk, bed_id=taken.pk)
    assert BedStay.objects.get(pk=other.pk).state == "requested"


def test_who_lies_in_another_hospital_is_not_admitted(wing: Wing) -> None:
    far = wards.add_bed(
        actor=DEMO, name="F1", ward_id=wards.add_ward(
            actor=DEMO, facility_id=wing.house.elsewhere.pk, name="Far", kind="general"
        ).pk,
    )  # fmt: skip
    there = actions.request(actor=DEMO, facility_id=wing.house.elsewhere.pk, patient_id=wing.house.patient.pk)
    actions.admit(actor=DEMO, stay_id=there.pk, bed_id=far.pk)
    stay = wing.ask()
    actions.reserve(actor=wing.nurse, stay_id=stay.pk, bed_id=wing.beds["A1"].pk)
    refused("in_bed_elsewhere", actions.admit, actor=wing.nurse, stay_id=stay.pk)
    actions.depart(actor=DEMO, stay_id=there.pk, reason="Transferred to Riverside")
    actions.admit(actor=wing.nurse, stay_id=stay.pk)


def test_a_transfer_moves_both_beds_or_neither(wing: Wing, monkeypatch: pytest.MonkeyPatch) -> None:
    stay = wing.put("A1")
    actions.transfer(actor=wing.nurse, stay_id=stay.pk, bed_id=wing.beds["A2"].pk)
    assert [wing.bed(name).state for name in ("A1", "A2")] == ["cleaning", "occupied"]
    assert BedStay.objects.get().bed_id == wing.beds["A2"].pk
    told = OutboxEvent.objects.filter(stream=f"stay:{stay.pk}").order_by("-stream_seq")[0]
    assert (told.type, str(wing.beds["A2"].pk) in told.payload) == ("stay.transferred", True)
    # Something goes wrong at the very end: the first half is taken back.
    step = beds.step

    def torn(actor: object, row: Bed, action: str, **more: object) -> None:
        if action == "vacate":
            raise Conflict(code="torn")
        step(actor, row, action, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(beds, "step", torn)
    with transaction.atomic(), pytest.raises(Conflict), transaction.atomic():
        actions.transfer(actor=wing.nurse, stay_id=stay.pk, bed_id=wing.beds["A3"].pk)
    assert [wing.bed(name).state for name in ("A2", "A3")] == ["occupied", "available"]
    assert BedStay.objects.get().bed_id == wing.beds["A2"].pk


def test_a_transfer_is_possible_after_the_order_and_into_ones_own_bed_not(wing: Wing) -> None:
    stay = wing.put("A1")
    actions.order_discharge(actor=wing.head, stay_id=stay.pk)
    with pytest.raises(Invalid):
        actions.transfer(actor=wing.nurse, stay_id=stay.pk, bed_id=wing.beds["A1"].pk)
    moved = actions.transfer(actor=wing.nurse, stay_id=stay.pk, bed_id=wing.beds["A2"].pk)
    assert moved.state == "discharge_ordered"


def test_who_goes_without_an_order_goes_with_a_reason(wing: Wing) -> None:
    stay = wing.put("A1")
    refused("required", actions.depart, actor=wing.nurse, stay_id=stay.pk)
    actions.depart(actor=wing.nurse, stay_id=stay.pk, reason="Against advice")
    assert BedStay.objects.get().state == "departed"
    assert AuditEntry.objects.filter(action="bed_stay.leave").count() == 1


def test_an_order_is_withdrawn_with_a_reason(wing: Wing) -> None:
    stay = wing.put("A1")
    actions.order_discharge(actor=wing.head, stay_id=stay.pk)
    refused("required", actions.withdraw_discharge, actor=wing.head, stay_id=stay.pk, reason=" ")
    row = actions.withdraw_discharge(actor=wing.head, stay_id=stay.pk, reason="Fever again")
    assert (row.state, row.ordered_at) == ("admitted", None)


@pytest.mark.parametrize("reserved", [False, True], ids=["waiting", "reserved"])
def test_a_request_is_cancelled_and_its_bed_is_free_again(wing: Wing, reserved: bool) -> None:
    stay = wing.ask()
    if reserved:
        actions.reserve(actor=wing.nurse, stay_id=stay.pk, bed_id=wing.beds["A1"].pk)
    refused("required", actions.cancel, actor=wing.nurse, stay_id=stay.pk, reason="")
    actions.cancel(actor=wing.nurse, stay_id=stay.pk, reason="Went home")
    assert (wing.bed("A1").state, BedStay.objects.get().state) == ("available", "cancelled")
    # And somebody may be asked for again.
    wing.ask()


def test_a_reserved_bed_is_given_back(wing: Wing) -> None:
    stay = wing.ask()
    actions.reserve(actor=wing.nurse, stay_id=stay.pk, bed_id=wing.beds["A1"].pk)
    refused("other_bed", actions.admit, actor=wing.nurse, stay_id=stay.pk, bed_id=wing.beds["A2"].pk)
    actions.release(actor=wing.nurse, stay_id=stay.pk)
    assert (wing.bed("A1").state, BedStay.objects.get().bed_id) == ("available", None)


def test_nobody_is_asked_for_twice(wing: Wing) -> None:
    first = wing.ask()
    told = refused("stay_open", wing.ask)
    assert told.extra["stayId"] == str(first.pk)


def test_a_request_from_a_visit_brings_its_doctor(wing: Wing) -> None:
    house = wing.house
    visit = visits.register(
        actor=house.person(house.receptionist), facility_id=house.facility.pk, patient_id=house.patient.pk,
        doctor_id=house.doctor.pk,
    )  # fmt: skip
    stay = actions.request(actor=house.person(house.doctor), visit_id=visit.pk, reason="Observation")
    assert (stay.patient_id, stay.facility_id, stay.doctor_id) == (
        house.patient.pk, house.facility.pk, house.doctor.pk,
    )  # fmt: skip
    with pytest.raises(NotFound):
        actions.request(actor=house.person(house.other_doctor), visit_id=visit.pk)
    # Their doctor may let them go; another one does not see them.
    actions.admit(actor=wing.nurse, stay_id=stay.pk, bed_id=wing.beds["A1"].pk)
    with pytest.raises(NotFound):
        actions.order_discharge(actor=house.person(house.other_doctor), stay_id=stay.pk)
    actions.order_discharge(actor=house.person(house.doctor), stay_id=stay.pk)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"priority": "soon"}, "priority"),
        ({"reason": "x" * 201}, "reason"),
        ({"expected_on": clock.now().date() - timedelta(days=3)}, "expectedOn"),
        ({"expected_on": clock.now().date() + timedelta(days=400)}, "expectedOn"),
    ],
    ids=["priority", "reason", "past", "far"],
)
def test_what_cannot_be_asked_for_names_its_field(wing: Wing, given: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        wing.ask(**given)
    assert caught.value.field == field
    assert not BedStay.objects.exists()


def test_steps_out_of_order_are_refused(wing: Wing) -> None:
    stay = wing.ask()
    for step in (actions.release, actions.order_discharge, actions.depart):
        with pytest.raises(IllegalTransition):
            step(actor=DEMO, stay_id=stay.pk)
    with pytest.raises(IllegalTransition):
        actions.transfer(actor=DEMO, stay_id=stay.pk, bed_id=wing.beds["A1"].pk)
    with pytest.raises(Invalid):
        actions.admit(actor=wing.nurse, stay_id=stay.pk)
    with pytest.raises(StaleEdit):
        actions.reserve(actor=wing.nurse, stay_id=stay.pk, bed_id=wing.beds["A1"].pk, version=9)
    with pytest.raises(NotFound):
        actions.reserve(actor=wing.nurse, stay_id=stay.pk, bed_id=missing())
    assert wing.bed("A1").state == "available"


def test_who_may_do_what(wing: Wing) -> None:
    house = wing.house
    stay = wing.ask()
    desk, boss, lab = house.person(house.receptionist), house.person(house.manager), wing.staff("lab_technician")
    actions.reserve(actor=desk, stay_id=stay.pk, bed_id=wing.beds["A1"].pk)
    with pytest.raises(Forbidden):
        actions.admit(actor=desk, stay_id=stay.pk)
    for nobody in (boss, lab, house.person(house.stranger_receptionist)):
        with pytest.raises(NotFound):
            actions.cancel(actor=nobody, stay_id=stay.pk, reason="x")
    actions.admit(actor=wing.nurse, stay_id=stay.pk)
    with pytest.raises(Forbidden):
        actions.order_discharge(actor=wing.nurse, stay_id=stay.pk)
    with pytest.raises(Forbidden):
        beds.block(actor=desk, bed_id=wing.beds["A2"].pk, why="repair")
    with pytest.raises(NotFound):
        beds.block(actor=lab, bed_id=wing.beds["A2"].pk, why="repair")


def test_cleaning_begins_once(wing: Wing) -> None:
    stay = wing.put("A1")
    actions.depart(actor=wing.nurse, stay_id=stay.pk, reason="Home")
    bed = wing.beds["A1"].pk
    beds.start_cleaning(actor=wing.nurse, bed_id=bed)
    refused("cleaning_begun", beds.start_cleaning, actor=wing.nurse, bed_id=bed)
    beds.finish_cleaning(actor=wing.nurse, bed_id=bed)
    assert BedTime.objects.get(bed_id=bed, state="cleaning").begun_at is not None
    with pytest.raises(IllegalTransition):
        beds.finish_cleaning(actor=wing.nurse, bed_id=bed)


def test_a_bed_is_blocked_with_a_reason_and_comes_back_clean(wing: Wing) -> None:
    bed = wing.beds["A1"].pk
    refused("invalid", beds.block, actor=wing.nurse, bed_id=bed, why="tired")
    refused("required", beds.block, actor=wing.nurse, bed_id=bed, why="other")
    for why, after in (("staff", "available"), ("infection", "cleaning")):
        beds.block(actor=wing.nurse, bed_id=bed, why=why)
        assert (wing.bed("A1").state, wing.bed("A1").why) == ("blocked", why)
        beds.unblock(actor=wing.nurse, bed_id=bed)
        assert (wing.bed("A1").state, wing.bed("A1").why) == (after, "")
    # What was not clean when it was blocked is not clean when it comes back.
    beds.block(actor=wing.nurse, bed_id=bed, why="staff")
    assert beds.unblock(actor=wing.nurse, bed_id=bed).state == "cleaning"
    # Nor is a bed in which somebody lies blocked under them.
    wing.put("A2")
    with pytest.raises(IllegalTransition):
        beds.block(actor=wing.nurse, bed_id=wing.beds["A2"].pk, why="repair")


def test_a_bed_that_was_not_cleaned_is_given_to_nobody() -> None:
    """Of the state table itself: the only way from occupied to available leads through the cleaning."""
    after = {row.target for row in BED.transitions if row.source == "occupied"}
    assert after == {"cleaning"}
    assert {row.action for row in BED.transitions if row.target in ("occupied", "reserved")} == {"occupy", "reserve"}
    assert not any(row.source == "cleaning" for row in BED.transitions if row.target in ("occupied", "reserved"))
    assert {row.source for row in STAY.transitions if row.target == "departed"} <= set(HOLDING)


def test_wards_are_set_up_by_who_runs_the_house(wing: Wing) -> None:
    boss, place = wing.house.person(wing.house.manager), wing.house.facility.pk
    with pytest.raises(Forbidden):
        wards.add_ward(actor=wing.nurse, facility_id=place, name="B", kind="general")
    for given, field in (({"name": " "}, "name"), ({"name": "Ward A"}, "name"), ({"kind": "best"}, "kind")):
        with pytest.raises(Invalid) as caught:
            wards.add_ward(**{"actor": boss, "facility_id": place, "name": "B", "kind": "general", **given})
        assert caught.value.field == field
    with pytest.raises(Invalid):
        wards.add_bed(actor=boss, ward_id=wing.ward.pk, name="A1")
    with pytest.raises(NotFound):
        wards.add_bed(actor=wing.house.person(wing.house.stranger_receptionist), ward_id=wing.ward.pk, name="A9")
    assert wards.add_bed(actor=boss, ward_id=wing.intensive.pk, name="I2").intensive
    with pytest.raises(Conflict):
        wards.end_ward(actor=boss, ward_id=wing.ward.pk)
    for name in ("A1", "A2", "A3"):
        wards.retire_bed(actor=boss, bed_id=wing.beds[name].pk)
    wards.end_ward(actor=boss, ward_id=wing.ward.pk)
    assert [row.name for row in selectors.wards(boss, place)] == ["Ward I"]
    # Names are free again.
    wards.add_ward(actor=boss, facility_id=place, name="Ward A", kind="general")


def test_the_day_of_leaving_is_planned(wing: Wing) -> None:
    stay = wing.put("A1")
    day = clock.now().date() + timedelta(days=2)
    row = actions.plan(actor=wing.nurse, stay_id=stay.pk, expected_on=day)
    told = OutboxEvent.objects.get(type="stay.planned")
    assert (row.expected_on, told.stream_seq) == (day, row.version)
    actions.plan(actor=wing.nurse, stay_id=stay.pk, expected_on=None)
    actions.depart(actor=wing.nurse, stay_id=stay.pk, reason="Home")
    with pytest.raises(Conflict):
        actions.plan(actor=wing.nurse, stay_id=stay.pk, expected_on=day)


def test_a_record_with_a_stay_is_not_merged_away(wing: Wing) -> None:
    house = wing.house
    gone = Patient.objects.create(
        mrn="G1", family_name="Santos", given_name="Bento", born=house.other_patient.born, sex="male"
    )
    known.remember(gone.pk, house.facility.pk)
    wing.put("A1", gone)
    with pytest.raises(Conflict) as caught:
        merge.merge(
            actor=house.person(house.receptionist), facility_id=house.facility.pk, patient_id=house.other_patient.pk,
            gone_id=gone.pk, reason="Same passport",
        )  # fmt: skip
    assert caught.value.code == "stay_open"


def test_models_name_themselves(wing: Wing) -> None:
    assert (str(wing.ward), str(wing.beds["A1"])) == ("Ward A", "A1")
    assert Facility.objects.count() == 2
    assert Ward.objects.count() == 2
