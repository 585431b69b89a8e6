"""A real RabbitMQ, a line to it that can be cut, and what its queues hold. Every test has an exchange of its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import aio_pika
import pytest

RABBIT = os.environ.get("TEST_RABBIT_URL", "amqp://guest:guest@127.0.0.1:5672/")
HOST, PORT = urlsplit(RABBIT).hostname or "", urlsplit(RABBIT).port or 5672


def require_rabbit() -> None:
    """Skip without RabbitMQ, unless the services are required: there the skip is a failure."""
    try:
        socket.create_connection((HOST, PORT), 2).close()
    except OSError:
        pytest.skip(f"RabbitMQ does not answer at {HOST}:{PORT}")


class Wire:
    """A port that leads to the broker as long as `open`; `cut` breaks what goes through it now."""

    def __init__(self, opened: bool = True) -> None:
        self.opened = opened
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        port = self._listening.getsockname()[1]
        self.url = RABBIT.replace(f"{HOST}:{PORT}", f"127.0.0.1:{port}")
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_given: object) -> None:
        # Closing alone would leave the thread that accepts in its call.
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.cut()

    def lines(self) -> list[tuple[socket.socket, socket.socket]]:
        """What goes through it now."""
        return [pair for pair in self._pairs if pair[0].fileno() >= 0]

    def cut(self) -> int:
        """Break every connection. How many there were."""
        pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for end in pair:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
        return len(pairs)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _address = self._listening.accept()
                if not self.opened:
                    near.close()
                    continue
                pair = (near, socket.create_connection((HOST, PORT)))
                self._pairs.append(pair)
                for source, target in (pair, pair[::-1]):
                    threading.Thread(target=_carry, args=(source, target), daemon=True).start()


def _carry(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while part := source.recv(65536):
            target.sendall(part)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)
    source.close()


@contextlib.contextmanager
def exchange() -> Iterator[str]:
    """A name nobody else uses; what the relay declares by it is gone afterwards."""
    name = f"polyclinic.test.{secrets.token_hex(6)}"
    try:
        yield name
    finally:
        asyncio.run(_on_channel(lambda channel: _delete(channel, name)))


async def _on_channel(work: Callable[[Any], Awaitable[Any]]) -> Any:
    connection = await aio_pika.connect(RABBIT)
    async with connection:
        return await work(await connection.channel())


async def _delete(channel: Any, name: str) -> None:
    for one in (name, f"{name}.dead"):
        await channel.queue_delete(one)
        await channel.exchange_delete(one)


def drain(
    queue: str,
    until: Callable[[list[Any]], bool],
    seconds: float = 60,
    read: Callable[[bytes], Any] = json.loads,
) -> list[Any]:
    """What a consumer gets, in its order, until that is enough or the time is over."""
    got: list[Any] = []

    ends = time.monotonic() + seconds

    async def consume(channel: Any) -> None:
        await channel.set_qos(prefetch_count=50)
        source = await channel.get_queue(queue)
        async with asyncio.timeout(max(0.1, ends - time.monotonic())), source.iterator() as messages:
            async for message in messages:
                got.append(read(message.body))
                await message.ack()
                if until(got):
                    return

    while time.monotonic() < ends:
        # Until the relay has declared it there is no such queue.
        with contextlib.suppress(aio_pika.exceptions.ChannelNotFoundEntity):
            asyncio.run(_on_channel(consume))
            return got
        time.sleep(0.1)
    raise AssertionError(f"there is no queue {queue}")


def eventually(so: Callable[[], Any], seconds: float = 60, what: Callable[[], str] = lambda: "") -> Any:
    """The first true answer of `so`; when there is none, `what` may say why."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if found := so():
            return found
        time.sleep(0.02)
    raise AssertionError(f"it did not come to pass {what()[-3000:]}")


def check_history(got: list[dict[str, Any]], streams: int, last: int) -> None:
    """Nothing is missing; of every stream each number came before the next; what came twice has the same id."""
    first: dict[str, list[int]] = {}
    ids: dict[tuple[str, int], str] = {}
    for one in got:
        key = (one["subject"], one["sequence"])
        assert ids.setdefault(key, one["id"]) == one["id"]
        seen = first.setdefault(one["subject"], [])
        if one["sequence"] not in seen:
            seen.append(one["sequence"])
    assert len(first) == streams
    for seen in first.values():
        assert seen == list(range(1, last + 1))
    assert len(set(ids.values())) == streams * last
