"""Socket.IO as a client of any make sees it."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
import socketio

from tests.live.driving import Live

pytestmark = pytest.mark.service


class Ear:
    """A Socket.IO client that keeps everything it hears."""

    def __init__(self, live: Live, who: str | None) -> None:
        self.live = live
        self.headers = live.cookie(who) if who else {}
        self.heard: list[tuple[str, Any]] = []
        self._news = asyncio.Event()
        self._http = aiohttp.ClientSession()
        self.client = socketio.AsyncClient(reconnection=False, http_session=self._http)
        self.client.on("*", self._hear)
        self.client.on("disconnect", self._news.set)

    async def _hear(self, name: str, data: Any) -> None:
        self.heard.append((name, data))
        self._news.set()

    async def connect(self, transports: tuple[str, ...] = ("websocket",), **auth: Any) -> None:
        await self.client.connect(
            self.live.url, headers=self.headers, auth=auth or None, transports=list(transports), wait_timeout=60
        )

    async def close(self) -> None:
        """Go away. On long polling the client library may wait for the server's next ping, half a minute, because its
        writer stops before the closing packet is sent; then its reader is cut off, as a lost line would do."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.client.disconnect(), 0.5)
        await self._http.close()

    def of(self, name: str) -> list[Any]:
        return [data for heard, data in self.heard if heard == name]

    async def until(self, reached, seconds: float = 30.0) -> None:
        async with asyncio.timeout(seconds):
            while not reached():
                self._news.clear()
                await self._news.wait()


def drive(live: Live, who: str | None, story) -> None:
    async def run() -> None:
        ear = Ear(live, who)
        try:
            await story(ear)
        finally:
            await ear.close()

    asyncio.run(run())


def test_every_name_of_a_booking_is_spoken(live: Live) -> None:
    async def story(ear: Ear) -> None:
        await ear.connect()
        stream = str(uuid4())
        await asyncio.to_thread(live.append, 1, stream=stream)
        await asyncio.to_thread(live.append, 2, stream=stream, kind="cancelled")
        await ear.until(lambda: len(ear.heard) >= 8)
        names = [name for name, _data in ear.heard]
        assert names == [
            "hello", "appointment.booked", "appointment:booked", "appointment:update",
            "appointment.cancelled", "appointment:updated", "appointment-updated", "appointment:update",
        ]  # fmt: skip
        assert ear.of("appointment:booked")[0]["appointmentId"] == stream

    drive(live, "doctor", story)


@pytest.mark.parametrize("transports", [("websocket",), ("polling",), ("polling", "websocket")])
def test_nothing_is_lost_or_out_of_order(live: Live, transports: tuple[str, ...]) -> None:
    """Events are made while the connection comes up, so the way by queue, by upgrade and straight are all taken."""

    async def story(ear: Ear) -> None:
        stream = str(uuid4())
        # From here and not from the beginning: what other tests have logged may be too much to replay in time.
        start = live.call("metrics")["position"]
        writing = asyncio.create_task(asyncio.to_thread(live.append, 1, 400, stream=stream))
        await ear.connect(transports, aliases=False, cursor=start)
        await writing

        def mine() -> list[int]:
            events = ear.of("appointment.booked")
            return [event["revision"] for event in events if event["appointmentId"] == stream]

        await ear.until(lambda: len(mine()) >= 400, 60)
        assert mine() == list(range(1, 401))

    drive(live, "doctor", story)


def test_a_cursor_resumes_after_a_cut(live: Live) -> None:
    async def story(ear: Ear) -> None:
        stream = str(uuid4())
        await ear.connect(aliases=False)
        await asyncio.to_thread(live.append, 1, 2, stream=stream)
        await ear.until(lambda: len(ear.of("appointment.booked")) == 2)
        cursor = ear.of("appointment.booked")[-1]["id"]
        assert (await ear.client.call("ack", {"cursor": cursor}))["cursor"] == cursor
        await ear.client.disconnect()
        await asyncio.to_thread(live.append, 3, 2, stream=stream)
        again = Ear(live, "doctor")
        await again.connect(aliases=False, cursor=cursor)
        await again.until(lambda: len(again.of("appointment.booked")) == 2)
        assert [event["revision"] for event in again.of("appointment.booked")] == [3, 4]
        answer = await again.client.call("resume", {"cursor": cursor})
        assert answer["ok"]
        await again.until(lambda: len(again.of("appointment.booked")) == 4)
        await again.close()

    drive(live, "doctor", story)


def test_rooms_are_joined_by_right(live: Live) -> None:
    async def story(ear: Ear) -> None:
        await ear.connect()
        ids = live.people["ids"]
        refused = await ear.client.call("join-room", f"patient:{ids['other_patient']}")
        assert refused["ok"] is False
        assert refused["code"] == "room_refused"
        assert refused["detail"]
        assert (await ear.client.call("join-room", "reception"))["ok"] is False
        assert (await ear.client.call("join-room", {"room": "doctor"}))["rooms"] == [f"doctor:{ids['doctor']}"]
        assert (await ear.client.call("join-room", "availability:all"))["ok"] is True
        for nonsense in (None, 7, {}, "", "x" * 500, "availability:nobody"):
            assert (await ear.client.call("join-room", nonsense))["ok"] is False

    drive(live, "doctor", story)


def test_a_stranger_hears_nothing(live: Live) -> None:
    async def story(ear: Ear) -> None:
        await ear.connect()
        await asyncio.to_thread(live.append, 1, 3)
        with pytest.raises(TimeoutError):
            await ear.until(lambda: len(ear.heard) > 1, 1.0)

    drive(live, "other_patient", story)


@pytest.mark.parametrize("auth", [{}, {"token": "abc"}, {"token": 5}, {"token": "x" * 9000}])
def test_a_stranger_is_refused_with_a_reason(live: Live, auth: dict[str, Any]) -> None:
    async def story(ear: Ear) -> None:
        with pytest.raises(socketio.exceptions.ConnectionError):
            await ear.connect(**auth)

    drive(live, None, story)


@pytest.mark.parametrize("transports", [("websocket",), ("polling",)])
def test_a_page_of_another_origin_cannot_listen_with_its_visitors_cookies(
    live: Live, transports: tuple[str, ...]
) -> None:
    """Browsers send the cookies along to any WebSocket; a person's own page, by the same cookies, is let in."""

    async def story(ear: Ear) -> None:
        own = ear.headers
        for strange in ("https://elsewhere.example", "null", live.url + ".evil.example"):
            ear.headers = {**own, "Origin": strange}
            with pytest.raises(socketio.exceptions.ConnectionError):
                await ear.connect(transports)
        ear.headers = {**own, "Origin": live.url}
        await ear.connect(transports)

    drive(live, "doctor", story)


def test_a_bad_cursor_is_refused(live: Live) -> None:
    async def story(ear: Ear) -> None:
        with pytest.raises(socketio.exceptions.ConnectionError):
            await ear.connect(cursor="yesterday")

    drive(live, "doctor", story)


def test_a_bad_request_is_acknowledged_with_the_field(live: Live) -> None:
    async def story(ear: Ear) -> None:
        await ear.connect()
        answer = await ear.client.call("appointment-update", {"appointmentId": "x", "status": "confirmed"})
        assert (answer["ok"], answer["field"]) == (False, "appointmentId")
        answer = await ear.client.call("appointment-update", {"appointmentId": str(uuid4()), "status": "eaten"})
        assert (answer["ok"], answer["field"]) == (False, "status")
        answer = await ear.client.call("appointment-update", {"appointmentId": str(uuid4()), "status": "confirmed"})
        assert (answer["ok"], answer["status"]) == (False, 404)
        assert (await ear.client.call("resume", {"cursor": "x"}))["field"] == "cursor"

    drive(live, "doctor", story)


def test_an_ended_session_is_disconnected(live: Live) -> None:
    session = live.call("sessions", doctor=live.people["ids"]["doctor"], count=1)["sessions"][0]
    live.people["sessions"]["leaving"] = session

    async def story(ear: Ear) -> None:
        await ear.connect()
        await asyncio.to_thread(live.call, "revoke", session=session)
        await ear.until(lambda: not ear.client.connected, 5)
        assert ear.of("signed-out")

    drive(live, "leaving", story)
