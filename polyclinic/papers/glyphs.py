"""Which signs the shipped fonts can set, so that none vanishes from a paper unseen.

Latin, Greek, Cyrillic, Arabic and Devanagari are there. For any other sign a box stands in its place, and the sheet
says which sign it was by its Unicode number: a name with a hole in it must not look whole.
"""

from __future__ import annotations

import functools
import struct
import unicodedata
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final

# Family names as the templates call them, by the package that brings the font.
FAMILIES: Final = {
    "fontpkg_noto_sans": "Noto Sans",
    "fontpkg_noto_sans_arabic": "Noto Sans Arabic",
    "fontpkg_noto_sans_devanagari": "Noto Sans Devanagari",
}
BOX: Final = "\u25a1"
# The font that the box is taken from; it comes with the compiler.
BOXES: Final = "DejaVu Sans Mono"
# Marks that turn the order of letters around: on paper they could make a name or a dose read as another.
_TURNING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def folders() -> list[str]:
    """Where the fonts lie. Raises RuntimeError naming a package that is not installed."""
    found = []
    for package in FAMILIES:
        spec = find_spec(package)
        if spec is None or spec.origin is None:
            raise RuntimeError(f"{package} is not installed: papers cannot be set")
        found.append(str(Path(spec.origin).parent / "files"))
    return found


@functools.cache
def known() -> frozenset[int]:
    """Every code point that one of the fonts has a glyph for."""
    found: set[int] = set()
    for folder in folders():
        for file in sorted(Path(folder).glob("*.ttf")):
            if "Italic" not in file.name:
                found.update(_mapped(file.read_bytes()))
    return frozenset(found | {ord(BOX)})


def settable(text: str) -> tuple[str, frozenset[str]]:
    """`text` with a box for each sign that cannot be set, and which signs those were. Control signs go."""
    if text.isascii() and text.isprintable():
        return text, frozenset()
    there, missing, signs = known(), set(), []
    for sign in unicodedata.normalize("NFC", text):
        if sign in _TURNING or unicodedata.category(sign) in ("Cc", "Cs", "Co", "Cn"):
            if sign in "\n\t":
                signs.append(" ")
            elif unicodedata.category(sign) in ("Co", "Cn"):
                missing.add(sign)
                signs.append(BOX)
        elif ord(sign) in there or _shapes_others(sign):
            signs.append(sign)
        else:
            missing.add(sign)
            signs.append(BOX)
    return "".join(signs), frozenset(missing)


def _shapes_others(sign: str) -> bool:
    """Joiners and selectors are not drawn: they say how their neighbours are. (Zero-width joiner and non-joiner.)"""
    return sign in "\u200c\u200d\u00ad\u200e\u200f"


def _mapped(font: bytes) -> Iterator[int]:
    """The code points of a TrueType font's `cmap` (OpenType 1.9, formats 4 and 12) that lead to a glyph."""
    count = struct.unpack_from(">H", font, 4)[0]
    tables = {font[12 + 16 * n : 16 + 16 * n]: struct.unpack_from(">L", font, 20 + 16 * n)[0] for n in range(count)}
    start = tables[b"cmap"]
    for n in range(struct.unpack_from(">H", font, start + 2)[0]):
        platform, _encoding, offset = struct.unpack_from(">HHL", font, start + 4 + 8 * n)
        at = start + offset
        form = struct.unpack_from(">H", font, at)[0]
        if form == 12:
            yield from _segmented(font, at)
        elif form == 4 and platform in (0, 3):
            yield from _sixteen_bit(font, at)


def _segmented(font: bytes, at: int) -> Iterator[int]:
    for n in range(struct.unpack_from(">L", font, at + 12)[0]):
        first, last, glyph = struct.unpack_from(">LLL", font, at + 16 + 12 * n)
        yield from range(first + (glyph == 0), last + 1)


def _sixteen_bit(font: bytes, at: int) -> Iterator[int]:
    twice = struct.unpack_from(">H", font, at + 6)[0]
    ends, starts, deltas, ranges = (at + 14 + twice * part + (2 if part else 0) for part in range(4))
    for n in range(0, twice, 2):
        last, first, delta, offset = (
            struct.unpack_from(">H", font, place + n)[0] for place in (ends, starts, deltas, ranges)
        )
        for code in range(first, min(last, 0xFFFE) + 1):
            if offset:
                glyph = struct.unpack_from(">H", font, ranges + n + offset + 2 * (code - first))[0]
            else:
                glyph = (code + delta) & 0xFFFF
            if glyph:
                yield code
