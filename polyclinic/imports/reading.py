"""From the bytes of a CSV file to numbered rows, a part at a time. Nothing here knows what the rows mean."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext_lazy as _

from polyclinic.files import problems
from polyclinic.files.problems import FileRefused

DELIMITERS: Final = {",": _("Comma"), ";": _("Semicolon"), "\t": _("Tab"), "|": _("Vertical bar")}
ENCODINGS: Final = {
    "utf-8-sig": "UTF-8", "utf-16": "UTF-16", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16", "cp1252": "Windows-1252",
}  # fmt: skip
MOST_COLUMNS: Final = 100
_LOOKED_AT: Final = 20
_ARCHIVES: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
# The scanners' own test file, known here with or without a scanner.
_TEST_VIRUS: Final = b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!"


@dataclass(frozen=True, slots=True)
class Record:
    """One row. `number` is the spreadsheet's, the headings being row 1; `cells` is None where it cannot be read."""

    number: int
    cells: list[str] | None


def encoding_of(data: bytes) -> str:
    """How the file's text is encoded. Raises FileRefused for what is no text."""
    if _TEST_VIRUS in data:
        raise problems.infected()
    if data.startswith(_ARCHIVES):
        raise FileRefused(
            _("This is a workbook. Save the sheet as CSV in your spreadsheet program, and send that."), code="workbook",
            field="file",
        )  # fmt: skip
    found = _encoding(data)
    try:
        text = data.decode(found)
    except UnicodeDecodeError:
        raise _no_text() from None
    if any(sign < " " and sign not in "\t\n\r\f" for sign in set(text)):
        raise _no_text()
    return found


def _encoding(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    # Without its mark UTF-16 shows by the zeros in every other place.
    start = data[:2000]
    if start and start[1::2].count(0) > len(start) // 3:
        return "utf-16-le"
    if start and start[::2].count(0) > len(start) // 3:
        return "utf-16-be"
    try:
        data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"


def _no_text() -> FileRefused:
    return FileRefused(_("This is not a CSV file: it holds signs that no text has."), code="no_text", field="file")


def delimiter_of(chunks: Iterable[bytes], encoding: str) -> str:
    """What stands between the cells: the sign by which the first rows have the most columns, all alike."""
    first = [line for line, _more in zip(lines(chunks, encoding), range(_LOOKED_AT), strict=False)]

    def fits(sign: str) -> tuple[int, int]:
        counts = [len(row.cells) for row in _records(first, sign) if row.cells]
        if not counts or counts[0] < 2:
            return 0, 0
        return counts.count(counts[0]), counts[0]

    return max(DELIMITERS, key=fits)


def records(chunks: Iterable[bytes], encoding: str, delimiter: str) -> Iterator[Record]:
    """All rows but empty ones, the headings first. Holds one part of the file and one row at a time."""
    return _records(lines(chunks, encoding), delimiter)


def _records(text: Iterable[str], delimiter: str) -> Iterator[Record]:
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    number = 0
    while True:
        number += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            # A quote that is never closed, most often.
            yield Record(number, None)
            continue
        if any(cell.strip() for cell in cells):
            yield Record(number, cells)


def lines(chunks: Iterable[bytes], encoding: str) -> Iterator[str]:
    """The text line by line, with the line's end, as the CSV reader wants it."""
    decoder = codecs.getincrementaldecoder(encoding)()
    held = ""
    for chunk in chunks:
        held += decoder.decode(chunk)
        *whole, held = held.split("\n")
        for line in whole:
            yield f"{line}\n"
    held += decoder.decode(b"", final=True)
    if held:
        yield held
