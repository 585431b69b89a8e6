"""What stops a signature: allergies, interactions, duplicates, doses by day and by weight, age, pregnancy, kidneys."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from polyclinic.core.errors import Conflict, Invalid
from polyclinic.prescribing import actions, checking, quick, sentences, writing
from polyclinic.prescribing.bodies import Line
from polyclinic.prescribing.patients import Whom, whom
from polyclinic.records import actions as records
from polyclinic.visits.models import Visit
from tests.prescribing.ward import Ward

ADULT = Whom(40, (), True, False, Decimal(70), Decimal(90), ())
CHILD = Whom(4, (), True, False, Decimal(16), None, ())


def found(patient: Whom, *lines: Line) -> list[tuple[str, str]]:
    written = [writing.complete(line, place) for place, line in enumerate(lines)]
    return [(one.kind, one.tier) for one in checking.warnings(patient, written)]


def test_a_plain_line_for_a_healthy_adult_gives_no_warning(ward: Ward) -> None:
    assert found(ADULT, ward.line(), ward.line("paracetamol-500-mg-tablet", "2", "three", 5)) == []


@pytest.mark.parametrize(
    ("dose", "frequency", "expected"),
    [
        ("2", "four", []),
        ("2", "every_4h", ["serious"]),
        ("4", "four", ["contraindicated", "serious"]),
        ("3", "once", ["serious"]),
    ],
)
def test_the_most_of_paracetamol_at_its_edge(ward: Ward, dose: str, frequency: str, expected: list[str]) -> None:
    line = ward.line("paracetamol-500-mg-tablet", dose, frequency, 3)
    assert [tier for _kind, tier in found(ADULT, line)] == expected


@pytest.mark.parametrize(
    ("millilitres", "expected"),
    # 24 mg/mL, four times a day, 16 kg: usual is 40 to 75 mg/kg a day, with a tenth of leeway above.
    [("10", []), ("12.5", []), ("14", ["serious"]), ("25", ["contraindicated"]), ("5", ["caution"])],
)
def test_a_child_gets_by_weight(ward: Ward, millilitres: str, expected: list[str]) -> None:
    line = ward.line("paracetamol-120-mg-5-ml-syrup", millilitres, "four", 3)
    assert [tier for _kind, tier in found(CHILD, line)] == expected


def test_a_child_without_a_weight_is_asked_for(ward: Ward) -> None:
    line = ward.line("paracetamol-120-mg-5-ml-syrup", "10", "four", 3)
    assert found(replace(CHILD, weight=None), line) == [("dose", "serious")]


def test_methotrexate_every_day_is_stopped(ward: Ward) -> None:
    weekly = ward.line("methotrexate-2.5-mg-tablet", "4", "weekly", 28)
    assert found(ADULT, weekly) == []
    assert ("dose", "contraindicated") in found(ADULT, ward.line("methotrexate-2.5-mg-tablet", "4", "daily", 28))


@pytest.mark.parametrize(
    ("age", "code", "expected"),
    [
        (11, "codeine-30-mg-tablet", "contraindicated"), (12, "codeine-30-mg-tablet", None),
        (15, "acetylsalicylic-acid-500-mg-tablet", "serious"), (16, "acetylsalicylic-acid-500-mg-tablet", None),
        (64, "diazepam-5-mg-tablet", None), (65, "diazepam-5-mg-tablet", "caution"),
    ],
)  # fmt: skip
def test_age_at_its_edges(ward: Ward, age: int, code: str, expected: str | None) -> None:
    tiers = [
        tier for kind, tier in found(replace(ADULT, age=age), ward.line(code, "1", "twice", 3)) if kind == "caution"
    ]
    assert tiers == ([expected] if expected else [])


@pytest.mark.parametrize(("egfr", "expected"), [("29", ["contraindicated"]), ("30", []), (None, [])])
def test_kidneys_at_their_edge(ward: Ward, egfr: str | None, expected: list[str]) -> None:
    patient = replace(ADULT, egfr=Decimal(egfr) if egfr else None)
    line = ward.line("metformin-500-mg-tablet", "1", "twice", 30)
    assert [tier for _kind, tier in found(patient, line)] == expected


def test_pregnancy(ward: Ward) -> None:
    line = ward.line("enalapril-5-mg-tablet", "1", "daily", 30)
    assert found(replace(ADULT, pregnant=True), line) == [("caution", "contraindicated")]
    assert found(ADULT, line) == []


def test_nobody_asked_is_said_and_does_not_stop(ward: Ward) -> None:
    assert found(replace(ADULT, allergies_asked=False), ward.line()) == [("allergy", "caution")]


def test_each_pair_of_lines_is_told_once(ward: Ward) -> None:
    lines = ward.line("warfarin-5-mg-tablet", "1", "daily", 30), ward.line("ibuprofen-400-mg-tablet", "1", "three", 5)
    assert found(ADULT, *lines) == found(ADULT, *lines[::-1]) == [("interaction", "serious")]
    twice = ward.line("ibuprofen-400-mg-tablet", "1", "three", 5)
    assert found(ADULT, twice, twice) == [("duplicate", "serious")]


def test_what_is_taken_already_counts(ward: Ward) -> None:
    ward.sign(ward.line("warfarin-5-mg-tablet", "1", "daily", None, quantity=Decimal(30)))
    patient = whom(Visit.objects.select_related("patient").get(pk=ward.visit))
    assert [line.medicine.generic for line in patient.taken] == ["warfarin"]
    with pytest.raises(Conflict) as refused:
        ward.sign(ward.line("ibuprofen-400-mg-tablet", "1", "three", 5))
    assert refused.value.code == "warnings"
    told = [one["title"] for one in refused.value.extra["warnings"]]
    assert any("taken at present" in title for title in told)


def test_what_was_cancelled_or_has_ended_does_not(ward: Ward) -> None:
    made = ward.sign(ward.line("warfarin-5-mg-tablet", "1", "daily", 7))
    actions.cancel(actor=ward.main, prescription_id=made.pk, reason="Not needed")
    assert whom(Visit.objects.select_related("patient").get(pk=ward.visit)).taken == ()


def test_each_warning_needs_its_own_reason(ward: Ward) -> None:
    ward.allergic("Penicillin")
    ward.allergic("Ibuprofen")
    lines = ward.line(), ward.line("naproxen-500-mg-tablet", "1", "twice", 5)
    with pytest.raises(Conflict) as refused:
        ward.sign(*lines)
    keys = [one["key"] for one in refused.value.extra["warnings"]]
    assert len(keys) == 2
    with pytest.raises(Conflict) as again:
        ward.sign(*lines, overrides={keys[0]: "Tolerated before"})
    assert [one["key"] for one in again.value.extra["warnings"]] == keys[1:]
    with pytest.raises(Conflict):
        ward.sign(*lines, overrides={keys[0]: "Tolerated before", keys[1]: "   "})
    with pytest.raises(Invalid):
        ward.sign(*lines, overrides={keys[0]: "Tolerated before", keys[1]: "x" * 201})
    made = ward.sign(*lines, overrides=dict.fromkeys(keys, "Tolerated before"))
    from polyclinic.prescribing import selectors

    kept = [one.overrides for one in selectors.prescription(ward.main, made.pk).lines]
    assert [[one.reason for one in line] for line in kept] == [["Tolerated before"], ["Tolerated before"]]


def test_a_reason_for_one_dose_is_none_for_another(ward: Ward) -> None:
    ward.no_allergies()
    line = ward.line("paracetamol-500-mg-tablet", "2", "every_4h", 3)
    with pytest.raises(Conflict) as refused:
        ward.sign(line)
    reasons = {one["key"]: "Watched on the ward" for one in refused.value.extra["warnings"]}
    with pytest.raises(Conflict):
        ward.sign(ward.line("paracetamol-500-mg-tablet", "4", "every_4h", 3), overrides=reasons)
    ward.sign(line, overrides=reasons)


def test_without_the_check_it_would_be_signed(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: it is this check that stops the signature."""
    ward.allergic("Penicillin")
    with pytest.raises(Conflict):
        ward.sign()
    monkeypatch.setattr(checking, "warnings", lambda *_given: [])
    ward.sign()


def test_weight_and_pregnancy_come_from_this_visits_signs(ward: Ward) -> None:
    records.record_vitals(actor=ward.main, visit_id=ward.visit, values={"weight": "61.5"}, pregnant=True)
    patient = whom(Visit.objects.select_related("patient").get(pk=ward.visit))
    assert (patient.weight, patient.pregnant) == (Decimal("61.5"), True)


@pytest.mark.parametrize(
    ("code", "dose", "frequency", "days", "quantity", "sum_"),
    [
        ("amoxicillin-500-mg-capsule", "1", "three", 7, "21", "1 capsule × 3 × 7 days = 21 capsules"),
        ("paracetamol-120-mg-5-ml-syrup", "7.5", "four", 3, "90", "7.5 mL × 4 × 3 days = 90 mL"),
        ("prednisolone-5-mg-tablet", "0.5", "morning", 5, "3", "0.5 tablet × 1 × 5 days = 3 tablets"),
        ("salbutamol-100-microgram-puff-inhaler", "2", "four", 30, "2", "2 puffs × 4 × 30 days ÷ 200 = 2 inhalers"),
        ("methotrexate-2.5-mg-tablet", "4", "weekly", 28, "16", "4 tablets × 4 (once a week, 28 days) = 16 tablets"),
        ("fosfomycin-3-g-powder", "1", "once", None, "1", "1 sachet"),
        ("hydrocortisone-1-cream", "1", "twice", 7, "1", "1 tube"),
    ],
)
def test_the_quantity_and_its_sum(
    ward: Ward, code: str, dose: str, frequency: str, days: int | None, quantity: str, sum_: str
) -> None:
    whole = writing.complete(ward.line(code, dose, frequency, days))
    assert (whole.quantity, whole.sum_) == (Decimal(quantity), sum_)


def test_a_line_without_end_needs_its_quantity(ward: Ward) -> None:
    with pytest.raises(Invalid) as refused:
        writing.complete(ward.line("amlodipine-5-mg-tablet", "1", "daily", None))
    assert refused.value.field == "lines.0.quantity"
    assert (
        writing.complete(ward.line("amlodipine-5-mg-tablet", "1", "daily", None, quantity=Decimal(90))).quantity == 90
    )


def test_how_lines_read(ward: Ward) -> None:
    whole = writing.complete(
        ward.line("paracetamol-500-mg-tablet", "0.5", "every_6h", 1, as_needed=True, note="With water")
    )
    said = sentences.of_parts(whole.medicine, whole.line)
    assert str(said) == (
        "paracetamol 500\u00a0mg tablet — 0.5\u00a0tablet by mouth every 6 hours for 1 day, only when needed."
        " With water"
    )
    assert said.__html__().startswith("<b>paracetamol</b> ")
    nasty = writing.complete(ward.line(note="<script>"))
    assert "<script>" not in sentences.of_parts(nasty.medicine, nasty.line).__html__()


def test_what_is_at_hand_is_starred_first_then_most_used(ward: Ward) -> None:
    ward.no_allergies()
    assert quick.at_hand(ward.main) == []
    ward.sign(ward.line("amlodipine-5-mg-tablet", "1", "daily", 30))
    quick.star(actor=ward.main, medicine_id=ward.medicine("omeprazole-20-mg-capsule"), starred=True)
    assert [row.generic for row in quick.at_hand(ward.main)] == ["omeprazole", "amlodipine"]
    assert quick.at_hand(ward.doctor) == []
