"""Units as people read them. Rows, the API and FHIR keep the UCUM code; pages and papers show these.

Written so that they cannot be misread: no U, IU or µ, which have been taken for 0, IV and m (ISMP's List of Error-Prone
Abbreviations, Symbols, and Dose Designations). What is a bare number has no unit beside it.
"""

from __future__ import annotations

from typing import Final

SHOWN: Final = {
    "10*3/uL": "×10³/mcL",
    "10*6/uL": "×10⁶/mcL",
    "U/L": "units/L",
    "[IU]/L": "int. units/L",
    "m[IU]/L": "milliunits/L",
    "mL/min/{1.73_m2}": "mL/min/1.73 m²",
    "ug/dL": "mcg/dL",
    "ug/mL{FEU}": "mcg/mL FEU",
    "[pH]": "",
    "{INR}": "",
    "{ratio}": "",
}


def shown(ucum: str) -> str:
    """The unit in words and signs for a person."""
    return SHOWN.get(ucum, ucum)
