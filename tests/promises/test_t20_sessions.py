"""T20: a session ends by itself when nobody uses it, after twelve hours in any case, and everywhere when told to."""

from __future__ import annotations

import asyncio
import http.client
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
import socketio
from django.conf import settings as configured
from django.test import Client

from polyclinic.core import clock
from polyclinic.core.errors import Forbidden, NotFound
from polyclinic.core.models import AuditEntry
from polyclinic.facilities import identity, sessions
from polyclinic.notify.models import Notice
from polyclinic.people.models import Session
from polyclinic.people.sessions import SessionStore
from polyclinic.settings.declared import SETTINGS
from tests.house import PASSWORD, House
from tests.live.driving import Listener
from tests.portals.conftest import form, send
from tests.seeding import sign_in
from tests.server import CSRF, Server, server

__all__ = ["server"]
EMAIL = "meera@example.org"


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 21, 8, tzinfo=UTC)

    def forward(self, **much: float) -> None:
        self.now += timedelta(**much)
        identity.forget()


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Clock:
    held = Clock()
    monkeypatch.setattr(clock, "_source", lambda: held.now)
    return held


def browser(key: str) -> Client:
    client = Client(enforce_csrf_checks=True)
    client.cookies[configured.SESSION_COOKIE_NAME] = key
    return client


def status(client: Client, **headers: str) -> int:
    identity.forget()
    return client.get("/my", headers=headers).status_code


def test_t20_fifteen_minutes_is_the_default() -> None:
    assert {row.name: row.default for row in SETTINGS}["SESSION_IDLE_MINUTES"] == "15"


def test_t20_idle_ends_and_use_does_not(house: House, at: Clock) -> None:
    used, idle = (browser(sign_in(["patient"])["patient"]) for _ in range(2))
    for _time in range(5):
        at.forward(minutes=14)
        assert status(used) == 200
    assert used.get("/my").status_code == 200
    assert status(idle) == 303
    at.forward(minutes=15)
    assert status(used) == 303


def test_t20_what_an_open_page_asks_by_itself_is_no_use(house: House, at: Clock) -> None:
    left, control = (browser(sign_in(["patient"])["patient"]) for _ in range(2))
    for _time in range(7):
        at.forward(minutes=2)
        assert status(left, **{"X-Requested-With": "live"}) == 200
        # Negative control: without the mark the same request keeps the session.
        assert status(control) == 200
    at.forward(minutes=2)
    assert status(left, **{"X-Requested-With": "live"}) == 303
    assert status(control) == 200


def test_t20_twelve_hours_are_the_most_however_often_it_is_used_or_saved(house: House, at: Clock) -> None:
    key = sign_in(["patient"])["patient"]
    client = browser(key)
    for _time in range(71):
        at.forward(minutes=10)
        assert status(client) == 200
        # Whatever writes to the session must not lengthen it.
        store = SessionStore(key)
        store["note"] = str(at.now)
        store.save()
    at.forward(minutes=10)
    assert status(client) == 303


def test_t20_the_product_s_clock_alone_says_when(house: House, at: Clock) -> None:
    """Django asks the system's clock, by which everything here ended long ago."""
    at.now = datetime(2001, 1, 1, 8, tzinfo=UTC)
    client = browser(sign_in(["patient"])["patient"])
    assert status(client) == 200
    store = SessionStore(client.cookies[configured.SESSION_COOKIE_NAME].value)
    assert store.load()
    at.forward(hours=13)
    ended = SessionStore(client.cookies[configured.SESSION_COOKIE_NAME].value)
    assert ended.load() == {}
    assert status(client) == 303


def test_t20_signing_in_again_begins_anew(house: House, at: Clock) -> None:
    key = sign_in(["patient"])["patient"]
    client = browser(key)
    at.forward(hours=11)
    assert status(client) == 303
    page = client.get("/sign-in")
    # Asked a moment ago, the ended session is remembered as ended; the new one must not be taken for it.
    assert send(client, page, "/sign-in", email=EMAIL, password=PASSWORD).status_code == 303
    assert client.get("/my").status_code == 200
    fresh = Session.objects.get()
    assert fresh.session_key != key
    assert (fresh.started_at, fresh.expire_date) == (at.now, at.now + timedelta(hours=12))


def test_t20_how_long_is_left_is_told_without_being_use(house: House, at: Clock) -> None:
    client = browser(sign_in(["patient"])["patient"])
    home = client.get("/my")
    at.forward(minutes=10)
    quiet = {"Accept": "application/json", "X-Requested-With": "live"}
    for _time in range(2):
        assert client.get("/account/session", headers=quiet).json()["secondsLeft"] == 300
    token = form(home, "/sign-out")["fields"]["csrfmiddlewaretoken"]
    say = {"csrfmiddlewaretoken": token}
    # Typing two minutes ago counts from then, "stay" from now, and nothing takes a later use back.
    typed = client.post("/account/session", {**say, "idle": "120"}, headers=quiet)
    assert typed.json()["secondsLeft"] == 13 * 60
    assert client.post("/account/session", {**say, "idle": "0"}, headers=quiet).json()["secondsLeft"] == 15 * 60
    assert client.post("/account/session", {**say, "idle": "600"}, headers=quiet).json()["secondsLeft"] == 15 * 60
    at.forward(minutes=15)
    ended = client.post("/account/session", {**say, "idle": "0"}, headers=quiet)
    assert ended.status_code == 401
    assert "draftKey" not in ended.content.decode()


def test_t20_drafts_are_locked_for_their_own_person(house: House) -> None:
    def key(who: str) -> Any:
        return browser(sign_in([who])[who]).get("/account/session").json()["draftKey"]

    assert key("patient") == key("patient") != key("other_patient")


def test_t20_the_list_names_sessions_without_giving_them_away(house: House) -> None:
    key = sign_in(["patient"])["patient"]
    other = identity.open_api_session(house.patient.account, "curl/8")
    sign_in(["other_patient"])
    me = identity.person_of_session(key)
    assert me is not None
    rows = sessions.sessions(me)
    assert {row.kind for row in rows} == {"web", "api"}
    assert [row.current for row in rows if row.kind == "web"] == [True]
    page = browser(key).get("/account/sessions").content.decode()
    assert "This one" in page
    assert key not in page
    assert other not in page


def test_t20_ending_one_ends_that_one_and_nobody_elses(house: House) -> None:
    mine, second = (identity.open_api_session(house.patient.account) for _ in range(2))
    foreign = identity.open_api_session(house.doctor.account)
    me, doctor = identity.person_of_session(mine), identity.person_of_session(foreign)
    assert me is not None
    assert doctor is not None
    with pytest.raises(NotFound):
        sessions.end(actor=me, name=sessions.sessions(doctor)[0].id)
    name = next(row.id for row in sessions.sessions(me) if not row.current)
    assert sessions.end(actor=me, name=name) is False
    assert set(Session.objects.values_list("session_key", flat=True)) == {mine, foreign}
    assert identity.person_of_session(second) is None
    assert AuditEntry.objects.filter(action="session.end").count() == 1


def test_t20_ending_all_others_is_told_to_their_person_once(house: House) -> None:
    keys = [identity.open_api_session(house.patient.account) for _ in range(4)]
    me = identity.person_of_session(keys[0])
    assert me is not None
    assert sessions.end_others(actor=me) == 3
    assert sessions.end_others(actor=me) == 0
    assert [identity.person_of_session(key) is None for key in keys] == [False, True, True, True]
    assert list(Notice.objects.values_list("kind", flat=True)) == ["sessions_ended"]


def test_t20_whoever_looks_through_anothers_eyes_ends_nothing(house: House) -> None:
    from dataclasses import replace

    key = identity.open_api_session(house.patient.account)
    me = identity.person_of_session(key)
    assert me is not None
    with pytest.raises(Forbidden):
        sessions.end_others(actor=replace(me, seen_by=house.manager.pk))


@pytest.mark.service
def test_t20_signing_out_everywhere_cuts_pages_streams_sockets_and_tokens_within_five_seconds(server: Server) -> None:
    keys = [server.session("doctor") for _ in range(3)]
    here, stream, socket = ({"polyclinic_session": key, "polyclinic_csrf": CSRF} for key in keys)
    login = {"email": "dr.anil@example.org", "password": PASSWORD}
    answer = json.loads(server.request("POST", "/api/auth/login", body=login)[2])
    bearer = {"Authorization": f"Bearer {answer['accessToken']}"}

    def allowed(cookies: Any = None, headers: Any = None) -> bool:
        return server.request("GET", "/api/auth/me", cookies=cookies, headers=headers)[0] == 200

    def press() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        connection.request(
            "POST", "/account/sessions/others/end", f"csrfmiddlewaretoken={CSRF}",
            {"Cookie": "; ".join(f"{n}={v}" for n, v in here.items()),
             "Content-Type": "application/x-www-form-urlencoded"},
        )  # fmt: skip
        assert connection.getresponse().status == 303
        connection.close()

    async def run() -> list[float]:
        ended: list[float] = []
        async with aiohttp.ClientSession() as web:
            listener = Listener(web, server.base_url + "/live", {"Cookie": f"polyclinic_session={keys[1]}"})
            await listener.open()
            await listener.next()
            client = socketio.AsyncClient(reconnection=False)
            client.on("disconnect", lambda *_given: ended.append(time.monotonic()))
            cookie = {"Cookie": f"polyclinic_session={keys[2]}"}
            await client.connect(server.base_url, headers=cookie, transports=["websocket"])
            assert [allowed(stream), allowed(socket), allowed(headers=bearer)] == [True] * 3
            began = time.monotonic()
            await asyncio.to_thread(press)
            assert [allowed(stream), allowed(socket), allowed(headers=bearer)] == [False] * 3
            while (await listener.next(5)).name != "signed-out":
                pass
            ended.append(time.monotonic())
            while len(ended) < 2 and time.monotonic() - began < 6:
                await asyncio.sleep(0.05)
            listener.cut()
            await client.disconnect()
        return [moment - began for moment in ended]

    took = asyncio.run(run())
    assert len(took) >= 2
    assert max(took[:2]) < 5
    assert allowed(here)
