"""Cells of a table that spreadsheets open: written so that none of them runs, and read back as they were."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

# What a spreadsheet takes for the beginning of a formula. Quotes before it count too, so that each cell comes back as
# it was: writing adds one quote and reading takes one away.
_RUNS: Final = re.compile(r"'*[=+\-@\t\r\n]")
_WRITTEN: Final = re.compile(r"'+[=+\-@\t\r\n]")
_AT_A_TIME: Final = 500


def inert(text: str) -> str:
    """`text` as a cell that no spreadsheet runs."""
    return f"'{text}" if _RUNS.match(text) else text


def meant(cell: str) -> str:
    """What a cell says, without the quote that `inert` put before it, and without spaces around it."""
    text = cell.strip()
    return text[1:] if _WRITTEN.match(text) else text


def table(rows: Iterable[Sequence[str]]) -> Iterator[bytes]:
    """The rows as parts of a CSV file in UTF-8; the byte order mark tells spreadsheets so."""
    file = io.StringIO()
    writer = csv.writer(file)
    yield b"\xef\xbb\xbf"
    for number, row in enumerate(rows, 1):
        writer.writerow([inert(cell) for cell in row])
        if number % _AT_A_TIME == 0:
            yield file.getvalue().encode()
            file.seek(0)
            file.truncate()
    yield file.getvalue().encode()
