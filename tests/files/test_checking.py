"""What is taken and as what, what is refused and why."""

from __future__ import annotations

import io
import secrets
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from PIL import Image
from pypdf import PdfReader

from polyclinic.core.crypto.problems import Tampered
from polyclinic.files import checking, scanner, sealed
from polyclinic.files.problems import FileRefused, ScannerUnavailable
from tests.files import hostile

FILE = UUID(int=7)


def code(data: bytes, purpose: str = checking.DOCUMENT) -> str:
    with pytest.raises(FileRefused) as refused:
        checking.check(data, purpose)
    return refused.value.code


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photo_becomes_a_small_square_jpeg(kind: str) -> None:
    done = checking.check(hostile.picture(kind, (1200, 800)), checking.PHOTO)
    assert (done.media_type, done.width, done.height) == ("image/jpeg", 512, 512)
    assert Image.open(io.BytesIO(done.content)).size == (512, 512)


def test_a_clear_photo_lies_on_white_paper() -> None:
    done = checking.check(hostile.picture("PNG", (50, 50), "RGBA"), checking.PHOTO)
    assert Image.open(io.BytesIO(done.content)).getpixel((25, 25)) == (255, 255, 255)


def test_what_was_written_beside_the_pixels_is_gone() -> None:
    exif = Image.Exif()
    exif[0x010F] = "Canary Cameras"
    exif.get_ifd(0x8825)[1] = "N"
    given = hostile.picture("JPEG", exif=exif.tobytes(), comment=b"canary comment")
    assert b"anary" in given
    done = checking.check(given, checking.DOCUMENT)
    assert b"anary" not in done.content
    assert not Image.open(io.BytesIO(done.content)).getexif()


def test_a_photo_held_sideways_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    done = checking.check(hostile.picture("JPEG", (60, 40), exif=exif.tobytes()), checking.DOCUMENT)
    assert (done.width, done.height) == (40, 60)


def test_a_document_stays_readable() -> None:
    plain = hostile.pdf()
    done = checking.check(plain, checking.DOCUMENT)
    assert done.media_type == checking.PDF
    assert len(PdfReader(io.BytesIO(done.content)).pages) == 1
    assert checking.check("Größe: 1,80 m\n".encode(), checking.DOCUMENT).media_type == checking.TEXT
    assert code(plain, checking.PHOTO) == "unknown_kind"


def test_a_document_that_does_something_is_refused() -> None:
    for what, data in hostile.hostile_documents():
        expected = {"active_content"} if what.startswith("with") else {"active_content", "damaged"}
        assert code(data) in expected, what


def test_what_hangs_behind_a_document_is_not_kept() -> None:
    done = checking.check(hostile.pdf() + hostile.HTML + hostile.zip_bomb()[:500], checking.DOCUMENT)
    assert b"<script>" not in done.content
    assert b"PK\x03\x04" not in done.content


@pytest.mark.parametrize("data", [hostile.SVG, hostile.HTML, b"\xef\xbb\xbf" + hostile.HTML, b"#!/bin/sh\n"])
def test_markup_and_programs_are_no_text(data: bytes) -> None:
    assert code(data) == "unknown_kind"


def test_the_test_virus_is_found_anywhere() -> None:
    assert code(hostile.EICAR) == "infected"
    assert code(hostile.picture() + hostile.EICAR) == "infected"


def test_a_sealed_content_opens_whole_and_only_whole() -> None:
    key, content = secrets.token_bytes(32), secrets.token_bytes(3 * sealed.CHUNK + 17)
    for size in (0, 1, sealed.CHUNK - 1, sealed.CHUNK, sealed.CHUNK + 1, len(content)):
        parts = b"".join(sealed.seal(key, FILE, content[:size]))
        for step in (1000, 1 << 20):
            split = [parts[at : at + step] for at in range(0, len(parts), step)]
            assert b"".join(sealed.open_(key, FILE, split)) == content[:size]
    whole, unit = b"".join(sealed.seal(key, FILE, content)), sealed.CHUNK + 16
    first, second = whole[4 : 4 + unit], whole[4 + unit : 4 + 2 * unit]
    spoilt = {
        "cut between chunks": whole[: 4 + 2 * unit],
        "cut in a chunk": whole[:-5],
        "chunks swapped": whole[:4] + second + first + whole[4 + 2 * unit :],
        "a chunk left out": whole[:4] + whole[4 + unit :],
        "a chunk twice": whole[: 4 + unit] + first + whole[4 + unit :],
        "a bit": whole[:100] + bytes([whole[100] ^ 1]) + whole[101:],
        "no head": whole[4:],
        "nothing": b"",
    }
    for what, data in spoilt.items():
        try:
            list(sealed.open_(key, FILE, [data]))
        except Tampered:
            continue
        pytest.fail(what)
    with pytest.raises(Tampered):
        list(sealed.open_(key, UUID(int=8), [whole]))


class Clamd(threading.Thread):
    """As clamd does on INSTREAM: collects parts, then says what it found."""

    def __init__(self, line: socket.socket, answer: bytes = b"") -> None:
        super().__init__()
        self._line, self._answer, self.seen = line, answer, b""

    def run(self) -> None:
        caller, _address = self._line.accept()
        with caller, caller.makefile("rb") as asked:
            assert asked.read(10) == b"zINSTREAM\0"
            while size := struct.unpack("!I", asked.read(4))[0]:
                self.seen += asked.read(size)
            found = b"stream: Win.Test.EICAR_HDB-1 FOUND\0" if hostile.EICAR in self.seen else b"stream: OK\0"
            caller.sendall(self._answer or found)


@pytest.fixture(params=["tcp", "unix"])
def clamd(request: pytest.FixtureRequest, settings: Any, tmp_path: Path) -> Iterator[Any]:
    started: list[Any] = []

    def start(answer: bytes = b"") -> Clamd:
        if request.param == "tcp":
            line = socket.create_server(("127.0.0.1", 0))
            settings.CLAMAV_URL = f"tcp://127.0.0.1:{line.getsockname()[1]}"
        else:
            line = socket.socket(socket.AF_UNIX)
            line.bind(str(tmp_path / "clamd.sock"))
            line.listen()
            settings.CLAMAV_URL = f"unix://{tmp_path}/clamd.sock"
        daemon = Clamd(line, answer)
        daemon.start()
        started.append((daemon, line))
        return daemon

    yield start
    for daemon, line in started:
        daemon.join()
        line.close()


def test_the_scanner_sees_every_byte_and_is_believed(clamd: Any) -> None:
    data = secrets.token_bytes(200_000)
    daemon = clamd()
    scanner.scan(data)
    daemon.join()
    assert daemon.seen == data


def test_a_virus_the_scanner_finds_is_refused(clamd: Any) -> None:
    clamd()
    with pytest.raises(FileRefused) as refused:
        scanner.scan(b"x" * 100_000 + hostile.EICAR)
    assert refused.value.code == "infected"


def test_a_scanner_that_gives_up_lets_nothing_through(clamd: Any) -> None:
    clamd(b"INSTREAM size limit exceeded. ERROR\0")
    with pytest.raises(ScannerUnavailable):
        scanner.scan(b"x")


def test_a_scanner_that_is_down_lets_nothing_through(settings: Any) -> None:
    settings.CLAMAV_URL = "tcp://127.0.0.1:9"
    with pytest.raises(ScannerUnavailable):
        scanner.scan(b"x")
    settings.CLAMAV_URL = ""
    scanner.scan(b"x")
