"""A load generator over raw sockets: each client sends its next request as soon as its last one is answered."""

from __future__ import annotations

import selectors
import socket
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Round:
    """One round: answers a second, latencies in milliseconds, how many answers had which status."""

    seconds: float
    latencies: list[float] = field(repr=False)
    statuses: Counter[int]
    sample: bytes = field(default=b"", repr=False)

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds

    def quantile(self, share: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


@dataclass
class _Client:
    sock: socket.socket
    sent: float = 0.0
    buffer: bytes = b""
    need: int = 0


def get(path: str, *headers: str) -> bytes:
    """A GET request as bytes."""
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: localhost", *headers, "", ""]).encode()


def post(path: str, body: bytes, *headers: str) -> bytes:
    """A POST of JSON as bytes."""
    head = [f"POST {path} HTTP/1.1", "Host: localhost", "Content-Type: application/json"]
    return "\r\n".join([*head, f"Content-Length: {len(body)}", *headers, "", ""]).encode() + body


def run(port: int, requests: Iterator[bytes], clients: int, seconds: float) -> Round:
    """Drive the server on `port` with so many clients for so long. Raises ConnectionError when it hangs up."""
    selector = selectors.DefaultSelector()
    latencies: list[float] = []
    statuses: Counter[int] = Counter()
    sample = b""
    clock = time.perf_counter
    open_ = []
    for _client in range(clients):
        sock = socket.create_connection(("127.0.0.1", port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client = _Client(sock)
        selector.register(sock, selectors.EVENT_READ, client)
        open_.append(client)
    begun = clock()
    end = begun + seconds
    for client in open_:
        client.sent = clock()
        client.sock.sendall(next(requests))
    waiting = clients
    while waiting:
        for key, _events in selector.select(10):
            client = key.data
            data = client.sock.recv(262_144)
            if not data:
                raise ConnectionError("the server hung up")
            client.buffer = client.buffer + data if client.buffer else data
            if not client.need:
                head = client.buffer.find(b"\r\n\r\n")
                if head < 0:
                    continue
                client.need = head + 4 + _length(client.buffer[:head])
            if len(client.buffer) < client.need:
                continue
            now = clock()
            latencies.append((now - client.sent) * 1000)
            statuses[int(client.buffer[9:12])] += 1
            sample = sample or client.buffer
            client.buffer, client.need = b"", 0
            if now < end:
                client.sent = now
                client.sock.sendall(next(requests))
            else:
                waiting -= 1
    took = clock() - begun
    for client in open_:
        client.sock.close()
    selector.close()
    return Round(took, latencies, statuses, sample)


def _length(head: bytes) -> int:
    lowered = head.lower()
    place = lowered.find(b"\r\ncontent-length:")
    if place < 0:
        raise ConnectionError("an answer without Content-Length")
    return int(lowered[place + 17 :].split(b"\r\n", 1)[0])
