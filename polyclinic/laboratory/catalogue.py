"""The catalogue: what the laboratory can be asked for. Names are translated; codes, units and limits are not.

LOINC codes name the test, UCUM the unit. Critical limits are those at which somebody is told at once; `possible` are
the limits beyond which a number can only be a slip of the hand. Reference ranges are in `ranges`.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

D = Decimal


class Kind(StrEnum):
    """What a specimen is taken into. One container serves all tests of its kind in an order."""

    EDTA = "edta"
    SERUM = "serum"
    CITRATE = "citrate"
    FLUORIDE = "fluoride"
    URINE = "urine"


KINDS: Final[dict[str, str | Promise]] = {
    Kind.EDTA: _("EDTA blood (lavender cap)"),
    Kind.SERUM: _("Serum (gold cap)"),
    Kind.CITRATE: _("Citrate plasma (blue cap)"),
    Kind.FLUORIDE: _("Fluoride plasma (grey cap)"),
    Kind.URINE: _("Urine (cup)"),
}
# What a test without a number can say, the expected answer first. Stored by key.
ANSWERS: Final[dict[str, str | Promise]] = {
    "negative": _("Negative"),
    "trace": _("Trace"),
    "positive": _("Positive"),
    "not_reactive": _("Not reactive"),
    "reactive": _("Reactive"),
    "not_seen": _("Not seen"),
    "seen": _("Seen"),
    "a_pos": "A RhD+",
    "a_neg": "A RhD−",
    "b_pos": "B RhD+",
    "b_neg": "B RhD−",
    "ab_pos": "AB RhD+",
    "ab_neg": "AB RhD−",
    "o_pos": "O RhD+",
    "o_neg": "O RhD−",
    "indeterminate": _("Not certain"),
}


@dataclass(frozen=True, slots=True)
class Test:
    """One test. Limits are in `unit`; a test with `answers` has words and no number.

    `delta`: the change against the last result within `delta_days` that asks for a second look, absolute, or of the
    last value with `delta_percent`. `second`: always verified by somebody else than who entered it. `sensitive`: a
    clinician, not the laboratory, gives it to the patient.
    """

    code: str
    loinc: str
    name: str | Promise
    unit: str
    kind: Kind
    decimals: int = 0
    possible: tuple[Decimal, Decimal] = (D(0), D(100000))
    critical_low: Decimal | None = None
    critical_high: Decimal | None = None
    delta: Decimal | None = None
    delta_percent: bool = False
    delta_days: int = 7
    answers: tuple[str, ...] = ()
    second: bool = False
    sensitive: bool = False
    calculated: bool = False
    group: str = ""

    @property
    def price_code(self) -> str:
        """What the price list calls it."""
        return f"lab-{self.code}"


def _n(
    code: str,
    loinc: str,
    name: str | Promise,
    unit: str,
    kind: Kind,
    decimals: int,
    possible: tuple[object, object],
    low: object = None,
    high: object = None,
    **more: object,
) -> Test:
    """A test that has a number. `low` and `high` are the critical limits."""
    limits = (D(str(possible[0])), D(str(possible[1])))
    ends = [None if end is None else D(str(end)) for end in (low, high)]
    if "delta" in more:
        more["delta"] = D(str(more["delta"]))
    return Test(code, loinc, name, unit, kind, decimals, limits, ends[0], ends[1], **more)  # type: ignore[arg-type]


def _w(code: str, loinc: str, name: str | Promise, kind: Kind, answers: tuple[str, ...], **more: object) -> Test:
    """A test that has words, the expected ones first."""
    return Test(code, loinc, name, "", kind, answers=answers, **more)  # type: ignore[arg-type]


_STRIP = ("negative", "trace", "positive")
_SEROLOGY = ("not_reactive", "reactive", "indeterminate")
_GROUPS = ("a_pos", "a_neg", "b_pos", "b_neg", "ab_pos", "ab_neg", "o_pos", "o_neg", "indeterminate")
_E, _S, _C, _F, _U = Kind.EDTA, Kind.SERUM, Kind.CITRATE, Kind.FLUORIDE, Kind.URINE

_TESTS: Final[tuple[Test, ...]] = (
    # Blood count. 10*3/uL are thousands in a microlitre.
    _n("hb", "718-7", _("Haemoglobin"), "g/dL", _E, 1, (1, 30), 7, 20, delta=2),
    _n("hct", "4544-3", _("Haematocrit"), "%", _E, 1, (3, 85), delta=6),
    _n("rbc", "789-8", _("Red cells"), "10*6/uL", _E, 2, (0.3, 12)),
    _n("wbc", "6690-2", _("White cells"), "10*3/uL", _E, 1, (0, 900), 1, 50),
    _n("plt", "777-3", _("Platelets"), "10*3/uL", _E, 0, (0, 6000), 30, 1000, delta=50, delta_percent=True),
    # The size of red cells hardly changes in a week: a jump means another person's tube.
    _n("mcv", "787-2", _("Mean red cell volume"), "fL", _E, 1, (40, 160), delta=5),
    _n("mch", "785-6", _("Mean red cell haemoglobin"), "pg", _E, 1, (10, 60)),
    _n("mchc", "786-4", _("Mean red cell haemoglobin concentration"), "g/dL", _E, 1, (15, 50)),
    _n("rdw", "788-0", _("Red cell distribution width"), "%", _E, 1, (5, 50)),
    _n("neut", "751-8", _("Neutrophils"), "10*3/uL", _E, 2, (0, 500), 0.5),
    _n("lymph", "731-0", _("Lymphocytes"), "10*3/uL", _E, 2, (0, 900)),
    _n("mono", "742-7", _("Monocytes"), "10*3/uL", _E, 2, (0, 300)),
    _n("eos", "711-2", _("Eosinophils"), "10*3/uL", _E, 2, (0, 300)),
    _n("baso", "704-7", _("Basophils"), "10*3/uL", _E, 2, (0, 100)),
    _n("esr", "4537-7", _("Sedimentation rate"), "mm/h", _E, 0, (0, 200)),
    _n("hba1c", "4548-4", _("Haemoglobin A1c"), "%", _E, 1, (2, 25)),
    _w("group", "882-1", _("Blood group"), _E, _GROUPS, second=True),
    _w("malaria", "32700-7", _("Malaria, blood film"), _E, ("not_seen", "seen", "indeterminate"), second=True),
    # Clotting.
    _n("pt", "5902-2", _("Prothrombin time"), "s", _C, 1, (5, 200)),
    _n("inr", "6301-6", _("INR"), "{INR}", _C, 1, (0.5, 20), None, 6.5),
    _n("aptt", "14979-9", _("Activated partial thromboplastin time"), "s", _C, 1, (10, 300), None, 100),
    _n("fib", "3255-7", _("Fibrinogen"), "mg/dL", _C, 0, (10, 2000), 100),
    _n("ddimer", "48065-7", _("D-dimer"), "ug/mL{FEU}", _C, 2, (0, 200)),
    # Salts and kidney.
    _n("na", "2951-2", _("Sodium"), "mmol/L", _S, 0, (80, 200), 120, 155, delta=10),
    _n("k", "2823-3", _("Potassium"), "mmol/L", _S, 1, (1, 12), 2.5, 6.5, delta=1.5),
    _n("cl", "2075-0", _("Chloride"), "mmol/L", _S, 0, (50, 160)),
    _n("hco3", "1963-8", _("Bicarbonate"), "mmol/L", _S, 0, (2, 60), 10),
    _n("urea", "3094-0", _("Urea nitrogen"), "mg/dL", _S, 0, (1, 400), None, 84),
    _n("crea", "2160-0", _("Creatinine"), "mg/dL", _S, 2, (0.1, 40), None, 4, delta=50, delta_percent=True),
    _n("uric", "3084-1", _("Uric acid"), "mg/dL", _S, 1, (0.2, 40)),
    _n("gluc", "2345-7", _("Glucose"), "mg/dL", _F, 0, (5, 2000), 45, 450),
    _n("glucf", "1558-6", _("Glucose, fasting"), "mg/dL", _F, 0, (5, 2000), 45, 450),
    _n("lact", "2524-7", _("Lactate"), "mmol/L", _F, 1, (0, 40), None, 4),
    _n("ca", "17861-6", _("Calcium"), "mg/dL", _S, 1, (2, 25), 7.2, 14),
    _n("mg", "19123-9", _("Magnesium"), "mg/dL", _S, 1, (0.2, 15), 1),
    _n("phos", "2777-1", _("Phosphate"), "mg/dL", _S, 1, (0.2, 30), 0.9),
    # Liver, pancreas, muscle and heart.
    _n("prot", "2885-2", _("Total protein"), "g/dL", _S, 1, (1, 16)),
    _n("alb", "1751-7", _("Albumin"), "g/dL", _S, 1, (0.5, 8)),
    _n("alt", "1742-6", _("ALT"), "U/L", _S, 0, (0, 20000), None, 600),
    _n("ast", "1920-8", _("AST"), "U/L", _S, 0, (0, 30000), None, 600),
    _n("alp", "6768-6", _("Alkaline phosphatase"), "U/L", _S, 0, (0, 10000)),
    _n("ggt", "2324-2", _("Gamma-GT"), "U/L", _S, 0, (0, 10000)),
    _n("bili", "1975-2", _("Bilirubin, total"), "mg/dL", _S, 1, (0, 80)),
    _n("bilid", "1968-7", _("Bilirubin, direct"), "mg/dL", _S, 1, (0, 60)),
    _n("ldh", "2532-0", _("LDH"), "U/L", _S, 0, (0, 50000)),
    _n("amyl", "1798-8", _("Amylase"), "U/L", _S, 0, (0, 30000), None, 625),
    _n("lip", "3040-3", _("Lipase"), "U/L", _S, 0, (0, 60000)),
    _n("ck", "2157-6", _("Creatine kinase"), "U/L", _S, 0, (0, 500000), None, 5000),
    _n("trop", "10839-9", _("Troponin I"), "ng/mL", _S, 2, (0, 1000), None, 0.4),
    _n("crp", "1988-5", _("C-reactive protein"), "mg/L", _S, 0, (0, 1000), None, 300),
    # Fats.
    _n("chol", "2093-3", _("Cholesterol, total"), "mg/dL", _S, 0, (10, 2000)),
    _n("hdl", "2085-9", _("HDL cholesterol"), "mg/dL", _S, 0, (1, 200)),
    _n("tg", "2571-8", _("Triglycerides"), "mg/dL", _S, 0, (5, 20000), None, 1770),
    # Iron, vitamins, hormones.
    _n("ferr", "2276-4", _("Ferritin"), "ng/mL", _S, 0, (0, 100000)),
    _n("iron", "2498-4", _("Iron"), "ug/dL", _S, 0, (1, 2000)),
    _n("tibc", "2500-7", _("Iron binding capacity"), "ug/dL", _S, 0, (50, 1000)),
    _n("b12", "2132-9", _("Vitamin B12"), "pg/mL", _S, 0, (10, 20000)),
    _n("fol", "2284-8", _("Folate"), "ng/mL", _S, 1, (0.2, 100)),
    _n("vitd", "62292-8", _("Vitamin D, 25-hydroxy"), "ng/mL", _S, 0, (1, 500)),
    _n("tsh", "3016-3", _("TSH"), "m[IU]/L", _S, 2, (0, 500)),
    _n("ft4", "3024-7", _("Thyroxine, free"), "ng/dL", _S, 2, (0, 20)),
    _n("hcg", "21198-7", _("Pregnancy hormone (beta-hCG)"), "[IU]/L", _S, 0, (0, 1000000), sensitive=True),
    _n("psa", "2857-1", _("PSA"), "ng/mL", _S, 2, (0, 20000), sensitive=True),
    # Infections.
    _w("hiv", "56888-1", _("HIV 1 and 2, antigen and antibody"), _S, _SEROLOGY, second=True, sensitive=True),
    _w("hbsag", "5195-3", _("Hepatitis B surface antigen"), _S, _SEROLOGY, second=True, sensitive=True),
    _w("hcv", "16128-1", _("Hepatitis C antibody"), _S, _SEROLOGY, second=True, sensitive=True),
    _w("syph", "24110-9", _("Syphilis antibody"), _S, _SEROLOGY, second=True, sensitive=True),
    # Urine.
    _n("uph", "5803-2", _("Urine: pH"), "[pH]", _U, 1, (3, 11)),
    _n("usg", "5811-5", _("Urine: specific gravity"), "{ratio}", _U, 3, (0.9, 1.2)),
    _w("upro", "20454-5", _("Urine: protein"), _U, _STRIP),
    _w("uglu", "25428-4", _("Urine: glucose"), _U, _STRIP),
    _w("uket", "2514-8", _("Urine: ketones"), _U, _STRIP),
    _w("ubld", "5794-3", _("Urine: blood"), _U, _STRIP),
    _w("unit", "5802-4", _("Urine: nitrite"), _U, ("negative", "positive")),
    _w("uleu", "5799-2", _("Urine: white cells"), _U, _STRIP),
    _n("acr", "9318-7", _("Urine: albumin to creatinine"), "mg/g", _U, 0, (0, 50000)),
    # Worked out from others of the same order (`calculating`).
    _n("egfr", "98979-8", _("Filtration rate of the kidneys, estimated"), "mL/min/{1.73_m2}", _S, 0, (0, 250),
       calculated=True),
    _n("ldl", "13457-7", _("LDL cholesterol, calculated"), "mg/dL", _S, 0, (-500, 2000), calculated=True),
    _n("gap", "10466-1", _("Anion gap"), "mmol/L", _S, 0, (-50, 100), calculated=True),
    _n("cacor", "46099-8", _("Calcium, corrected for albumin"), "mg/dL", _S, 1, (0, 30), 7.2, 14, calculated=True),
)  # fmt: skip
TESTS: Final[dict[str, Test]] = {test.code: test for test in _TESTS}


@dataclass(frozen=True, slots=True)
class Panel:
    """Tests that are usually asked for together. Asking for the panel is asking for each of them."""

    code: str
    name: str | Promise
    tests: tuple[str, ...]


_COUNT = ("hb", "hct", "rbc", "wbc", "plt", "mcv", "mch", "mchc", "rdw")
_SALTS = ("na", "k", "cl", "hco3", "gap")
_PANELS: Final[tuple[Panel, ...]] = (
    Panel("cbc", _("Blood count"), _COUNT),
    Panel("cbcd", _("Blood count with differential"), (*_COUNT, "neut", "lymph", "mono", "eos", "baso")),
    Panel("lytes", _("Electrolytes"), _SALTS),
    Panel("renal", _("Kidney"), (*_SALTS, "urea", "crea", "egfr", "alb", "ca", "cacor", "phos")),
    Panel("liver", _("Liver"), ("alt", "ast", "alp", "ggt", "bili", "bilid", "alb", "prot")),
    Panel("lipids", _("Blood fats"), ("chol", "hdl", "tg", "ldl")),
    Panel("thyroid", _("Thyroid"), ("tsh", "ft4")),
    Panel("clotting", _("Clotting"), ("pt", "inr", "aptt", "fib")),
    Panel("ironset", _("Iron"), ("ferr", "iron", "tibc")),
    Panel("urine", _("Urine strip"), ("uph", "usg", "upro", "uglu", "uket", "ubld", "unit", "uleu")),
    Panel("antenatal", _("Antenatal booking"), ("hb", "group", "hiv", "hbsag", "syph", "ubld", "upro", "uglu")),
    Panel("diabetes", _("Diabetes check"), ("glucf", "hba1c", "crea", "egfr", "acr")),
)
PANELS: Final[dict[str, Panel]] = {panel.code: panel for panel in _PANELS}


def expand(codes: tuple[str, ...] | list[str]) -> list[str]:
    """The tests that these tests and panels stand for, each once, in the catalogue's order. KeyError for a stranger."""
    wanted = {part for code in codes for part in (PANELS[code].tests if code in PANELS else (TESTS[code].code,))}
    return [code for code in TESTS if code in wanted]
