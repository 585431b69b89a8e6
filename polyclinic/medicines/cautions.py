"""Medicines that some people should not have: by age, in pregnancy, with weak kidneys.

A first short table from official labels and communications of regulators, named with each row; in our own words.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from polyclinic.medicines.interactions import CAUTION, CONTRAINDICATED, SERIOUS

VERSION: Final = "2026-1"
_C, _S, _W = CONTRAINDICATED, SERIOUS, CAUTION


@dataclass(frozen=True, slots=True)
class Rule:
    """`what` is a name of `classes`. It holds below `under` years, from `from_` on, or below an eGFR of `egfr`."""

    what: str
    tier: str
    says: Promise
    source: str
    under: int | None = None
    from_: int | None = None
    egfr: Decimal | None = None
    pregnant: bool = False


RULES: Final[tuple[Rule, ...]] = (
    Rule(
        "codeine",
        _C,
        _("Not under 12 years: some turn it into morphine too fast."),
        "EMA referral on codeine, 2013",
        under=12,
    ),
    Rule("tramadol", _C, _("Not under 12 years: breathing may stop."), "FDA safety communication, 2017", under=12),
    Rule(
        "salicylates",
        _S,
        _("Not under 16 years with a fever: Reye's syndrome."),
        "MHRA advice on aspirin in under-16s, 2003",
        under=16,
    ),
    Rule("tetracyclines", _S, _("Not under 8 years: teeth and bones."), "EMA SmPC doxycycline 4.3", under=8),
    Rule(
        "quinolones",
        _S,
        _("Not while growing, but for a few grave infections: joints."),
        "EMA SmPC levofloxacin 4.3",
        under=18,
    ),
    Rule(
        "metoclopramide",
        _C,
        _("Not under 1 year: cramps of the muscles."),
        "EMA referral on metoclopramide, 2013",
        under=1,
    ),
    Rule("loperamide", _C, _("Not under 2 years: breathing and heart."), "FDA label loperamide 4", under=2),
    Rule(
        "benzodiazepines",
        _W,
        _("From 65 years: falls and confusion. Half the dose."),
        "EMA SmPC diazepam 4.4",
        from_=65,
    ),
    Rule("tricyclics", _W, _("From 65 years: confusion, falls, the heart."), "EMA SmPC amitriptyline 4.4", from_=65),
    Rule("nsaids", _W, _("From 65 years: stomach, kidneys, heart. Shortest time."), "EMA SmPC ibuprofen 4.4", from_=65),
    Rule(
        "valproate",
        _C,
        _("Harms the child: one in ten is malformed."),
        "EMA referral on valproate, 2018",
        pregnant=True,
    ),
    Rule("methotrexate", _C, _("Harms the child."), "EMA SmPC methotrexate 4.3", pregnant=True),
    Rule("ace_inhibitors", _C, _("Harms the child's kidneys."), "EMA SmPC ramipril 4.3", pregnant=True),
    Rule("sartans", _C, _("Harms the child's kidneys."), "EMA SmPC losartan 4.3", pregnant=True),
    Rule("vitamin_k_antagonists", _C, _("Harms the child."), "FDA label Coumadin 4", pregnant=True),
    Rule(
        "statins_3a4",
        _S,
        _("Stop while pregnant, as a rule."),
        "FDA safety communication on statins, 2021",
        pregnant=True,
    ),
    Rule(
        "nsaids",
        _S,
        _("From week 20 on it harms the child's kidneys."),
        "FDA safety communication on NSAIDs, 2020",
        pregnant=True,
    ),
    Rule("tetracyclines", _S, _("The child's teeth and bones."), "EMA SmPC doxycycline 4.6", pregnant=True),
    Rule("quinolones", _W, _("Better choose another in pregnancy."), "EMA SmPC ciprofloxacin 4.6", pregnant=True),
    Rule(
        "carbimazole",
        _S,
        _("Malformations are known, above all early."),
        "EMA/MHRA safety communication on carbimazole, 2019",
        pregnant=True,
    ),
    Rule("lithium carbonate", _S, _("The child's heart, in the first weeks."), "EMA SmPC lithium 4.6", pregnant=True),
    Rule("finasteride", _C, _("Harms a male child."), "EMA SmPC finasteride 4.3", pregnant=True),
    Rule(
        "metformin", _C, _("Lactic acidosis below an eGFR of 30."), "EMA referral on metformin, 2016", egfr=Decimal(30)
    ),
    Rule("nsaids", _S, _("The kidneys fail below an eGFR of 30."), "EMA SmPC ibuprofen 4.3", egfr=Decimal(30)),
    Rule(
        "nitrofurantoin",
        _C,
        _("Does not work and harms nerves below an eGFR of 45."),
        "MHRA Drug Safety Update, 2014",
        egfr=Decimal(45),
    ),
    Rule("dabigatran", _C, _("Builds up below a clearance of 30."), "EMA SmPC Pradaxa 4.3", egfr=Decimal(30)),
    Rule("methotrexate", _S, _("Builds up below an eGFR of 60."), "EMA SmPC methotrexate 4.2", egfr=Decimal(60)),
    Rule(
        "potassium_sparing",
        _S,
        _("High potassium below an eGFR of 30."),
        "EMA SmPC spironolactone 4.3",
        egfr=Decimal(30),
    ),
    Rule("digoxin", _W, _("Builds up: lower dose, check the level."), "SmPC digoxin 4.2", egfr=Decimal(50)),
)
