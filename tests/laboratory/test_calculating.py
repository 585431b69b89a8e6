"""Calculated results against the published formulas, and where they do not hold."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from polyclinic.laboratory.calculating import NotValid, Whom, calculate

WOMAN, MAN = Whom("female", 50), Whom("male", 50)


# Worked out apart from the program, from the equation as printed (Inker 2021, table 2 there).
@pytest.mark.parametrize(
    ("crea", "whom", "expected"),
    [
        ("0.7", WOMAN, "105"),  # 142 × 1.012 × 0.9938^50 = 105.30
        ("0.9", MAN, "104"),  # 142 × 0.9938^50 = 104.05
        ("1.0", WOMAN, "69"),  # × (1/0.7)^−1.2 = 0.6518
        ("1.0", MAN, "92"),  # × (1/0.9)^−1.2 = 0.8812
        ("0.5", WOMAN, "114"),  # × (0.5/0.7)^−0.241 = 1.0845
        ("4.0", Whom("male", 70), "15"),
    ],
)
def test_egfr_by_ckd_epi_2021(crea: str, whom: Whom, expected: str) -> None:
    assert calculate("egfr", {"crea": D(crea)}, whom, 0) == D(expected)


@pytest.mark.parametrize("whom", [Whom("female", 17), Whom("unknown", 40), Whom("other", 40), Whom("female", 30, True)])
def test_egfr_is_not_guessed(whom: Whom) -> None:
    with pytest.raises(NotValid):
        calculate("egfr", {"crea": D("0.8")}, whom, 0)


def test_egfr_begins_at_eighteen() -> None:
    assert calculate("egfr", {"crea": D("0.8")}, Whom("female", 18), 0) > 90


def test_ldl_by_friedewald_up_to_400() -> None:
    values = {"chol": D(200), "hdl": D(50), "tg": D(150)}
    assert calculate("ldl", values, MAN, 0) == 120
    assert calculate("ldl", {**values, "tg": D(399)}, MAN, 0) == 70  # 70.2
    for triglycerides in (D(400), D("400.1"), D(900)):
        with pytest.raises(NotValid):
            calculate("ldl", {**values, "tg": triglycerides}, MAN, 0)


def test_anion_gap_and_corrected_calcium() -> None:
    assert calculate("gap", {"na": D(140), "cl": D(104), "hco3": D(24)}, MAN, 0) == 12
    assert calculate("cacor", {"ca": D("8.0"), "alb": D("2.0")}, MAN, 1) == D("9.6")
    assert calculate("cacor", {"ca": D("9.0"), "alb": D("4.0")}, MAN, 1) == D("9.0")


def test_halves_are_rounded_up() -> None:
    assert calculate("ldl", {"chol": D("120.5"), "hdl": D(0), "tg": D(0)}, MAN, 0) == 121
