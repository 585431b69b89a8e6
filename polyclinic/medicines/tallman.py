"""Tall letters: parts of names written in capitals where two generic names are easily taken for each other.

Source: the list of look-alike drug names with recommended mixed-case letters of the United States Food and Drug
Administration (FDA Name Differentiation Project, public domain). Names the formulary does not hold are left out.
"""

from __future__ import annotations

from typing import Final

VERSION: Final = "fda-name-differentiation-2023"
_TALL: Final = {
    "cycloserine": "cycloSERINE",
    "ciclosporin": "cicloSPORIN",
    "chlorpromazine": "chlorproMAZINE",
    "chlorpropamide": "chlorproPAMIDE",
    "dopamine": "DOPamine",
    "dobutamine": "DOBUTamine",
    "diphenhydramine": "diphenhydrAMINE",
    "glipizide": "glipiZIDE",
    "glyburide": "glyBURIDE",
    "hydralazine": "hydrALAZINE",
    "hydroxyzine": "hydrOXYzine",
    "hydromorphone": "HYDROmorphone",
    "medroxyprogesterone": "medroxyPROGESTERone",
    "methylprednisolone": "methylPREDNISolone",
    "nicardipine": "niCARdipine",
    "nifedipine": "NIFEdipine",
    "prednisone": "predniSONE",
    "prednisolone": "prednisoLONE",
    "sulfadiazine": "sulfADIAZINE",
    "tolbutamide": "TOLBUTamide",
    "vinblastine": "vinBLAStine",
    "vincristine": "vinCRIStine",
}


def tall(generic: str) -> str:
    """The generic name as it is shown: small letters, with tall ones where the list has them."""
    return " + ".join(_TALL.get(part.strip().lower(), part.strip().lower()) for part in generic.split("+"))
