"""T22 on paper: what would run on a page is letters on a sheet, and the sheet holds nothing that acts."""

from __future__ import annotations

import io
from typing import Any

import pytest
from pypdf import PdfReader
from pypdf.generic import DictionaryObject, IndirectObject, NameObject, TextStringObject

from polyclinic.papers import glyphs
from tests.papers.bench import Desk, text_of
from tests.promises.xss import ALL, PAYLOADS

pytestmark = [pytest.mark.django_db, pytest.mark.wide]
ACTS = frozenset(
    {
        "/JavaScript", "/JS", "/OpenAction", "/AA", "/URI", "/Launch", "/SubmitForm", "/EmbeddedFiles", "/Annots",
        "/AcroForm", "/RichMedia", "/GoToR", "/XFA",
    }
)  # fmt: skip


def _names(reader: PdfReader) -> set[str]:
    """Every name that is a key of a dictionary anywhere in the file, and the kinds of its actions."""
    found: set[str] = set()

    def walk(node: Any) -> None:
        if isinstance(node, DictionaryObject):
            found.update(map(str, node.keys()))
            found.add(str(node.get("/S", "")))
        for part in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
            if not isinstance(part, IndirectObject):
                walk(part)

    for number in range(1, len(reader.xref_objStm) + sum(map(len, reader.xref.values())) + 1):
        node = reader.get_object(IndirectObject(number, 0, reader))
        if node is not None:
            walk(node)
    return found


def _squeezed(text: str) -> str:
    return "".join(text.split())


def test_t22_a_paper_says_scripts_as_text_and_acts_on_nothing(desk: Desk) -> None:
    desk.see()
    parts: list[str] = [""]
    for payload in PAYLOADS:
        if len(parts[-1]) + len(payload) > 1900:
            parts.append("")
        parts[-1] += payload + " "
    for part in parts:
        printed = desk.print("referral", desk.referral(to=part[:100], question=part).pk)
        said = _squeezed(text_of(printed.pdf))
        wanted, _missing = glyphs.settable(part)
        assert _squeezed(wanted) in said
        assert not _names(PdfReader(io.BytesIO(printed.pdf))) & ACTS
    assert _squeezed(ALL).startswith(_squeezed(parts[0]))


def test_t22_control_a_sheet_that_acts_is_seen() -> None:
    from pypdf import PdfWriter

    writer, out = PdfWriter(), io.BytesIO()
    writer.add_blank_page(100, 100)
    script = DictionaryObject(
        {NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): TextStringObject("zqx()")}
    )
    writer._root_object[NameObject("/OpenAction")] = script
    writer.write(out)
    assert {"/OpenAction", "/JavaScript", "/JS"} <= _names(PdfReader(out))


def test_names_as_long_as_books_are_cut_where_they_have_no_room() -> None:
    """A title, a letterhead, a footer and a signature have their room; uncut, these would be set for minutes."""
    from polyclinic.core import clock
    from polyclinic.papers import setting
    from polyclinic.papers.sheet import Letterhead, Sheet, Sign, Text

    sheet = Sheet(ALL, ALL, ((ALL, ALL),) * 4, (Text((ALL,), "Title"), Sign(ALL, ALL, "now")))
    mark = setting.Mark("http://localhost/verify/" + "A" * 32, "A" * 32, "Copy 2", ALL)
    for size in ("a4", "thermal"):
        assert setting.typeset(sheet, Letterhead(ALL, (ALL,)), mark, size=size, at=clock.now()).startswith(b"%PDF")
