"""Signing, dispensing, cancelling, declining and running out, by the state table and by nobody else's hand."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine

from polyclinic.core import clock
from polyclinic.core.errors import Conflict, Forbidden, IllegalTransition, Invalid, NotFound, Problem, StaleEdit
from polyclinic.core.models import AuditEntry, OutboxEvent
from polyclinic.medicines import seed
from polyclinic.medicines.models import Medicine
from polyclinic.prescribing import actions, drafts, selectors
from polyclinic.prescribing.bodies import Diagnosis, Line
from polyclinic.prescribing.models import Prescription, PrescriptionLine
from polyclinic.records import actions as records
from polyclinic.records import icd10
from polyclinic.records import selectors as chart
from polyclinic.visits.models import Visit
from tests.house import House, missing
from tests.laboratory.bench import Bench
from tests.prescribing.ward import Ward


def test_signing_writes_prescription_diagnoses_and_the_visits_next_stage_at_once(ward: Ward) -> None:
    made = ward.sign(diagnoses=[Diagnosis("Pneumonia", "J18.9", "confirmed")])
    row = selectors.prescription(ward.pharmacist, made.pk)
    assert (row.state, row.number, row.label, ward.state()) == ("signed", 1, "R00000001", "diagnosed")
    line = row.lines[0]
    assert (line.quantity, line.left, line.state, line.unit, line.route) == (21, 21, "open", "capsule", "oral")
    assert line.sentence == ("amoxicillin 500\u00a0mg capsule — 1\u00a0capsule by mouth three times a day for 7 days")
    [condition] = chart.conditions(ward.main, ward.visit)
    assert (condition.code, condition.edition) == ("J18.9", icd10.EDITION)
    types = set(OutboxEvent.objects.values_list("type", flat=True))
    assert {"prescription.signed", "prescription.line_written", "condition.noted", "visit.diagnosed"} <= types
    assert AuditEntry.objects.filter(action="prescription.sign", subject_id=str(made.pk)).exists()
    assert [one.id for one in selectors.waiting(ward.pharmacist, ward.house.facility.pk)] == [made.pk]
    assert made.valid_until - clock.now().date() >= timedelta(days=29)


def test_no_event_says_what_is_prescribed(ward: Ward) -> None:
    ward.sign(ward.line(note="Take with food"))
    for payload in OutboxEvent.objects.filter(type__startswith="prescription.").values_list("payload", flat=True):
        assert "amoxicillin" not in str(payload)
        assert "food" not in str(payload)


def test_what_fails_leaves_nothing_behind(ward: Ward) -> None:
    with pytest.raises(Invalid):
        ward.sign(ward.line(), ward.line("paracetamol-500-mg-tablet", dose="0"), diagnoses=[Diagnosis("Cough")])
    assert not Prescription.objects.exists()
    assert ward.state() == "checked"
    assert chart.conditions(ward.main, ward.visit) == []


def test_the_second_of_two_who_saw_the_same_page_is_refused(ward: Ward) -> None:
    version = Visit.objects.values_list("version", flat=True).get(pk=ward.visit)
    ward.sign(version=version)
    with pytest.raises(StaleEdit):
        ward.sign(version=version, actor=ward.doctor)
    assert Prescription.objects.count() == 1


def test_who_may_sign(ward: Ward) -> None:
    for stranger in (ward.checker, ward.pharmacist, ward.desk):
        with pytest.raises(Forbidden):
            ward.sign(actor=stranger)
    elsewhere = ward.house.person(ward.house.stranger_doctor)
    with pytest.raises(NotFound):
        ward.sign(actor=elsewhere)
    with pytest.raises(NotFound):
        ward.sign(visit=missing())
    ward.sign(actor=ward.doctor)


def test_a_stage_before_the_doctor_cannot_be_signed(ward: Ward) -> None:
    Visit.objects.filter(pk=ward.visit).update(state="paid")
    with pytest.raises(Conflict) as refused:
        ward.sign()
    assert refused.value.code == "visit_state"


def test_dispensing_in_parts_and_to_the_end(ward: Ward) -> None:
    made = ward.sign(ward.line(), ward.line("paracetamol-500-mg-tablet", "2", "four", 3))
    first, second = made.lines.order_by("place")
    actions.dispensed(actor=ward.pharmacist, prescription_id=made.pk, quantities={first.pk: Decimal(10)}, version=1)
    made.refresh_from_db()
    assert made.state == "partly_dispensed"
    with pytest.raises(Conflict) as refused:
        actions.dispensed(actor=ward.pharmacist, prescription_id=made.pk, quantities={first.pk: Decimal(12)})
    assert (refused.value.code, refused.value.extra["left"]) == ("too_much", "11.00")
    with pytest.raises(StaleEdit):
        actions.dispensed(actor=ward.pharmacist, prescription_id=made.pk, quantities={first.pk: Decimal(1)}, version=1)
    with pytest.raises(NotFound):
        actions.dispensed(actor=ward.pharmacist, prescription_id=made.pk, quantities={missing(): Decimal(1)})
    for wrong in ("0", "-1", "NaN"):
        with pytest.raises(Invalid):
            actions.dispensed(actor=ward.pharmacist, prescription_id=made.pk, quantities={first.pk: Decimal(wrong)})
    both = {first.pk: Decimal(11), second.pk: Decimal(24)}
    done = actions.dispensed(actor=ward.pharmacist, prescription_id=made.pk, quantities=both, version=2)
    assert done.state == "dispensed"
    assert set(made.lines.values_list("state", flat=True)) == {"done"}
    assert selectors.waiting(ward.pharmacist, ward.house.facility.pk) == []
    with pytest.raises(Problem):
        actions.dispensed(actor=ward.pharmacist, prescription_id=made.pk, quantities={first.pk: Decimal(1)})


def test_only_the_pharmacy_dispenses(ward: Ward) -> None:
    made = ward.sign()
    line = made.lines.get()
    with pytest.raises(Forbidden):
        actions.dispensed(actor=ward.main, prescription_id=made.pk, quantities={line.pk: Decimal(1)})


def test_cancelling_and_declining_close_what_is_open_with_the_reason(ward: Ward) -> None:
    made = ward.sign()
    with pytest.raises(Invalid):
        actions.cancel(actor=ward.main, prescription_id=made.pk, reason=" ")
    with pytest.raises(Forbidden):
        actions.cancel(actor=ward.pharmacist, prescription_id=made.pk, reason="Wrong")
    assert actions.cancel(actor=ward.main, prescription_id=made.pk, reason="Wrong dose").state == "cancelled"
    assert made.lines.get().state == "cancelled"
    with pytest.raises(IllegalTransition):
        actions.declined(actor=ward.pharmacist, prescription_id=made.pk, reason="No")
    second = ward.sign()
    assert (
        actions.declined(actor=ward.pharmacist, prescription_id=second.pk, reason="Has it at home").state == "declined"
    )


def test_a_prescription_runs_out(ward: Ward) -> None:
    made = ward.sign()
    with time_machine.travel(clock.now() + timedelta(days=31), tick=False):
        with pytest.raises(Conflict) as refused:
            actions.dispensed(
                actor=ward.pharmacist, prescription_id=made.pk, quantities={made.lines.get().pk: Decimal(1)}
            )
        assert refused.value.code == "expired"
    with time_machine.travel(clock.now() + timedelta(days=30), tick=False):
        assert actions.expire_old() == 0
    with time_machine.travel(clock.now() + timedelta(days=32), tick=False):
        assert actions.expire_old() == 1
        assert actions.expire_old() == 0
    made.refresh_from_db()
    assert (made.state, made.lines.get().state) == ("expired", "cancelled")


def test_nothing_prescribed_ends_the_visit(ward: Ward) -> None:
    with pytest.raises(Forbidden):
        actions.conclude(actor=ward.checker, visit_id=ward.visit, diagnoses=[Diagnosis("Cold")])
    visit = actions.conclude(actor=ward.main, visit_id=ward.visit, diagnoses=[Diagnosis("Cold")])
    assert visit.state == "done"


def test_no_medicine_is_refused_while_a_prescription_waits(ward: Ward) -> None:
    made = ward.sign()
    with pytest.raises(Conflict) as refused:
        actions.conclude(actor=ward.main, visit_id=ward.visit)
    assert refused.value.code == "prescription_waits"
    actions.cancel(actor=ward.main, prescription_id=made.pk, reason="Not needed")
    assert actions.conclude(actor=ward.main, visit_id=ward.visit).state == "done"


def test_foreign_is_missing_and_a_patient_sees_their_own(ward: Ward) -> None:
    made = ward.sign()
    house = ward.house
    mine = selectors.prescription(house.person(house.patient), made.pk)
    assert mine.lines[0].medicine.generic == "amoxicillin"
    for other in (house.other_patient, house.stranger_doctor, house.stranger_receptionist, house.receptionist):
        with pytest.raises(NotFound):
            selectors.prescription(house.person(other), made.pk)
        assert selectors.of_patient(house.person(other), house.patient.pk) == []
        assert selectors.of_visit(house.person(other), ward.visit) == []


def test_a_reader_of_a_prescription_is_on_record_once(ward: Ward) -> None:
    made = ward.sign()
    selectors.prescription(ward.pharmacist, made.pk)
    assert AuditEntry.objects.filter(action="prescription.read", subject_id=str(made.pk)).count() == 1


def test_how_a_medicine_is_taken_is_sealed(ward: Ward) -> None:
    made = ward.sign(ward.line(note="Take with food"))
    stored = (
        PrescriptionLine.objects.filter(prescription=made).extra(select={"raw": "body"}).values_list("raw", flat=True)
    )
    assert "food" not in stored[0]
    assert made.lines.get().body


def test_a_draft_is_kept_once_and_by_who_has_seen_the_last(ward: Ward) -> None:
    version = drafts.add_line(actor=ward.main, visit_id=ward.visit, line=ward.line(), version=0)
    version = drafts.add_diagnosis(
        actor=ward.main, visit_id=ward.visit, diagnosis=Diagnosis("", "j189"), version=version
    )
    with pytest.raises(StaleEdit):
        drafts.remove_line(actor=ward.main, visit_id=ward.visit, place=0, version=1)
    found = drafts.prepared(ward.main, ward.visit)
    assert (found.version, len(found.lines), found.diagnoses[0]) == (
        2, 1, Diagnosis("Pneumonia, unspecified organism", "J18.9")
    )  # fmt: skip
    with pytest.raises(Conflict):
        drafts.add_diagnosis(actor=ward.main, visit_id=ward.visit, diagnosis=Diagnosis("", "J18.9"), version=2)
    with pytest.raises(Invalid):
        drafts.add_diagnosis(actor=ward.main, visit_id=ward.visit, diagnosis=Diagnosis("", "J18"), version=2)
    other = drafts.prepared(ward.doctor, ward.visit)
    assert other.lines == ()
    assert [one.name for one in other.others] == ["Some main_doctor"]
    ward.sign()
    assert drafts.prepared(ward.main, ward.visit).version == 0
    actions_ = set(AuditEntry.objects.filter(action__startswith="prescription_draft.").values_list("action", flat=True))
    assert actions_ == {"prescription_draft.begin", "prescription_draft.end"}


def test_old_drafts_are_forgotten(ward: Ward) -> None:
    drafts.add_line(actor=ward.main, visit_id=ward.visit, line=ward.line(), version=0)
    assert drafts.sweep() == 0
    with time_machine.travel(clock.now() + drafts.KEPT + timedelta(minutes=1), tick=False):
        assert drafts.sweep() == 1


def test_a_finer_code_of_the_clinical_modification_is_a_diagnosis_too(ward: Ward) -> None:
    records.note_condition(actor=ward.main, visit_id=ward.visit, text="Hip", code="S72.001A")
    with pytest.raises(Invalid):
        records.note_condition(actor=ward.main, visit_id=ward.visit, text="Hip", code="S72.0099")


def test_a_signature_rests_on_results_the_signer_has_seen(house: House) -> None:
    bench = Bench(house)
    seed.load()
    line = Line(Medicine.objects.get(code="amoxicillin-500-mg-capsule").pk, Decimal(1), "three", 7)
    order = bench.ready("hb", "k")
    bench.enter(order, hb="13.7", k="4.1")
    bench.verify(order, "hb", "k")
    hb, potassium = (bench.test(order, code).pk for code in ("hb", "k"))
    with pytest.raises(Conflict) as refused:
        actions.sign(actor=bench.main, visit_id=bench.visit, lines=[line], results={hb: 1})
    assert (refused.value.code, refused.value.field) == ("results_unseen", "results_seen")
    assert refused.value.extra["tests"] == [str(potassium)]
    assert not Prescription.objects.exists()
    actions.sign(actor=bench.main, visit_id=bench.visit, lines=[line], results={hb: 1, potassium: 1})
    seen = AuditEntry.objects.filter(action="result.seen", actor=bench.main.label)
    assert seen.count() == 2
    # What was seen before is not asked about, and not written down twice.
    other = Line(Medicine.objects.get(code="omeprazole-20-mg-capsule").pk, Decimal(1), "daily", 7)
    actions.sign(actor=bench.main, visit_id=bench.visit, lines=[other], results={})
    assert seen.count() == 2
