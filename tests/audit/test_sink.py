"""Checkpoints go to another machine: all of them, in order, again after a failure, and nothing waits for it."""

from __future__ import annotations

import base64
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from django.db import transaction

from polyclinic.core import clock
from polyclinic.core.actors import SystemActor
from polyclinic.core.audit import chain, checkpoints, sink
from polyclinic.settings import declared
from polyclinic.trail import selectors as trail
from polyclinic.web.housekeeping import CHORES
from tests.api.calling import call, cookies
from tests.house import House

pytestmark = pytest.mark.django_db


class Collector:
    """Another machine, on loopback."""

    def __init__(self) -> None:
        self.got: list[tuple[str, bytes]] = []
        self.status = 204
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector.got.append((self.headers["Polyclinic-Signature"], body))
                self.send_response(collector.status)
                self.end_headers()

            def log_message(self, *_given: Any) -> None: ...

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def numbers(self) -> list[int]:
        return [checkpoints.read(line).number for _signature, body in self.got for line in body.splitlines()]


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.AUDIT_CHECKPOINTS = tmp_path / "checkpoints"
    return tmp_path / "checkpoints"


@pytest.fixture
def collector(settings: Any) -> Iterator[Collector]:
    made = Collector()
    port = made.server.server_port
    settings.AUDIT_SINK, settings.OUTGOING_ALLOW = f"http://127.0.0.1:{port}/audit", [f"127.0.0.1:{port}"]
    yield made
    made.server.shutdown()
    made.server.server_close()


def take() -> None:
    """Something happens and is signed."""
    with transaction.atomic():
        chain.append(actor=SystemActor("demo"), action="test.made", subject_kind="test", subject_id="1")
    assert checkpoints.take() == 1


def test_each_checkpoint_arrives_once_signed_and_in_order(collector: Collector) -> None:
    take()
    take()
    assert sink.deliver() == 2
    assert sink.deliver() == 0
    take()
    assert sink.deliver() == 1
    assert collector.numbers() == [1, 2, 3]
    scheme, name, signature = collector.got[0][0].split(" ")
    assert (scheme, name) == ("ed25519", checkpoints.fingerprint(checkpoints.signing_key().public_key()))
    public = checkpoints.public_key(name)
    assert public is not None
    public.verify(base64.b64decode(signature), collector.got[0][1])
    with pytest.raises(InvalidSignature):
        public.verify(base64.b64decode(signature), collector.got[0][1] + b"x")


def test_a_refusal_is_tried_again_later_and_nothing_is_lost(collector: Collector) -> None:
    take()
    collector.status = 500
    assert sink.deliver() == 0
    assert sink.sent().attempts == 1
    take()
    assert sink.deliver() == 0
    assert len(collector.got) == 1, "not before its time"
    collector.status = 200
    with clock.fixed(clock.now() + timedelta(seconds=15)):
        assert sink.deliver() == 2
    assert collector.numbers() == [1, 1, 2]
    assert (sink.sent().number, sink.sent().attempts) == (2, 0)


def test_nobody_there_stops_nothing(settings: Any) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for address in (f"https://127.0.0.1:{port}/", f"syslog://127.0.0.1:{port}"):
        settings.AUDIT_SINK = address
        take()
        assert sink.deliver() == 0
    lanes = {chore.name: chore.lane for chore in CHORES}
    assert lanes["send checkpoints to another machine"] not in (lanes["sign the audit's ends"], lanes["send mails"])


def test_a_restored_database_or_a_torn_line_loses_none(collector: Collector, folder: Path) -> None:
    take()
    assert sink.deliver() == 1
    with next(folder.glob("audit-*.jsonl")).open("ab") as file:
        file.write(b'{"number": 2, "at"')
    take()
    assert sink.deliver() == 1
    (folder / "sent.json").write_text("torn")
    assert sink.deliver() == 2
    assert collector.numbers() == [1, 2, 1, 2]


def test_syslog_gets_counted_messages(settings: Any) -> None:
    got: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hear() -> None:
            line, _from = server.accept()
            with line:
                while part := line.recv(65536):
                    got.append(part)

        listening = threading.Thread(target=hear, daemon=True)
        listening.start()
        settings.AUDIT_SINK = f"syslog://127.0.0.1:{server.getsockname()[1]}"
        take()
        take()
        assert sink.deliver() == 2
        listening.join(30)
    text, found = b"".join(got), []
    while text:
        size, _space, rest = text.partition(b" ")
        found.append(rest[: int(size)])
        text = rest[int(size) :]
    assert all(one.startswith(b"<109>1 ") for one in found)
    assert [checkpoints.read(one.partition(b" checkpoint - ")[2]).number for one in found] == [1, 2]


def test_the_page_says_how_far_the_copies_are(house: House, settings: Any, collector: Collector) -> None:
    auditor = house.staff["auditor"]
    take()
    page = call("GET", "/audit", headers=cookies(auditor)).body
    assert b"Not copied yet" in page
    assert b'data-live-every="60"' in page
    sink.deliver()
    assert b"up to checkpoint 1" in call("GET", "/audit/verified", headers=cookies(auditor)).body
    assert trail.verified(house.person(auditor)).sent_number == 1
    settings.AUDIT_SINK = ""
    assert b"No copies go to another machine" in call("GET", "/audit/verified", headers=cookies(auditor)).body
    assert sink.deliver() == 0


def test_the_setting_names_what_can_be_asked() -> None:
    for text in ("", "https://log.example.org/in", "syslog://log.example.org:6514"):
        assert declared.sink(text) == text
    for text in ("log.example.org", "ftp://log.example.org", "syslog://", "syslog://host:port"):
        with pytest.raises(ValueError, match=r"write|port"):
            declared.sink(text)
