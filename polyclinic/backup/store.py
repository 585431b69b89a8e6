"""The folder of backups: chunks by name, one file for each complete backup, and the newest copy of the keys.

A backup is complete when its file has its name; all it speaks of is on disk by then. Whatever ends a backup early
leaves chunks that nothing speaks of, and the next sweep takes them away.
"""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import orjson

from polyclinic.backup import keys
from polyclinic.backup.keys import Opener, Ref, Sealer
from polyclinic.backup.problems import Busy, Damaged, NoRoom, NotSet, WrongKey

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows runs one process
    fcntl = None  # type: ignore[assignment]

CHUNK: Final = 128 * 1024
_MARK: Final = "POLYCLINIC-BACKUPS"
_KEYS: Final = "keys.sealed"
_STATE: Final = "last.json"
_ENDING: Final = ".backup"
_DIGEST: Final = 32
_PATIENCE: Final = 10.0


@dataclass(frozen=True, slots=True)
class Kept:
    """A complete backup as its file says without any key."""

    id: str
    made_at: datetime
    version: str
    recipient: str
    chunks: tuple[str, ...]


class Repository:
    """One folder of backups, on this disk or one that is mounted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def prepare(self) -> None:
        """Make the folder if it is not there. Raises NotSet for one that holds something else."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not (self.folder / _MARK).exists():
                if any(one.name != "lost+found" for one in self.folder.iterdir()):
                    raise NotSet(f"{self.folder} is not empty and holds no backups: name a folder of its own")
                self._write(self.folder / _MARK, b"1\n")
            for name in ("chunks", "backups"):
                (self.folder / name).mkdir(mode=0o700, exist_ok=True)
        except OSError as problem:
            raise NotSet(f"{self.folder} cannot be used for backups ({problem.strerror})") from None

    def require(self) -> None:
        """Raises NotSet where no backups are."""
        if not (self.folder / _MARK).is_file():
            raise NotSet(f"there are no backups in {self.folder}")

    @contextmanager
    def held(self, *, shared: bool = False, patience: float = _PATIENCE) -> Iterator[None]:
        """One makes or takes away backups at a time; many may read meanwhile each other. Raises Busy."""
        handle = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            until = time.monotonic() + patience
            while fcntl is not None:
                try:
                    fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
                    break
                except OSError:
                    if time.monotonic() >= until:
                        raise Busy(f"another backup or restore works on {self.folder}: wait until it is done") from None
                    time.sleep(0.1)
            yield
        finally:
            os.close(handle)

    # Chunks

    def put(self, sealer: Sealer, content: bytes) -> tuple[Ref, int]:
        """Keep a piece of content. Gives its reference and the bytes this added: none when it was there, and whole."""
        ref, cipher = sealer.chunk(content)
        path = self._chunk(ref.name)
        if self._whole(path):
            return ref, 0
        packed = zlib.compress(content, 1)
        body = b"z" + packed if len(packed) < len(content) else b"-" + content
        sealed = keys.seal_chunk(ref, cipher, body)
        self._write(path, hashlib.sha256(sealed).digest() + sealed)
        return ref, _DIGEST + len(sealed)

    def get(self, ref: Ref) -> bytes:
        """Raises Damaged."""
        body = keys.open_chunk(ref, self._sealed(ref.name))
        try:
            return zlib.decompress(body[1:]) if body[:1] == b"z" else body[1:]
        except zlib.error:
            raise Damaged(f"chunk {ref.name[:16]}… does not open") from None

    def check(self, name: str) -> None:
        """Whether a chunk's bytes are those that were written; needs no key. Raises Damaged."""
        self._sealed(name)

    def _sealed(self, name: str) -> bytes:
        try:
            raw = self._chunk(name).read_bytes()
        except OSError as problem:
            raise Damaged(f"chunk {name[:16]}… cannot be read ({problem.strerror})") from None
        if hashlib.sha256(raw[_DIGEST:]).digest() != raw[:_DIGEST]:
            raise Damaged(f"chunk {name[:16]}… is not what was written")
        return raw[_DIGEST:]

    def _whole(self, path: Path) -> bool:
        """Looked at each time: one that rotted on the disk is written anew, and heals the backups before it too."""
        try:
            raw = path.read_bytes()
        except OSError:
            return False
        return hashlib.sha256(raw[_DIGEST:]).digest() == raw[:_DIGEST]

    def _chunk(self, name: str) -> Path:
        return self.folder / "chunks" / name[:2] / name

    # Backups

    def complete(self, sealer: Sealer, kept: Kept, body: bytes) -> None:
        """From here on the backup is there."""
        told = orjson.dumps(
            {
                "format": 1, "id": kept.id, "made_at": kept.made_at.isoformat(), "version": kept.version,
                "recipient": kept.recipient, "chunks": sorted(set(kept.chunks)),
            }
        )  # fmt: skip
        sealed = sealer.seal(told, body)
        self._write(self._backup(kept.id), orjson.dumps({"header": told.decode(), **sealed}))

    def backups(self) -> list[Kept]:
        """The complete ones, oldest first. Raises Damaged for one whose file cannot be read."""
        return [self._read(path)[0] for path in sorted((self.folder / "backups").glob(f"*{_ENDING}"))]

    def find(self, wanted: str) -> Kept:
        """The one of this id, or the newest for `latest`. Raises NotSet."""
        self.require()
        if wanted == "latest":
            names = sorted((self.folder / "backups").glob(f"*{_ENDING}"))
            if not names:
                raise NotSet(f"there is no complete backup in {self.folder}")
            return self._read(names[-1])[0]
        path = self._backup(wanted)
        if path.parent != self.folder / "backups" or not path.is_file():
            raise NotSet(f"there is no backup {wanted} in {self.folder}; `polyclinic backup list` names them")
        return self._read(path)[0]

    def body(self, opener: Opener, kept: Kept) -> bytes:
        """What the backup holds. Raises WrongKey or Damaged."""
        _same(opener, kept.recipient)
        _kept, found = self._read(self._backup(kept.id))
        return opener.open(found["header"].encode(), found)

    def _read(self, path: Path) -> tuple[Kept, dict[str, Any]]:
        try:
            found = orjson.loads(path.read_bytes())
            told = orjson.loads(found["header"])
            made = datetime.fromisoformat(told["made_at"])
            kept = Kept(told["id"], made, told["version"], told["recipient"], tuple(told["chunks"]))
            if kept.id + _ENDING == path.name:
                return kept, found
        except (OSError, ValueError, KeyError, TypeError):
            pass
        raise Damaged(f"{path.name} cannot be read: bring it back from a copy of the folder, or take it away")

    def _backup(self, name: str) -> Path:
        return self.folder / "backups" / f"{name}{_ENDING}"

    # The newest keys

    def keep_keys(self, sealer: Sealer, header: dict[str, Any], body: bytes) -> None:
        """Put them in the place of the ones before, of which nothing stays: a destroyed key must not come back."""
        told = orjson.dumps({"format": 1, "recipient": sealer.fingerprint, **header})
        self._write(self.folder / _KEYS, orjson.dumps({"header": told.decode(), **sealer.seal(told, body)}))

    def keys_header(self) -> dict[str, Any] | None:
        """What is said of the kept keys without opening them; None when there are none."""
        try:
            found: dict[str, Any] = orjson.loads(orjson.loads((self.folder / _KEYS).read_bytes())["header"])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError):
            return {}
        return found

    def keys_body(self, opener: Opener) -> bytes:
        """Raises WrongKey, Damaged."""
        try:
            found = orjson.loads((self.folder / _KEYS).read_bytes())
            header = found["header"]
            recipient = orjson.loads(header)["recipient"]
        except (OSError, ValueError, KeyError, TypeError):
            raise Damaged(f"{_KEYS} cannot be read: what is sealed in the backups would stay so") from None
        _same(opener, recipient)
        return opener.open(header.encode(), found)

    # What became of the last one

    def tell(self, state: dict[str, Any]) -> None:
        self._write(self.folder / _STATE, orjson.dumps(state))

    def told(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = orjson.loads((self.folder / _STATE).read_bytes())
        except (OSError, ValueError):
            return {}
        return found

    # Taking away

    def sweep(self, now: datetime, days: int) -> tuple[int, int]:
        """Take away backups older than so many days, never the newest, and chunks that nothing speaks of.

        Returns how many of each. Nothing goes while a backup's file cannot be read: what it speaks of is not known.
        """
        kept = self.backups()
        old = [one for one in kept[:-1] if one.made_at < now - timedelta(days=days)]
        for one in old:
            self._backup(one.id).unlink()
        _sync(self.folder / "backups")
        spoken = {name for one in kept if one not in old for name in one.chunks}
        gone = 0
        for path in (self.folder / "chunks").glob("*/*"):
            if path.name not in spoken:
                path.unlink(missing_ok=True)
                gone += 1
        for path in self.folder.glob(".new-*"):
            with suppress(OSError):
                path.unlink()
        return len(old), gone

    def _write(self, path: Path, content: bytes) -> None:
        """Whole and on disk under its name, or not at all. Raises NoRoom."""
        fresh = ""
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, fresh = tempfile.mkstemp(dir=path.parent, prefix=".new-")
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(fresh, path)
            _sync(path.parent)
        except OSError as problem:
            with suppress(OSError):
                os.unlink(fresh)
            if problem.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise NoRoom(f"no room in {self.folder}: what was complete still is; make room and try again") from None
            raise


def _same(opener: Opener, recipient: str) -> None:
    if opener.fingerprint != recipient:
        raise WrongKey(f"this backup is sealed for the key {recipient}, and the key given is {opener.fingerprint}")


def _sync(folder: Path) -> None:
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
