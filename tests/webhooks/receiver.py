"""Another system, on a real socket: takes messages, verifies them, and fails in whichever way it is told."""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson


@dataclass
class Got:
    """One request as it came in."""

    name: str
    moment: int
    signatures: list[str]
    body: bytes

    @property
    def told(self) -> Any:
        return orjson.loads(self.body)

    def signed_with(self, secret: str) -> bool:
        """As a receiver checks it: written from the standard and not from our code."""
        key = base64.b64decode(secret.split("_", 1)[1])
        expected = hmac.new(key, f"{self.name}.{self.moment}.".encode() + self.body, hashlib.sha256).digest()
        return f"v1,{base64.b64encode(expected).decode()}" in self.signatures


@dataclass
class Receiver:
    """`answers` says what to answer to a request; what was answered with 2xx was taken."""

    answer: Callable[[Got], int] = lambda _got: 204
    got: list[Got] = field(default_factory=list)
    taken: list[Got] = field(default_factory=list)
    port: int = 0
    # Set to let those go on that hang.
    release: threading.Event = field(default_factory=threading.Event)
    arrived: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?customer=7"

    def names(self) -> list[str]:
        return [got.name for got in self.taken]


@contextmanager
def receiving(port: int = 0) -> Iterator[Receiver]:
    """A receiver that listens until the end of the block; afterwards nobody does at its port."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got = Got(
                self.headers["webhook-id"], int(self.headers["webhook-timestamp"]),
                self.headers["webhook-signature"].split(" "), body,
            )  # fmt: skip
            receiver.got.append(got)
            receiver.arrived.release()
            status = receiver.answer(got)
            if 200 <= status < 300:
                receiver.taken.append(got)
            if status == 0:
                # Cut in the middle: the other side cannot know whether it was taken.
                self.close_connection = True
                return
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", f"http://127.0.0.1:{receiver.port}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_given: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_given: object) -> None:
            # The other side hung up on one that hung.
            pass

    server = Server(("127.0.0.1", port), Handler)
    receiver.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.release.set()
        server.shutdown()
        server.server_close()
        thread.join()
