"""An event as the broker gets it: CloudEvents 1.0 in JSON, around the payload as the log has it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import Final

import msgspec

from polyclinic.core.outbox.log import Logged

CONTENT_TYPE: Final = "application/cloudevents+json"
_encoder = msgspec.json.Encoder()


class Envelope(msgspec.Struct, frozen=True):
    """CloudEvents' attributes; `sequence`, `position` and `eventversion` are extensions, in its lower-case way."""

    id: str
    source: str
    type: str
    time: str
    subject: str
    sequence: int
    position: int
    eventversion: int
    data: msgspec.Raw
    specversion: str = "1.0"
    datacontenttype: str = "application/json"


@dataclass(frozen=True, slots=True)
class Message:
    """One event ready to go."""

    id: str
    type: str
    stream: str
    position: int
    body: bytes


def message(row: Logged, source: str) -> Message:
    """The message for this event; the same each time it is made."""
    at = row.at.astimezone(UTC)
    # With the moment, because a restored backup gives the positions after it a second time, to other events.
    name = f"{row.position}-{int(at.timestamp() * 1_000_000)}"
    told = Envelope(
        id=name, source=source, type=row.type, time=at.isoformat().replace("+00:00", "Z"), subject=row.stream,
        sequence=row.stream_seq, position=row.position, eventversion=row.version,
        data=msgspec.Raw(row.payload.encode()),
    )  # fmt: skip
    return Message(name, row.type, row.stream, row.position, _encoder.encode(told))
