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
from polyclinic.live.direct import text_frame

# The steps of a visit as clients know them that were written for a hospital's six dashboards.
_VISIT: Final = ("visit-updated",)
# The ambulances of a hospital, for clients that show its fleet.
_AMBULANCE: Final = tuple(
    f"ambulance.{step}"
    for step in (
        "requested", "dispatched", "acknowledged", "en_route", "on_scene", "transporting", "at_hospital", "cleared",
        "cancelled", "in_service", "out_of_service", "crew_on", "crew_off", "moved",
    )
)  # fmt: skip
_INVITED: Final = ("invitation",)
_CHANGED: Final = ("appointment:updated", "appointment-updated", "appointment:update")
# Whatever happens to a bed is one thing to clients that count free ones.
_BEDS: Final = (
    "bed.added", "bed.reserved", "bed.released", "bed.occupied", "bed.vacated", "bed.cleaning_started", "bed.cleaned",
    "bed.blocked", "bed.unblocked", "bed.retired",
)  # fmt: skip

SOCKET_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "appointment.booked": ("appointment:booked", "appointment:update"),
    "appointment.confirmed": _CHANGED,
    "appointment.declined": _CHANGED,
    "appointment.cancelled": _CHANGED,
    "appointment.rescheduled": _CHANGED,
    "appointment.checked_in": _CHANGED,
    "appointment.completed": _CHANGED,
    "appointment.no_show": _CHANGED,
    "appointment.answered": _CHANGED,
    "patient.attached": ("patient:new", "patient-list:refresh"),
    "schedule.changed": ("doctor-availability",),
    "availability.changed": ("doctor-availability",),
    "doctor_invitation.sent": _INVITED,
    "doctor_invitation.accepted": _INVITED,
    "doctor_invitation.rejected": _INVITED,
    "doctor_invitation.revoked": _INVITED,
    "doctor_invitation.expired": _INVITED,
    "record.break_glass": ("break-glass",),
    "visit.registered": ("new-visit",),
    "visit.paid": ("new-visit", "visit-updated"),
    "visit.lab_pending": _VISIT,
    "visit.checked": _VISIT,
    "visit.lab_done": _VISIT,
    "visit.diagnosed": _VISIT,
    "visit.done": _VISIT,
    "visit.left": _VISIT,
    "visit.cancelled": _VISIT,
    "visit.transferred": _VISIT,
    "lab.result_released": ("lab-result-ready",),
    "prescription.signed": ("prescription-ready",),
    "lab.critical_result": ("critical-result", "emergency:alert"),
    "payment.taken": ("payment",),
    "payment.refunded": ("payment",),
    **dict.fromkeys(_BEDS, ("bed:updated",)),
    **dict.fromkeys(_AMBULANCE, ("ambulance:updated",)),
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
    "appointment.answered": "updated",
    "patient.attached": "patient:new",
    "schedule.changed": "availability",
    "availability.changed": "availability",
    "doctor_invitation.sent": "invitation",
    "doctor_invitation.accepted": "invitation",
    "doctor_invitation.rejected": "invitation",
    "doctor_invitation.revoked": "invitation",
    "doctor_invitation.expired": "invitation",
    "visit.registered": "new-visit",
    "visit.paid": "new-visit",
    "visit.lab_pending": "visit-updated",
    "visit.checked": "visit-updated",
    "visit.lab_done": "visit-updated",
    "visit.diagnosed": "visit-updated",
    "visit.done": "visit-updated",
    "visit.left": "visit-updated",
    "visit.cancelled": "visit-updated",
    "visit.transferred": "visit-updated",
    "payment.taken": "payment",
    "payment.refunded": "payment",
    **dict.fromkeys(_BEDS, "bed"),
    **dict.fromkeys(_AMBULANCE, "ambulance"),
}

# For a reader that hides what will not take place, these end the appointment.
ENDED: Final = frozenset({"appointment.cancelled", "appointment.declined"})

# After these the rights of people in their audience are others, and so are the rooms they may hear.
CHANGES_RIGHTS: Final = frozenset(
    {
        "delegation.started",
        "delegation.renewed",
        "delegation.ended",
        "record.break_glass",
        "patient.merged",
        "patient.separated",
        "record.closed",
        "staff.changed",
    }
)

# Short room names and how the rooms they stand for begin and end.
ROOM_NAMES: Final[dict[str, tuple[str, str]]] = {
    "user": ("user:", ""),
    "patient": ("patient:", ""),
    "doctor": ("doctor:", ""),
    "reception": ("facility:", ":receptionist"),
    "admin": ("facility:", ":manager"),
    "checkerDoctor": ("facility:", ":checker_doctor"),
    "labTechnician": ("facility:", ":lab_technician"),
    "mainDoctor": ("facility:", ":main_doctor"),
    "pharmacy": ("facility:", ":pharmacist"),
    "nurse": ("facility:", ":nurse"),
    "ambulance": ("facility:", ":ambulance_crew"),
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
        envelope = f'"id":{logged.position},"type":"{logged.type}","at":"{at}","version":{logged.version}}}'
        # Ours last, for the last of two members of one name counts: an event that names its own thing `id` would
        # otherwise put that in place of its position, and a page would take the thing's next event for one it knows.
        own = logged.payload[:-1]
        self.body = f"{own}{envelope}" if own == "{" else f"{own},{envelope}"

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

    @functools.cached_property
    def packet_framed(self) -> bytes:
        """`packet` as a WebSocket frame."""
        return text_frame(self.packet)

    @functools.cached_property
    def packets_framed(self) -> bytes:
        """`packets` as WebSocket frames, one behind the other."""
        return b"".join(map(text_frame, self.packets))


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
