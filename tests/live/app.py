"""The live gateway alone behind uvicorn, with a door for tests to make events and end sessions.

Only the gateway: what a whole server adds (pages, headers) is tested with the whole server.
"""

from __future__ import annotations

import asyncio
import os
import threading
from datetime import timedelta

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "polyclinic.settings.test")

import django

django.setup()

from uuid import UUID  # noqa: E402 - Django must be set up first

import msgspec  # noqa: E402
from django.contrib.auth import SESSION_KEY  # noqa: E402
from django.db import connection, transaction  # noqa: E402

from polyclinic.api import tokens  # noqa: E402
from polyclinic.core import clock  # noqa: E402
from polyclinic.core.outbox import log  # noqa: E402
from polyclinic.facilities import identity  # noqa: E402
from polyclinic.facilities.models import Membership  # noqa: E402
from polyclinic.live import gateway, history, sockets, sse  # noqa: E402
from polyclinic.people.models import Account, Patient, Session  # noqa: E402
from polyclinic.people.sessions import SessionStore  # noqa: E402
from polyclinic.scheduling import actions, selectors  # noqa: E402
from polyclinic.scheduling.events import AppointmentBooked, AppointmentCancelled, AvailabilityChanged  # noqa: E402
from polyclinic.scheduling.models import Schedule  # noqa: E402
from tests import house as houses  # noqa: E402
from tests import schema  # noqa: E402

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
        "accounts": {name: str(person.account_id) for name, person in who.items()},
        "ids": {name: str(person.pk) for name, person in who.items()},
        "facility": str(house.facility.pk),
    }


def _sign_in(ask):
    """A new session for each account named."""
    return {name: _session(Account.objects.get(pk=key)) for name, key in ask["accounts"].items()}


def _append(ask):
    kinds = {"booked": AppointmentBooked, "cancelled": AppointmentCancelled}
    kind, stream = kinds.get(ask.get("kind", "booked"), AppointmentBooked), UUID(ask.get("stream", str(UUID(int=7))))
    now = clock.now()
    if ask.get("together"):
        with transaction.atomic():
            return _append({**ask, "together": False})
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


def _leave_alone(ask):
    """As if the session had not been used for so many minutes."""
    Session.objects.filter(session_key=ask["session"]).update(seen_at=clock.now() - timedelta(minutes=ask["minutes"]))
    identity.forget(ask["session"])
    return {}


def _member(ask):
    """Give the doctor's account a role at the facility, or end it."""
    account = Account.objects.get(doctor__pk=ask["doctor"])
    if ask["ended"]:
        Membership.objects.filter(account=account).update(ended_at=clock.now())
    else:
        Membership.objects.create(account=account, facility_id=UUID(ask["facility"]), role=ask["role"])
    return {}


def _token(ask):
    issued = tokens.issue(Account.objects.get(doctor__pk=ask["doctor"]))
    return {"token": issued.token, "session": issued.session}


def _book(ask):
    """A real booking; the nth slot of the doctor's schedule."""
    schedule = Schedule.objects.get(doctor__pk=ask["doctor"])
    patient = Patient.objects.get(pk=ask["patient"])
    person = identity.person_of_account(patient.account_id)
    free = selectors.first_free(person, schedule_id=schedule.pk, limit=ask.get("nth", 1))[-1]
    made = actions.book(actor=person, patient_id=patient.pk, schedule_id=schedule.pk, starts=free.starts)
    return {"id": str(made.pk), "version": made.version}


_release = threading.Event()
_open = []


def _hold_open(ask):
    """Write an event and leave its transaction open until `/commit`; the row has its id by then."""
    written = threading.Event()
    _release.clear()

    def write():
        try:
            with transaction.atomic():
                _append(ask)
                written.set()
                _release.wait(30)
        finally:
            connection.close()

    _open.append(threading.Thread(target=write))
    _open[-1].start()
    return {"written": written.wait(10)}


def _commit(_ask):
    _release.set()
    _open.pop().join(10)
    return {}


def _metrics(_ask):
    return gateway.gateway.metrics()


_DOORS = {
    "/setup": _setup,
    "/sign-in": _sign_in,
    "/append": _append,
    "/revoke": _revoke,
    "/sessions": _sessions,
    "/metrics": _metrics,
}
_DOORS |= {"/leave-alone": _leave_alone, "/member": _member, "/token": _token, "/book": _book}
_DOORS |= {"/hold-open": _hold_open, "/commit": _commit}


async def application(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await asyncio.to_thread(schema.migrate)
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
