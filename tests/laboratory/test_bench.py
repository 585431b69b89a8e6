"""From the order to the patient: specimens, entries, second eyes, release, corrections, and the visit that waits."""

from __future__ import annotations

from datetime import timedelta

import pytest

from polyclinic.billing.models import InvoiceLine, Price
from polyclinic.core import clock
from polyclinic.core.errors import Conflict, Forbidden, IllegalTransition, Invalid, NotFound, StaleEdit
from polyclinic.core.models import AuditEntry, OutboxEvent
from polyclinic.laboratory import actions, entering, selectors
from polyclinic.laboratory.models import LabOrder, OrderedTest, Result, Specimen
from polyclinic.visits.models import Visit
from tests.laboratory.bench import Bench


def stage(bench: Bench) -> str:
    return Visit.objects.get(pk=bench.visit).state


def test_the_visit_waits_until_every_test_is_verified(bench: Bench) -> None:
    order = bench.ready("na", "k")
    assert stage(bench) == "lab_pending"
    bench.enter(order, na="140", k="4.0")
    bench.verify(order, "na")
    assert stage(bench) == "lab_pending"
    bench.verify(order, "k")
    assert stage(bench) == "lab_done"
    assert LabOrder.objects.get().state == "done"


def test_a_second_order_keeps_the_visit_waiting(bench: Bench) -> None:
    first, second = bench.ready("na"), bench.ready("k")
    bench.enter(first, na="140")
    bench.verify(first, "na")
    assert stage(bench) == "lab_pending"
    actions.cancel(actor=bench.checker, test_id=bench.test(second, "k").pk, reason="Not needed")
    assert stage(bench) == "lab_done"


def test_the_head_doctor_may_order_more_afterwards(bench: Bench) -> None:
    order = bench.ready("na")
    bench.enter(order, na="140")
    bench.verify(order, "na", actor=bench.main)
    assert stage(bench) == "lab_done"
    actions.order(actor=bench.main, visit_id=bench.visit, codes=["k"])
    assert stage(bench) == "lab_pending"
    with pytest.raises(Forbidden):
        actions.order(actor=bench.tech, visit_id=bench.visit, codes=["cl"])


def test_one_container_for_each_kind_with_a_number_of_its_own(bench: Bench) -> None:
    order = bench.order("cbc", "lytes", "glucf")
    kinds = list(Specimen.objects.filter(order=order).order_by("number").values_list("kind", "number"))
    assert kinds == [("edta", 1), ("serum", 2), ("fluoride", 3)]
    assert selectors.by_barcode(bench.tech, "L00000002") == order.pk
    for wrong in ("L00000009", "00000002", "L2", "LΩ0000002", "L-0000002"):
        with pytest.raises(NotFound):
            selectors.by_barcode(bench.tech, wrong)


def test_what_is_awaited_already_is_not_asked_for_twice(bench: Bench) -> None:
    bench.order("lytes")
    again = bench.order("lytes", "mg")
    assert [row.test for row in again.tests.all()] == ["mg"]
    with pytest.raises(Conflict) as refused:
        bench.order("na")
    assert refused.value.code == "already_ordered"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"codes": []}, "codes"), ({"codes": ["nonsense"]}, "codes"),
        ({"codes": ["na"], "priority": "soon"}, "priority"),
        ({"codes": ["na"], "pregnancy": "maybe"}, "pregnancy"), ({"codes": ["na"], "note": "x" * 301}, "note"),
    ],
)  # fmt: skip
def test_a_wrong_order_says_which_part(bench: Bench, given: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        actions.order(actor=bench.checker, visit_id=bench.visit, **given)  # type: ignore[arg-type]
    assert refused.value.field == field


def test_a_rejected_specimen_is_taken_again(bench: Bench) -> None:
    order = bench.ready("na", "k", "hb")
    bench.enter(order, na="140")
    serum = Specimen.objects.get(order=order, kind="serum")
    fresh = actions.reject(actor=bench.tech, specimen_id=serum.pk, why="haemolysed")
    states = dict(OrderedTest.objects.filter(order=order).values_list("test", "state"))
    assert states == {"na": "ordered", "k": "ordered", "hb": "received"}
    assert fresh.state == "expected"
    assert fresh.pk != serum.pk
    bench.bring(order)
    bench.enter(order, na="141", k="4.1", hb="13.5")
    assert [one.number for one in Result.objects.filter(ordered_test__test="na").order_by("number")] == [1, 2]


def test_what_is_verified_stays_when_its_specimen_is_rejected_late(bench: Bench) -> None:
    order = bench.ready("na", "k")
    bench.enter(order, na="140")
    bench.verify(order, "na")
    actions.reject(actor=bench.tech, specimen_id=bench.test(order, "k").specimen_id, why="too_little")
    assert bench.test(order, "na").state == "verified"
    assert bench.test(order, "k").state == "ordered"


def test_entering_is_all_or_nothing_and_names_the_field(bench: Bench) -> None:
    order = bench.ready("na", "k")
    wrong = bench.test(order, "k").pk
    with pytest.raises(Invalid) as refused:
        bench.enter(order, na="140", k="45")
    assert refused.value.field == f"value-{wrong}"
    assert refused.value.code == "not_possible"


def test_a_critical_or_sensitive_or_jumping_result_needs_other_eyes(bench: Bench) -> None:
    order = bench.ready("k", "hiv", "na")
    bench.enter(order, k="7.0", hiv="not_reactive", na="140")
    for code in ("k", "hiv"):
        with pytest.raises(Conflict) as refused:
            bench.verify(order, code, actor=bench.tech)
        assert refused.value.code == "second_person"
    # Negative control: an everyday result one person may verify alone.
    bench.verify(order, "na", actor=bench.tech)
    bench.verify(order, "k", "hiv", actor=bench.second)


def test_a_jump_from_the_last_result_is_seen(bench: Bench) -> None:
    first = bench.ready("hb")
    bench.enter(first, hb="14.0")
    bench.verify(first, "hb")
    second = bench.ready("hb", visit=bench.visit) if stage(bench) == "lab_pending" else None
    assert second is None
    order = actions.order(actor=bench.main, visit_id=bench.visit, codes=["hb"])
    bench.bring(order)
    bench.enter(order, hb="11.9")
    report = bench.report(order, "hb")
    assert (report.delta, report.before, report.flag) == (True, "14.0", "L")
    with pytest.raises(Conflict):
        bench.verify(order, "hb", actor=bench.tech)
    bench.enter(order, hb="12.0")
    assert bench.report(order, "hb").delta is False


def test_calculated_results_follow_their_parts(bench: Bench) -> None:
    order = bench.ready("renal")
    bench.enter(order, na="140", cl="104")
    assert bench.test(order, "gap").state == "received"
    bench.enter(order, hco3="24", crea="0.80")
    assert bench.report(order, "gap").value == "12"
    assert bench.report(order, "egfr").value.isdecimal()
    with pytest.raises(Invalid):
        bench.enter(order, gap="12")
    # Negative control: a part that is only known to be below a limit is no number to calculate with.
    bench.enter(order, ca="9.0", alb="<0.6")
    assert bench.test(order, "cacor").state == "received"


def test_a_formula_that_does_not_hold_says_so(bench: Bench) -> None:
    order = bench.ready("lipids")
    bench.enter(order, chol="300", hdl="30", tg="500")
    report = bench.report(order, "ldl")
    assert report.value == ""
    assert "400" in report.why_none


def test_a_correction_keeps_the_old_and_is_verified_by_another(bench: Bench) -> None:
    order = bench.ready("na", "cl", "hco3", "gap")
    bench.enter(order, na="140", cl="104", hco3="24")
    bench.verify(order, "na", "cl", "hco3", "gap")
    row = bench.test(order, "na")
    entering.release(actor=bench.tech, test_id=row.pk)
    patient = bench.house.person(bench.house.patient)
    shown = selectors.released_order(patient, order.pk)
    assert [(test.test, test.now.report.value) for test in shown.tests if test.now] == [("na", "140")]

    entering.amend(actor=bench.tech, test_id=row.pk, value="146", reason="Wrong tube")
    assert LabOrder.objects.get(pk=order.pk).state == "open"
    # Until the new one is verified and released, the one before is what everybody sees.
    assert selectors.released_order(patient, order.pk).tests[0].entries[0].report.value == "140"
    with pytest.raises(Conflict):
        entering.verify(actor=bench.tech, test_id=row.pk)
    entering.verify(actor=bench.second, test_id=row.pk)
    entering.release(actor=bench.second, test_id=row.pk)
    found = selectors.released_order(patient, order.pk).tests[0]
    assert [(entry.number, entry.report.value, entry.report.flag) for entry in found.entries] == [
        (2, "146", "H"), (1, "140", "")
    ]  # fmt: skip
    # What was calculated from it is corrected with it, and waits to be verified.
    gap = bench.test(order, "gap")
    assert (gap.state, gap.number, bench.report(order, "gap").value) == ("resulted", 2, "18")
    assert stage(bench) == "lab_done"


def test_a_sensitive_result_is_given_by_a_clinician(bench: Bench) -> None:
    order = bench.ready("hiv")
    bench.enter(order, hiv="reactive")
    bench.verify(order, "hiv")
    row = bench.test(order, "hiv")
    with pytest.raises(Forbidden) as refused:
        entering.release(actor=bench.tech, test_id=row.pk)
    assert refused.value.code == "clinician_releases"
    with pytest.raises(NotFound):
        selectors.released_order(bench.house.person(bench.house.patient), order.pk)
    entering.release(actor=bench.main, test_id=row.pk)
    assert bench.test(order, "hiv").state == "released"


def test_those_who_treat_wait_for_the_verification(bench: Bench) -> None:
    order = bench.ready("na")
    bench.enter(order, na="140")
    assert selectors.order(bench.checker, order.pk).tests[0].entries == ()
    assert len(selectors.order(bench.tech, order.pk).tests[0].entries) == 1
    bench.verify(order, "na")
    assert len(selectors.order(bench.checker, order.pk).tests[0].entries) == 1


def test_a_stale_page_changes_nothing(bench: Bench) -> None:
    order = bench.ready("na")
    row = bench.test(order, "na")
    with pytest.raises(StaleEdit):
        entering.enter(actor=bench.tech, order_id=order.pk, values={row.pk: "140"}, versions={row.pk: row.version - 1})
    with pytest.raises(IllegalTransition):
        entering.verify(actor=bench.second, test_id=row.pk)


def test_a_test_costs_what_the_list_says_and_nothing_when_it_is_not_made(bench: Bench) -> None:
    Price.objects.create(
        facility=bench.house.facility, code="lab-na", name="Sodium", kind="lab", amount_minor=450, currency="EUR"
    )
    order = bench.order("na", "k")
    assert [line.amount_minor for line in InvoiceLine.objects.all()] == [450]
    actions.cancel(actor=bench.checker, test_id=bench.test(order, "na").pk, reason="By mistake")
    assert InvoiceLine.objects.get().dropped_at is not None


def test_events_and_audit_say_nothing_of_the_result(bench: Bench) -> None:
    order = bench.ready("hiv")
    bench.enter(order, hiv="reactive")
    bench.verify(order, "hiv")
    entering.amend(actor=bench.tech, test_id=bench.test(order, "hiv").pk, value="not_reactive", reason="Mixed up")
    told = " ".join(OutboxEvent.objects.values_list("payload", flat=True))
    kept = " ".join(str(row) for row in AuditEntry.objects.values())
    for word in ("reactive", "hiv", "Mixed up"):
        assert word not in told
        assert word not in kept
    assert "reactive" not in " ".join(str(value) for value in Result.objects.values_list("report", flat=True))


def test_the_worklist_is_in_the_order_of_urgency(bench: Bench) -> None:
    routine = bench.order("na")
    other = bench.arrive(bench.house.other_patient)
    with clock.fixed(clock.now() + timedelta(minutes=3)):
        stat = bench.order("k", visit=other, priority="stat")
    assert [line.id for line in selectors.worklist(bench.tech, "collect")] == [stat.pk, routine.pk]
    assert selectors.worklist(bench.tech, "enter") == []
    assert selectors.stage_counts(bench.tech)["collect"] == 2
