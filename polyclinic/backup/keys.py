"""Who can make a backup and who can open one.

The server keeps what seals (`backup.json` beside its other keys): the public key of a recipient, a key that gives
chunks their names, and one that signs. What opens is a line of text that is shown once and kept elsewhere. So whoever
takes the server, or the folder of backups, or both, opens no backup; and who can only write into the folder cannot put
a backup of their own there.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from polyclinic.backup.problems import Damaged, NotSet, WrongKey
from polyclinic.core.crypto import kms

NAME: Final = "backup.json"
_PREFIX: Final = "POLYCLINIC-BACKUP-KEY-1:"
_RAW: Final = 32
# Each key below seals one thing only, so that a number would count to nothing.
_NONCE: Final = bytes(12)


@dataclass(frozen=True, slots=True)
class Ref:
    """Where a chunk lies and what opens it; kept inside sealed manifests alone."""

    name: str
    key: str


@dataclass(frozen=True, slots=True)
class Sealer:
    """The server's half."""

    recipient: bytes
    naming: bytes
    signing: bytes

    @property
    def fingerprint(self) -> str:
        """Short, and the same for both halves: says which key opens a backup."""
        return fingerprint(self.recipient)

    def chunk(self, content: bytes) -> tuple[Ref, AESGCM]:
        """Name and key follow from the content: the same content is kept once, and found again without opening it."""
        digest = hashlib.sha256(content).digest()
        key = hmac.digest(self.naming, b"key" + digest, "sha256")
        ref = Ref(hmac.digest(self.naming, b"name" + digest, "sha256").hex(), key.hex())
        return ref, AESGCM(key)

    def seal(self, header: bytes, content: bytes) -> dict[str, str]:
        """Content that the recipient alone opens, bound to the header beside it and signed."""
        passing = X25519PrivateKey.generate()
        public = passing.public_key().public_bytes_raw()
        shared = passing.exchange(X25519PublicKey.from_public_bytes(self.recipient))
        sealed = AESGCM(_derived(shared, public, self.recipient)).encrypt(_NONCE, zlib.compress(content), header)
        signature = Ed25519PrivateKey.from_private_bytes(self.signing).sign(_signed(header, public, sealed))
        return {"passing": _b64(public), "sealed": _b64(sealed), "signature": _b64(signature)}


@dataclass(frozen=True, slots=True)
class Opener:
    """The operator's half."""

    private: bytes
    verifying: bytes

    @property
    def fingerprint(self) -> str:
        return fingerprint(self._public())

    def text(self) -> str:
        """As it is written down: one line, with a check against typing mistakes."""
        raw = self.private + self.verifying
        return _PREFIX + base64.urlsafe_b64encode(raw + hashlib.sha256(raw).digest()[:4]).decode()

    def open(self, header: bytes, parts: dict[str, str]) -> bytes:
        """Raises WrongKey, or Damaged when it was not sealed by the server's half or not with this header."""
        try:
            public, sealed, signature = (_unb64(parts[name]) for name in ("passing", "sealed", "signature"))
            Ed25519PublicKey.from_public_bytes(self.verifying).verify(signature, _signed(header, public, sealed))
            shared = X25519PrivateKey.from_private_bytes(self.private).exchange(
                X25519PublicKey.from_public_bytes(public)
            )
            opened = AESGCM(_derived(shared, public, self._public())).decrypt(_NONCE, sealed, header)
            return zlib.decompress(opened)
        except (InvalidSignature, InvalidTag, KeyError, ValueError, TypeError, zlib.error):
            raise Damaged("its list of contents is not what was written") from None

    def _public(self) -> bytes:
        return X25519PrivateKey.from_private_bytes(self.private).public_key().public_bytes_raw()


def make() -> tuple[Sealer, Opener]:
    """A new pair."""
    private, signing = X25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    sealer = Sealer(private.public_key().public_bytes_raw(), os.urandom(_RAW), signing.private_bytes_raw())
    return sealer, Opener(private.private_bytes_raw(), signing.public_key().public_bytes_raw())


def opener(text: str) -> Opener:
    """The operator's half from its line of text. Raises WrongKey when it is no such line."""
    line = text.strip()
    try:
        raw = base64.urlsafe_b64decode(line.removeprefix(_PREFIX))
    except (binascii.Error, ValueError):
        raw = b""
    body = raw[: 2 * _RAW]
    if not line.startswith(_PREFIX) or len(raw) != 2 * _RAW + 4 or hashlib.sha256(body).digest()[:4] != raw[2 * _RAW :]:
        raise WrongKey(f"this is no backup key, or it was not copied whole: it begins with {_PREFIX}")
    return Opener(body[:_RAW], body[_RAW:])


def open_chunk(ref: Ref, sealed: bytes) -> bytes:
    """A chunk's content. Raises Damaged."""
    try:
        return AESGCM(bytes.fromhex(ref.key)).decrypt(_NONCE, sealed, ref.name.encode())
    except (InvalidTag, ValueError):
        raise Damaged(f"chunk {ref.name[:16]}… does not open") from None


def seal_chunk(ref: Ref, cipher: AESGCM, content: bytes) -> bytes:
    return cipher.encrypt(_NONCE, content, ref.name.encode())


def path() -> Path:
    """Where the server's half lies."""
    return kms.folder() / NAME


def text_of(sealer: Sealer) -> str:
    """The server's half as it is kept."""
    fields = {"recipient": sealer.recipient, "naming": sealer.naming, "signing": sealer.signing}
    return json.dumps({name: _b64(raw) for name, raw in fields.items()})


def sealer(at: Path | None = None) -> Sealer:
    """The server's half. Raises NotSet."""
    place = at or path()
    try:
        kept = json.loads(place.read_text(encoding="ascii"))
        found = Sealer(*(_unb64(kept[name]) for name in ("recipient", "naming", "signing")))
        if {len(found.recipient), len(found.naming), len(found.signing)} == {_RAW}:
            return found
    except FileNotFoundError:
        raise NotSet("there is no backup key yet: run `polyclinic backup key`") from None
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise NotSet(f"{place} cannot be read: put it back from a backup, or move it away and run `polyclinic backup key`")


def keep(made: Sealer, at: Path | None = None) -> None:
    """Write the server's half, readable by its owner only. Raises FileExistsError."""
    place = at or path()
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(text_of(made))
        file.flush()
        os.fsync(file.fileno())


def fingerprint(recipient: bytes) -> str:
    return hashlib.sha256(recipient).hexdigest()[:16]


def _derived(shared: bytes, passing: bytes, recipient: bytes) -> bytes:
    return HKDF(SHA256(), _RAW, None, b"polyclinic backup 1" + passing + recipient).derive(shared)


def _signed(header: bytes, passing: bytes, sealed: bytes) -> bytes:
    parts = (header, passing, sealed)
    return b"polyclinic backup 1" + b"".join(hashlib.sha256(part).digest() for part in parts)


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _unb64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
