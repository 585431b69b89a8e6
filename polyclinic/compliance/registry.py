"""The rows of `tables/`: requirement, how far it is met, the tests that show it, and what is missing.

A row is what we found, not a certificate. `covered` needs a test that fails when it is not so, and whoever reads the
row can run it.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final

TABLES: Final = Path(__file__).parent / "tables"

STANDARDS: Final = {
    "OWASP ASVS 5.0.0": "asvs.txt",
    "45 CFR 164.312": "hipaa.txt",
    "OWASP API Security Top 10 (2023)": "api10.txt",
}


class Status(StrEnum):
    COVERED = "covered"
    PARTLY = "partly"
    GAP = "gap"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True, slots=True)
class Row:
    """One requirement. `tests` are node ids below the source tree; `why` says what is missing or why it is not ours."""

    standard: str
    id: str
    status: Status
    what: str
    tests: tuple[str, ...]
    why: str


@cache
def rows() -> tuple[Row, ...]:
    """Every row of the three tables, one for each requirement. Raises ValueError naming a line that cannot be read."""
    found = [one for standard, name in STANDARDS.items() for one in _table(standard, name)]
    twice = [one for one, many in Counter(row.id for row in found).items() if many > 1]
    if twice:
        raise ValueError(f"there twice: {', '.join(twice)}")
    return tuple(found)


def _table(standard: str, name: str) -> Iterator[Row]:
    for line in (TABLES / name).read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) != 5:
            raise ValueError(f"{name}: {line}")
        ids, status, what, tests, why = cells
        named = tuple(f"tests/{one}" for one in tests.split())
        for one in ids.split(","):
            row = Row(standard, one.strip(), Status(status), what, named, why)
            _check(row)
            yield row


def _check(row: Row) -> None:
    """Covered is shown by a test; anything else says why."""
    if row.status == Status.COVERED and not row.tests:
        raise ValueError(f"{row.id} is covered and names no test")
    if row.status != Status.COVERED and not row.why:
        raise ValueError(f"{row.id} does not say why it is {row.status}")


def chapters() -> dict[str, Counter[Status]]:
    """How many rows of each status: by chapter of the ASVS, each other standard as one."""
    found: dict[str, Counter[Status]] = {}
    for row in rows():
        name = row.id.partition(".")[0] if row.id.startswith("V") else row.standard
        found.setdefault(name, Counter())[row.status] += 1
    return found


def as_csv() -> str:
    """The rows as CSV with a head."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(["standard", "requirement", "status", "what", "tests", "why"])
    writer.writerows([row.standard, row.id, row.status.value, row.what, " ".join(row.tests), row.why] for row in rows())
    return file.getvalue()
