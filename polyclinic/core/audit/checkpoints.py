"""Signed checkpoints of the audit, in files outside the database.

A chain alone cannot tell that its end was cut off or that it was written anew from the start. So every minute, and
when the server stops, the last entry of each lane is signed with a key of the installation's own and appended to a
file; each line names the digest of the one before. The database keeps the digests of the lines: whoever changes only
one of the two is found by the other. Copies of the file kept on another machine find who changes both.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings
from django.db import transaction

from polyclinic.core import clock
from polyclinic.core.audit import chain
from polyclinic.core.audit.chain import GENESIS, Heads
from polyclinic.core.models import AuditCheckpoint

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows runs one process
    fcntl = None  # type: ignore[assignment]

_log = logging.getLogger(__name__)
_here = threading.Lock()
PATTERN: Final = "audit-*.jsonl"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One signed line. `restart` says why earlier lines no longer speak of this database (a restored backup)."""

    number: int
    at: str
    key: str
    heads: Heads
    previous: str
    restart: str
    signature: str
    digest: str


def folder() -> Path:
    """Where the files are; made when missing."""
    found: Path = settings.AUDIT_CHECKPOINTS or settings.DATA / "checkpoints"
    found.mkdir(mode=0o700, parents=True, exist_ok=True)
    return found


def take(restart: str = "") -> int:
    """Check what was written since the last checkpoint and sign where the chains end. Returns 1 when it did.

    Nothing new, nothing signed. A chain that does not hold is not signed either: it is logged, and stays open until
    `polyclinic audit verify` has been answered for.
    """
    with _one_at_a_time():
        last = latest()
        heads = chain.heads()
        if not restart and (not heads or (last is not None and last.heads == heads)):
            return 0
        since: Heads = {} if restart or last is None else last.heads
        broken = next(chain.verify_after(since), None)
        if broken is not None:
            _log.error("audit chain %d does not hold at entry %d: %s", broken.lane, broken.seq, broken.why)
            return 0
        line, made = _sign(last, heads, restart)
        _append(line)
        _remember(made)
    return 1


def _sign(last: Checkpoint | None, heads: Heads, restart: str) -> tuple[bytes, Checkpoint]:
    private = signing_key()
    now = clock.now()
    body: dict[str, Any] = {
        "number": last.number + 1 if last else 1,
        "at": now.isoformat(),
        "key": fingerprint(private.public_key()),
        "heads": {str(lane): list(head) for lane, head in sorted(heads.items())},
        "previous": last.digest if last else GENESIS,
        "restart": restart,
    }
    signature = base64.b64encode(private.sign(orjson.dumps(body))).decode()
    line = orjson.dumps({**body, "signature": signature})
    return line, read(line)


def read(line: bytes) -> Checkpoint:
    """A line as it stands. Raises ValueError for what is no checkpoint; the signature is looked at by `signed`."""
    try:
        found = orjson.loads(line)
        heads = {int(lane): (int(seq), str(digest)) for lane, (seq, digest) in found["heads"].items()}
        return Checkpoint(
            int(found["number"]), found["at"], found["key"], heads, found["previous"], found["restart"],
            found["signature"], hashlib.sha256(line).hexdigest(),
        )  # fmt: skip
    except (KeyError, TypeError, AttributeError) as problem:
        raise ValueError("not a checkpoint") from problem


def signed(line: bytes) -> bool:
    """Whether the line's signature is right by the public key it names, as kept beside the files."""
    found = orjson.loads(line)
    signature = found.pop("signature")
    public = public_key(str(found["key"]))
    if public is None:
        return False
    try:
        public.verify(base64.b64decode(signature), orjson.dumps(found))
    except (InvalidSignature, ValueError):
        return False
    return True


def lines(since: str = "") -> Iterator[bytes]:
    """Every line of every file (from a month such as 2026-11), oldest first."""
    for path in sorted(folder().glob(PATTERN)):
        if path.stem >= f"audit-{since}":
            yield from (line for line in path.read_bytes().splitlines() if line)


def latest() -> Checkpoint | None:
    """The newest checkpoint that can be read; the file's end is looked at, not the whole of it."""
    for path in sorted(folder().glob(PATTERN), reverse=True):
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 16_384))
            tail = file.read().splitlines()
        for line in reversed(tail):
            with suppress(ValueError):
                return read(line)
    return None


def _append(line: bytes) -> None:
    path = folder() / f"audit-{clock.now():%Y-%m}.jsonl"
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        # A line that was cut short by a crash ends here, and does not swallow this one.
        os.write(handle, (b"\n" if _torn(path) else b"") + line + b"\n")
        os.fsync(handle)
    finally:
        os.close(handle)


def _torn(path: Path) -> bool:
    size = path.stat().st_size
    if not size:
        return False
    with path.open("rb") as file:
        file.seek(size - 1)
        return file.read(1) != b"\n"


def _remember(made: Checkpoint) -> None:
    with transaction.atomic():
        AuditCheckpoint.objects.create(
            key=made.key,
            number=made.number,
            at=datetime.fromisoformat(made.at),
            heads=orjson.dumps({str(lane): list(head) for lane, head in made.heads.items()}).decode(),
            digest=made.digest,
        )


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Of the processes that share the folder one signs at a time, and sees the line of the one before."""
    with _here, (folder() / "lock").open("ab") as file:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def signing_key() -> Ed25519PrivateKey:
    """The key of this installation, made at first need and readable by its owner only."""
    path = Path(settings.DATA) / "keys" / "audit.key"
    made = _load_key(str(path))
    published = folder() / f"{fingerprint(made.public_key())}.pub"
    if not published.exists():
        published.write_bytes(
            made.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        )
    return made


@lru_cache(4)
def _load_key(path: str) -> Ed25519PrivateKey:
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        found = serialization.load_pem_private_key(Path(path).read_bytes(), None)
        assert isinstance(found, Ed25519PrivateKey)
        return found
    made = Ed25519PrivateKey.generate()
    with os.fdopen(handle, "wb") as file:
        file.write(
            made.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
    return made


def public_key(name: str) -> Ed25519PublicKey | None:
    """The public key of this fingerprint from the folder, or None. A file that holds another key is no such key."""
    path = folder() / f"{Path(name).name}.pub"
    try:
        found = serialization.load_pem_public_key(path.read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, Ed25519PublicKey) and fingerprint(found) == name else None


def fingerprint(public: Ed25519PublicKey) -> str:
    """SHA-256 over the key's 32 bytes."""
    raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return hashlib.sha256(raw).hexdigest()
