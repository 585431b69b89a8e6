"""Contents sealed in chunks: AES-256-GCM with a key of the file's own, read without holding the whole in memory.

Each chunk is bound to the file, its number and whether it is the last: chunks cannot be swapped, left out, repeated or
cut off unnoticed. The file's key is kept in its row, sealed with the patient's key or the files' own.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from polyclinic.core.crypto.problems import Tampered

CHUNK: Final = 64 * 1024
_TAG: Final = 16
_MAGIC: Final = b"PCF1"


def seal(key: bytes, file_id: UUID, content: bytes) -> Iterator[bytes]:
    """The sealed file, part by part. The key must be used for this one content only: nonces are numbers."""
    cipher = AESGCM(key)
    yield _MAGIC
    starts = range(0, len(content), CHUNK) or range(1)
    for number, start in enumerate(starts):
        last = start + CHUNK >= len(content)
        yield cipher.encrypt(_nonce(number), content[start : start + CHUNK], _bound(file_id, number, last))


def open_(key: bytes, file_id: UUID, parts: Iterable[bytes]) -> Iterator[bytes]:
    """The content, chunk by chunk. Raises Tampered, before giving out the chunk that is not as it was."""
    cipher, number, held = AESGCM(key), 0, b""
    opened = False
    for part in parts:
        held += part
        if not opened:
            if len(held) < len(_MAGIC):
                continue
            if not held.startswith(_MAGIC):
                raise Tampered(f"file {file_id} is not a sealed file")
            held, opened = held[len(_MAGIC) :], True
        # The last chunk is known only when there is no more: one is always held back.
        while len(held) > CHUNK + _TAG:
            yield _chunk(cipher, file_id, number, held[: CHUNK + _TAG], last=False)
            held, number = held[CHUNK + _TAG :], number + 1
    yield _chunk(cipher, file_id, number, held, last=True)


def _chunk(cipher: AESGCM, file_id: UUID, number: int, sealed: bytes, *, last: bool) -> bytes:
    try:
        return cipher.decrypt(_nonce(number), sealed, _bound(file_id, number, last))
    except InvalidTag:
        raise Tampered(f"chunk {number} of file {file_id} is not what was kept") from None


def _nonce(number: int) -> bytes:
    return struct.pack("!4xQ", number)


def _bound(file_id: UUID, number: int, last: bool) -> bytes:
    return f"files_storedfile.content.{file_id}.{number}.{'last' if last else 'more'}".encode()
