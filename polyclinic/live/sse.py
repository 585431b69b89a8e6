"""Server-sent events: `/live`, its polling fallback, and the stream of appointments under `/api`."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

import msgspec
from django.utils.translation import gettext_lazy as _

from polyclinic.core.actors import Person
from polyclinic.core.errors import Forbidden, Invalid, NotFound, Problem, Unauthenticated
from polyclinic.core.outbox import rooms
from polyclinic.live import callers, wire
from polyclinic.live.gateway import gateway
from polyclinic.live.history import CHUNK, read_log
from polyclinic.live.pipe import Pipe
from polyclinic.live.subscriber import Subscriber
from polyclinic.live.wire import Wired
from polyclinic.transport import calling
from polyclinic.visits import watching
from polyclinic.web import errors

BEAT_SECONDS = 15.0
# A client that does not read is given this long to take the end of the response.
PATIENCE = 30.0
MOST_DOCTORS = 50

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

_TOO_MANY = _("At most %(most)d doctors can be listened to at once.")
_CURSOR = re.compile(r"[0-9]{1,18}")
_CODE = re.compile(r"[\w-]{22}", re.ASCII)


class _BadRequest(Invalid):
    status = 400


class _MethodNotAllowed(Problem):
    status = 405
    code = "method_not_allowed"


class Stream(Subscriber):
    """A `/live` connection: every event it may hear, as unnamed messages."""

    def __init__(self, person: Person | None, public: set[str], pipe: Pipe) -> None:
        super().__init__(person, public)
        self.pipe = pipe
        self._beat = asyncio.get_running_loop().call_later(BEAT_SECONDS, self._keep_alive)

    def bytes_of(self, event: Wired) -> bytes:
        return event.message

    def write(self, event: Wired) -> None:
        self._push(self.bytes_of(event))

    def _push(self, chunk: bytes) -> None:
        if not self.pipe.push(chunk) and not self.gone:
            if self.pipe.closed.result() == "slow":
                gateway.dropped()
            gateway.leave(self)

    def hello(self, cursor: int) -> None:
        """The first event: the position listening starts from."""
        self._push(wire.frame(wire.notice(cursor=cursor), position=cursor, name="hello"))

    def resync(self, position: int) -> None:
        self._push(wire.frame(wire.notice(cursor=position), position=position, name="resync"))

    async def drained(self) -> None:
        await self.pipe.drained()

    def let_go(self, why: str) -> None:
        self._beat.cancel()
        if why == "slow":
            gateway.dropped()
        if why == "signed-out" and not self.pipe.congested:
            self.pipe.push(wire.frame(wire.notice(reason=why), name="signed-out"))
        self.pipe.close(why)

    def _keep_alive(self) -> None:
        if self.gone or self.pipe.closed.done():
            return
        # While a replay runs, the position reached is ahead of what this client has been sent.
        self._push(wire.beat(gateway.position) if self.held is None else b":\n\n")
        self._beat = asyncio.get_running_loop().call_later(BEAT_SECONDS, self._keep_alive)


class NamedStream(Stream):
    """`/live?named=1`: the same under the stream names of the alias table."""

    def bytes_of(self, event: Wired) -> bytes:
        return event.named


class AppointmentStream(Stream):
    """`/api/appointments/stream`: appointments only, as created, updated and deleted."""

    def __init__(self, person: Person, pipe: Pipe, *, hide_ended: bool) -> None:
        super().__init__(person, set(), pipe)
        self._hide_ended = hide_ended

    def wants(self, event: Wired) -> bool:
        return event.type.startswith("appointment.")

    def bytes_of(self, event: Wired) -> bytes:
        return event.deleted if self._hide_ended and event.type in wire.ENDED else event.named


class Ask:
    """A request read and checked: who, from where in the log, what."""

    def __init__(self, scope: Scope) -> None:
        self.headers = scope["headers"]
        self.path: str = scope["path"].rstrip("/")
        try:
            self._query = parse_qs(scope.get("query_string", b"").decode("ascii"), max_num_fields=20)
        except ValueError:
            raise _BadRequest(field="query") from None
        self.origin = callers.header(self.headers, b"origin")
        if not callers.origin_allowed(self.origin, callers.header(self.headers, b"host")):
            self.origin = ""
            raise Forbidden(_("This page's origin may not listen here."), code="origin_not_allowed")
        if scope["method"] != "GET":
            raise _MethodNotAllowed(_("Only GET is possible here."))
        if "access_token" in self._query:
            raise _BadRequest(_("A token does not belong in an address. Send it as a header."), field="access_token")

    def one(self, name: str) -> str:
        values: list[str] = self._query.get(name, [""])
        return values[-1]

    def cursor(self) -> int | None:
        """The position to go on from. The browser's own memory of it (Last-Event-ID) is newer than the address."""
        text = callers.header(self.headers, b"last-event-id") or self.one("cursor")
        if not text:
            return None
        if not _CURSOR.fullmatch(text):
            raise _BadRequest(_("The cursor is a whole number, as found in an event's id."), field="cursor")
        return int(text)

    def public_rooms(self) -> set[str]:
        """The public rooms asked for with `availability=`: `all`, or doctor ids separated by commas."""
        asked = [part for part in self.one("availability").split(",") if part]
        if len(asked) > MOST_DOCTORS:
            raise _BadRequest(_TOO_MANY % {"most": MOST_DOCTORS}, field="availability")
        try:
            return {rooms.EVERYONE if part == "all" else rooms.availability(UUID(part)) for part in asked}
        except ValueError:
            raise _BadRequest(_("Write all, or the ids of doctors."), field="availability") from None

    async def watched(self) -> set[str]:
        """The rooms that a code opens (`watch=`): a ticket's, a hall screen's, or that of a call for an ambulance.

        Raises NotFound for a code that is none.
        """
        code = self.one("watch")
        if not code:
            return set()
        if not _CODE.fullmatch(code):
            raise NotFound()
        return await gateway.in_thread(_opened_by, code)

    async def person(self) -> Person | None:
        """The caller, or None when not signed in."""
        cookie = callers.header(self.headers, b"cookie")
        authorization = callers.header(self.headers, b"authorization")
        if not cookie and not authorization:
            return None
        return await gateway.in_thread(callers.person_of, cookie, authorization)

    def answer_headers(self, kind: str) -> list[tuple[bytes, bytes]]:
        headers = [
            (b"content-type", kind.encode()),
            (b"cache-control", b"no-store"),
            (b"x-accel-buffering", b"no"),
            (b"vary", b"Origin, Cookie, Authorization"),
        ]
        if self.origin:
            headers.append((b"access-control-allow-origin", self.origin.encode("latin-1")))
            headers.append((b"access-control-allow-credentials", b"true"))
        return headers


def _opened_by(code: str) -> set[str]:
    try:
        return watching.rooms_of(code)
    except NotFound:
        return calling.rooms_of(code)


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """The ASGI application behind `/live`, `/live/poll` and `/api/appointments/stream`."""
    await gateway.ready()
    try:
        ask = Ask(scope)
        if ask.path == "/live/poll":
            await _poll(ask, send)
        elif ask.path in {"/live", "/api/appointments/stream"}:
            await _stream(ask, receive, send)
        else:
            raise NotFound()
    except Problem as problem:
        await _refuse(problem, scope, send)


async def _stream(ask: Ask, receive: Receive, send: Send) -> None:
    cursor, public, person = ask.cursor(), ask.public_rooms() | await ask.watched(), await ask.person()
    appointments = ask.path == "/api/appointments/stream"
    if person is None and (appointments or not public):
        raise Unauthenticated()
    headers = ask.answer_headers("text/event-stream; charset=utf-8")
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    pipe = Pipe(send)
    stream: Stream
    if appointments and person is not None:
        stream = AppointmentStream(person, pipe, hide_ended="cancelled" in ask.one("hide").split(","))
    else:
        stream = (NamedStream if ask.one("named") else Stream)(person, public, pipe)
    gone = asyncio.ensure_future(_until_gone(receive))
    try:
        gateway.join(stream, holding=True)
        stream.hello(gateway.position if cursor is None else cursor)
        await gateway.catch_up(stream, gateway.position if cursor is None else cursor)
        ends: set[asyncio.Future[Any]] = {gone, pipe.closed}
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    finally:
        gateway.leave(stream)
        stream.let_go("gone")
        if not gone.done():
            await pipe.finish(PATIENCE)
            gone.cancel()


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _poll(ask: Ask, send: Send) -> None:
    """Everything missed since the cursor, at once; a client whose network allows no stream asks every few seconds."""
    cursor, public, person = ask.cursor(), ask.public_rooms() | await ask.watched(), await ask.person()
    if person is None and not public:
        raise Unauthenticated()
    until = gateway.position
    reached, resync, found = until, False, ""
    if cursor is not None:
        verdict = await gateway.judge(cursor)
        resync = verdict == "resync"
        events: list[Wired] = []
        if verdict == "ring":
            events = gateway.ring.after(cursor, CHUNK)
            reached = events[-1].position if events else max(cursor, until)
        elif verdict == "log":
            events, reached = await gateway.in_thread(read_log, cursor, until)
        entitled = Subscriber(person, public).entitled()
        found = ",".join(event.body for event in events if not entitled.isdisjoint(event.audience))
    body = f'{{"cursor":{reached},"resync":{"true" if resync else "false"},"events":[{found}]}}'.encode()
    await _answer(send, 200, ask.answer_headers("application/json"), body)


async def _refuse(problem: Problem, scope: Scope, send: Send) -> None:
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"cache-control", b"no-store"),
        (b"vary", b"Origin, Cookie, Authorization"),
    ]
    origin = callers.header(scope["headers"], b"origin")
    if origin and callers.origin_allowed(origin, callers.header(scope["headers"], b"host")):
        headers.append((b"access-control-allow-origin", origin.encode("latin-1")))
        headers.append((b"access-control-allow-credentials", b"true"))
    await _answer(send, problem.status, headers, msgspec.json.encode(errors.body(problem)))


async def _answer(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    headers = [*headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
