"""The server processes of `bench/fanout.py`: the whole application with one door more, and its bare twins.

The door writes events in a transaction of its own and says when it committed (CLOCK_MONOTONIC, nanoseconds, which all
processes of a machine share). It exists here alone; the product has no such door.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

import uvicorn

PAYLOAD_BYTES = 300
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


async def _answer(send: Send, document: dict[str, Any]) -> None:
    body = json.dumps(document).encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def application() -> App:
    """The product's own application; `GET /bench?kind=booked|note&count=…` is answered here, before it."""
    import msgspec
    from django.db import transaction

    from polyclinic.core import clock
    from polyclinic.core.ids import new_id
    from polyclinic.core.outbox import log, rooms
    from polyclinic.core.outbox.events import Event, event
    from polyclinic.live import gateway
    from polyclinic.people.models import Doctor
    from polyclinic.scheduling.events import AppointmentBooked
    from polyclinic.scheduling.models import Schedule
    from polyclinic.web.app import application as product

    @event("bench.note", "An event of a given length.")
    class Note(Event, frozen=True, rename="camel"):
        doctor_id: Any
        text: str

        def stream(self) -> str:
            return f"bench:{self.doctor_id}"

        def stream_seq(self) -> int:
            return 0

        def audience(self) -> tuple[str, ...]:
            return (rooms.doctor(self.doctor_id),)

    doctor = Doctor.objects.get(family_name="Rao")
    schedule = Schedule.objects.filter(doctor=doctor).get()
    used = len(msgspec.json.encode(Note(doctor.pk, ""))) + len('"id":1234,"type":"bench.note","at":"","version":1,')
    padding = "x" * (PAYLOAD_BYTES - used - len(clock.now().isoformat()))

    def made(kind: str) -> Event:
        if kind == "note":
            return Note(doctor.pk, padding)
        now = clock.now()
        return AppointmentBooked(new_id(), doctor.pk, new_id(), schedule.facility_id, now, now, "booked", 1)

    def write(kind: str, count: int) -> int:
        committed: list[int] = []
        with transaction.atomic():
            # Asked first, hence called before the log wakes its readers.
            transaction.on_commit(lambda: committed.append(time.monotonic_ns()))
            for _ in range(count):
                log.append(made(kind))
        return committed[0]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != "/bench":
            await product(scope, receive, send)
            return
        asked = parse_qs(scope["query_string"].decode())
        at = await product.workers.call(lambda: write(asked["kind"][0], int(asked["count"][0])))
        await _answer(send, {"at": at, **gateway.gateway.metrics()})

    return app


class Twin:
    """The least that can be called a broadcaster: a set of open clients, and one `send` after the other."""

    def __init__(self) -> None:
        self._streams: set[Send] = set()
        self._sockets: set[Send] = set()

    async def _broadcast(self, count: int) -> int:
        start, text = time.monotonic_ns(), "x" * (PAYLOAD_BYTES - 30)
        for number in range(count):
            body = f'{{"id":{number:06d},"type":"bench","t":"{text}"}}'
            chunk = f"id: {number}\ndata: {body}\n\n".encode()
            frame = {"type": "http.response.body", "body": chunk, "more_body": True}
            packet = {"type": "websocket.send", "text": f'42["bench.note",{body}]'}
            for send in tuple(self._streams):
                await send(frame)
            for send in tuple(self._sockets):
                await send(packet)
            await asyncio.sleep(0)
        return start

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            for _phase in range(2):
                await send({"type": f"{(await receive())['type']}.complete"})
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            await _hold(self._sockets, receive, send)
        elif scope["path"] == "/bench":
            asked = parse_qs(scope["query_string"].decode())
            await _answer(send, {"at": await self._broadcast(int(asked["count"][0]))})
        elif scope["path"] == "/live":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"event: hello\ndata: {}\n\n", "more_body": True})
            await _hold(self._streams, receive, send)
        else:
            await _answer(send, {})


async def _hold(clients: set[Send], receive: Receive, send: Send) -> None:
    clients.add(send)
    while not (await receive())["type"].endswith(".disconnect"):
        pass
    clients.discard(send)


def main() -> None:
    given = argparse.ArgumentParser()
    given.add_argument("what", choices=["app", "twin"])
    given.add_argument("--port", type=int, required=True)
    given.add_argument("--core", type=int, default=0)
    args = given.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {args.core})
    if args.what == "app":
        import django

        django.setup(set_prefix=False)
        from polyclinic.commands.serve import _options

        serving = argparse.Namespace(trust_proxy="", workers=1)
        options = {**_options(serving), "app": application()}
    else:
        options = {
            "app": Twin(), "http": "httptools", "loop": "uvloop", "ws": "websockets-sansio", "lifespan": "on",
            "ws_per_message_deflate": False, "log_config": None, "access_log": False, "timeout_graceful_shutdown": 1,
        }  # fmt: skip
    uvicorn.run(port=args.port, backlog=4096, **options)


if __name__ == "__main__":
    main()
