"""Clients that read slowly or not at all: order is kept while they are waited for, and then they are let go."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import time
from collections.abc import Iterator
from uuid import uuid4

import aiohttp
import pytest

from polyclinic.live.pipe import Pipe
from tests.live.driving import Listener, Live


class Lazy:
    """A `send` that takes a chunk at once until told to wait, as a server's does when the client's buffers are full."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.ready = asyncio.Event()
        self.ready.set()

    async def __call__(self, message: dict) -> None:
        await self.ready.wait()
        self.sent.append(message["body"])


def test_what_is_sent_past_the_queue_never_overtakes_it() -> None:
    async def run() -> None:
        send = Lazy()
        pipe = Pipe(send)
        chunks = [str(number).encode() for number in range(60)]
        for number, chunk in enumerate(chunks):
            if number % 20 == 10:
                send.ready.clear()
            if number % 20 == 15:
                send.ready.set()
                # One turn of the loop: the queue is being emptied while the next chunks are pushed.
                await asyncio.sleep(0)
            assert pipe.push(chunk)
        await pipe.drained()
        assert send.sent == chunks

    asyncio.run(run())


def test_a_client_too_far_behind_is_let_go() -> None:
    async def run() -> None:
        send = Lazy()
        pipe = Pipe(send, limit=5)
        send.ready.clear()
        assert [pipe.push(b"x") for _ in range(8)] == [True] * 6 + [False] * 2
        assert pipe.closed.result() == "slow"
        send.ready.set()
        await pipe.finish(1)

    asyncio.run(run())


@contextlib.contextmanager
def dawdler(live: Live, request: str) -> Iterator[socket.socket]:
    """A connection whose owner reads only when told to, with as small a buffer as the system allows."""
    with contextlib.closing(socket.socket()) as made:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        made.settimeout(20)
        made.connect(("127.0.0.1", live.port))
        cookie = live.cookie("doctor")["Cookie"]
        made.sendall(f"{request}\r\nHost: 127.0.0.1:{live.port}\r\nCookie: {cookie}\r\n".encode())
        yield made


UPGRADE = (
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


def read_until(made: socket.socket, mark: bytes) -> bytes:
    heard = b""
    while mark not in heard:
        chunk = made.recv(65_536)
        if not chunk:
            break
        heard += chunk
    return heard


def open_socket(made: socket.socket) -> None:
    """A Socket.IO client by hand: the upgrade, and a connect packet that wants no second names."""
    made.sendall(UPGRADE.encode())
    read_until(made, b"0{")
    connect = b'40{"aliases":false}'
    made.sendall(bytes([0x81, 0x80 | len(connect), 0, 0, 0, 0]) + connect)
    read_until(made, b'"hello"')


def revisions(heard: bytes, stream: str) -> list[int]:
    found = re.findall(rb'"appointmentId":"%s"[^}]*"revision":(\d+)' % stream.encode(), heard)
    return [int(number) for number in found]


def until_dropped(live: Live, before: int) -> None:
    deadline = time.monotonic() + 20
    while live.call("metrics")["dropped_clients"] <= before:
        assert time.monotonic() < deadline, "the slow client was not let go"
        time.sleep(0.05)


@pytest.mark.service
def test_a_slow_stream_is_let_go_and_misses_nothing_when_it_returns(live: Live) -> None:
    stream, count = str(uuid4()), 18_000
    before = live.call("metrics")["dropped_clients"]
    with dawdler(live, "GET /live HTTP/1.1") as made:
        made.sendall(b"\r\n")
        heard = read_until(made, b"hello")
        for first in range(1, count, 1_000):
            live.append(first, 1_000, stream=stream, together=True)
        until_dropped(live, before)
        heard += read_until(made, b"\r\n0\r\n\r\n")
    got = revisions(heard, stream)
    assert 0 < len(got) < count
    assert got == list(range(1, len(got) + 1))

    async def rest() -> list[int]:
        async with aiohttp.ClientSession() as http:
            listener = Listener(http, live.url + "/live", live.cookie("doctor"))
            listener.last_id = re.findall(rb"id: (\d+)\n", heard)[-1].decode()
            await listener.open()
            assert (await listener.next()).name == "hello"
            later = [(await listener.next()).data["revision"] for _ in range(count - len(got))]
            listener.cut()
            return later

    assert got + asyncio.run(rest()) == list(range(1, count + 1))


@pytest.mark.service
def test_a_slow_socket_is_let_go_and_others_are_not(live: Live) -> None:
    stream, count = str(uuid4()), 24_000
    before = live.call("metrics")["dropped_clients"]
    with dawdler(live, "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1") as made:
        open_socket(made)
        for first in range(1, count, 1_000):
            live.append(first, 1_000, stream=stream, together=True)
        until_dropped(live, before)
        heard = b""
        with contextlib.suppress(ConnectionResetError):
            heard = read_until(made, b"no such mark")
    got = revisions(heard, stream)
    assert len(got) < count
    assert got == list(range(1, len(got) + 1))
    assert live.call("metrics")["dropped_clients"] == before + 1


@pytest.mark.service
def test_a_socket_that_pauses_hears_everything_in_order(live: Live) -> None:
    """More than the buffers hold and less than the limit: straight sending, the hand-over and the queue all happen."""
    stream, count = str(uuid4()), 4_000
    before = live.call("metrics")["dropped_clients"]
    with dawdler(live, "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1") as made:
        open_socket(made)
        live.append(1, 2_000, stream=stream, together=True)
        live.append(2_001, 1_000, stream=stream, together=True)
        heard = made.recv(100_000)
        live.append(3_001, 1_000, stream=stream, together=True)
        heard += read_until(made, f'"revision":{count}'.encode())
    assert revisions(heard, stream) == list(range(1, count + 1))
    assert live.call("metrics")["dropped_clients"] == before
