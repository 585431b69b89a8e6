"""Server-sent events as a browser hears them."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import aiohttp
import pytest

from tests.live.driving import Listener, Live

pytestmark = pytest.mark.service


def drive(live: Live, who: str | None, path: str, story) -> None:
    async def run() -> None:
        async with aiohttp.ClientSession() as http:
            listener = Listener(http, live.url + path, live.cookie(who) if who else {})
            try:
                await story(listener)
            finally:
                listener.cut()

    asyncio.run(run())


def test_an_event_arrives_whole_and_in_order(live: Live) -> None:
    async def story(listener: Listener) -> None:
        answer = await listener.open()
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Accel-Buffering"] == "no"
        hello = await listener.next()
        assert hello.name == "hello"
        await asyncio.to_thread(live.append, 1, 30, stream=str(uuid4()))
        heard = [await listener.next() for _ in range(30)]
        assert [event.data["revision"] for event in heard] == list(range(1, 31))
        first = heard[0]
        assert first.name == "message"
        assert first.data["type"] == "appointment.booked"
        assert first.data["id"] == int(first.id) == hello.data["cursor"] + 1
        assert first.data["version"] == 1
        assert first.data["at"].endswith("Z")
        assert "audience" not in first.data

    drive(live, "doctor", "/live", story)


def test_a_returning_client_hears_what_it_missed_and_nothing_twice(live: Live) -> None:
    async def story(listener: Listener) -> None:
        stream = str(uuid4())
        await listener.open()
        await listener.next()
        await asyncio.to_thread(live.append, 1, 3, stream=stream)
        heard = [(await listener.next()).data["revision"] for _ in range(2)]
        listener.cut()
        await asyncio.to_thread(live.append, 4, 3, stream=stream)
        await listener.open()
        assert (await listener.next()).name == "hello"
        heard += [(await listener.next()).data["revision"] for _ in range(4)]
        assert heard == [1, 2, 3, 4, 5, 6]

    drive(live, "patient", "/live", story)


def test_a_stranger_hears_nothing(live: Live) -> None:
    async def story(listener: Listener) -> None:
        await listener.open()
        await listener.next()
        await asyncio.to_thread(live.append, 1, 3)
        with pytest.raises(TimeoutError):
            await listener.next(1.0)

    drive(live, "other_patient", "/live", story)


def test_the_public_hears_of_availability_and_of_nothing_else(live: Live) -> None:
    async def story(listener: Listener) -> None:
        await listener.open(availability=live.people["ids"]["doctor"])
        await listener.next()
        await asyncio.to_thread(live.append, 1, 2)
        await asyncio.to_thread(live.append, 1, 1, kind="availability")
        heard = await listener.next()
        assert heard.data["type"] == "availability.changed"
        assert set(heard.data) == {"id", "type", "at", "version", "doctorId", "facilityId", "day"}

    drive(live, None, "/live", story)


def test_the_appointment_stream_names_its_events(live: Live) -> None:
    async def story(listener: Listener) -> None:
        await listener.open(hide="cancelled")
        await listener.next()
        await asyncio.to_thread(live.append, 1)
        await asyncio.to_thread(live.append, 2, kind="cancelled")
        assert [(await listener.next()).name for _ in range(2)] == ["created", "deleted"]

    drive(live, "doctor", "/api/appointments/stream", story)


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/live", {}, 401),
        ("/live?cursor=1", {}, 401),
        ("/api/appointments/stream", {}, 401),
        ("/api/appointments/stream?availability=all", {}, 401),
        ("/live?cursor=minus", {}, 400),
        ("/live?cursor=-1", {}, 400),
        ("/live?cursor=1e3", {}, 400),
        ("/live?cursor=9999999999999999999999", {}, 400),
        ("/live?availability=everything", {}, 400),
        ("/live?availability=all&access_token=abc", {}, 400),
        ("/live?availability=all", {"Last-Event-ID": "x"}, 400),
        ("/live?availability=all", {"Authorization": "Basic abc"}, 401),
        ("/live?availability=all", {"Origin": "https://elsewhere.example"}, 403),
        ("/live/other", {}, 404),
        ("/live/poll", {}, 401),
        ("/live", {"Cookie": "polyclinic_session=never-given"}, 401),
    ],
)
def test_a_bad_request_is_told_what_is_wrong(live: Live, path: str, headers: dict[str, str], status: int) -> None:
    async def run() -> None:
        async with aiohttp.ClientSession() as http, http.get(live.url + path, headers=headers) as answer:
            assert answer.status == status
            assert answer.content_type == "application/problem+json"
            assert (await answer.json())["code"]

    asyncio.run(run())


def test_a_cursor_of_another_database_is_told_to_start_afresh(live: Live) -> None:
    async def story(listener: Listener) -> None:
        await listener.open(cursor="999999999")
        await listener.next()
        resync = await listener.next()
        assert resync.name == "resync"
        await asyncio.to_thread(live.append, 1)
        assert (await listener.next()).data["id"] == resync.data["cursor"] + 1

    drive(live, "doctor", "/live", story)


def test_polling_gives_the_same_events(live: Live) -> None:
    async def run() -> None:
        async with aiohttp.ClientSession(headers=live.cookie("patient")) as http:

            async def poll(**query: object) -> dict:
                async with http.get(f"{live.url}/live/poll", params=query) as answer:
                    assert answer.status == 200
                    return await answer.json()

            start = await poll()
            assert start["events"] == []
            stream = str(uuid4())
            await asyncio.to_thread(live.append, 1, 3, stream=stream)
            async with asyncio.timeout(60):
                seen, cursor = [], start["cursor"]
                while len(seen) < 3:
                    answer = await poll(cursor=cursor)
                    seen += [event["revision"] for event in answer["events"] if event["appointmentId"] == stream]
                    cursor = answer["cursor"]
            assert seen == [1, 2, 3]
            assert (await poll(cursor=999999999))["resync"] is True

    asyncio.run(run())


def test_an_ended_session_is_silent_within_five_seconds(live: Live) -> None:
    session = live.call("sessions", doctor=live.people["ids"]["doctor"], count=1)["sessions"][0]

    async def run() -> None:
        async with aiohttp.ClientSession() as http:
            listener = Listener(http, live.url + "/live", {"Cookie": f"polyclinic_session={session}"})
            await listener.open()
            await listener.next()
            await asyncio.to_thread(live.call, "revoke", session=session)
            async with asyncio.timeout(5):
                assert (await listener.next()).name == "signed-out"
                assert await listener.next() is None
            assert (await listener.open()).status == 401
            listener.cut()

    asyncio.run(run())
