"""What stands sealed in a line and in a draft, as JSON: read and written here alone."""

from __future__ import annotations

from decimal import Decimal
from typing import Final
from uuid import UUID

import msgspec


class Override(msgspec.Struct, frozen=True):
    """A warning that the prescriber went past: its key, how grave it was, what it said, and why they did."""

    key: str
    tier: str
    said: str
    reason: str


class Settled(msgspec.Struct, frozen=True, omit_defaults=True):
    """What had come up since the signature, what was agreed about each, and with whom the pharmacy has spoken."""

    spoken_with: str = ""
    said: tuple[Override, ...] = ()


class LineBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a medicine is taken. `dose` counts `unit`s (capsules, mL, puffs); `days` None has no end."""

    dose: Decimal
    unit: str
    route: str
    frequency: str
    days: int | None = None
    as_needed: bool = False
    note: str = ""
    substitution_allowed: bool = True
    overrides: tuple[Override, ...] = ()


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line as a prescriber asks for it. Empty `unit` and `route` are the medicine's own; `quantity` is worked out
    from dose, frequency and days where it can be, and needed where it cannot."""

    medicine_id: UUID
    dose: Decimal
    frequency: str
    days: int | None = None
    unit: str = ""
    route: str = ""
    as_needed: bool = False
    note: str = ""
    substitution_allowed: bool = True
    quantity: Decimal | None = None


class Diagnosis(msgspec.Struct, frozen=True):
    """A diagnosis to be written down with the signature."""

    text: str
    code: str = ""
    certainty: str = "provisional"


class DraftBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is prepared: diagnoses and lines."""

    diagnoses: tuple[Diagnosis, ...] = ()
    lines: tuple[Line, ...] = ()


_encode: Final = msgspec.json.Encoder().encode
read_line: Final = msgspec.json.Decoder(LineBody).decode
read_settled: Final = msgspec.json.Decoder(Settled).decode
read_draft: Final = msgspec.json.Decoder(DraftBody).decode


def write(body: msgspec.Struct) -> str:
    """A body as the text that is sealed."""
    return _encode(body).decode()
