"""How events look on the wire: one JSON envelope, and the names other clients already speak.

The alias tables below are the only place where a second name for an event exists. An event is encoded once, however
many clients hear it: all of them are sent the same bytes.
"""

from __future__ import annotations

import functools
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from polyclinic.core.outbox.log import Logged

_CHANGED: Final = ("appointment:updated", "appointment-updated", "appointment:update")

SOCKET_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "appointment.booked": ("appointment:booked", "appointment:update"),
    "appointment.confirmed": _CHANGED,
    "appointment.declined": _CHANGED,
    "appointment.cancelled": _CHANGED,
    "appointment.rescheduled": _CHANGED,
    "appointment.checked_in": _CHANGED,
    "appointment.completed": _CHANGED,
    "appointment.no_show": _CHANGED,
    "patient.attached": ("patient:new", "patient-list:refresh"),
    "schedule.changed": ("doctor-availability",),
    "availability.changed": ("doctor-availability",),
}

STREAM_NAMES: Final[dict[str, str]] = {
    "appointment.booked": "created",
    "appointment.confirmed": "updated",
    "appointment.declined": "updated",
    "appointment.cancelled": "updated",
    "appointment.rescheduled": "updated",
    "appointment.checked_in": "updated",
    "appointment.completed": "updated",
    "appointment.no_show": "updated",
    "patient.attached": "patient:new",
    "schedule.changed": "availability",
    "availability.changed": "availability",
}

# For a reader that hides what will not take place, these end the appointment.
ENDED: Final = frozenset({"appointment.cancelled", "appointment.declined"})

# Short room names and how the rooms they stand for begin and end.
ROOM_NAMES: Final[dict[str, tuple[str, str]]] = {
    "user": ("user:", ""),
    "patient": ("patient:", ""),
    "doctor": ("doctor:", ""),
    "reception": ("facility:", ":receptionist"),
    "admin": ("facility:", ":manager"),
}

_json = msgspec.json.Encoder()


def socket_packet(name: str, body: str) -> str:
    """The Engine.IO text frame of one Socket.IO event in the root namespace; `body` is JSON."""
    return f"42[{_json.encode(name).decode()},{body}]"


def frame(body: str, *, position: int | None = None, name: str | None = None) -> bytes:
    """One server-sent event. Without a name it arrives as `message`; `body` must not hold a line break."""
    head = f"id: {position}\n" if position is not None else ""
    return f"{head}{f'event: {name}' + chr(10) if name else ''}data: {body}\n\n".encode()


def beat(position: int) -> bytes:
    """A heartbeat: a comment, and the position reached, so that a quiet client's cursor does not grow stale."""
    return f":\nid: {position}\n\n".encode()


def notice(**fields: Any) -> str:  # noqa: ANN401 - small JSON values
    """JSON for the gateway's own messages (`hello`, `resync`)."""
    return _json.encode(fields).decode()


class Wired:
    """An event as it leaves: its position, who may hear it, and its bytes for each kind of client."""

    def __init__(self, logged: Logged) -> None:
        self.position = logged.position
        self.type = logged.type
        self.audience = logged.audience
        at = _instant(logged.at)
        head = f'{{"id":{logged.position},"type":"{logged.type}","at":"{at}","version":{logged.version}'
        rest = logged.payload[1:]
        self.body = f"{head}{rest}" if rest == "}" else f"{head},{rest}"

    @functools.cached_property
    def message(self) -> bytes:
        """The frame of `/live`."""
        return frame(self.body, position=self.position)

    @functools.cached_property
    def named(self) -> bytes:
        """The frame under its stream name."""
        return frame(self.body, position=self.position, name=STREAM_NAMES.get(self.type, self.type))

    @functools.cached_property
    def deleted(self) -> bytes:
        """The frame for a reader that hides cancelled appointments."""
        return frame(self.body, position=self.position, name="deleted")

    @functools.cached_property
    def packet(self) -> str:
        """The Socket.IO frame under our own name."""
        return socket_packet(self.type, self.body)

    @functools.cached_property
    def packets(self) -> tuple[str, ...]:
        """The Socket.IO frames under our own name and every other."""
        return (self.packet, *(socket_packet(name, self.body) for name in SOCKET_NAMES.get(self.type, ())))


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
