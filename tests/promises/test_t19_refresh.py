"""T19: a refresh token used again revokes its family, session and sockets within 5 s, and its person is told."""

from __future__ import annotations

import asyncio
import json
import random
import time
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from polyclinic.core import clock
from polyclinic.core.models import AuditEntry
from polyclinic.facilities import identity
from polyclinic.notify.models import Notice
from polyclinic.people.models import Session
from polyclinic.tokens import refresh
from polyclinic.tokens.models import RefreshFamily, RefreshToken
from tests.api.calling import Answer, call
from tests.house import PASSWORD, House
from tests.live.driving import Listener
from tests.server import Server, server

__all__ = ["server"]
CREDENTIALS = {"email": "meera@example.org", "password": PASSWORD}


@pytest.fixture
def signed_in(house: House) -> dict[str, Any]:
    """What an app holds after signing in."""
    answer = call("POST", "/api/auth/login", body=CREDENTIALS)
    assert answer.status == 200
    return dict(answer.json)


def renew(held: dict[str, Any], **changed: object) -> Answer:
    body = {"refreshToken": held["refreshToken"], "device": held["device"], **changed}
    return call("POST", "/api/auth/refresh", body=body)


def me(held: dict[str, Any]) -> int:
    return call("GET", "/api/auth/me", headers={"Authorization": f"Bearer {held['accessToken']}"}).status


def test_a_token_is_good_for_one_renewal(signed_in: dict[str, Any]) -> None:
    following = renew(signed_in)
    assert following.status == 200
    assert following.json["refreshToken"] != signed_in["refreshToken"]
    assert me(following.json) == 200
    assert renew(following.json).status == 200


def test_a_token_used_again_ends_everything(signed_in: dict[str, Any], later: Any) -> None:
    following = renew(signed_in).json
    later(refresh.GRACE + timedelta(seconds=1))
    refused = renew(signed_in)
    assert (refused.status, refused.code) == (401, "refresh_refused")
    identity.forget()
    assert me(signed_in) == me(following) == 401
    assert renew(following).code == "refresh_refused"
    assert not Session.objects.filter(kind="app").exists()
    assert RefreshFamily.objects.get().why == "reused"
    assert Notice.objects.filter(kind="refresh_reused").count() == 1
    assert AuditEntry.objects.filter(action="refresh.reused").count() == 1


def test_a_phone_that_lost_the_answer_gets_the_same_token(signed_in: dict[str, Any]) -> None:
    first, second = renew(signed_in), renew(signed_in)
    assert first.json["refreshToken"] == second.json["refreshToken"]
    assert me(second.json) == 200
    assert RefreshToken.objects.count() == 2


def test_within_the_grace_a_token_whose_follower_was_used_is_a_copy(signed_in: dict[str, Any]) -> None:
    renew(renew(signed_in).json)
    assert renew(signed_in).code == "refresh_refused"
    assert RefreshFamily.objects.get().why == "reused"


def test_another_device_ends_the_family(signed_in: dict[str, Any]) -> None:
    assert renew(signed_in, device="another").code == "refresh_refused"
    assert renew(signed_in).code == "refresh_refused"
    assert RefreshFamily.objects.get().why == "device"


def test_a_patients_app_stays_signed_in_for_weeks_of_use(signed_in: dict[str, Any], later: Any) -> None:
    held = signed_in
    for _ in range(4):
        later(timedelta(days=6))
        held = renew(held).json
    identity.forget()
    assert me(held) == 200
    later(timedelta(days=6, seconds=1))
    assert renew(held).code == "refresh_refused"


def test_an_unused_token_expires_after_seven_days(signed_in: dict[str, Any], later: Any) -> None:
    later(refresh.LIFETIME)
    assert renew(signed_in).code == "refresh_refused"
    # Expired is not stolen.
    assert not Notice.objects.filter(kind="refresh_reused").exists()


def test_whoever_works_here_signs_in_anew_each_day(house: House, later: Any) -> None:
    held = call("POST", "/api/auth/login", body={**CREDENTIALS, "email": "dr.anil@example.org"}).json
    for _ in range(47):
        later(timedelta(minutes=14))
        held = renew(held).json
    later(timedelta(hours=1, minutes=2))
    assert renew(held).code == "refresh_refused"


def test_only_hashes_are_kept(signed_in: dict[str, Any]) -> None:
    kept = [value for row in RefreshToken.objects.values_list() for value in row]
    kept += [value for row in RefreshFamily.objects.values_list() for value in row]
    assert signed_in["refreshToken"] not in kept
    assert signed_in["device"] not in kept


def test_signing_out_ends_the_refresh_token(signed_in: dict[str, Any]) -> None:
    bearer = {"Authorization": f"Bearer {signed_in['accessToken']}"}
    assert call("POST", "/api/auth/logout", headers=bearer).status == 204
    assert renew(signed_in).code == "refresh_refused"


def test_an_account_that_was_closed_cannot_renew(signed_in: dict[str, Any], house: House) -> None:
    assert house.patient.account
    house.patient.account.is_active = False
    house.patient.account.save()
    assert renew(signed_in).code == "refresh_refused"


def test_malformed_tokens_are_refused_in_one_shape(house: House) -> None:
    dice = random.Random(19)
    shapes = {
        (answer.status, answer.code, tuple(sorted(answer.json)))
        for answer in (
            call(
                "POST",
                "/api/auth/refresh",
                body={
                    "refreshToken": "".join(chr(dice.randrange(33, 0x2FF)) for _ in range(dice.randrange(1, 100))),
                    "device": "x" * dice.randrange(0, 100),
                },
            )
            for _ in range(200)
        )
    }
    assert shapes == {(401, "refresh_refused", ("code", "detail", "status", "title", "type"))}, shapes


class TestCookies:
    """A page of another portal: the token is in a cookie that no script can read, and the CSRF token is shown twice."""

    @pytest.fixture
    def jar(self, house: House) -> dict[str, str]:
        """The cookies after signing in, by name."""
        answer = call("POST", "/api/auth/login", body={**CREDENTIALS, "cookie": True})
        assert answer.json["refreshToken"] == answer.json["device"] == ""
        self.flags = cookies_of(answer)
        return {name: text.partition(";")[0] for name, text in self.flags.items()}

    def send(self, jar: dict[str, str], csrf: str | None = None) -> Answer:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in jar.items())}
        if csrf is not None:
            headers["X-CSRFToken"] = csrf
        return call("POST", "/api/auth/refresh", body={}, headers=headers)

    def test_scripts_cannot_read_them(self, jar: dict[str, str]) -> None:
        for name in ("polyclinic_refresh", "polyclinic_app_device"):
            flags = self.flags[name].lower()
            assert {"httponly", "samesite=strict", "path=/api/"} <= {part.strip() for part in flags.split(";")}

    def test_renewal_needs_the_csrf_token(self, jar: dict[str, str]) -> None:
        assert self.send(jar).code == "csrf_failed"
        assert self.send(jar, "x" * 32).code == "csrf_failed"
        answer = self.send(jar, jar["polyclinic_csrf"])
        assert answer.status == 200
        assert cookies_of(answer)["polyclinic_refresh"].partition(";")[0] != jar["polyclinic_refresh"]

    def test_a_copied_cookie_is_found_out(self, jar: dict[str, str], later: Any) -> None:
        self.send(jar, jar["polyclinic_csrf"])
        later(refresh.GRACE + timedelta(seconds=1))
        assert self.send(jar, jar["polyclinic_csrf"]).code == "refresh_refused"


def cookies_of(answer: Answer) -> dict[str, str]:
    """Set-Cookie values by name."""
    return dict(line.strip().split("=", 1) for line in answer.cookies)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Moves the clock on."""
    real, moved = clock.now, [timedelta()]
    monkeypatch.setattr("polyclinic.core.clock.now", lambda: real() + moved[0])

    def move(by: timedelta) -> None:
        moved[0] += by
        identity.forget()

    return move


@pytest.mark.service
def test_t19_a_copy_found_out_cuts_open_streams_within_five_seconds(server: Server) -> None:
    login = {"email": "meera@example.org", "password": PASSWORD}
    held = json.loads(server.request("POST", "/api/auth/login", body=login)[2])

    def exchange(token: str) -> tuple[int, dict[str, Any]]:
        body = {"refreshToken": token, "device": held["device"]}
        status, _headers, text = server.request("POST", "/api/auth/refresh", body=body)
        return status, json.loads(text)

    async def run() -> float:
        bearer = {"Authorization": f"Bearer {held['accessToken']}"}
        async with aiohttp.ClientSession() as web:
            listener = Listener(web, server.base_url + "/live", bearer)
            await listener.open()
            await listener.next()
            following = (await asyncio.to_thread(exchange, held["refreshToken"]))[1]["refreshToken"]
            assert (await asyncio.to_thread(exchange, following))[0] == 200
            began = time.monotonic()
            # The follower was used, so this is a copy, however soon it comes.
            assert (await asyncio.to_thread(exchange, held["refreshToken"]))[0] == 401
            while (await listener.next(5)).name != "signed-out":
                pass
            listener.cut()
            return time.monotonic() - began

    assert asyncio.run(run()) < 5
