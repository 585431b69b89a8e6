"""What an allergy that somebody wrote down in words means for a medicine.

Sources: the European Network on Drug Allergy / EAACI position papers on beta-lactams (Romano et al., Allergy 2020) and
on NSAIDs (Kowalski et al., Allergy 2013); the EMA labels of the products. In our own words.

Direct: the substance itself, or one of the group that was written down ("penicillin", "sulfa"). Crossed: another group
in which a part of those who are allergic react too.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from polyclinic.medicines import classes
from polyclinic.medicines.interactions import CAUTION, CONTRAINDICATED, SERIOUS

VERSION: Final = "2026-1"
SOURCE: Final = "EAACI position papers on drug allergy (2013, 2020)"

# Words that people write, and the substance or group they mean. Anything else is compared with the substances' names.
_MEANS: Final[dict[str, str]] = {
    "penicillin": "penicillins",
    "penicillins": "penicillins",
    "ampicillin": "penicillins",
    "augmentin": "penicillins",
    "amoxil": "penicillins",
    "cephalosporin": "cephalosporins",
    "cephalosporins": "cephalosporins",
    "cefalosporin": "cephalosporins",
    "sulfa": "sulfonamides",
    "sulpha": "sulfonamides",
    "sulfonamide": "sulfonamides",
    "sulfonamides": "sulfonamides",
    "sulphonamides": "sulfonamides",
    "bactrim": "sulfonamides",
    "septrin": "sulfonamides",
    "cotrimoxazole": "sulfonamides",
    "co-trimoxazole": "sulfonamides",
    "macrolide": "macrolides",
    "macrolides": "macrolides",
    "quinolone": "quinolones",
    "quinolones": "quinolones",
    "tetracycline": "tetracyclines",
    "tetracyclines": "tetracyclines",
    "aspirin": "salicylates",
    "salicylate": "salicylates",
    "salicylates": "salicylates",
    "nsaid": "nsaids",
    "nsaids": "nsaids",
    "voltaren": "diclofenac",
    "nurofen": "ibuprofen",
    "acetaminophen": "paracetamol",
    "panadol": "paracetamol",
    "tylenol": "paracetamol",
    "opiate": "opioids",
    "opiates": "opioids",
    "opioid": "opioids",
    "opioids": "opioids",
    "statin": "statins_3a4",
    "statins": "statins_3a4",
    "insulin": "insulins",
}
# Groups in which everybody who is allergic to one is kept from all.
_WHOLE: Final = frozenset(
    {
        "penicillins",
        "cephalosporins",
        "sulfonamides",
        "macrolides",
        "quinolones",
        "tetracyclines",
        "salicylates",
        "nsaids",
    }
)
_CROSSED: Final[dict[tuple[str, str], tuple[str, Promise]]] = {
    ("penicillins", "cephalosporins"): (
        SERIOUS, _("About two of a hundred who are allergic to penicillin react to cephalosporins too."),
    ),
    ("cephalosporins", "penicillins"): (SERIOUS, _("Some who are allergic to cephalosporins react to penicillin too.")),
    ("salicylates", "nsaids"): (
        SERIOUS, _("Who gets asthma, hives or swelling from aspirin often gets it from its relatives."),
    ),
    ("nsaids", "salicylates"): (
        SERIOUS, _("Who gets asthma, hives or swelling from one of these often gets it from aspirin."),
    ),
    ("opioids", "opioids"): (CAUTION, _("Itching from one opioid often comes from all of them.")),
}  # fmt: skip
_WORDS: Final = re.compile(r"[a-z][a-z-]+")


@dataclass(frozen=True, slots=True)
class Finding:
    """What stands against a medicine: how grave, and why."""

    tier: str
    says: str | Promise


def meant(written: str) -> frozenset[str]:
    """The substances and groups that a written allergy names."""
    words = _WORDS.findall(written.lower())
    found = {_MEANS.get(word, word) for word in words}
    # "clavulanic acid" and "acetylsalicylic acid" are names of two words.
    found |= {" ".join(pair) for pair in itertools.pairwise(words)}
    return frozenset(found)


def against(written: str, product: classes.Product) -> Finding | None:
    """What an allergy written as `written` says against a product; None where nothing is known."""
    named = meant(written)
    own = classes.of(product)
    if named & set(product.substances):
        return Finding(CONTRAINDICATED, _("The patient is allergic to it."))
    groups = frozenset().union(*(_groups(name) for name in named)) | named
    if (groups & own & _WHOLE) or named & own:
        return Finding(CONTRAINDICATED, _("It is of the same group as what the patient is allergic to."))
    for (allergic, other), (tier, says) in _CROSSED.items():
        if allergic in groups and other in own:
            return Finding(tier, says)
    return None


@dataclass(frozen=True, slots=True)
class _Named:
    """A substance as a product of its own, to find its groups by its name."""

    substances: tuple[str, ...]
    atc: str


def _groups(name: str) -> frozenset[str]:
    """The groups of a substance that the formulary knows by name."""
    atc = _atc().get(name)
    return classes.of(_Named((name,), atc)) if atc else frozenset()


def _atc() -> dict[str, str]:
    from polyclinic.medicines.formulary import atc_of

    return atc_of()
