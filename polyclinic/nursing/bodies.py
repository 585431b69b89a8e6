"""What stands sealed in rows of this app, as JSON: read and written here alone."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec

from polyclinic.prescribing.bodies import Override


class OrderBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a medicine is given. `times` are local ("08:00"); `most` is the most doses in 24 hours, when needed only."""

    dose: Decimal
    unit: str
    route: str
    frequency: str
    times: tuple[str, ...] = ()
    as_needed: bool = False
    most: int = 0
    note: str = ""
    overrides: tuple[Override, ...] = ()
    # For the sentence that prescribing makes of it.
    days: int | None = None


_encode: Final = msgspec.json.Encoder().encode
read_order: Final = msgspec.json.Decoder(OrderBody).decode
read_parts: Final = msgspec.json.Decoder(dict[str, str]).decode


def write(body: msgspec.Struct | dict[str, str]) -> str:
    """A body as the text that is sealed."""
    return _encode(body).decode()
