"""A server on strings: pages made of the real scripts, and a live stream that a test holds in its hand."""

from __future__ import annotations

import json
import queue
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

STATIC = Path(__file__).resolve().parents[2] / "polyclinic" / "portals" / "ui" / "static"
KINDS = {".js": "text/javascript", ".css": "text/css", ".woff2": "font/woff2", ".svg": "image/svg+xml"}
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class Puppet:
    """The server's whole state; every test makes its own."""

    def __init__(self) -> None:
        self.log: list[dict[str, Any]] = []
        self.rows: dict[str, str] = {}
        self.pages: dict[str, str] = {}
        self.posts: list[tuple[str, str]] = []
        self.streams: list[queue.Queue[bytes | None]] = []
        self.opened: list[str] = []
        self.polls = 0
        self.refuse = 0
        self.resync = False
        self.lock = threading.Lock()
        puppet = self

        class Handler(_Handler):
            house = puppet

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.base = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def publish(self, kind: str, **payload: Any) -> int:
        """Append to the log and to every open stream. Returns the position."""
        with self.lock:
            event = {"id": len(self.log) + 1, "type": kind, "version": 1, **payload}
            self.log.append(event)
            for stream in self.streams:
                stream.put(frame(event))
        return event["id"]

    def append_quietly(self, kind: str, **payload: Any) -> None:
        """Append to the log as if no stream were open."""
        with self.lock:
            self.log.append({"id": len(self.log) + 1, "type": kind, "version": 1, **payload})

    def cut(self) -> None:
        """End every open stream, as a restart does."""
        with self.lock:
            for stream in self.streams:
                stream.put(None)

    def stop(self) -> None:
        self.cut()
        self.server.shutdown()
        self.server.server_close()


def frame(event: dict[str, Any]) -> bytes:
    return f"id: {event['id']}\ndata: {json.dumps(event)}\n\n".encode()


class _Handler(BaseHTTPRequestHandler):
    house: Puppet
    protocol_version = "HTTP/1.1"

    def log_message(self, *_args: Any) -> None:
        """Tests read failures, not access lines."""

    def _answer(self, status: int, body: str | bytes = "", kind: str = "text/html; charset=utf-8") -> None:
        content = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Security-Policy", CSP)
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if status != 204:
            self.wfile.write(content)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        self.house.posts.append((self.path, body))
        self._answer(200, self.house.pages.get(self.path, "<!doctype html><title>Sent</title><p>Sent"))

    def do_GET(self) -> None:
        where = urlsplit(self.path)
        query = parse_qs(where.query)
        if where.path == "/live":
            return self._stream(query)
        if where.path == "/live/poll":
            return self._poll(query)
        if where.path.startswith("/static/"):
            file = STATIC / where.path.removeprefix("/static/")
            return self._answer(200, file.read_bytes(), KINDS[file.suffix]) if file.is_file() else self._answer(404)
        if where.path.startswith("/row/"):
            html = self.house.rows.get(where.path.removeprefix("/row/"))
            return self._answer(404) if html is None else self._answer(200 if html else 204, html)
        page = self.house.pages.get(where.path)
        return self._answer(404) if page is None else self._answer(200, page)

    def _poll(self, query: dict[str, list[str]]) -> None:
        house = self.house
        with house.lock:
            house.polls += 1
            cursor = int(query["cursor"][0]) if "cursor" in query else len(house.log)
            found = {"cursor": len(house.log), "resync": False, "events": house.log[cursor:]}
        self._answer(200, json.dumps(found), "application/json")

    def _stream(self, query: dict[str, list[str]]) -> None:
        house = self.house
        house.opened.append(self.path)
        if house.refuse:
            return self._answer(house.refuse)
        mine: queue.Queue[bytes | None] = queue.Queue()
        with house.lock:
            cursor = int(query["cursor"][0]) if "cursor" in query else len(house.log)
            if house.resync:
                mine.put(f'event: resync\ndata: {{"cursor": {len(house.log)}}}\n\n'.encode())
            else:
                mine.put(f'id: {cursor}\nevent: hello\ndata: {{"cursor": {cursor}}}\n\n'.encode())
                for event in house.log[cursor:]:
                    mine.put(frame(event))
            house.streams.append(mine)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        try:
            while (chunk := mine.get()) is not None:
                self.wfile.write(chunk)
                self.wfile.flush()
        except OSError:
            pass  # the browser went away, as browsers do
        finally:
            with house.lock:
                house.streams.remove(mine)


def row(number: int, text: str, sort: str = "") -> str:
    """A table row as the portals send it."""
    return (
        f'<tr id="appointment-{number}" data-live-row data-sort="{sort or number}"><td>{number}</td>'
        f'<td class="text">{text}</td><td><button type="button">Act {number}</button></td></tr>'
    )


def page(rows: str, *, cursor: int = 0, more: str = "") -> str:
    """A live page. `more` goes after the table."""
    words = {
        "live": "Live", "connecting": "Connecting…", "reconnecting": "Reconnecting…",
        "offline": "Offline – as of {time}",
        "stale": "Reconnecting – as of {time}", "polling": "Live, every few seconds", "signed-out": "Signed out",
        "updated": "Updated", "dismiss": "Dismiss", "more": "and {count} more",
    }  # fmt: skip
    told = " ".join(f'data-words-{name}="{text}"' for name, text in words.items())
    return re.sub(
        r"\n\s*",
        "\n",
        f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Day</title>
        <script src="/static/js/prefs.js"></script><script type="module" src="/static/js/main.js"></script></head>
        <body data-live data-live-cursor="{cursor}" data-live-as="someone" {told}>
        <p role="status" data-connection hidden></p>
        <main id="main" tabindex="-1"><section><table><tbody data-live-rows data-live-types="appointment."
          data-live-src="/row/{{appointmentId}}" data-live-empty="#none">{rows}</tbody></table>
        <p id="none" hidden>Nothing today</p></section>{more}</main>
        <div data-toasts></div><div role="status" data-announce="polite"></div>
        <div role="alert" data-announce="assertive"></div></body></html>""",
    )
