"""Who may listen, and for how long: idle sign-off, changed roles, tokens."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import uuid4

import aiohttp
import pytest
from django.contrib.auth import SESSION_KEY

from polyclinic.core import clock
from polyclinic.facilities import identity
from polyclinic.people.models import Session
from polyclinic.people.sessions import SessionStore
from tests.house import House
from tests.live.driving import Listener, Live
from tests.live.test_sockets import Ear


def session(house: House, idle_minutes: int) -> str:
    store = SessionStore()
    store[SESSION_KEY] = str(house.doctor.account.pk)
    store.create()
    seen = clock.now() - timedelta(minutes=idle_minutes)
    Session.objects.filter(session_key=store.session_key).update(seen_at=seen)
    return str(store.session_key)


def seen(key: str):
    return Session.objects.get(session_key=key).seen_at


def test_a_session_left_alone_too_long_is_not_alive(house: House) -> None:
    used, idle = session(house, 10), session(house, 24 * 60)
    assert identity.alive([used, idle]) == {used}
    assert identity.person_of_session(idle, touch=False) is None


def test_listening_does_not_count_as_use_and_a_request_does(house: House) -> None:
    key = session(house, 10)
    before = seen(key)
    assert identity.person_of_session(key, via="live", touch=False) is not None
    assert identity.alive([key]) == {key}
    assert seen(key) == before
    # The answer just remembered for the listener must not hide that the person is at work.
    assert identity.person_of_session(key) is not None
    assert seen(key) > before


@pytest.mark.service
def test_an_idle_session_is_signed_out_of_its_stream(live: Live) -> None:
    key = live.call("sessions", doctor=live.people["ids"]["doctor"], count=1)["sessions"][0]

    async def run() -> None:
        async with aiohttp.ClientSession() as http:
            listener = Listener(http, live.url + "/live", {"Cookie": f"polyclinic_session={key}"})
            await listener.open()
            await listener.next()
            await asyncio.to_thread(live.call, "leave-alone", session=key, minutes=24 * 60)
            assert (await listener.next(5)).name == "signed-out"
            assert (await listener.open()).status == 401
            listener.cut()

    asyncio.run(run())


@pytest.mark.service
def test_a_changed_role_changes_what_is_heard(live: Live) -> None:
    ids, facility = live.people["ids"], live.people["facility"]
    # An appointment of a colleague: only the facility's front desk and its manager may hear of it.
    others = {"doctor": str(uuid4()), "patient": ids["other_patient"]}

    async def heard_within(listener: Listener, seconds: float) -> bool:
        stream = str(uuid4())
        until = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < until:
            await asyncio.to_thread(live.append, 1, stream=stream, **others)
            try:
                while True:
                    event = await listener.next(0.5)
                    if event.name == "message" and event.data["appointmentId"] == stream:
                        return True
            except TimeoutError:
                continue
        return False

    async def run() -> None:
        async with aiohttp.ClientSession() as http:
            listener = Listener(http, live.url + "/live", live.cookie("doctor"))
            await listener.open()
            await listener.next()
            assert not await heard_within(listener, 1)
            member = {"doctor": ids["doctor"], "facility": facility, "role": "receptionist"}
            await asyncio.to_thread(live.call, "member", ended=False, **member)
            assert await heard_within(listener, 15)
            await asyncio.to_thread(live.call, "member", ended=True, **member)
            async with asyncio.timeout(15):
                while await heard_within(listener, 0.4):
                    pass
            listener.cut()

    asyncio.run(run())


@pytest.mark.service
def test_a_token_opens_a_stream_and_its_end_closes_it(live: Live) -> None:
    issued = live.call("token", doctor=live.people["ids"]["doctor"])

    async def run() -> None:
        async with aiohttp.ClientSession() as http:
            bearer = {"Authorization": f"Bearer {issued['token']}"}
            listener = Listener(http, live.url + "/api/appointments/stream", bearer)
            assert (await listener.open()).status == 200
            await listener.next()
            await asyncio.to_thread(live.append, 1)
            assert (await listener.next()).name == "created"
            await asyncio.to_thread(live.call, "revoke", session=issued["session"])
            assert (await listener.next(5)).name == "signed-out"
            assert (await listener.open()).status == 401
            forged = {"Authorization": f"Bearer {issued['token'][:-4]}AAAA"}
            async with http.get(live.url + "/live", headers=forged) as answer:
                assert answer.status == 401
            listener.cut()

    asyncio.run(run())


@pytest.mark.service
def test_a_doctor_confirms_over_the_socket_and_hears_it(live: Live) -> None:
    ids = live.people["ids"]
    issued = live.call("token", doctor=ids["doctor"])
    booked = live.call("book", doctor=ids["doctor"], patient=ids["patient"])

    async def run() -> None:
        ear, stranger = Ear(live, None), Ear(live, "other_patient")
        await ear.connect(token=issued["token"])
        await stranger.connect()
        ask = {"appointmentId": booked["id"], "status": "confirmed", "version": booked["version"]}
        refused = await stranger.client.call("appointment-update", ask)
        assert (refused["ok"], refused["status"]) == (False, 404)
        answer = await ear.client.call("appointment-update", ask)
        assert answer["ok"] is True
        assert answer["appointment"]["status"] == "confirmed"
        assert answer["appointment"]["version"] == booked["version"] + 1
        await ear.until(lambda: ear.of("appointment:updated"))
        assert ear.of("appointment.confirmed")
        assert ear.of("appointment:updated")[0]["appointmentId"] == booked["id"]
        late = await ear.client.call("appointment-update", {**ask, "status": "completed"})
        assert (late["ok"], late["status"]) == (False, 412)
        await ear.close()
        await stranger.close()

    asyncio.run(run())
