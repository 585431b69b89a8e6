"""A message: which event for which webhook, its id, and its body as it is sent, byte for byte the same each time."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid5

import orjson

from polyclinic.core.outbox.log import Logged
from polyclinic.webhooks import topics
from polyclinic.webhooks.models import Message, Webhook


def of(row: Webhook, event: Logged) -> Message | None:
    """The message about an event of the log, or None when this webhook does not hear of it."""
    if event.type not in row.events or not topics.known(event.type):
        return None
    told = orjson.loads(event.payload)
    if told.get("facilityId") != str(row.facility_id):
        return None
    # Worked out, not drawn: read again after a crash or a replay it is the same message. With the moment in it, for
    # after a backup was restored the log gives the same positions to other events.
    name = f"{event.position}:{event.stream}:{event.stream_seq}:{event.type}:{event.at.isoformat()}"
    return Message(
        id=uuid5(row.pk, name), webhook=row, position=event.position, stream=event.stream, type=event.type, at=event.at,
        body=_body(event.type, event.at, topics.data(event.type, told)),
    )  # fmt: skip


def test(row: Webhook, name: UUID, at: datetime) -> Message:
    """A message that says nothing but that it is a test, apart from all others."""
    data: dict[str, object] = {"facilityId": str(row.facility_id)}
    return Message(
        id=name, webhook=row, position=0, stream=f"test:{name}", type=topics.TEST, at=at,
        body=_body(topics.TEST, at, data),
    )  # fmt: skip


def name_of(message: Message) -> str:
    """Its `webhook-id`."""
    return f"msg_{message.pk.hex}"


def _body(kind: str, at: datetime, data: dict[str, object]) -> str:
    return orjson.dumps({"type": kind, "timestamp": at.isoformat(), "data": data}).decode()
