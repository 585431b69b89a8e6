"""Socket.IO at `/socket.io`: the same events as `/live`, under every name clients already speak."""

from __future__ import annotations

import asyncio
import logging
import re
from typing import Any
from uuid import UUID

import msgspec
import socketio
from django.utils.translation import gettext_lazy as _
from socketio.exceptions import ConnectionRefusedError as Refused

from polyclinic.core.actors import Person
from polyclinic.core.errors import Forbidden, Invalid, Problem, Unauthenticated
from polyclinic.core.outbox import rooms
from polyclinic.facilities import identity
from polyclinic.live import callers, wire
from polyclinic.live.gateway import gateway
from polyclinic.live.manager import DirectServer, DirectSocket
from polyclinic.live.subscriber import Subscriber
from polyclinic.live.wire import Wired
from polyclinic.scheduling.states import STATE_WORDS, STEP_TO
from polyclinic.web import errors

_TOO_MANY = _("At most %(most)d doctors can be listened to at once.")
_STATUS = _("Status is one of: %(known)s.")
_CURSOR = re.compile(r"[0-9]{1,18}")
_MOST_PUBLIC_ROOMS = 50
_CALM = 500

# The library writes packets to its log at INFO; events must not end up there.
_quiet = logging.getLogger("polyclinic.live.socketio")
_quiet.setLevel(logging.ERROR)
_clients: dict[str, Client] = {}
_tasks: set[asyncio.Task[None]] = set()


class Client(Subscriber):
    """One Socket.IO connection."""

    def __init__(self, sid: str, person: Person, socket: DirectSocket, *, aliases: bool, cursor: int | None) -> None:
        super().__init__(person)
        self.sid = sid
        self.socket = socket
        self.aliases = aliases
        self.cursor = cursor
        self.acknowledged = 0

    def write(self, event: Wired) -> None:
        if self.aliases:
            self._post(event.packets, event.packets_framed)
        else:
            self._post((event.packet,), event.packet_framed)

    def notice(self, name: str, **fields: Any) -> None:  # noqa: ANN401 - small JSON values
        """Send one of the gateway's own messages."""
        self._post((wire.socket_packet(name, wire.notice(**fields)),))

    def _post(self, texts: tuple[str, ...], frames: bytes = b"") -> None:
        if not self.socket.post(texts, frames) and not self.gone:
            gateway.leave(self)
            if not self.socket.closed:
                gateway.dropped()
                _begin(self.socket.abandon())

    def resync(self, position: int) -> None:
        self.notice("resync", cursor=position)

    async def drained(self) -> None:
        while self.socket.backlog > _CALM and not self.gone:
            await asyncio.sleep(0.02)

    def let_go(self, why: str) -> None:
        if why == "slow":
            gateway.dropped()
            _begin(self.socket.abandon())
        else:
            self.notice("signed-out" if why == "signed-out" else "going-away", reason=why)
            _begin(sio.disconnect(self.sid))


def _begin(work: Any) -> None:  # noqa: ANN401 - a coroutine of an untyped library
    task = asyncio.get_running_loop().create_task(work)
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


def _origin(origin: str, environ: dict[str, Any]) -> bool:
    return callers.origin_allowed(origin or "", environ.get("HTTP_HOST", ""))


def _connected(sid: str) -> None:
    client = _clients.get(sid)
    if client is not None and not client.gone:
        _begin(_welcome(client))


async def _welcome(client: Client) -> None:
    start = gateway.position if client.cursor is None else client.cursor
    client.notice("hello", cursor=start)
    await gateway.catch_up(client, start)


sio = DirectServer(
    _connected,
    cors_allowed_origins=_origin,
    cors_credentials=True,
    max_http_buffer_size=16_384,
    http_compression=False,
    logger=_quiet,
    engineio_logger=_quiet,
)
app = socketio.ASGIApp(sio, socketio_path="socket.io")


async def connect(sid: str, environ: dict[str, Any], auth: object = None) -> None:
    """Let in whoever shows a token or is signed in by cookie; all others are refused with a reason."""
    await gateway.ready()
    socket = sio.socket_of(sid)
    try:
        given = auth if isinstance(auth, dict) else {}
        if auth is not None and not isinstance(auth, dict):
            raise Invalid(_("The handshake's auth is an object."), field="auth")
        cursor = None if given.get("cursor") in (None, "") else _cursor(given["cursor"])
        if given.get("token"):
            person = await gateway.in_thread(callers.person_of_token, given["token"])
        else:
            found = await gateway.in_thread(callers.person_of, environ.get("HTTP_COOKIE", ""), "")
            if found is None:
                raise Unauthenticated()
            person = found
    except Problem as problem:
        raise Refused(str(problem.sentence), errors.body(problem)) from None
    if socket is None:
        raise Refused("gone")
    client = Client(sid, person, socket, aliases=given.get("aliases") is not False, cursor=cursor)
    _clients[sid] = client
    gateway.join(client, holding=True)


async def disconnect(sid: str, _reason: str) -> None:
    client = _clients.pop(sid, None)
    if client is not None:
        gateway.leave(client)


async def _answered(sid: str, work: Any) -> dict[str, Any]:  # noqa: ANN401 - an async function of a client
    """Run a request of a client; whatever is wrong with it goes back as the acknowledgement."""
    client = _clients.get(sid)
    try:
        if client is None or client.gone:
            raise Unauthenticated()
        return {"ok": True, **await work(client)}
    except Problem as problem:
        return {"ok": False, **errors.body(problem)}


async def join_room(sid: str, data: object = None, *_more: object) -> dict[str, Any]:
    """Join a room by its full name, or by its short name (`doctor`, `reception`, …) for one's own."""

    async def work(client: Client) -> dict[str, Any]:
        asked = data.get("room") if isinstance(data, dict) else data
        if not isinstance(asked, str) or not asked or len(asked) > 120:
            raise Invalid(_("Name the room to join."), field="room")
        own = rooms.own_rooms(client.person) if client.person else frozenset()
        if asked in wire.ROOM_NAMES:
            begins, ends = wire.ROOM_NAMES[asked]
            joined = sorted(room for room in own if room.startswith(begins) and room.endswith(ends))
        else:
            joined = [asked] if client.person and rooms.may_join(client.person, asked) else []
        if not joined:
            raise Forbidden(_("This room is not yours to join."), code="room_refused", field="room")
        if asked not in own and asked.startswith(rooms.PUBLIC_PREFIX):
            _listen_to_public(client, asked)
        return {"rooms": joined}

    return await _answered(sid, work)


def _listen_to_public(client: Client, room: str) -> None:
    name = room.removeprefix(rooms.PUBLIC_PREFIX)
    try:
        if room != rooms.EVERYONE:
            room = rooms.availability(UUID(name))
    except ValueError:
        raise Invalid(_("Write availability: and a doctor's id, or availability:all."), field="room") from None
    if len(client.public) >= _MOST_PUBLIC_ROOMS and room not in client.public:
        raise Invalid(_TOO_MANY % {"most": _MOST_PUBLIC_ROOMS}, field="room")
    client.public.add(room)
    gateway.settle_rooms(client)


async def resume(sid: str, data: object = None, *_more: object) -> dict[str, Any]:
    """Replay everything after a cursor on this connection."""

    async def work(client: Client) -> dict[str, Any]:
        cursor = _cursor(data.get("cursor") if isinstance(data, dict) else data)
        if not client.hold():
            raise Invalid(_("A replay is already under way."), code="busy", field="cursor")
        await gateway.catch_up(client, cursor)
        return {"cursor": gateway.position}

    return await _answered(sid, work)


async def ack(sid: str, data: object = None, *_more: object) -> dict[str, Any]:
    """The client has dealt with everything up to a cursor."""

    async def work(client: Client) -> dict[str, Any]:
        cursor = _cursor(data.get("cursor") if isinstance(data, dict) else data)
        client.acknowledged = max(client.acknowledged, min(cursor, gateway.position))
        return {"cursor": client.acknowledged}

    return await _answered(sid, work)


async def appointment_update(sid: str, data: object = None, *_more: object) -> dict[str, Any]:
    """Change an appointment's state: `{appointmentId, status, version?}`. Answers with the appointment."""

    async def work(client: Client) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise Invalid(_("Send appointmentId and status."), field="appointmentId")
        try:
            appointment_id = UUID(str(data.get("appointmentId")))
        except ValueError:
            raise Invalid(_("This is not an appointment's id."), field="appointmentId") from None
        state = STATE_WORDS.get(str(data.get("status")))
        if state is None:
            raise Invalid(_STATUS % {"known": ", ".join(sorted(STATE_WORDS))}, field="status")
        version, reason = data.get("version"), data.get("reason") or ""
        if version is not None and (not isinstance(version, int) or isinstance(version, bool)):
            raise Invalid(_("The version is a whole number."), field="version")
        if not isinstance(reason, str):
            raise Invalid(_("The reason is a text."), field="reason")
        session = client.person.session if client.person else ""
        return await gateway.in_thread(_take, session, appointment_id, STEP_TO[state], version, reason)

    return await _answered(sid, work)


def _take(session: str, appointment_id: UUID, action: str, version: int | None, reason: str) -> dict[str, Any]:
    """On a database thread. The session is looked at again: a connection may outlive it by a moment."""
    from polyclinic.scheduling import actions, selectors

    person = identity.person_of_session(session, via="live")
    if person is None:
        raise Unauthenticated()
    actions.take(actor=person, appointment_id=appointment_id, action=action, version=version, reason=reason)
    return {"appointment": msgspec.to_builtins(selectors.appointment(person, appointment_id))}


def _cursor(value: object) -> int:
    if isinstance(value, bool) or not _CURSOR.fullmatch(str(value)):
        raise Invalid(_("The cursor is a whole number, as found in an event's id."), field="cursor")
    return int(str(value))


sio.on("connect", connect)
sio.on("disconnect", disconnect)
sio.on("join-room", join_room)
sio.on("resume", resume)
sio.on("ack", ack)
sio.on("appointment-update", appointment_update)
