"""What stands on a paper, as blocks that the templates know how to set. Texts are final: translated, written out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

Align = Literal["start", "end", "center"]


class Run(msgspec.Struct, frozen=True, omit_defaults=True):
    """A piece of text; `small` is set below or beside in grey, `strike` marks what was said before."""

    text: str
    strong: bool = False
    small: bool = False
    strike: bool = False
    # On a line of its own.
    below: bool = False


Cell = str | tuple[Run, ...]


class Column(msgspec.Struct, frozen=True):
    label: str
    align: Align = "start"
    # Takes the room that is left, so many parts of it; 0: as wide as what stands in it.
    share: int = 0


class Pairs(msgspec.Struct, frozen=True, tag="pairs"):
    """Names with their values, beside one another where there is room."""

    rows: tuple[tuple[str, Cell], ...]
    title: str = ""


class Table(msgspec.Struct, frozen=True, tag="table"):
    """Rows under columns; its head is repeated on every page. `foot` are sums: label, value, whether it is the sum."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    foot: tuple[tuple[str, str, bool], ...] = ()


class Text(msgspec.Struct, frozen=True, tag="text"):
    """Paragraphs under a heading."""

    paragraphs: tuple[str, ...]
    title: str = ""


class Item(msgspec.Struct, frozen=True):
    """One of a numbered list: a head, and lines below it."""

    head: tuple[Run, ...]
    lines: tuple[str, ...] = ()


class Items(msgspec.Struct, frozen=True, tag="items"):
    title: str
    items: tuple[Item, ...]


class Banner(msgspec.Struct, frozen=True, tag="banner"):
    """What nobody may overlook, in a frame."""

    text: str
    more: str = ""


class Sign(msgspec.Struct, frozen=True, tag="sign"):
    """Who answers for it: name, and the line for hand and stamp."""

    name: str
    role: str
    at: str


Block = Pairs | Table | Text | Items | Banner | Sign


class Letterhead(msgspec.Struct, frozen=True):
    """Whose paper it is: the name of the place, and lines of address and telephone."""

    name: str
    lines: tuple[str, ...]


class Sheet(msgspec.Struct, frozen=True):
    """One paper: `subtitle` names it among its kind ("No. 42"), `who` identifies the patient."""

    title: str
    subtitle: str
    who: tuple[tuple[str, str], ...]
    blocks: tuple[Block, ...]


class Source(msgspec.Struct, frozen=True):
    """A thing that can be printed, as one reader is given it.

    `facts` are what the paper says, in no language and without the moment of printing: when they change it is another
    paper. `draw` writes the sheet in the active language.
    """

    kind: str
    subject_id: UUID
    variant: str
    patient_id: UUID
    facility_id: UUID
    doctor_id: UUID | None
    time_zone: str
    facts: bytes
    draw: Callable[[], Sheet]
    # The day it is about, for whoever checks it.
    at: datetime | None = None


def facts_of(*parts: object) -> bytes:
    """Rows and values as one text that is the same whenever they are."""
    return msgspec.json.encode(parts, order="sorted")
