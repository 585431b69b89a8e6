"""Who gets what at which address: the tables in `tables/`, a row an operation, a column a role.

Each table names its columns in its first line by the short names of `ROLES`; `els` stands for every role that the table
does not name. The statuses are those of a well-formed request about the appointment, hold, schedule or hospital of
`patient` and `doctor` (see `driving.World`). 404 stands for "missing or not yours", 403 for "you may know of it and not
do this", 303 for a page that sends elsewhere: to the sign-in page when nobody is signed in. A method that has no row
here is served to nobody. Addresses under /api/v1 are those under /api.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

ROLES: Final = {
    "ano": "anonymous",
    "pat": "patient",
    "pa2": "other_patient",
    "doc": "doctor",
    "do2": "other_doctor",
    "rec": "receptionist",
    "re2": "foreign_receptionist",
    "man": "manager",
    "adm": "admin",
    "chk": "checker_doctor",
    "mai": "main_doctor",
    "nur": "nurse",
    "lab": "lab_technician",
    "pha": "pharmacist",
    "amb": "ambulance_crew",
    "prv": "privacy_officer",
    "aud": "auditor",
    # The same people in a session in which they have just shown who they are, and who runs the other hospital, so.
    "adf": "fresh_admin",
    "maf": "fresh_manager",
    "ad2": "fresh_foreign_admin",
}
# Driven only where a table names them: elsewhere they are who they are without it.
SOMETIMES: Final = frozenset({"adf", "maf", "ad2"})
ELSE: Final = "els"
TABLES: Final = Path(__file__).parent / "tables"


def rows() -> dict[tuple[str, str], dict[str, int]]:
    """(method, address) → status by role, of all tables. Raises ValueError for a row that is there twice or torn."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    for path in sorted(TABLES.glob("*.txt")):
        for key, cells in table(path.read_text(encoding="utf-8")).items():
            if key in found:
                raise ValueError(f"{path.name}: {key} is there twice")
            found[key] = cells
    return found


def table(text: str) -> dict[tuple[str, str], dict[str, int]]:
    """One table. Raises ValueError naming the line that has too few or too many cells, or an unknown column."""
    head, *lines = text.strip().splitlines()
    columns = head.split()
    if unknown := set(columns) - set(ROLES) - {ELSE}:
        raise ValueError(f"unknown columns {unknown}")
    found: dict[tuple[str, str], dict[str, int]] = {}
    for line in lines:
        method, address, *cells = line.split()
        named = dict(zip(columns, map(int, cells), strict=False))
        everyone = ELSE in named or set(ROLES) - SOMETIMES <= set(named)
        if len(cells) != len(columns) or (method, address) in found or not everyone:
            raise ValueError(line)
        found[method, address] = {
            role: named.get(short, named.get(ELSE, 0))
            for short, role in ROLES.items()
            if short in named or short not in SOMETIMES
        }
    return found
