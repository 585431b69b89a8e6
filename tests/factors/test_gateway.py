"""Text messages: the local gateway, the one over HTTP against a server of ours, and what the log may know."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from polyclinic.core import outgoing
from polyclinic.core.actors import Person
from polyclinic.factors import actions, sms
from polyclinic.web import texting


class Provider:
    """A gateway on loopback that keeps what it is sent."""

    def __init__(self) -> None:
        self.got: list[Any] = []
        self.status = 202
        self.heard = threading.Event()
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                provider.got.append((self.path, dict(self.headers), json.loads(self.rfile.read(length))))
                self.send_response(provider.status)
                self.end_headers()
                provider.heard.set()

            def log_message(self, *_given: Any) -> None: ...

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/v1/messages?key=1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def provider(settings: Any) -> Iterator[Provider]:
    made = Provider()
    settings.OUTGOING_ALLOW = [f"127.0.0.1:{made.server.server_port}"]
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_the_gateway_gets_number_and_text(settings: Any, provider: Provider) -> None:
    settings.SMS_URL = provider.address
    sms.gateway().send("+491512345678", "123456 is your code")
    path, headers, body = provider.got[0]
    assert (path, headers["Content-Type"]) == ("/v1/messages?key=1", "application/json")
    assert body == {"to": "+491512345678", "text": "123456 is your code"}
    assert "Authorization" not in headers


def test_another_gateway_s_names_and_key(settings: Any, provider: Provider) -> None:
    settings.SMS_URL = provider.address.replace("//", "//me:s%40cret@") + "#number,body"
    sms.gateway().send("+491512345678", "hello")
    path, headers, body = provider.got[0]
    assert path == "/v1/messages?key=1"
    assert headers["Authorization"] == "Basic bWU6c0BjcmV0"
    assert body == {"number": "+491512345678", "body": "hello"}


def test_a_gateway_that_says_no_has_not_sent_it(settings: Any, provider: Provider) -> None:
    settings.SMS_URL, provider.status = provider.address, 500
    with pytest.raises(OSError, match="500"):
        sms.gateway().send("+491512345678", "hello")


def test_a_gateway_inside_must_be_named_by_the_administrator(settings: Any, provider: Provider) -> None:
    settings.SMS_URL, settings.OUTGOING_ALLOW = provider.address, []
    with pytest.raises(outgoing.NotAllowed):
        sms.gateway().send("+491512345678", "hello")
    assert provider.got == []


def test_a_message_goes_out_beside_the_answer(settings: Any, provider: Provider, person: Person) -> None:
    """From asking for a code to the provider and back."""
    settings.SMS_URL = provider.address
    number = actions.begin_number(actor=person, number="+49 151 2345678")
    texting.send_code(person.account_id, number)
    assert provider.heard.wait(30)
    code = provider.got[0][2]["text"][:6]
    actions.confirm_number(actor=person, factor_id=number, code=code)


@pytest.mark.parametrize(("demo", "shown"), [(True, True), (False, False)])
def test_the_terminal_shows_a_code_in_demo_mode_only(
    settings: Any, capsys: pytest.CaptureFixture[str], demo: bool, shown: bool
) -> None:
    settings.DEMO = demo
    sms.gateway().send("+491512345678", "123456 is your code")
    said = capsys.readouterr().err
    assert ("123456" in said) is shown
    assert "•••678" in said
    assert "2345678" not in said


def test_a_gateway_that_fails_is_logged_without_number_and_code(
    settings: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    settings.SMS_URL = "https://gateway.example"

    def broken(*_given: object, **_more: object) -> None:
        raise ConnectionRefusedError("+491512345678 123456")

    monkeypatch.setattr(outgoing, "request", broken)
    assert texting._AT_ONCE.acquire(blocking=False)
    with caplog.at_level(logging.ERROR):
        texting._deliver("+491512345678", "123456")
    assert "ConnectionRefusedError" in caplog.text
    assert "123456" not in caplog.text
    assert "2345678" not in caplog.text


def test_a_gateway_that_hangs_collects_no_threads(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(texting, "_AT_ONCE", threading.BoundedSemaphore(1))
    held = threading.Event()
    monkeypatch.setattr(texting, "_deliver", lambda *_given: held.wait(5))
    before = threading.active_count()
    with caplog.at_level(logging.ERROR):
        for _nth in range(5):
            texting._send("+491512345678", "x")
    assert threading.active_count() <= before + 1
    assert caplog.text.count("was dropped") == 4
    held.set()
