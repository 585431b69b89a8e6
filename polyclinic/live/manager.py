"""Socket.IO's way out made short: one shared, encoded packet straight to each client's WebSocket.

python-socketio makes a task, a queue item and a timer per client and event. Here a client whose queue is empty and
whose writer rests is sent to on the spot; everyone else (slow, still on long polling, being upgraded) goes through
Engine.IO's queue, which then keeps the order. This uses private attributes of the two libraries, whose versions are
pinned for that reason; `tests/live/test_sockets.py` notices a change in them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, cast

import engineio
import socketio
from engineio import packet as engine_packet
from engineio.async_drivers.asgi import WebSocket
from engineio.async_socket import AsyncSocket
from engineio.exceptions import QueueEmpty

from polyclinic.live.direct import Line
from polyclinic.live.pipe import go_on, run_now

LIMIT = 6_000
_PER_POLL = 16


class _Ready(engine_packet.Packet):
    """A packet that is encoded already; shared by every client it waits for."""

    def __init__(self, text: str) -> None:
        super().__init__(engine_packet.MESSAGE, text[1:])
        self.encode_cache = text


class _Outgoing(asyncio.Queue[Any]):
    """Engine.IO's queue, counting what its reader has taken and may not have sent yet."""

    in_flight = 0

    def _get(self) -> Any:  # noqa: ANN401 - asyncio.Queue's own signature
        self.in_flight += 1
        return super()._get()


class DirectSocket(AsyncSocket):
    """One client. `post` is the only way our events leave."""

    queue: _Outgoing
    web: WebSocket | None
    line: Line | None
    held: deque[str] | None

    @classmethod
    def adopt(cls, socket: AsyncSocket) -> DirectSocket:
        """Make `socket` one of ours. Engine.IO offers no way to say which class it should build."""
        waiting, queue = socket.queue, _Outgoing()
        while not waiting.empty():
            queue.put_nowait(waiting.get_nowait())
        ours: Any = socket
        ours.__class__ = cls
        ours.queue, ours.web, ours.line, ours.held = queue, None, None, None
        return cast("DirectSocket", ours)

    @property
    def backlog(self) -> int:
        """How many packets wait for this client."""
        return int(self.queue.qsize()) + len(self.held or ())

    async def poll(self) -> list[engine_packet.Packet]:
        """Called when the reader of the queue has sent what it took before, and wants more."""
        self.queue.in_flight = 0
        patience = self.server.ping_interval + self.server.ping_timeout
        try:
            packets = [await asyncio.wait_for(self.queue.get(), patience)]
        except (TimeoutError, asyncio.CancelledError):
            raise QueueEmpty from None
        # Clients refuse a long-polling answer with more packets than this; the rest goes into the next one.
        most = LIMIT if self.upgraded else _PER_POLL
        while packets[-1] is not None and len(packets) < most and not self.queue.empty():
            packets.append(self.queue.get_nowait())
        if packets[-1] is None:
            packets.pop()
            if packets:
                self.queue.put_nowait(None)  # the end is told in an answer of its own
        return packets

    def post(self, texts: Iterable[str], frames: bytes = b"") -> bool:
        """Send or queue packets, in order. False when the client is gone or too far behind.

        `frames` are the same packets as WebSocket frames, for a client that can be written to at once.
        """
        if self.closed or self.closing:
            return False
        if frames and self.held is None and self._rests() and self._write_now(frames):
            return True
        for text in texts:
            if self.held is None and self._rests():
                if not self._send_now(text):
                    return False
            elif self.backlog >= LIMIT:
                return False
            elif self.held is not None:
                self.held.append(text)
            else:
                self.queue.put_nowait(_Ready(text))
        return True

    def _rests(self) -> bool:
        """Whether nothing is queued or on its way, so that sending past the queue cannot overtake anything."""
        queue = self.queue
        return not queue.in_flight and queue.empty() and self.upgraded and self.web is not None

    def _write_now(self, frames: bytes) -> bool:
        line = self.line
        if line is None:
            # Looked for until it is there: before the handshake is over, `send` has more to do than to write.
            web: Any = self.web
            line = self.line = Line.behind(web.asgi_send)
        return line is not None and line.write(frames)

    def _send_now(self, text: str) -> bool:
        web: Any = self.web
        try:
            half = run_now(web.asgi_send({"type": "websocket.send", "bytes": None, "text": text}))
        except (OSError, RuntimeError):
            # Closed between two events; Engine.IO's reader notices by itself and ends the session.
            return False
        if half is not None:
            self.held = deque()
            self._finisher = asyncio.get_running_loop().create_task(self._finish(*half))
        return True

    async def _finish(self, stepper: Any, waited: Any) -> None:  # noqa: ANN401 - asyncio's own protocol
        try:
            await go_on(stepper, waited)
        except (OSError, RuntimeError):
            self.queue.put_nowait(None)
        held, self.held = self.held, None
        for text in held or ():
            self.queue.put_nowait(_Ready(text))

    async def abandon(self) -> None:
        """End a client that does not keep up: forget what waits and close once it reads again."""
        if self.held is not None:
            self.held.clear()
        while not self.queue.empty():
            self.queue.get_nowait()
        await self.close(wait=False, abort=True)
        self.queue.put_nowait(None)


class _DirectWebSocket(WebSocket):
    """Engine.IO's WebSocket, made known to the socket it serves."""

    def __init__(self, handler: Any, server: Any) -> None:  # noqa: ANN401 - untyped library
        super().__init__(handler, server)
        handler.__self__.web = self


class _Engine(engineio.AsyncServer):
    async def _trigger_event(self, event: str, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        if event == "connect":
            DirectSocket.adopt(self.sockets[args[0]])
        return await super()._trigger_event(event, *args, **kwargs)


class DirectServer(socketio.AsyncServer):
    """A Socket.IO server whose clients can be posted to directly."""

    def __init__(self, on_connected: Callable[[str], None], **options: Any) -> None:  # noqa: ANN401
        """`on_connected`: told a client's id once its CONNECT packet is on its way, hence before any event."""
        super().__init__(async_mode="asgi", client_manager=_Manager(on_connected), **options)
        self.eio._async = {**self.eio._async, "websocket": _DirectWebSocket}

    def _engineio_server_class(self) -> type[_Engine]:
        return _Engine

    def socket_of(self, sid: str) -> DirectSocket | None:
        """The Engine.IO socket that carries this client of the root namespace."""
        socket = self.eio.sockets.get(self.manager.eio_sid_from_sid(sid, "/"))
        return socket if isinstance(socket, DirectSocket) else None


class _Manager(socketio.AsyncManager):
    def __init__(self, on_connected: Callable[[str], None]) -> None:
        super().__init__()
        self._on_connected = on_connected

    async def connect(self, sid: str, namespace: str) -> str:
        connected: str = await super().connect(sid, namespace)
        self._on_connected(connected)
        return connected
