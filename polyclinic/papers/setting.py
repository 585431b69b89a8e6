"""From a sheet to a PDF: Typst sets it, off the event loop, a few at a time, and not for ever (ADR 027).

What a person wrote goes in as data and is never part of the markup; the compiler reads nothing but our templates. The
result is PDF/UA-1: tagged, with language and title, every picture described.
"""

from __future__ import annotations

import functools
import logging
import threading
from concurrent.futures import ThreadPoolExecutor, TimeoutError
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec
import segno
import typst
from django.utils.translation import get_language, get_language_bidi, gettext_lazy
from django.utils.translation import gettext as _

from polyclinic.core.errors import Problem
from polyclinic.papers import glyphs
from polyclinic.papers.sheet import Letterhead, Sheet
from polyclinic.papers.words import Size

_log = logging.getLogger(__name__)
TEMPLATES: Final = Path(__file__).parent / "templates"
# One processor is left for everybody else; those who wait beyond that are told to come back.
AT_ONCE, WAITING = 2, 14
# Seconds. A page takes some twenty milliseconds, a thousand lines half a second.
LONGEST: Final = 20.0
# The longest text of a letterhead, a title, a footer: longer than any column that one comes from.
FRAME: Final = 340
# For somebody who types into a document the compiler keeps what it worked out in its last ten runs. Here every paper is
# another one, and each thousand lines leave some sixty megabytes. After data this long it runs over nothing, nine
# milliseconds in all, until it has forgotten.
REMEMBERED, LONG = 10, 4_096
_places: Final = threading.BoundedSemaphore(AT_ONCE + WAITING)


class Busy(Problem):
    """Too many papers are being set, or this one takes too long."""

    status = 503
    code = "papers_busy"
    sentence = gettext_lazy("Too much is being printed at the moment. Please try again in a minute.")


class Mark(msgspec.Struct, frozen=True):
    """What a print says about itself: where it is checked, which copy it is, when and by whom it was printed."""

    address: str
    code: str
    copy: str
    printed: str


class _Words(msgspec.Struct, frozen=True):
    """The words of the templates."""

    check: str
    page: str
    of: str
    patient: str
    qr: str
    logo: str
    missing: str


def typeset(sheet: Sheet, head: Letterhead, mark: Mark, *, size: str = Size.A4, at: datetime) -> bytes:
    """The sheet as a PDF. Raises Busy."""
    made: bytes = _run("pdf", _data(sheet, head, mark), size, at)
    return made


def pictures(sheet: Sheet, head: Letterhead, mark: Mark, *, size: str = Size.A4, at: datetime) -> list[bytes]:
    """The same as one PNG a page, to be looked at. Raises Busy."""
    made = _run("png", _data(sheet, head, mark), size, at)
    return [made] if isinstance(made, bytes) else list(made)


def _run(form: str, data: str, size: str, at: datetime) -> Any:  # noqa: ANN401 - bytes, or a list of them
    if not _places.acquire(blocking=False):
        raise Busy()
    # Given back when it has really ended: one that hangs keeps its place, and cannot take those of others.
    job = _pool().submit(_compile, form, data, size, at)
    job.add_done_callback(lambda _done: _places.release())
    try:
        return job.result(LONGEST)
    except TimeoutError:
        _log.error("a paper was not set in %s seconds", LONGEST)
        raise Busy() from None


def _compile(form: str, data: str, size: str, at: datetime) -> Any:  # noqa: ANN401
    # Its types name every combination apart; ours is the one with bytes.
    compile_: Any = typst.compile
    try:
        return compile_(
            str(TEMPLATES / f"{size}.typ"),
            root=str(TEMPLATES),
            font_paths=_fonts(),
            sys_inputs={"data": data},
            format=form,
            pdf_standards=["ua-1"] if form == "pdf" else [],
            ppi=110,
            timestamp=int(at.timestamp()),
            # Where packages would be taken from: nowhere.
            package_path=str(TEMPLATES),
            package_cache_path=str(TEMPLATES),
        )
    finally:
        if len(data) > LONG:
            _forget()


def _forget() -> None:
    for _run in range(REMEMBERED + 1):
        typst.compile(b"", root=str(TEMPLATES), font_paths=_fonts(), format="svg")


@functools.cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(AT_ONCE, thread_name_prefix="papers")


@functools.cache
def _fonts() -> Any:  # noqa: ANN401 - typst.Fonts
    """Fonts that are shipped, none of the machine's: a paper looks the same everywhere. The box is the compiler's."""
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=glyphs.folders())


def _data(sheet: Sheet, head: Letterhead, mark: Mark) -> str:
    """Everything the template is given, as JSON, with a box for each sign that the fonts do not have."""
    language = get_language() or "en"
    words = _Words(
        check=_("Check this paper"), page=_("Page"), of=_("of"), patient=_("Patient"),
        qr=_("QR code that leads to %(address)s") % {"address": mark.address}, logo=_("Polyclinic"), missing="",
    )  # fmt: skip
    plain = msgspec.to_builtins({"sheet": sheet, "head": head, "mark": mark, "words": words})
    # What is drawn on every page, or beside something, has its room: a name as long as a book would be set for hours.
    plain |= {"head": _short(plain["head"]), "mark": _short(plain["mark"])}
    plain["sheet"] |= {name: _short(plain["sheet"][name]) for name in ("title", "subtitle", "who")}
    plain["sheet"]["blocks"] = [_short(one) if one["type"] == "sign" else one for one in plain["sheet"]["blocks"]]
    missing: set[str] = set()
    clean = _cleaned(plain, missing)
    if missing:
        numbers = ", ".join(f"U+{ord(sign):04X}" for sign in sorted(missing)[:12])
        clean["words"]["missing"] = _("%(box)s stands for a sign that cannot be printed here: %(numbers)s") % {
            "box": glyphs.BOX, "numbers": numbers,
        }  # fmt: skip
    lang, _dash, region = language.partition("-")
    clean |= {"lang": lang, "region": region.upper() if len(region) == 2 else None, "rtl": get_language_bidi()}
    clean["fonts"] = [*glyphs.FAMILIES.values(), glyphs.BOXES]
    clean["qr"] = _qr(mark.address)
    return msgspec.json.encode(clean).decode()


def _short(value: Any) -> Any:  # noqa: ANN401 - JSON
    """The same with each text cut to `FRAME` signs."""
    if isinstance(value, str):
        return value if len(value) <= FRAME else f"{value[: FRAME - 1]}…"
    if isinstance(value, dict):
        return {name: _short(part) for name, part in value.items()}
    return [_short(part) for part in value]


def _cleaned(value: Any, missing: set[str]) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, str):
        text, gone = glyphs.settable(value)
        missing |= gone
        return text
    if isinstance(value, dict):
        return {name: _cleaned(part, missing) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(part, missing) for part in value]
    return value


def _qr(address: str) -> list[list[int]]:
    """The code as rows of dark (1) and light modules; error correction M (15 %), as papers are folded."""
    return [list(row) for row in segno.make(address, error="m", boost_error=False, micro=False).matrix]
