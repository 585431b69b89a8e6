"""Text and bytes sealed with AES-256-GCM, bound to the place they stand in.

The associated data is `table.column.row.key id`: a sealed text copied to another row or column does not open there. It
is written `v1:<key id>:<nonce and ciphertext, base64url>`. A text's length is not hidden, nor that a field is empty.
"""

from __future__ import annotations

import os
from base64 import urlsafe_b64encode
from binascii import a2b_base64
from collections.abc import Sequence
from typing import Final
from uuid import UUID

import orjson
from cryptography.exceptions import InvalidTag

from polyclinic.core.crypto.kms import NONCE
from polyclinic.core.crypto.problems import KeyErased, Tampered
from polyclinic.core.crypto.ring import Key, ring

VERSION: Final = "v1"


def seal(owner: str, place: str, text: str) -> str:
    """`text` sealed for an owner (see `ring`) at a place, which is `table.column.row`."""
    key = ring.current(owner)
    nonce = os.urandom(NONCE)
    sealed = nonce + key.cipher.encrypt(nonce, text.encode(), f"{place}.{key.id}".encode())
    return f"{VERSION}:{key.id}:{urlsafe_b64encode(sealed).rstrip(b'=').decode()}"


def open_(place: str, sealed: str) -> str:
    """The text that was sealed at this place. Raises Tampered, KeyErased or KeyMissing."""
    key_id, text = _parts(place, sealed)
    return _opened(place, ring.by_id(key_id), text)


def open_each(column: str, rows: Sequence[object], sealed: Sequence[str]) -> list[str]:
    """What stands in a column (`table.column`) of these rows; nothing where it is empty or its key was shredded.

    Raises Tampered or KeyMissing. The keys are fetched with one question, and asked for once.
    """
    parts = [_parts(column, text) if text else None for text in sealed]
    keys = ring.several({part[0] for part in parts if part})
    found = []
    for part, row in zip(parts, _texts(rows), strict=True):
        if part is None:
            found.append("")
            continue
        place = f"{column}.{row}"
        try:
            found.append(_opened(place, keys.get(part[0]) or ring.by_id(part[0]), part[1]))
        except KeyErased:
            found.append("")
    return found


def _parts(place: str, sealed: str) -> tuple[str, str]:
    """The id of the key and the sealed text itself."""
    parts = sealed.split(":", 2)
    if len(parts) != 3 or parts[0] != VERSION or not parts[1]:
        raise Tampered(f"{place} holds a text that is not sealed")
    return parts[1], parts[2]


def _opened(place: str, key: Key, text: str) -> str:
    try:
        # As `urlsafe_b64decode`, whose detour over tables of bytes costs as much as the cipher; a list opens fifty.
        raw = a2b_base64(text.replace("-", "+").replace("_", "/") + "==")
        return key.cipher.decrypt(raw[:NONCE], raw[NONCE:], f"{place}.{key.id}".encode()).decode()
    except (InvalidTag, ValueError):
        raise Tampered(f"{place} holds a text that was not sealed for it") from None


def _texts(rows: Sequence[object]) -> list[str]:
    """The rows' keys as text. A list of ids is written in one go: one by one each costs as much as its cipher."""
    if all(type(row) is UUID for row in rows):
        written = orjson.dumps(rows if isinstance(rows, list) else list(rows)).decode()
        return written[2:-2].split('","') if rows else []
    return [str(row) for row in rows]


def key_of(sealed: str) -> str:
    """The id of the key with which a text was sealed; empty for one that is not sealed."""
    version, _colon, rest = sealed.partition(":")
    key_id, colon, _text = rest.partition(":")
    return key_id if colon and version == VERSION else ""
