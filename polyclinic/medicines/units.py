"""Units that medicines are taken and counted in, and how many of them read."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from django.utils.translation import ngettext_lazy

_WORDS: Final = {
    "tablet": ngettext_lazy("tablet", "tablets", "number"),
    "capsule": ngettext_lazy("capsule", "capsules", "number"),
    "puff": ngettext_lazy("puff", "puffs", "number"),
    "drop": ngettext_lazy("drop", "drops", "number"),
    "spray": ngettext_lazy("spray", "sprays", "number"),
    "sachet": ngettext_lazy("sachet", "sachets", "number"),
    "suppository": ngettext_lazy("suppository", "suppositories", "number"),
    "pessary": ngettext_lazy("pessary", "pessaries", "number"),
    "patch": ngettext_lazy("patch", "patches", "number"),
    "application": ngettext_lazy("thin layer", "thin layers", "number"),
    "unit": ngettext_lazy("unit", "units", "number"),
    "ampoule": ngettext_lazy("ampoule", "ampoules", "number"),
    "vial": ngettext_lazy("vial", "vials", "number"),
    "pen": ngettext_lazy("pen", "pens", "number"),
    "inhaler": ngettext_lazy("inhaler", "inhalers", "number"),
    "bottle": ngettext_lazy("bottle", "bottles", "number"),
    "tube": ngettext_lazy("tube", "tubes", "number"),
    "nebule": ngettext_lazy("nebule", "nebules", "number"),
}
UNITS: Final = (*_WORDS, "mL", "g", "mg")


def counted(unit: str, value: Decimal) -> str:
    """The unit's word for so many: more than one is many, a half is one. Symbols (mL, g) stay as they are."""
    word = _WORDS.get(unit)
    return str(word % {"number": 1 if value <= 1 else 2}) if word is not None else unit
