"""An AsyncAPI 3.0 document of every event as it comes out of the broker: what a consumer is written against."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from polyclinic.core.outbox.events import Event
from polyclinic.relay.envelope import CONTENT_TYPE

_TEXT: Final = {"type": "string"}
_NUMBER: Final = {"type": "integer", "minimum": 0}
_ORDER: Final = (
    "Each event comes at least once. Of a subject the first coming of each keeps the order in which it happened; what "
    "comes again has the same id, so remember ids in the transaction that has your effect. Payloads hold ids, states "
    "and moments and nothing about anybody's health: ask the API for the rest, with rights of your own."
)


def document(events: Iterable[type[Event]]) -> str:
    """The document as JSON, the same for the same events."""
    known = sorted(events, key=lambda one: one.TYPE)
    references, schemas = msgspec.json.schema_components(known, ref_template="#/components/schemas/{name}")
    payloads = dict(zip(known, references, strict=True))
    for schema in schemas.values():
        # A docstring speaks to who works on the code.
        schema.pop("description", None)
    told = {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Polyclinic events", "version": "1.0.0", "description": _ORDER,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": CONTENT_TYPE,
        "servers": {
            "broker": {"host": "{host}", "protocol": "amqps", "variables": {"host": {"description": "BROKER_URL"}}}
        },
        "channels": {"events": _channel(known)},
        "operations": {
            "hear": {
                "action": "send", "channel": {"$ref": "#/channels/events"},
                "summary": "Polyclinic sends; a consumer reads the queue or binds one of its own to the exchange.",
            }
        },
        "components": {
            "schemas": {**schemas, "Envelope": _envelope()},
            "messages": {one.TYPE: _message(one, payloads[one]) for one in known},
        },
    }  # fmt: skip
    return "\n".join(_lines(told, 0)) + "\n"


def _lines(told: dict[str, Any], depth: int) -> Iterator[str]:
    """JSON with a line for each message and schema: a change of one shows as one."""
    yield "{"
    for number, (name, value) in enumerate(told.items()):
        comma = "," if number < len(told) - 1 else ""
        head = f"{' ' * (depth + 1)}{json.dumps(name)}: "
        if isinstance(value, dict) and depth < 2:
            first, *rest = _lines(value, depth + 1)
            yield head + first
            yield from rest[:-1]
            yield rest[-1] + comma
        else:
            yield head + json.dumps(value, ensure_ascii=False) + comma
    yield " " * depth + "}"


def _channel(known: list[type[Event]]) -> dict[str, Any]:
    return {
        "address": "polyclinic.events",
        "description": "The topic exchange of BROKER_EXCHANGE; the routing key is the event's type.",
        "messages": {one.TYPE: {"$ref": f"#/components/messages/{one.TYPE}"} for one in known},
        "bindings": {
            "amqp": {
                "is": "routingKey",
                "exchange": {"name": "polyclinic.events", "type": "topic", "durable": True, "autoDelete": False},
                "bindingVersion": "0.3.0",
            }
        },
    }


def _message(one: type[Event], payload: dict[str, Any]) -> dict[str, Any]:
    own = {
        "type": "object",
        "properties": {
            "type": {"const": one.TYPE}, "eventversion": {"const": one.VERSION},
            "data": payload,
        },
    }  # fmt: skip
    return {
        "name": one.TYPE, "summary": one.MEANING, "contentType": CONTENT_TYPE,
        "payload": {"allOf": [{"$ref": "#/components/schemas/Envelope"}, own]},
    }  # fmt: skip


def _envelope() -> dict[str, Any]:
    properties = {
        "specversion": {"const": "1.0"},
        "id": {**_TEXT, "description": "One event's own, also when it comes again."},
        "source": {"type": "string", "format": "uri", "description": "The installation: its PUBLIC_URL."},
        "type": _TEXT,
        "time": {"type": "string", "format": "date-time"},
        "subject": {**_TEXT, "description": "The stream within which order is kept, such as `visit:…`."},
        "sequence": {**_NUMBER, "description": "The subject's revision after the event."},
        "position": {**_NUMBER, "description": "Place in the log: grows with each event."},
        "eventversion": {**_NUMBER, "description": "Grows when a field changes its meaning or goes."},
        "datacontenttype": {"const": "application/json"},
        "data": {"type": "object"},
    }
    return {"type": "object", "required": list(properties), "properties": properties}
