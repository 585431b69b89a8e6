"""What is shown of imports."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec


class ImportRow(msgspec.Struct, frozen=True, rename="camel"):
    """One import. `stage` is its state; `seen` of `rows` are dealt with in the step that goes on; `bad` rows are wrong,
    `taken` are in, `refused` were not taken when it came to them. `columns` says which column holds which field."""

    id: UUID
    facility_id: UUID
    kind: str
    stage: str
    name: str
    by: str
    rows: int
    seen: int
    bad: int
    taken: int
    refused: int
    encoding: str
    delimiter: str
    dates: str
    columns: dict[str, int]
    made_at: datetime
    ended_at: datetime | None
    kept: bool
    possible: tuple[str, ...]
    version: int


class ProblemRow(msgspec.Struct, frozen=True, rename="camel"):
    """What is wrong with a row of the file: its number as the spreadsheet counts, the column, and a sentence that says
    the way out. `late`: found out when it was to be imported."""

    number: int
    field: str
    column: str
    code: str
    said: str
    late: bool


class ImportPlace(msgspec.Struct, frozen=True, rename="camel"):
    """A facility where the viewer may import, and which lists."""

    id: UUID
    name: str
    time_zone: str
    kinds: tuple[str, ...]


class ProblemPage(msgspec.Struct, frozen=True, rename="camel"):
    """One page of problems by row; `total` counts all."""

    rows: list[ProblemRow]
    total: int
    page: int
    pages: int
