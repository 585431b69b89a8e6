"""Frames written straight to the transport: the same bytes as the server's own, and only when nothing is in the way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import uvicorn
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.frames import Frame, Opcode

from polyclinic.live.direct import Line, text_frame

HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
CLOSE = b"\x88\x82\0\0\0\0\x03\xe8"


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536])
def test_a_frame_is_what_the_library_would_send(size: int) -> None:
    for letter in ("x", "é"):
        text = letter * (size // len(letter.encode()))
        assert text_frame(text) == Frame(Opcode.TEXT, text.encode()).serialize(mask=False)


class Wire(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.closing = False

    def write(self, data: Any) -> None:
        self.written.append(bytes(data))

    def close(self) -> None:
        self.closing = True

    def is_closing(self) -> bool:
        return self.closing

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


def connected(story: Callable[[WebSocketsSansIOProtocol, Wire, Any], Awaitable[None]]) -> None:
    """Tell the story of one accepted connection of the server's own protocol."""

    async def run() -> None:
        sends: asyncio.Queue[Any] = asyncio.Queue()
        over = asyncio.Event()

        async def app(scope: Any, receive: Any, send: Any) -> None:
            assert Line.behind(send) is None  # the handshake is not over
            await send({"type": "websocket.accept"})
            await sends.put(send)
            await over.wait()

        config = uvicorn.Config(
            app, ws_per_message_deflate=False, lifespan="off", log_config=None, ws_ping_interval=None
        )
        config.load()
        protocol, wire = WebSocketsSansIOProtocol(config, ServerState(), {}), Wire()
        protocol.connection_made(wire)
        protocol.data_received(HANDSHAKE)
        async with asyncio.timeout(5):
            send = await sends.get()
            wire.written.clear()
            await story(protocol, wire, send)
        over.set()
        await asyncio.gather(*protocol.tasks)
        if protocol.close_timer is not None:
            protocol.close_timer.cancel()

    asyncio.run(run())


def test_a_line_writes_what_send_would_have_written() -> None:
    async def story(_protocol: WebSocketsSansIOProtocol, wire: Wire, send: Any) -> None:
        line = Line.behind(send)
        assert line is not None, "the server's protocol has changed: every event now goes the slow way"
        await send({"type": "websocket.send", "text": "42[é]"})
        assert line.write(text_frame("42[é]"))
        assert wire.written[0] == wire.written[1]

    connected(story)


def test_a_full_buffer_is_left_to_the_server() -> None:
    async def story(protocol: WebSocketsSansIOProtocol, wire: Wire, send: Any) -> None:
        line = Line.behind(send)
        assert line is not None
        protocol.pause_writing()
        assert not line.write(b"x")
        protocol.resume_writing()
        assert line.write(b"x")
        assert wire.written == [b"x"]

    connected(story)


@pytest.mark.parametrize("who", ["server", "client", "line"])
def test_nothing_is_written_behind_a_close(who: str) -> None:
    async def story(protocol: WebSocketsSansIOProtocol, wire: Wire, send: Any) -> None:
        line = Line.behind(send)
        assert line is not None
        if who == "server":
            await send({"type": "websocket.close"})
        elif who == "client":
            protocol.data_received(CLOSE)
        else:
            wire.close()
        count = len(wire.written)
        assert not line.write(b"x")
        assert len(wire.written) == count

    connected(story)


def test_another_send_has_no_line() -> None:
    async def send(_message: Any) -> None:
        pass

    assert Line.behind(send) is None
