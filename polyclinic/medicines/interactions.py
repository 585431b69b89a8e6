"""Pairs of medicines that do harm together: a first curated table.

Each row names two substances or groups (`classes`), how grave it is, what happens and what to do in our own words, and
the public document that says so: a product's official label (EMA summary of product characteristics, FDA label), a
safety communication of a regulator, or a WHO guideline. No database of others was used. The table is far from all there
is: that nothing is found never means that nothing is there, and pages say so.

Tiers: `contraindicated` the label forbids the pair; `serious` it may do grave harm and needs a decision; `caution`
watch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from polyclinic.medicines import classes

VERSION: Final = "2026-11-1"
CONTRAINDICATED, SERIOUS, CAUTION = "contraindicated", "serious", "caution"
RANK: Final = {CONTRAINDICATED: 0, SERIOUS: 1, CAUTION: 2}


@dataclass(frozen=True, slots=True)
class Pair:
    """Two of `classes`' names with what they do together; `source` is the document it was taken from."""

    one: str
    other: str
    tier: str
    says: Promise
    source: str

    @property
    def key(self) -> str:
        return "+".join(sorted((self.one, self.other)))


_C, _S, _W = CONTRAINDICATED, SERIOUS, CAUTION
PAIRS: Final[tuple[Pair, ...]] = (
    # Forbidden by the label.
    Pair(
        "nitrates",
        "pde5",
        _C,
        _("Both widen vessels: the blood pressure may fall dangerously."),
        "EMA SmPC sildenafil 4.3",
    ),
    Pair(
        "alpha_blockers",
        "pde5",
        _W,
        _("The blood pressure may fall on standing up. Begin with the lowest dose."),
        "EMA SmPC sildenafil 4.5",
    ),
    Pair("ace_inhibitors", "sacubitril", _C, _("Angioedema. Leave 36 hours between the two."), "EMA SmPC Entresto 4.3"),
    Pair(
        "maois",
        "ssris",
        _C,
        _("Serotonin syndrome. Stop the one long enough before the other."),
        "EMA SmPC sertraline 4.3; FDA safety communication on linezolid, 2011",
    ),
    Pair("maois", "tricyclics", _C, _("Serotonin syndrome and crises of blood pressure."), "FDA label amitriptyline 4"),
    Pair("maois", "tramadol", _C, _("Serotonin syndrome and seizures."), "EMA SmPC tramadol 4.3"),
    Pair(
        "maois", "triptans", _C, _("The triptan is broken down slowly: spasm of vessels."), "EMA SmPC sumatriptan 4.3"
    ),
    Pair(
        "simvastatin",
        "azoles",
        _C,
        _("Simvastatin rises many times over: breakdown of muscle."),
        "EMA SmPC simvastatin 4.3",
    ),
    Pair(
        "simvastatin",
        "clarithromycin",
        _C,
        _("Simvastatin rises many times over: breakdown of muscle."),
        "EMA SmPC simvastatin 4.3",
    ),
    Pair(
        "simvastatin",
        "erythromycin",
        _C,
        _("Simvastatin rises many times over: breakdown of muscle."),
        "EMA SmPC simvastatin 4.3",
    ),
    Pair(
        "domperidone",
        "clarithromycin",
        _C,
        _("Domperidone rises and lengthens the QT interval."),
        "EMA referral on domperidone, 2014",
    ),
    Pair(
        "domperidone",
        "erythromycin",
        _C,
        _("Domperidone rises and lengthens the QT interval."),
        "EMA referral on domperidone, 2014",
    ),
    Pair(
        "domperidone",
        "azoles",
        _C,
        _("Domperidone rises and lengthens the QT interval."),
        "EMA referral on domperidone, 2014",
    ),
    Pair("citalopram", "domperidone", _C, _("Both lengthen the QT interval."), "EMA SmPC citalopram 4.3"),
    Pair(
        "colchicine",
        "clarithromycin",
        _S,
        _("Colchicine rises: deadly poisoning is known, above all with weak kidneys."),
        "FDA label Colcrys 5.3",
    ),
    Pair("rivaroxaban", "azoles", _S, _("Rivaroxaban rises: bleeding."), "EMA SmPC Xarelto 4.4"),
    Pair("apixaban", "itraconazole", _S, _("Apixaban rises: bleeding."), "EMA SmPC Eliquis 4.4"),
    Pair("dabigatran", "itraconazole", _C, _("Dabigatran rises: bleeding."), "EMA SmPC Pradaxa 4.3"),
    Pair(
        "doacs", "inducers", _S, _("The anticoagulant falls: clots."), "EMA SmPC Xarelto 4.5; Eliquis 4.4; Pradaxa 4.4"
    ),
    Pair(
        "azathioprine",
        "allopurinol",
        _S,
        _("Azathioprine is broken down slowly: the bone marrow fails. A quarter of the dose, or another drug."),
        "FDA label Imuran 5; 7",
    ),
    Pair(
        "ace_inhibitors",
        "sartans",
        _S,
        _("Kidney failure, high potassium, low blood pressure, and no gain."),
        "EMA referral on renin-angiotensin agents, 2014",
    ),
    # Bleeding.
    Pair(
        "vitamin_k_antagonists",
        "nsaids",
        _S,
        _("Bleeding, above all of the stomach. Choose paracetamol."),
        "EMA SmPC warfarin 4.5",
    ),
    Pair(
        "vitamin_k_antagonists",
        "salicylates",
        _S,
        _("Bleeding. Only where both are meant, and with the INR watched."),
        "EMA SmPC warfarin 4.5",
    ),
    Pair(
        "vitamin_k_antagonists", "azoles", _S, _("Warfarin rises: check the INR within days."), "FDA label Coumadin 7"
    ),
    Pair(
        "vitamin_k_antagonists",
        "metronidazole",
        _S,
        _("Warfarin rises: check the INR within days, or choose another drug."),
        "FDA label Coumadin 7",
    ),
    Pair(
        "vitamin_k_antagonists",
        "sulfonamides",
        _S,
        _("Warfarin rises: check the INR within days, or choose another drug."),
        "FDA label Coumadin 7",
    ),
    Pair(
        "vitamin_k_antagonists",
        "macrolides",
        _S,
        _("Warfarin may rise: check the INR within days."),
        "FDA label Coumadin 7",
    ),
    Pair(
        "vitamin_k_antagonists",
        "quinolones",
        _S,
        _("Warfarin may rise: check the INR within days."),
        "FDA label Coumadin 7",
    ),
    Pair(
        "vitamin_k_antagonists",
        "amiodarone",
        _S,
        _("Warfarin rises over weeks: a third to half less of it."),
        "FDA label Cordarone 7",
    ),
    Pair(
        "vitamin_k_antagonists",
        "inducers",
        _S,
        _("Warfarin falls: clots. Check the INR often, also after the end."),
        "FDA label Coumadin 7",
    ),
    Pair(
        "vitamin_k_antagonists",
        "doacs",
        _S,
        _("Two anticoagulants. Only while changing from one to the other."),
        "EMA SmPC Eliquis 4.3",
    ),
    Pair(
        "vitamin_k_antagonists",
        "paracetamol",
        _W,
        _("More than 2 g a day for days may raise the INR."),
        "EMA SmPC warfarin 4.5",
    ),
    Pair(
        "heparins",
        "doacs",
        _C,
        _("Two anticoagulants. Only while changing from one to the other."),
        "EMA SmPC Eliquis 4.3",
    ),
    Pair("doacs", "nsaids", _S, _("Bleeding. Choose paracetamol."), "EMA SmPC Xarelto 4.5"),
    Pair(
        "doacs",
        "antiplatelets",
        _S,
        _("Bleeding. Only where both are meant, and for as short as possible."),
        "EMA SmPC Xarelto 4.5",
    ),
    Pair("ssris", "nsaids", _W, _("More bleeding of the stomach. Think of protecting it."), "EMA SmPC sertraline 4.5"),
    Pair("ssris", "vitamin_k_antagonists", _W, _("More bleeding. Watch the INR."), "EMA SmPC sertraline 4.5"),
    Pair(
        "nsaids",
        "salicylates",
        _W,
        _("More bleeding of the stomach, and ibuprofen may take away the protection of the heart."),
        "FDA science paper on ibuprofen and aspirin, 2006",
    ),
    Pair(
        "nsaids",
        "corticosteroids",
        _W,
        _("Ulcers and bleeding of the stomach. Think of protecting it."),
        "EMA SmPC prednisolone 4.5",
    ),
    Pair(
        "clopidogrel",
        "omeprazole",
        _S,
        _("Clopidogrel works less. Choose pantoprazole."),
        "FDA safety communication on clopidogrel, 2010",
    ),
    # Kidney and salts.
    Pair(
        "ace_inhibitors",
        "potassium_sparing",
        _S,
        _("High potassium. Check it within a week."),
        "EMA SmPC spironolactone 4.5",
    ),
    Pair(
        "sartans", "potassium_sparing", _S, _("High potassium. Check it within a week."), "EMA SmPC spironolactone 4.5"
    ),
    Pair("potassium", "potassium_sparing", _C, _("High potassium: the heart may stop."), "EMA SmPC spironolactone 4.3"),
    Pair("ace_inhibitors", "potassium", _S, _("High potassium. Check it within a week."), "EMA SmPC ramipril 4.5"),
    Pair("sartans", "potassium", _S, _("High potassium. Check it within a week."), "EMA SmPC losartan 4.5"),
    Pair(
        "sulfonamides",
        "potassium_sparing",
        _S,
        _("High potassium, deadly in the elderly: trimethoprim holds potassium back."),
        "EMA SmPC co-trimoxazole 4.5",
    ),
    Pair(
        "trimethoprim",
        "ace_inhibitors",
        _W,
        _("High potassium, above all in the elderly."),
        "EMA SmPC trimethoprim 4.5",
    ),
    Pair(
        "ace_inhibitors",
        "nsaids",
        _W,
        _("The kidneys may fail and the blood pressure rise, above all with a diuretic."),
        "EMA SmPC ramipril 4.5",
    ),
    Pair(
        "sartans",
        "nsaids",
        _W,
        _("The kidneys may fail and the blood pressure rise, above all with a diuretic."),
        "EMA SmPC losartan 4.5",
    ),
    Pair(
        "lithium carbonate",
        "nsaids",
        _S,
        _("Lithium rises to poisonous levels. Choose paracetamol."),
        "FDA label lithium 7",
    ),
    Pair(
        "lithium carbonate",
        "ace_inhibitors",
        _S,
        _("Lithium rises to poisonous levels. Check the level within a week."),
        "FDA label lithium 7",
    ),
    Pair(
        "lithium carbonate",
        "sartans",
        _S,
        _("Lithium rises to poisonous levels. Check the level within a week."),
        "FDA label lithium 7",
    ),
    Pair(
        "lithium carbonate",
        "diuretics",
        _S,
        _("Lithium rises to poisonous levels. Check the level within a week."),
        "FDA label lithium 7",
    ),
    Pair(
        "methotrexate",
        "nsaids",
        _S,
        _("Methotrexate may rise: watch the blood count and the kidneys."),
        "FDA label methotrexate 7",
    ),
    Pair(
        "methotrexate",
        "sulfonamides",
        _C,
        _("The bone marrow fails: both work against folic acid."),
        "FDA label methotrexate 7; EMA SmPC co-trimoxazole 4.5",
    ),
    Pair(
        "methotrexate",
        "trimethoprim",
        _S,
        _("The bone marrow fails: both work against folic acid."),
        "EMA SmPC methotrexate 4.5",
    ),
    Pair(
        "methotrexate",
        "penicillins",
        _W,
        _("Methotrexate may rise: watch the blood count."),
        "FDA label methotrexate 7",
    ),
    # Heart.
    Pair("beta_blockers", "rate_calcium_blockers", _S, _("Slow heart, block, failure."), "EMA SmPC verapamil 4.5"),
    Pair("digoxin", "amiodarone", _S, _("Digoxin rises: halve it and check the level."), "FDA label Lanoxin 7"),
    Pair(
        "digoxin",
        "rate_calcium_blockers",
        _S,
        _("Digoxin rises and the heart slows: check the level."),
        "FDA label Lanoxin 7",
    ),
    Pair("digoxin", "macrolides", _S, _("Digoxin rises: check the level."), "FDA label Lanoxin 7"),
    Pair("digoxin", "diuretics", _W, _("Low potassium makes digoxin poisonous. Check it."), "EMA SmPC digoxin 4.5"),
    Pair(
        "amiodarone",
        "simvastatin",
        _S,
        _("Breakdown of muscle: not more than 20 mg of simvastatin."),
        "FDA safety communication on simvastatin, 2011",
    ),
    Pair(
        "amlodipine",
        "simvastatin",
        _W,
        _("Not more than 20 mg of simvastatin."),
        "FDA safety communication on simvastatin, 2011",
    ),
    Pair(
        "rate_calcium_blockers",
        "simvastatin",
        _S,
        _("Breakdown of muscle: not more than 10 mg of simvastatin."),
        "FDA safety communication on simvastatin, 2011",
    ),
    Pair(
        "atorvastatin",
        "clarithromycin",
        _S,
        _("Atorvastatin rises: breakdown of muscle. Pause it."),
        "EMA SmPC atorvastatin 4.4",
    ),
    Pair("amiodarone", "quinolones", _S, _("Both lengthen the QT interval."), "EMA SmPC levofloxacin 4.4"),
    Pair(
        "amiodarone",
        "macrolides",
        _S,
        _("Both lengthen the QT interval."),
        "FDA safety communication on azithromycin, 2013",
    ),
    Pair(
        "qt",
        "qt",
        _W,
        _("Both lengthen the QT interval: an ECG, and potassium in the normal range."),
        "ICH E14; labels of both",
    ),
    # Brain.
    Pair(
        "opioids",
        "benzodiazepines",
        _S,
        _("Breathing may stop. Lowest doses, shortest time, somebody who watches."),
        "FDA boxed warning on opioids and benzodiazepines, 2016",
    ),
    Pair(
        "opioids",
        "gabapentinoids",
        _S,
        _("Breathing may stop, above all in the elderly."),
        "FDA safety communication on gabapentinoids, 2019",
    ),
    Pair("tramadol", "ssris", _S, _("Serotonin syndrome and seizures."), "EMA SmPC tramadol 4.4"),
    Pair(
        "triptans",
        "ssris",
        _W,
        _("Serotonin syndrome is rare: say what to look for."),
        "FDA alert on triptans and SSRIs, 2006",
    ),
    Pair("codeine", "fluoxetine", _W, _("Codeine is not turned into morphine and works less."), "FDA label codeine 7"),
    Pair(
        "carbamazepine",
        "macrolides",
        _S,
        _("Carbamazepine rises: dizziness, double vision. Azithromycin does it least."),
        "FDA label Tegretol 7",
    ),
    Pair(
        "valproate",
        "lamotrigine",
        _S,
        _("Lamotrigine doubles: grave rashes. Half the dose, slowly."),
        "FDA label Lamictal 5.1; 7",
    ),
    Pair(
        "metoclopramide",
        "haloperidol",
        _S,
        _("Stiffness and movements that stay: both block dopamine."),
        "EMA referral on metoclopramide, 2013",
    ),
    Pair("levodopa", "metoclopramide", _C, _("They work against each other."), "EMA SmPC metoclopramide 4.3"),
    Pair("levodopa", "haloperidol", _S, _("They work against each other."), "EMA SmPC levodopa/carbidopa 4.5"),
    # What no longer works, or works too much.
    Pair(
        "contraceptive_pills",
        "inducers",
        _S,
        _("The pill no longer protects, also four weeks after."),
        "WHO Medical eligibility criteria for contraceptive use, 5th ed.",
    ),
    Pair(
        "theophylline",
        "ciprofloxacin",
        _S,
        _("Theophylline rises: seizures. Half the dose, or another drug."),
        "FDA label Cipro 5; 7",
    ),
    Pair("theophylline", "macrolides", _W, _("Theophylline may rise: check the level."), "EMA SmPC theophylline 4.5"),
    Pair("sulfonylureas", "azoles", _S, _("Blood sugar may fall: measure it more often."), "FDA label Diflucan 7"),
    Pair(
        "sulfonylureas",
        "sulfonamides",
        _W,
        _("Blood sugar may fall: measure it more often."),
        "EMA SmPC co-trimoxazole 4.5",
    ),
    Pair(
        "insulins",
        "sulfonylureas",
        _W,
        _("Blood sugar may fall: measure it more often."),
        "EMA SmPC insulin glargine 4.5",
    ),
    Pair("beta_blockers", "insulins", _W, _("Signs of low blood sugar are hidden."), "EMA SmPC bisoprolol 4.5"),
    Pair(
        "quinolones",
        "minerals",
        _W,
        _("The antibiotic is not taken up: two hours before, or six after."),
        "FDA label Cipro 7",
    ),
    Pair(
        "tetracyclines",
        "minerals",
        _W,
        _("The antibiotic is not taken up: two hours apart."),
        "FDA label doxycycline 7",
    ),
    Pair(
        "levothyroxine", "minerals", _W, _("Levothyroxine is not taken up: four hours apart."), "FDA label Synthroid 7"
    ),
    Pair(
        "quinolones",
        "corticosteroids",
        _W,
        _("Tendons may tear, above all after the age of 60."),
        "EMA referral on quinolones, 2018",
    ),
    Pair("metronidazole", "lithium carbonate", _W, _("Lithium may rise: check the level."), "FDA label Flagyl 7"),
)


def between(first: classes.Product, second: classes.Product) -> list[Pair]:
    """What the table says of two products, the gravest first. A grave pair hides the general one on the QT interval."""
    one, other = classes.of(first), classes.of(second)
    if set(first.substances) & set(second.substances):
        return []  # the same substance twice is a duplicate and no interaction
    found = [
        pair for pair in PAIRS if (pair.one in one and pair.other in other) or (pair.other in one and pair.one in other)
    ]
    if len(found) > 1:
        found = [pair for pair in found if pair.one != "qt"]
    return sorted(found, key=lambda pair: RANK[pair.tier])
