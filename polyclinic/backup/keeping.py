"""The newest copy of the keys, beside all backups and inside none.

Every older backup is opened by the keys of today: a vault forgets no key but those destroyed on purpose. So one copy is
enough, and because there is only one, a patient who was erased is unreadable in every backup from the moment it is
written anew: within a minute, by the server. Its marks of destroyed keys also say whom a restore must erase again.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import orjson

from polyclinic.backup import place
from polyclinic.backup.keys import Opener, Sealer
from polyclinic.backup.problems import Busy, Damaged
from polyclinic.backup.store import Repository
from polyclinic.core import clock
from polyclinic.core.crypto import kms as kept
from polyclinic.core.crypto.problems import CryptoError
from polyclinic.core.crypto.ring import ring
from polyclinic.core.crypto.vault import CURRENT, RETIRED, SHREDDED, VaultRows, vault

_TRIES: Final = 20


def copy(repository: Repository, sealer: Sealer) -> None:
    """Put the keys as they are now in the place of the copy before. The caller holds the repository."""
    for _try in range(_TRIES):
        before = stamp()
        rows = vault().rows()
        files = {name: path.read_bytes() for name, path in place.key_files().items() if path.is_file()}
        if stamp() == before:
            break
    else:
        raise Busy("the keys are being renewed: wait until it is done")
    body = {
        "vault": {"roots": rows.roots, "keys": rows.keys},
        "files": {name: base64.b64encode(raw).decode() for name, raw in files.items()},
    }
    repository.keep_keys(sealer, {"made_at": clock.now().isoformat(), "stamp": before}, orjson.dumps(body))


def stamp() -> str:
    """Another one after every renewing and destroying of keys. New keys of new patients leave it as it is: no backup
    that is there already needs them."""
    counts = vault().counts()
    root = next((one.id for one in vault().roots() if one.state == CURRENT), "")
    return f"{root}.{vault().news()}.{counts.get(RETIRED, 0)}.{counts.get(SHREDDED, 0)}"


def stale(repository: Repository) -> bool:
    """Whether keys were renewed or destroyed since they were copied."""
    header = repository.keys_header()
    return header is None or header.get("stamp") != stamp()


def read(repository: Repository, opener: Opener) -> tuple[VaultRows, dict[str, bytes]]:
    """The vault's rows and the key files. Raises WrongKey, Damaged."""
    found: dict[str, Any] = orjson.loads(repository.keys_body(opener))
    rows = VaultRows(*([tuple(row) for row in found["vault"][name]] for name in ("roots", "keys")))
    return rows, {name: base64.b64decode(text) for name, text in found["files"].items()}


def put_back(rows: VaultRows, files: dict[str, bytes], say: Callable[[str], None]) -> None:
    """Let this installation have the keys of the copy; those it has already that fit are kept.

    Whatever was destroyed in either of the two is destroyed afterwards. Raises Damaged when the vault that is here
    belongs to another installation.
    """
    here = {row[0] for row in vault().rows().keys}
    signed = bool(place.checkpoint_files())
    for name, path in place.key_files().items():
        # A vault without keys has nothing that its master key opens. What signed the checkpoints here goes on doing so.
        if name in files and (
            name == "secret.key" or not path.exists() or (not here and not (name == "audit.key" and signed))
        ):
            _write(path, files[name])
    forget()
    if not here:
        vault().fill(rows)
    elif not {row[0] for row in rows.keys} <= here:
        raise Damaged(
            "the key vault that is here is not that of the backup: move KEYS_FOLDER away, or empty KEY_VAULT_URL"
        )
    else:
        say("The keys that are here fit, and are kept.")
        for row in rows.keys:
            if row[4] == SHREDDED:
                vault().shred(row[1])
    forget()
    try:
        ring.root()
    except CryptoError as problem:
        raise Damaged(f"the keys do not open: {problem}. MASTER_KEY or KMS_URL must be those of then") from None


def forget() -> None:
    """Keys held in memory are those of before."""
    vault().close()
    vault.cache_clear()
    kept.kms.cache_clear()
    ring.forget()


def erased() -> list[str]:
    """Owners whose keys were destroyed."""
    return sorted({row[1] for row in vault().rows().keys if row[4] == SHREDDED})


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    place.sync(path.parent)
