"""How much is too much: limits by substance, and what a child gets by weight.

Amounts are milligrams of the substance named first in a combination. `most_day`, `most_once` hold for adults;
`kilo_day` is the usual range in mg per kg and day for children under 12, `kilo_most_day` the most at any weight.

Sources: EMA and national summaries of product characteristics (section 4.2), WHO "Pocket book of hospital care for
children" (2nd ed., 2013, annex 2), WHO model formulary for children (2010). In our own words, numbers as published.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

VERSION: Final = "2026-1"
CHILD: Final = 12


@dataclass(frozen=True, slots=True)
class Limit:
    """The limits of a substance by mouth (or as the product is given). None where the source gives none."""

    most_day: Decimal | None
    source: str
    most_once: Decimal | None = None
    kilo_day: tuple[Decimal, Decimal] | None = None
    kilo_most_day: Decimal | None = None


def _limit(most_day: str, source: str, once: str = "", kilo: str = "", kilo_most: str = "") -> Limit:
    low, _dash, high = kilo.partition("-")
    return Limit(
        Decimal(most_day) if most_day else None,
        source,
        Decimal(once) if once else None,
        (Decimal(low), Decimal(high or low)) if kilo else None,
        Decimal(kilo_most) if kilo_most else None,
    )


_WHO: Final = "WHO Pocket book of hospital care for children, 2013"
LIMITS: Final[dict[str, Limit]] = {
    "paracetamol": _limit("4000", f"EMA SmPC paracetamol 4.2; {_WHO}", "1000", "40-75", "4000"),
    "ibuprofen": _limit("2400", f"EMA SmPC ibuprofen 4.2; {_WHO}", "800", "20-40", "1200"),
    "diclofenac": _limit("150", "EMA SmPC diclofenac 4.2", "75"),
    "naproxen": _limit("1250", "EMA SmPC naproxen 4.2", "750"),
    "celecoxib": _limit("400", "EMA SmPC celecoxib 4.2"),
    "amoxicillin": _limit("3000", f"EMA SmPC amoxicillin 4.2; {_WHO}", "1000", "40-100", "3000"),
    "cefalexin": _limit("4000", f"SmPC cefalexin 4.2; {_WHO}", "", "25-100", "4000"),
    "cefixime": _limit("400", "SmPC cefixime 4.2", "", "8-8", "400"),
    "azithromycin": _limit("2000", f"SmPC azithromycin 4.2; {_WHO}", "2000", "10-20", "500"),
    "clarithromycin": _limit("1000", "SmPC clarithromycin 4.2", "", "15-15", "1000"),
    "erythromycin": _limit("4000", f"SmPC erythromycin 4.2; {_WHO}", "", "30-50", "2000"),
    "flucloxacillin": _limit("4000", f"SmPC flucloxacillin 4.2; {_WHO}", "", "50-100", "4000"),
    "phenoxymethylpenicillin": _limit("4000", "SmPC phenoxymethylpenicillin 4.2", "", "25-50", "2000"),
    "ciprofloxacin": _limit("1500", "EMA SmPC ciprofloxacin 4.2", "750", "20-40", "1500"),
    "levofloxacin": _limit("1000", "EMA SmPC levofloxacin 4.2"),
    "doxycycline": _limit("200", "SmPC doxycycline 4.2"),
    "metronidazole": _limit("2400", f"SmPC metronidazole 4.2; {_WHO}", "2000", "22.5-30", "1200"),
    "codeine": _limit("240", "EMA referral on codeine, 2013", "60"),
    "tramadol": _limit("400", "SmPC tramadol 4.2", "100"),
    "metoclopramide": _limit("30", "EMA referral on metoclopramide, 2013", "10"),
    "domperidone": _limit("30", "EMA referral on domperidone, 2014", "10"),
    "ondansetron": _limit("32", "FDA safety communication on ondansetron, 2012", "16"),
    "citalopram": _limit("40", "FDA safety communication on citalopram, 2012"),
    "sertraline": _limit("200", "EMA SmPC sertraline 4.2"),
    "fluoxetine": _limit("60", "EMA SmPC fluoxetine 4.2"),
    "amitriptyline": _limit("150", "EMA SmPC amitriptyline 4.2", "75"),
    "metformin": _limit("3000", "EMA SmPC metformin 4.2", "1000"),
    "simvastatin": _limit("40", "FDA safety communication on simvastatin, 2011"),
    "atorvastatin": _limit("80", "EMA SmPC atorvastatin 4.2"),
    "amlodipine": _limit("10", "SmPC amlodipine 4.2"),
    "lisinopril": _limit("80", "SmPC lisinopril 4.2"),
    "enalapril": _limit("40", "EMA SmPC enalapril 4.2"),
    "ramipril": _limit("10", "EMA SmPC ramipril 4.2"),
    "losartan": _limit("150", "EMA SmPC losartan 4.2"),
    "bisoprolol": _limit("20", "SmPC bisoprolol 4.2"),
    "digoxin": _limit("0.5", "SmPC digoxin 4.2"),
    "colchicine": _limit("2", "SmPC colchicine 4.2", "1"),
    "allopurinol": _limit("900", "SmPC allopurinol 4.2"),
    "gabapentin": _limit("3600", "EMA SmPC gabapentin 4.2"),
    "pregabalin": _limit("600", "EMA SmPC pregabalin 4.2"),
    "diazepam": _limit("30", "SmPC diazepam 4.2", "10"),
    "lorazepam": _limit("10", "FDA label lorazepam 2"),
    "zolpidem": _limit("10", "FDA safety communication on zolpidem, 2013", "10"),
    "omeprazole": _limit("40", "EMA SmPC omeprazole 4.2"),
    "pantoprazole": _limit("80", "EMA SmPC pantoprazole 4.2"),
    "loperamide": _limit("16", "FDA safety communication on loperamide, 2016", "4"),
    "cetirizine": _limit("10", "SmPC cetirizine 4.2"),
    "loratadine": _limit("10", "SmPC loratadine 4.2"),
    "hydroxyzine": _limit("100", "EMA referral on hydroxyzine, 2015"),
    "haloperidol": _limit("20", "EMA referral on haloperidol, 2017"),
    "sildenafil": _limit("100", "EMA SmPC sildenafil 4.2", "100"),
    "sumatriptan": _limit("300", "SmPC sumatriptan 4.2", "100"),
    "levothyroxine": _limit("0.3", "FDA label Synthroid 2"),
}
# Taken once a week: every day it has killed. EMA referral on methotrexate, 2019.
WEEKLY: Final = {"methotrexate": "EMA referral on methotrexate, 2019"}
