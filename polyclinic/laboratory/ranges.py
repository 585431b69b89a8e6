"""Reference ranges by sex, age and pregnancy. Both ends belong to the range. Ages are in days.

The most particular row wins: pregnancy before sex before everybody. Where no row fits there is no range and no flag:
a range for grown-ups says nothing about a baby. Figures are published ones (`sources`); each laboratory confirms them
for its own method before it works with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

YEAR: Final = 365.25
FOREVER: Final = 60_000
NOT, FIRST, SECOND, THIRD = "no", "first", "second", "third"
PREGNANCY: Final = (NOT, FIRST, SECOND, THIRD)


@dataclass(frozen=True, slots=True)
class Range:
    """One row. An open end is None. `sex` "" fits all; `pregnancy` "" fits who is not pregnant."""

    test: str
    low: Decimal | None
    high: Decimal | None
    source: str
    sex: str = ""
    from_days: int = 0
    to_days: int = FOREVER
    pregnancy: tuple[str, ...] = ()

    def fits(self, sex: str, age_days: int, pregnancy: str) -> bool:
        if self.pregnancy:
            return pregnancy in self.pregnancy
        return self.sex in ("", sex) and self.from_days <= age_days < self.to_days


def years(number: float) -> int:
    """The first day of this year of life."""
    return round(number * YEAR)


_ADULT: Final = years(18)
_PREGNANT: Final = (FIRST, SECOND, THIRD)
ROWS: Final[dict[str, tuple[Range, ...]]] = {}


def _r(
    test: str,
    low: object,
    high: object,
    source: str,
    *,
    sex: str = "",
    ages: tuple[int, int] = (_ADULT, FOREVER),
    pregnancy: tuple[str, ...] = (),
) -> None:
    ends = [None if end is None else Decimal(str(end)) for end in (low, high)]
    row = Range(test, ends[0], ends[1], source, sex, ages[0], ages[1], pregnancy)
    ROWS[test] = (*ROWS.get(test, ()), row)


def _both(test: str, female: tuple[object, object], male: tuple[object, object], source: str) -> None:
    _r(test, *female, source, sex="female")
    _r(test, *male, source, sex="male")


# Lower ends of haemoglobin are WHO's limits of anaemia.
_r("hb", 10.5, 13.5, "WHO-Hb", ages=(years(0.5), years(2)))
_r("hb", 11.0, 14.0, "WHO-Hb", ages=(years(2), years(5)))
_r("hb", 11.5, 15.5, "WHO-Hb", ages=(years(5), years(12)))
_r("hb", 12.0, 16.0, "WHO-Hb", ages=(years(12), years(15)))
_r("hb", 12.0, 16.0, "WHO-Hb", sex="female", ages=(years(15), FOREVER))
_r("hb", 13.0, 18.0, "WHO-Hb", sex="male", ages=(years(15), FOREVER))
_r("hb", 11.0, 14.0, "WHO-Hb", ages=(0, FOREVER), pregnancy=(FIRST,))
_r("hb", 10.5, 14.0, "WHO-Hb", ages=(0, FOREVER), pregnancy=(SECOND,))
_r("hb", 11.0, 14.0, "WHO-Hb", ages=(0, FOREVER), pregnancy=(THIRD,))
_both("hct", (37, 47), (42, 50), "ABIM")
_both("rbc", (4.2, 5.4), (4.5, 6.0), "NEJM")
_r("wbc", 4.0, 11.0, "ABIM")
_r("wbc", 5.7, 13.6, "ABBASSI", pregnancy=(FIRST,))
_r("wbc", 5.6, 14.8, "ABBASSI", pregnancy=(SECOND,))
_r("wbc", 5.9, 16.9, "ABBASSI", pregnancy=(THIRD,))
_r("plt", 150, 450, "ABIM", ages=(0, FOREVER))
_r("plt", 146, 429, "ABBASSI", pregnancy=(THIRD,))
_r("mcv", 80, 100, "ABIM")
_r("mch", 28, 32, "ABIM")
_r("mchc", 32, 36, "ABIM")
_r("rdw", 9.0, 14.5, "ABIM")
_r("neut", 1.8, 7.7, "NEJM")
_r("lymph", 1.0, 4.8, "NEJM")
_r("mono", 0.0, 0.8, "NEJM")
_r("eos", 0.0, 0.45, "NEJM")
_r("baso", 0.0, 0.2, "NEJM")
_both("esr", (0, 20), (0, 15), "ABIM")
_r("hba1c", 4.0, 5.6, "ADA")
_r("pt", 11, 13, "ABIM")
_r("inr", 0.8, 1.2, "ABIM", ages=(years(1), FOREVER))
_r("aptt", 25, 35, "ABIM")
_r("fib", 200, 400, "ABIM")
_r("fib", 301, 696, "ABBASSI", pregnancy=(THIRD,))
_r("ddimer", None, 0.5, "ABIM")
_r("na", 136, 145, "ABIM", ages=(years(1), FOREVER))
_r("na", 130, 148, "ABBASSI", pregnancy=(THIRD,))
_r("k", 3.5, 5.0, "ABIM", ages=(years(1), FOREVER))
_r("cl", 98, 106, "ABIM", ages=(years(1), FOREVER))
_r("hco3", 23, 28, "ABIM")
_r("urea", 8, 20, "ABIM")
_r("urea", 3, 13, "ABBASSI", pregnancy=(SECOND,))
_both("crea", (0.5, 1.1), (0.7, 1.3), "ABIM")
_r("crea", 0.4, 0.7, "ABBASSI", pregnancy=(FIRST,))
_r("crea", 0.4, 0.8, "ABBASSI", pregnancy=(SECOND,))
_r("crea", 0.4, 0.9, "ABBASSI", pregnancy=(THIRD,))
_r("uric", 2.5, 8.0, "ABIM")
_r("gluc", None, 139, "ADA", ages=(years(1), FOREVER))
_r("glucf", 70, 99, "ADA", ages=(years(1), FOREVER))
_r("glucf", None, 91, "ADA", ages=(0, FOREVER), pregnancy=_PREGNANT)
_r("lact", 0.7, 1.8, "ABIM")
_r("ca", 8.6, 10.2, "ABIM")
_r("cacor", 8.6, 10.2, "ABIM")
_r("mg", 1.6, 2.6, "ABIM")
_r("phos", 3.0, 4.5, "ABIM")
_r("prot", 5.5, 9.0, "ABIM")
_r("alb", 3.5, 5.5, "ABIM")
_r("alb", 2.3, 4.2, "ABBASSI", pregnancy=(THIRD,))
_r("alt", 10, 40, "ABIM")
_r("ast", 10, 40, "ABIM")
_r("alp", 30, 120, "ABIM")
_r("alp", 38, 229, "ABBASSI", pregnancy=(THIRD,))
_both("ggt", (8, 40), (9, 50), "ABIM")
_r("bili", 0.3, 1.0, "ABIM")
_r("bilid", 0.1, 0.3, "ABIM")
_r("ldh", 80, 225, "ABIM")
_r("amyl", 25, 125, "ABIM")
_r("lip", 10, 140, "ABIM")
_both("ck", (30, 135), (55, 170), "ABIM")
_r("trop", None, 0.04, "ABIM")
_r("crp", None, 8, "ABIM")
_r("chol", None, 199, "NCEP")
_both("hdl", (50, None), (40, None), "NCEP")
_r("tg", None, 149, "NCEP")
_r("ldl", None, 129, "NCEP")
# Lower ends of ferritin are WHO's limits of iron deficiency.
_r("ferr", 12, 140, "WHO-ferritin", ages=(0, years(5)))
_both("ferr", (15, 307), (15, 336), "WHO-ferritin")
_r("ferr", 15, 307, "WHO-ferritin", ages=(0, FOREVER), pregnancy=_PREGNANT)
_r("iron", 50, 150, "ABIM")
_r("tibc", 250, 310, "ABIM")
_r("b12", 200, 800, "ABIM")
_r("fol", 1.8, 9.0, "ABIM")
_r("vitd", 30, 60, "ABIM")
_r("tsh", 0.5, 4.0, "ABIM")
_r("tsh", 0.1, 4.0, "ATA", ages=(0, FOREVER), pregnancy=(FIRST,))
_r("ft4", 0.8, 1.8, "ABIM")
_r("psa", None, 4.0, "ABIM", sex="male")
_r("uph", 5, 7, "ABIM", ages=(0, FOREVER))
_r("usg", 1.002, 1.03, "ABIM", ages=(0, FOREVER))
_r("acr", None, 29, "KDIGO")
_r("egfr", 60, None, "KDIGO")
_r("gap", 8, 16, "EMMETT")


def find(test: str, *, sex: str, age_days: int, pregnancy: str = "") -> Range | None:
    """The range for this person, or None. `sex` is administrative: for other or unknown only rows for everybody fit."""
    fitting = [row for row in ROWS.get(test, ()) if row.fits(sex, age_days, pregnancy)]
    return max(fitting, key=lambda row: (bool(row.pregnancy), bool(row.sex)), default=None)
