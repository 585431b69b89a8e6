"""Diagnoses by ICD-10-CM: which codes there are, what they say, and finding one by words or by the beginning of a code.

Source: the tabular list of ICD-10-CM of the National Center for Health Statistics and the Centers for Medicare and
Medicaid Services (public domain), edition of April 2026, as the package `simple-icd-10-cm` (MIT) brings it. The
package's own tree takes seconds and 200 MB to build, so its data file is read here once, at the first search (two
thirds of a second), and kept as two texts of a line a code: about 20 MB.

Only codes that can be written down are kept: those that nothing stands below. Where a code asks for a seventh character
(the encounter of an injury, the eye), each of its values makes a code.
"""

from __future__ import annotations

import functools
import re
import threading
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Final
from xml.etree.ElementTree import Element, iterparse

import msgspec

EDITION: Final = "ICD-10-CM 2026-04"
_PACKAGE: Final = "simple_icd_10_cm"
_TABULAR, _CODES = "icd10c-tabular-April-1-2026.xml", "code-list-April-2026.txt"
MAX_WORDS: Final = 8
_PLAIN: Final = (" unspecified", " not specified", " without complications")
# Enough lines to find the best among; beyond them the words are too common to choose by.
_MOST: Final = 2000
# What people say, where the list has only the learned word. Whole questions alone: "flu" may also begin "fluid".
_SAID: Final = {
    "bp": "hypertension",
    "cold": "acute nasopharyngitis",
    "common cold": "acute nasopharyngitis",
    "copd": "chronic obstructive pulmonary",
    "flu": "influenza",
    "gerd": "gastro esophageal reflux",
    "heart attack": "acute myocardial infarction",
    "heartburn": "gastro esophageal reflux",
    "high blood pressure": "essential hypertension",
    "kidney stone": "calculus kidney",
    "pink eye": "conjunctivitis",
    "piles": "hemorrhoids",
    "sore throat": "acute pharyngitis",
    "stomach flu": "gastroenteritis",
    "stroke": "cerebral infarction",
    "t2dm": "type 2 diabetes",
    "tb": "tuberculosis",
    "uti": "urinary tract infection",
}
_APART: Final = re.compile(r"[^0-9a-z.]+")
_CODE: Final = re.compile(r"[a-z]\d[0-9a-z]?(\.?[0-9a-z]{0,4})?")


class Code(msgspec.Struct, frozen=True):
    """A code that can be written down, and what it stands for."""

    code: str
    text: str


@dataclass(slots=True)
class _Node:
    name: str = ""
    said: str = ""
    also: list[str] = field(default_factory=list)
    seventh: list[tuple[str, str]] | None = None
    parent: bool = False


class _Index:
    """Codes in order with their texts. `folded` holds the n-th as words between spaces from `starts[n]` on: code and
    title, which are `titles[n]` letters, then other names."""

    __slots__ = ("codes", "folded", "starts", "texts", "titles")

    def __init__(self) -> None:
        found = sorted(_read())
        self.codes = [code for code, _text, _also in found]
        self.texts = [text for _code, text, _also in found]
        parts, starts, titles, at = [], array("I"), array("H"), 0
        for code, text, also in found:
            title = f" {_fold(code)} {_fold(text)} "
            line = f"{title}{_fold(also)} \n"
            starts.append(at)
            titles.append(len(title))
            parts.append(line)
            at += len(line)
        # An end for the last line too.
        starts.append(at)
        self.folded, self.starts, self.titles = "".join(parts), starts, titles

    def at(self, place: int) -> Code:
        return Code(self.codes[place], self.texts[place])

    def place(self, code: str) -> int | None:
        """Where a code stands; None for one that does not exist or has others below it."""
        found = bisect_left(self.codes, code)
        return found if found < len(self.codes) and self.codes[found] == code else None

    def beginning(self, code: str, limit: int) -> list[int]:
        """Codes that begin so, in their order."""
        first = bisect_left(self.codes, code)
        last = bisect_left(self.codes, code + "\uffff")
        return list(range(first, min(last, first + limit)))

    def holding(self, words: list[str]) -> Iterator[int]:
        """Lines in which each of the words begins a word. The rarest is looked for, the others only beside it."""
        rarest, *others = sorted((f" {word}" for word in words), key=self.folded.count)
        at = self.folded.find(rarest)
        while at != -1:
            line = bisect_left(self.starts, at + 1) - 1
            start, end = self.starts[line], self.starts[line + 1]
            if all(self.folded.find(other, start, end) != -1 for other in others):
                yield line
            at = self.folded.find(rarest, end)


def search(text: str, limit: int = 20) -> list[Code]:
    """Codes for what somebody types: a code or its beginning ("J18", "j189"), or words ("pneumonia bact").

    A word may be cut off at its end. Where all words stand in the code's own title it comes before one found by
    another name for it; then shorter titles come first, which are the plainer ones.
    """
    text = text.strip().casefold()[:80]
    words = _fold(_SAID.get(text, text)).split()[:MAX_WORDS]
    if not words:
        return []
    known = _index()
    if len(words) == 1 and len(words[0]) > 1 and _CODE.fullmatch(words[0]):
        found = known.beginning(dotted(words[0]), limit)
        if found:
            return [known.at(place) for place in found]
    places = [place for place, _turn in zip(known.holding(words), range(_MOST), strict=False)]
    return [known.at(place) for place in sorted(places, key=lambda place: _rank(known, place, words))[:limit]]


def _rank(known: _Index, place: int, words: list[str]) -> tuple[int, int, int]:
    start, length = known.starts[place], known.titles[place]
    title = known.folded[start : start + length]
    named = all(f" {word}" in title for word in words)
    first = title.startswith(words[0], len(known.codes[place]) + 2)
    # Of the many kinds of a disease, the one that says no more is what is mostly looked for.
    plain = 15 if any(word in title for word in _PLAIN) else 0
    return 0 if named and first else 1 if named else 2, length - plain, place


def find(code: str) -> Code | None:
    """The code, written with or without its point; None where it does not exist or is too general to write down."""
    known = _index()
    place = known.place(dotted(code.strip().casefold()))
    return None if place is None else known.at(place)


def dotted(code: str) -> str:
    """A code as it is written: capitals, a point after the third letter."""
    plain = code.replace(".", "").upper()
    return f"{plain[:3]}.{plain[3:]}" if len(plain) > 3 else plain


def warm() -> None:
    """Begin to read the codes beside whatever is going on, so that the first search finds them there."""
    if _index.cache_info().currsize == 0 and not _warming.is_set():
        _warming.set()
        # A moment later, so that the page that asked for it is answered first.
        timer = threading.Timer(2, _index)
        timer.daemon = True
        timer.start()


_warming: Final = threading.Event()
_once: Final = threading.Lock()


@functools.cache
def _made() -> _Index:
    return _Index()


@functools.cache
def _index() -> _Index:
    # functools.cache would let two first searches read the file side by side.
    with _once:
        return _made()


def _fold(text: str) -> str:
    return " ".join(word.strip(".") for word in _APART.split(text.casefold()) if word)


def _read() -> Iterator[tuple[str, str, str]]:
    """Every code that can be written down: (code, text, other names for it)."""
    folder = _folder()
    valid = {line.split(" ")[0] for line in (folder / _CODES).read_text("utf-8").splitlines()}
    with (folder / _TABULAR).open("rb") as file:
        for node, seventh in _nodes(file):
            also = " ".join(node.also)
            if not seventh:
                yield node.name, node.said, also
                continue
            stem = node.name.replace(".", "").ljust(6, "X")
            for letter, meaning in seventh:
                if f"{stem}{letter}" in valid:
                    yield dotted(f"{stem}{letter}"), f"{node.said}, {meaning}", also


def _folder() -> Path:
    """Where the package keeps its data, found without importing it: the import would build its whole tree."""
    found = find_spec(_PACKAGE)
    places = found.submodule_search_locations if found else None
    if not places:
        raise RuntimeError(f"{_PACKAGE} is not installed")
    return Path(places[0]) / "data"


def _nodes(file: IO[bytes]) -> Iterator[tuple[_Node, list[tuple[str, str]]]]:
    """The leaves of the list with the seventh characters that hold for them. Read as a stream: the tree is large."""
    open_: list[_Node] = []
    for event, element in iterparse(file, events=("start", "end")):  # noqa: S314 - a file of the installation
        if element.tag != "diag":
            if event == "end" and open_:
                _take(open_[-1], element)
            continue
        if event == "start":
            if open_:
                open_[-1].parent = True
            open_.append(_Node())
            continue
        node = open_.pop()
        element.clear()
        if not node.parent:
            held = next((one.seventh for one in (node, *reversed(open_)) if one.seventh), [])
            yield node, held


def _take(node: _Node, element: Element) -> None:
    match element.tag:
        case "name" if not node.name:
            node.name = element.text or ""
        case "desc" if not node.said:
            node.said = element.text or ""
        case "inclusionTerm" | "includes":
            node.also += [note.text or "" for note in element.iter("note")]
        case "sevenChrDef":
            node.seventh = [(one.get("char", ""), one.text or "") for one in element.iter("extension")]
