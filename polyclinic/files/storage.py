"""Where sealed contents lie. Whatever is behind `Storage` sees ciphertext under a name of ours and nothing else."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, Protocol
from uuid import UUID

from django.conf import settings

_READ: Final = 1 << 16


class Storage(Protocol):
    """Write once, read, delete. A name is a file's id; nothing that a person typed comes here."""

    def write(self, name: UUID, parts: Iterable[bytes]) -> None: ...

    def read(self, name: UUID) -> Iterator[bytes]:
        """Raises FileNotFoundError."""
        ...

    def delete(self, name: UUID) -> None:
        """Deleting what is not there is no error."""
        ...


class LocalStorage:
    """A folder of this machine, readable by its owner only."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def write(self, name: UUID, parts: Iterable[bytes]) -> None:
        path = self._path(name)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, fresh = tempfile.mkstemp(dir=path.parent, prefix=".new-")
        try:
            with os.fdopen(handle, "wb") as file:
                for part in parts:
                    file.write(part)
                file.flush()
                os.fsync(file.fileno())
            Path(fresh).replace(path)
        except BaseException:
            Path(fresh).unlink(missing_ok=True)
            raise

    def read(self, name: UUID) -> Iterator[bytes]:
        with self._path(name).open("rb") as file:
            while part := file.read(_READ):
                yield part

    def delete(self, name: UUID) -> None:
        self._path(name).unlink(missing_ok=True)

    def _path(self, name: UUID) -> Path:
        # The last digits are random, the first are the time: they spread over folders evenly.
        return self._root / name.hex[-2:] / name.hex


def storage() -> Storage:
    """This installation's storage."""
    return LocalStorage(Path(settings.DATA) / "files")
