"""T21: two hundred hostile files are refused or given out inert, and none of them makes the server grow."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.files import hostile
from tests.server import Server

pytestmark = pytest.mark.service

MOST_GROWTH = 200 * 1024  # kB
NAMES = [
    "me.jpg", "../../../etc/passwd", "x.svg", "a\0b.php", "C:\\windows\\x.exe", "\u202egpj.exe", "x" * 300, ".htaccess",
]  # fmt: skip
KINDS = ["image/jpeg", "image/svg+xml", "text/html", "application/x-sh", "", "image/png; charset=utf-7"]
MARKS = [b"<script", b"<svg", b"<html", b"<?php", b"PK\x03\x04", b"\x7fELF", b"%PDF", b"EICAR", b"onload"]
BOUNDARY = "xXpolyclinicXx"


@pytest.fixture(scope="module")
def own() -> Iterator[Server]:
    """A server of its own: its memory is measured."""
    with Server() as server:
        yield server


def form(data: bytes, name: str, kind: str) -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
    head += f"Content-Type: {kind}\r\n\r\n" if kind else "\r\n"
    return head.encode("utf-8") + data + f"\r\n--{BOUNDARY}--\r\n".encode()


def upload(server: Server, cookies: dict[str, str], data: bytes, name: str, kind: str) -> tuple[int, bytes]:
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    status, _headers, body = server.request(
        "POST", "/account/photo", body=form(data, name, kind), headers=headers, cookies=cookies
    )
    return status, body


def present(server: Server, cookies: dict[str, str]) -> str:
    """The address of the photo there is, or nothing."""
    page = server.request("GET", "/account/photo", cookies=cookies)[2].decode()
    found = re.search(r'src="(/files/[0-9a-f-]+)"', page)
    return found.group(1) if found else ""


def memory(server: Server) -> int:
    """The most memory that the process has had so far, in kB."""
    assert server._process is not None
    text = Path(f"/proc/{server._process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", text).group(1))  # type: ignore[union-attr]


def require_inert(server: Server, cookies: dict[str, str], address: str, what: str) -> None:
    status, headers, body = server.request("GET", address, cookies=cookies)
    assert status == 200, what
    assert headers["content-type"] == "image/jpeg", what
    assert "sandbox" in headers["content-security-policy"], what
    assert "default-src 'none'" in headers["content-security-policy"], what
    assert headers["x-content-type-options"] == "nosniff", what
    assert "no-store" in headers["cache-control"], what
    assert re.fullmatch(r'inline; filename="[0-9a-f]{8}\.jpg"', headers["content-disposition"]), what
    with Image.open(io.BytesIO(body), formats=["JPEG"]) as drawn:
        drawn.load()
        assert max(drawn.size) <= 512, what
        assert not drawn.getexif(), what
    assert [mark for mark in MARKS if mark in body] == [], what


def test_two_hundred_hostile_files_are_refused_or_inert(own: Server) -> None:
    cookies = own.cookies("patient")
    # The first picture loads decoders: from here on, growth is the files' own.
    assert upload(own, cookies, hostile.picture("PNG"), "me.png", "image/png")[0] == 303
    before, taken, refused = memory(own), 0, 0
    for number, (what, data) in enumerate(hostile.hostile()):
        had = present(own, cookies) if number % 10 == 0 else ""
        name, kind = NAMES[number % len(NAMES)], KINDS[number % len(KINDS)]
        status, body = upload(own, cookies, data, name, kind)
        assert status in (303, 400, 413, 422), (what, status)
        if status == 303:
            taken += 1
            require_inert(own, cookies, present(own, cookies), what)
            continue
        refused += 1
        assert b"Traceback" not in body, what
        if had:
            assert present(own, cookies) == had, what  # what there was stays
    assert taken + refused >= 200
    assert refused > 100
    assert memory(own) - before < MOST_GROWTH
    kept = sorted(path for path in own.data.rglob("*") if path.is_file() and "files" in path.parts)
    assert len(kept) == 1, kept  # the present photo alone, under a name of ours
    assert re.fullmatch(r"[0-9a-f]{32}", kept[0].name)
    assert kept[0].read_bytes().startswith(b"PCF1")
    assert "Traceback" not in own.log()


def test_too_much_is_refused_and_elsewhere_the_small_limit_holds(own: Server) -> None:
    cookies = own.cookies("patient")
    big = hostile.picture() + b"\0" * (11 << 20)
    assert upload(own, cookies, big, "me.jpg", "image/jpeg")[0] == 413
    # Five megabytes may come here and nowhere else.
    more = hostile.picture() + b"\0" * (5 << 20)
    assert upload(own, cookies, more, "me.jpg", "image/jpeg")[0] == 303
    assert own.request("POST", "/account/language", body=b"x" * (5 << 20), cookies=cookies)[0] == 413
