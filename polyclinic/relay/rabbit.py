"""RabbitMQ: a durable topic exchange, a quorum queue behind it that takes everything, and one for dead letters.

aio-pika lives on a loop and thread of its own, so that heartbeats go on while the relay reads the database.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Any, Final, TypeVar

from polyclinic.relay.broker import PATIENCE, Away, NotInstalled, rounds
from polyclinic.relay.envelope import CONTENT_TYPE, Message

try:
    import aio_pika
    from aio_pika.abc import AbstractConnection, AbstractExchange
except ImportError as missing:  # pragma: no cover - the extra is installed where tests run
    raise NotInstalled("aio-pika is not installed") from missing

T = TypeVar("T")
# Times a consumer may hand a message back; then it is a dead letter.
DELIVERIES: Final = 5
HEARTBEAT: Final = 20


def queue_arguments(exchange: str) -> dict[str, Any]:
    """What the queue is declared with. Reject when full: the relay then waits, where dropping would lose."""
    return {
        "x-queue-type": "quorum",
        "x-delivery-limit": DELIVERIES,
        "x-dead-letter-exchange": f"{exchange}.dead",
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
        # Several consumers stand by and one works: with two at work a stream's events could overtake each other.
        "x-single-active-consumer": True,
    }


class Rabbit:
    """One connection. After Away it is closed and made anew: on a fresh channel nothing old is on its way."""

    def __init__(self, url: str, exchange: str) -> None:
        self._url, self._name = url, exchange
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._connection: AbstractConnection | None = None
        self._exchange: AbstractExchange | None = None

    def connect(self) -> None:
        self.close()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="relay-line", daemon=True)
        self._thread.start()
        try:
            self._call(self._connect(), PATIENCE)
        except Exception as failure:
            self.close()
            raise Away(_said(failure)) from failure

    def publish(self, messages: Sequence[Message]) -> None:
        confirmed = 0
        for some in rounds(messages):
            confirmed += self._publish_round(some, confirmed)

    def _publish_round(self, some: Sequence[Message], before: int) -> int:
        try:
            outcomes = self._call(self._send(some), PATIENCE + 5)
        except Exception as failure:
            raise Away(_said(failure), before) from failure
        for number, outcome in enumerate(outcomes):
            if outcome is not None:
                # What was confirmed behind it is sent again: a duplicate can be told, a gap could not.
                raise Away(_said(outcome), before + number) from outcome
        return len(some)

    def alive(self) -> bool:
        return self._connection is not None and not self._connection.is_closed

    def close(self) -> None:
        loop, thread, connection = self._loop, self._thread, self._connection
        self._loop = self._thread = self._connection = self._exchange = None
        if loop is None or thread is None:
            return
        if connection is not None:
            with suppress(Exception):
                asyncio.run_coroutine_threadsafe(_closed(connection), loop).result(3)
        with suppress(Exception):
            asyncio.run_coroutine_threadsafe(_cancelled(), loop).result(3)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        if not thread.is_alive():
            loop.close()

    def _call(self, work: Coroutine[Any, Any, T], seconds: float) -> T:
        loop = self._loop
        if loop is None:
            work.close()
            raise Away("the line is closed")
        return asyncio.run_coroutine_threadsafe(asyncio.wait_for(work, seconds), loop).result(seconds + 5)

    async def _connect(self) -> None:
        # Not the robust kind, which would send what was on its way again by itself and behind our back.
        self._connection = await aio_pika.connect(self._url, timeout=PATIENCE, heartbeat=HEARTBEAT)
        channel = await self._connection.channel(publisher_confirms=True)
        kind = aio_pika.ExchangeType
        self._exchange = await channel.declare_exchange(self._name, kind.TOPIC, durable=True)
        dead = await channel.declare_exchange(f"{self._name}.dead", kind.FANOUT, durable=True)
        buried = await channel.declare_queue(f"{self._name}.dead", durable=True, arguments={"x-queue-type": "quorum"})
        await buried.bind(dead)
        queue = await channel.declare_queue(self._name, durable=True, arguments=queue_arguments(self._name))
        await queue.bind(self._exchange, "#")

    async def _send(self, some: Sequence[Message]) -> list[BaseException | None]:
        return [
            one if isinstance(one, BaseException) else None
            for one in await asyncio.gather(*map(self._send_one, some), return_exceptions=True)
        ]

    async def _send_one(self, one: Message) -> None:
        assert self._exchange is not None
        packed = aio_pika.Message(
            one.body, message_id=one.id, type=one.type, content_type=CONTENT_TYPE, headers={"stream": one.stream},
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        )  # fmt: skip
        # Mandatory: what no queue takes comes back and is an error, instead of being gone.
        await self._exchange.publish(packed, one.type, mandatory=True, timeout=PATIENCE)


async def _closed(connection: AbstractConnection) -> None:
    await asyncio.wait_for(connection.close(), 2)


async def _cancelled() -> None:
    """End what the library still runs on this loop, as readers of a broken line."""
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def _said(failure: BaseException) -> str:
    """What went wrong in a few words. A library's own sentence may hold the address, and with it a password."""
    return type(failure).__name__[:120]
