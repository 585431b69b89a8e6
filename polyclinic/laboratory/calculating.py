"""Results worked out from others of the same order. Each function says where it holds; elsewhere there is no result.

Arithmetic is in floats where the formula has powers, and rounded half up once, at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Values = Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class Whom:
    """What a formula needs to know of the person: administrative sex, completed years, pregnant or not said."""

    sex: str
    years: int
    pregnant: bool = False


class NotValid(Exception):
    """The formula does not hold here; `sentence` says why."""

    def __init__(self, sentence: str | Promise) -> None:
        super().__init__()
        self.sentence = sentence


def egfr(values: Values, whom: Whom) -> Decimal:
    """Filtration rate in mL/min/1.73 m² from creatinine in mg/dL: CKD-EPI 2021 (Inker 2021), 18 years and over."""
    if whom.years < 18:
        raise NotValid(_("The formula holds from 18 years on."))
    if whom.sex not in ("female", "male"):
        raise NotValid(_("The formula needs the sex, which is not known here."))
    if whom.pregnant:
        raise NotValid(_("The formula does not hold in pregnancy."))
    female = whom.sex == "female"
    kappa, alpha = (0.7, -0.241) if female else (0.9, -0.302)
    ratio = float(values["crea"]) / kappa
    rate = 142 * min(ratio, 1.0) ** alpha * max(ratio, 1.0) ** -1.2 * 0.9938**whom.years
    return Decimal(repr(rate * (1.012 if female else 1.0)))


def ldl(values: Values, _whom: Whom) -> Decimal:
    """LDL cholesterol in mg/dL: Friedewald 1972, for triglycerides below 400 mg/dL."""
    if values["tg"] >= 400:
        raise NotValid(_("With triglycerides of 400 mg/dL or more, LDL cannot be calculated. Measure it directly."))
    return values["chol"] - values["hdl"] - values["tg"] / 5


def gap(values: Values, _whom: Whom) -> Decimal:
    """Anion gap in mmol/L without potassium: Na − (Cl + HCO3)."""
    return values["na"] - (values["cl"] + values["hco3"])


def cacor(values: Values, _whom: Whom) -> Decimal:
    """Calcium in mg/dL as it would be with an albumin of 4 g/dL (Payne 1973)."""
    return values["ca"] + Decimal("0.8") * (Decimal(4) - values["alb"])


@dataclass(frozen=True, slots=True)
class Formula:
    """A calculated test: what it is made from, how, and who published it."""

    needs: tuple[str, ...]
    work_out: Callable[[Values, Whom], Decimal]
    source: str


FORMULAS: Final[dict[str, Formula]] = {
    "egfr": Formula(("crea",), egfr, "CKD-EPI"),
    "ldl": Formula(("chol", "hdl", "tg"), ldl, "FRIEDEWALD"),
    "gap": Formula(("na", "cl", "hco3"), gap, "EMMETT"),
    "cacor": Formula(("ca", "alb"), cacor, "PAYNE"),
}


def calculate(code: str, values: Values, whom: Whom, decimals: int) -> Decimal:
    """The result of a calculated test. Raises NotValid where the formula does not hold, KeyError without its parts."""
    found = FORMULAS[code].work_out(values, whom)
    return found.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
