"""The live gateway alone behind uvicorn, with a door for tests to make events and end sessions.

Only the gateway: what a whole server adds (pages, headers) is tested with the whole server.
"""

from __future__ import annotations

import asyncio
import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "polyclinic.settings.test")

import django

django.setup()

from uuid import UUID  # noqa: E402 - Django must be set up first

import msgspec  # noqa: E402
from django.contrib.auth import SESSION_KEY  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import transaction  # noqa: E402

from polyclinic.core import clock  # noqa: E402
from polyclinic.core.outbox import log  # noqa: E402
from polyclinic.live import gateway, history, sockets, sse  # noqa: E402
from polyclinic.people.models import Account, Session  # noqa: E402
from polyclinic.people.sessions import SessionStore  # noqa: E402
from polyclinic.scheduling.events import AppointmentBooked, AppointmentCancelled, AvailabilityChanged  # noqa: E402
from tests import house as houses  # noqa: E402

if os.environ.get("LIVE_RING"):
    history.RING = int(os.environ["LIVE_RING"])
    history.Ring.__init__.__defaults__ = (history.RING,)
if os.environ.get("LIVE_NO_REPLAY"):

    async def _nothing(*_arguments):
        return None

    gateway.Gateway._replay = _nothing


def _session(account):
    store = SessionStore()
    store[SESSION_KEY] = str(account.pk)
    store.create()
    return store.session_key


def _setup(_ask):
    house = houses.build()
    who = {"patient": house.patient, "other_patient": house.other_patient, "doctor": house.doctor}
    return {
        "sessions": {name: _session(person.account) for name, person in who.items()},
        "ids": {name: str(person.pk) for name, person in who.items()},
        "facility": str(house.facility.pk),
    }


def _append(ask):
    kinds = {"booked": AppointmentBooked, "cancelled": AppointmentCancelled}
    kind, stream = kinds.get(ask.get("kind", "booked"), AppointmentBooked), UUID(ask.get("stream", str(UUID(int=7))))
    now = clock.now()
    for n in range(ask["first"], ask["first"] + ask.get("count", 1)):
        event = kind(stream, UUID(ask["doctor"]), UUID(ask["patient"]), UUID(ask["facility"]), now, now, "booked", n)
        if ask.get("kind") == "availability":
            event = AvailabilityChanged(UUID(ask["doctor"]), UUID(ask["facility"]), "2030-01-01")
        with transaction.atomic():
            log.append(event)
    return {"at": clock.now().timestamp()}


def _revoke(ask):
    Session.objects.filter(session_key=ask["session"]).delete()
    return {}


def _sessions(ask):
    account = Account.objects.get(doctor__pk=ask["doctor"])
    return {"sessions": [_session(account) for _ in range(ask["count"])]}


def _metrics(_ask):
    return gateway.gateway.metrics()


_DOORS = {"/setup": _setup, "/append": _append, "/revoke": _revoke, "/sessions": _sessions, "/metrics": _metrics}


async def application(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await asyncio.to_thread(call_command, "migrate", verbosity=0)
                await gateway.start()
                await send({"type": "lifespan.startup.complete"})
            else:
                await gateway.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return
    elif scope["path"].startswith("/socket.io"):
        await sockets.app(scope, receive, send)
    elif scope["path"] in _DOORS:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        answer = await asyncio.to_thread(_DOORS[scope["path"]], msgspec.json.decode(body or b"{}"))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": msgspec.json.encode(answer)})
    else:
        await sse.app(scope, receive, send)
