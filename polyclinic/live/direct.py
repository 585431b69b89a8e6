"""WebSocket frames that are made once and written straight to each client's transport.

uvicorn builds, checks and serialises a frame anew for every client it is told to send to, which costs several times
what writing it costs. A text from a server to its clients is the same bytes for all (RFC 6455, 5.2: no mask), so it is
made once. Anything out of the ordinary (another server, an extension, a handshake or a close under way, a full buffer)
is left to uvicorn. This reads private attributes of its protocol: where one is missing, the slow way is taken, and
`tests/live/test_direct.py` notices.
"""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.protocol import State

_FINAL_TEXT = 0x81


def text_frame(text: str) -> bytes:
    """One unmasked, unfragmented WebSocket text message."""
    payload = text.encode()
    size = len(payload)
    if size < 126:
        head = bytes((_FINAL_TEXT, size))
    elif size < 65_536:
        head = bytes((_FINAL_TEXT, 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((_FINAL_TEXT, 127)) + size.to_bytes(8, "big")
    return head + payload


class Line:
    """The way past the server's `send` to one client."""

    __slots__ = ("_conn", "_protocol", "_transport", "_writable")

    def __init__(self, protocol: Any) -> None:  # noqa: ANN401 - uvicorn's protocol, whose insides carry no promise
        self._protocol = protocol
        self._conn = protocol.conn
        self._transport = protocol.transport
        self._writable = protocol.writable

    @classmethod
    def behind(cls, send: object) -> Line | None:
        """The line behind an ASGI `send`, or None where only `send` itself knows how."""
        protocol: Any = getattr(send, "__self__", None)
        if not isinstance(protocol, WebSocketsSansIOProtocol):
            return None
        try:
            plain = not protocol.conn.extensions
            return cls(protocol) if plain and protocol.handshake_complete else None
        except AttributeError:
            return None

    def write(self, frames: bytes) -> bool:
        """Write whole frames now. False, with nothing written, when this is for the server's `send` to sort out."""
        if (
            not self._writable.is_set()
            or self._protocol.close_sent
            or self._conn.state is not State.OPEN
            or self._transport.is_closing()
        ):
            return False
        self._transport.write(frames)
        return True
