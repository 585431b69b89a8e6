"""Groups of substances by what they do, as the tables of interactions, allergies and cautions name them.

A group is written with the beginnings of ATC codes (WHO Collaborating Centre for Drug Statistics Methodology) and,
where those do not fit, with substances. A product belongs to every group of every substance in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

VERSION: Final = "2026-1"


class Product(Protocol):
    """What of a medicine is needed to know its groups."""

    @property
    def atc(self) -> str: ...
    @property
    def substances(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class Group:
    label: str | Promise
    atc: tuple[str, ...] = ()
    substances: tuple[str, ...] = ()


GROUPS: Final[dict[str, Group]] = {
    "penicillins": Group(_("penicillins"), ("J01C",), ("amoxicillin",)),
    "cephalosporins": Group(_("cephalosporins"), ("J01DB", "J01DC", "J01DD", "J01DE")),
    "macrolides": Group(_("macrolides"), ("J01FA",)),
    "quinolones": Group(_("fluoroquinolones"), ("J01MA",)),
    "tetracyclines": Group(_("tetracyclines"), ("J01AA",)),
    "sulfonamides": Group(_("sulfonamide antibacterials"), ("J01EB", "J01EC", "J01EE"), ("sulfamethoxazole",)),
    "azoles": Group(_("azole antifungals"), ("J02AC",)),
    "nsaids": Group(
        _("non-steroidal anti-inflammatory drugs"), ("M01AB", "M01AC", "M01AE", "M01AH"),
    ),
    "salicylates": Group(_("salicylates"), ("N02BA",), ("acetylsalicylic acid",)),
    "opioids": Group(_("opioids"), ("N02A",), ("codeine", "morphine", "oxycodone", "tramadol", "fentanyl")),
    "benzodiazepines": Group(_("benzodiazepines and related sleeping pills"), ("N05BA", "N05CD", "N05CF")),
    "gabapentinoids": Group(_("gabapentinoids"), (), ("gabapentin", "pregabalin")),
    "ssris": Group(_("SSRIs and SNRIs"), ("N06AB",), ("venlafaxine", "duloxetine")),
    "maois": Group(_("MAO inhibitors"), ("N06AF", "N06AG"), ("linezolid",)),
    "tricyclics": Group(_("tricyclic antidepressants"), ("N06AA",)),
    "triptans": Group(_("triptans"), ("N02CC",)),
    "ace_inhibitors": Group(_("ACE inhibitors"), ("C09A", "C09B")),
    "sartans": Group(_("angiotensin receptor blockers"), ("C09C", "C09D"), ("valsartan",)),
    "potassium": Group(_("potassium"), ("A12B",)),
    "potassium_sparing": Group(_("potassium-sparing diuretics"), ("C03D",)),
    "diuretics": Group(_("thiazide and loop diuretics"), ("C03A", "C03B", "C03C")),
    "beta_blockers": Group(_("beta blockers"), ("C07", "S01ED")),
    "rate_calcium_blockers": Group(_("verapamil and diltiazem"), ("C08D",)),
    "nitrates": Group(_("nitrates"), ("C01DA",)),
    "pde5": Group(_("PDE5 inhibitors"), ("G04BE",)),
    "alpha_blockers": Group(_("alpha blockers"), ("C02CA", "G04CA")),
    "vitamin_k_antagonists": Group(_("vitamin K antagonists"), ("B01AA",)),
    "doacs": Group(_("direct oral anticoagulants"), ("B01AE", "B01AF")),
    "heparins": Group(_("heparins"), ("B01AB",)),
    "antiplatelets": Group(_("antiplatelet drugs"), ("B01AC",)),
    "statins_3a4": Group(_("simvastatin and atorvastatin"), (), ("simvastatin", "atorvastatin", "lovastatin")),
    "sulfonylureas": Group(_("sulfonylureas"), ("A10BB",)),
    "insulins": Group(_("insulins"), ("A10A",)),
    "corticosteroids": Group(_("corticosteroids by mouth"), ("H02A",)),
    "inducers": Group(
        _("strong enzyme inducers"), (), ("rifampicin", "carbamazepine", "phenytoin")
    ),
    "contraceptive_pills": Group(_("combined contraceptive pills"), ("G03AA",), ("ethinylestradiol",)),
    "minerals": Group(_("calcium, iron and zinc"), ("A12AA", "B03A", "A12CB")),
    "antiepileptics": Group(_("antiepileptics"), ("N03A",)),
    "qt": Group(
        _("drugs that lengthen the QT interval"), ("J01FA", "J01MA"),
        ("amiodarone", "citalopram", "haloperidol", "ondansetron", "domperidone", "hydroxychloroquine", "fluconazole",
         "hydroxyzine"),
    ),
}  # fmt: skip


def of(product: Product) -> frozenset[str]:
    """Everything the tables may name a product by: its substances and its groups."""
    names = {one.lower() for one in product.substances}
    groups = {
        key
        for key, group in GROUPS.items()
        if (product.atc and product.atc.startswith(group.atc)) or names & set(group.substances)
    }
    return frozenset(names | groups)


def label(key: str) -> str:
    """How a substance or a group reads."""
    group = GROUPS.get(key)
    return str(group.label) if group else key
