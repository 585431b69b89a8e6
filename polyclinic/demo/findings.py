"""Invented findings: vital signs, results and diagnoses that a doctor would believe, and that belong to nobody."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Final

from polyclinic.laboratory import ranges
from polyclinic.laboratory.catalogue import TESTS

# Diagnosis by ICD-10 (WHO) category, as somebody would write it, and what is then done.
Case = tuple[str, str, str]
CASES: Final[dict[str, tuple[Case, ...]]] = {
    "general-practice": (
        ("J06.9", "Upper respiratory infection", "Rest, fluids; come back if short of breath or after a week."),
        ("I10", "High blood pressure", "Measure at home for two weeks, then review."),
        ("J20.9", "Acute bronchitis", "Inhaled steam, no antibiotic for now."),
        ("N39.0", "Urinary tract infection", "Treat for three days; urine again if it returns."),
        ("M54.5", "Low back pain", "Stay active, warmth, review in two weeks."),
    ),
    "cardiology": (
        ("I10", "High blood pressure", "Add a second medicine, salt advice."),
        ("I48.9", "Atrial fibrillation", "Rate is controlled; continue anticoagulation."),
        ("I25.9", "Coronary heart disease, stable", "Continue treatment, exercise test in spring."),
        ("R00.2", "Palpitations", "Recorder for 48 hours."),
    ),
    "dermatology": (
        ("L20.9", "Atopic eczema", "Ointment twice a day, review in four weeks."),
        ("L70.0", "Acne", "Gel at night, sun protection."),
        ("D22.9", "Naevus", "Looks harmless; photograph and compare in a year."),
    ),
    "orthopaedics": (
        ("M17.9", "Osteoarthritis of the knee", "Exercises, pain relief when needed."),
        ("M75.1", "Rotator cuff syndrome", "Physiotherapy for six weeks."),
        ("S82.6", "Fracture of the lateral malleolus, healing", "Cast off in two weeks."),
    ),
    "neurology": (
        ("G43.9", "Migraine", "Diary of attacks, treatment early in the attack."),
        ("G44.2", "Tension headache", "Regular breaks, exercise."),
        ("G56.0", "Carpal tunnel syndrome", "Splint at night; nerve conduction study."),
    ),
    "gynaecology": (
        ("Z30.0", "Contraception counselling", "Options explained, decision next time."),
        ("N94.6", "Painful periods", "Pain relief from the first day."),
        ("Z34.9", "Pregnancy, normal", "Next visit in four weeks."),
    ),
    "paediatrics": (
        ("J06.9", "Upper respiratory infection", "Fluids; come back if drinking less or drowsy."),
        ("H66.9", "Otitis media", "Pain relief, look again in two days."),
        ("J45.9", "Asthma, well controlled", "Technique checked; continue the spray."),
    ),
    "ear-nose-throat": (
        ("H61.2", "Ear wax", "Removed; hearing is normal afterwards."),
        ("J32.9", "Chronic sinusitis", "Nasal rinsing, spray for six weeks."),
        ("J03.9", "Tonsillitis", "Throat swab taken."),
    ),
}
ALLERGIES: Final = (
    ("Penicillin", "rash"), ("Sulfonamides", "swelling"), ("Latex", "itching"), ("Ibuprofen", "wheezing"),
    ("Peanut", "swelling of the lips"),
)  # fmt: skip
# Their value must be low or high enough to call somebody; chosen so that the flag is critical.
_CRITICAL_FIRST: Final = ("k", "gluc", "hb", "na", "trop", "inr", "plt", "crp", "ca", "wbc")


def case(rng: random.Random, specialty: str) -> Case:
    """A diagnosis that fits the specialty."""
    return rng.choice(CASES.get(specialty, CASES["general-practice"]))


def vitals(rng: random.Random, years: int, ill: bool) -> dict[str, str]:
    """Signs measured together; each is possible, and usual enough not to be asked about again."""
    child = years < 12
    systolic = rng.randint(88, 112) if child else rng.randint(104, 152) - (24 if ill else 0)
    pulse = rng.randint(84, 124) if child else rng.randint(58, 98) + (34 if ill else 0)
    fever = ill or rng.random() < 0.15
    found = {
        "respiration": rng.randint(20, 28) if child or ill else rng.randint(12, 19),
        "spo2": rng.randint(88, 93) if ill else rng.randint(95, 99),
        "systolic": systolic,
        "diastolic": int(systolic * rng.uniform(0.55, 0.66)),
        "pulse": pulse,
        "temperature": round(rng.uniform(38.1, 39.4) if fever else rng.uniform(36.2, 37.3), 1),
        "pain": rng.choice((0, 0, 1, 2, 3, 4, 6)),
    }
    return {name: str(value) for name, value in found.items()}


def result(rng: random.Random, code: str, sex: str, age_days: int, critical: bool) -> str:
    """A value as somebody would type it: mostly within its range, sometimes beside it, critical when it is to be."""
    test = TESTS[code]
    if test.answers:
        return test.answers[0] if rng.random() < 0.85 else rng.choice(test.answers[:2])
    step = Decimal(1).scaleb(-test.decimals)
    if critical and test.critical_high is not None:
        return str(min((test.critical_high * Decimal("1.05")).quantize(step) + step, test.possible[1]))
    if critical and test.critical_low is not None:
        return str(max((test.critical_low * Decimal("0.9")).quantize(step) - step, test.possible[0]))
    low, high = _limits(code, sex, age_days)
    drawn = rng.uniform(0.12, 0.88) if rng.random() < 0.82 else rng.choice((-0.12, 1.15))
    value = Decimal(repr(float(low) + drawn * float(high - low))).quantize(step)
    # Beside the range, and never so far that somebody would be called by chance.
    floor = test.critical_low if test.critical_low is not None else test.possible[0]
    ceiling = test.critical_high if test.critical_high is not None else test.possible[1]
    return str(min(max(value, floor + step, test.possible[0]), ceiling - step))


def first_critical(codes: list[str]) -> str | None:
    """Which test of an order shows the critical value."""
    return next((code for code in _CRITICAL_FIRST if code in codes), None)


def _limits(code: str, sex: str, age_days: int) -> tuple[Decimal, Decimal]:
    """The range to draw from: the reference range, with an end of our own where it has none."""
    within = ranges.find(code, sex=sex, age_days=age_days)
    low = within.low if within is not None else None
    high = within.high if within is not None else None
    if low is None and high is None:
        low, high = _OPEN.get(code, (TESTS[code].possible[0], TESTS[code].possible[1] / 100))
    if low is None:
        low = Decimal(high or 0) / 3
    if high is None:
        high = low * 2
    return Decimal(low), Decimal(high)


# For tests whose range is nobody's (children, or other and unknown sex): where values usually lie.
_D = Decimal
_OPEN: Final[dict[str, tuple[Decimal, Decimal]]] = {
    "hb": (_D(12), _D(15)), "hct": (_D(36), _D(45)), "rbc": (_D("4.1"), _D("5.2")), "wbc": (_D(5), _D(10)),
    "plt": (_D(180), _D(350)), "mcv": (_D(80), _D(94)), "mch": (_D(27), _D(32)), "mchc": (_D(32), _D(36)),
    "rdw": (_D(12), _D(15)), "na": (_D(136), _D(144)), "k": (_D("3.6"), _D("4.9")), "cl": (_D(98), _D(106)),
    "hco3": (_D(22), _D(27)), "urea": (_D(8), _D(20)), "crea": (_D("0.4"), _D("1.0")), "gluc": (_D(75), _D(130)),
    "glucf": (_D(72), _D(98)), "alb": (_D("3.7"), _D(5)), "ca": (_D(9), _D(10)), "phos": (_D(3), _D("4.5")),
    "chol": (_D(120), _D(190)), "hdl": (_D(45), _D(65)), "tg": (_D(50), _D(140)), "tsh": (_D(1), _D("3.5")),
    "ft4": (_D("0.9"), _D("1.6")), "crp": (_D(1), _D(7)), "esr": (_D(2), _D(15)), "hba1c": (_D("4.8"), _D("5.8")),
    "ferr": (_D(20), _D(150)), "trop": (_D("0.01"), _D("0.03")), "prot": (_D(6), _D(8)), "alt": (_D(11), _D(38)),
    "ast": (_D(11), _D(38)), "alp": (_D(60), _D(220)), "ggt": (_D(10), _D(38)), "bili": (_D("0.3"), _D(1)),
    "bilid": (_D("0.1"), _D("0.3")), "acr": (_D(4), _D(25)), "uph": (_D(5), _D(7)), "usg": (_D("1.005"), _D("1.025")),
}  # fmt: skip
