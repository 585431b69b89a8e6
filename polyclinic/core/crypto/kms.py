"""Where the master key lives: a key file by default, or a key service that never gives it away.

Only the vault's root key is wrapped here, so a key service is asked once when a process starts and at each rotation,
never for a patient and never inside a transaction.
"""

from __future__ import annotations

import base64
import binascii
import functools
import http.client
import json
import os
import secrets
import ssl
import tempfile
import threading
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from polyclinic.core.crypto.problems import MasterKeyUnusable

NONCE: Final = 12
KEY_BYTES: Final = 32
_TIMEOUT: Final = 10
_MOST: Final = 1 << 20


class Kms(Protocol):
    """A keeper of the master key. `context` is bound to what is wrapped and must be the same to unwrap it."""

    def wrap(self, secret: bytes, context: bytes) -> str: ...

    def unwrap(self, wrapped: str, context: bytes) -> bytes: ...

    def version_of(self, wrapped: str) -> str:
        """Which version of the master key wrapped this."""
        ...

    def current(self) -> str:
        """The version that wraps now."""
        ...

    def rotate(self) -> str:
        """Make a new version and return it; older ones still unwrap. Raises MasterKeyUnusable when it may not."""
        ...

    def retire(self, keep: Collection[str]) -> None:
        """Forget versions but those in `keep` and the current one."""
        ...


class LocalKeys:
    """Master keys in a file of one's own (mode 0600), or given as text by the setting MASTER_KEY.

    The text is `k2=base64,k1=base64`, newest first; it is never written, so rotating it is the administrator's act.
    """

    def __init__(self, path: Path, given: str = "") -> None:
        self._path = path
        self._given = given
        self._lock = threading.Lock()
        self._keys: dict[str, bytes] = {}
        self._current = ""
        self._load()

    def wrap(self, secret: bytes, context: bytes) -> str:
        nonce = os.urandom(NONCE)
        sealed = AESGCM(self._keys[self._current]).encrypt(nonce, secret, context)
        return f"{self._current}:{base64.b64encode(nonce + sealed).decode()}"

    def unwrap(self, wrapped: str, context: bytes) -> bytes:
        version, _colon, text = wrapped.partition(":")
        if version not in self._keys:
            self._load()  # another process may have rotated
        key = self._keys.get(version)
        if key is None:
            raise MasterKeyUnusable(f"master key {version} is not in {self._named()}")
        raw = base64.b64decode(text)
        try:
            return AESGCM(key).decrypt(raw[:NONCE], raw[NONCE:], context)
        except InvalidTag:
            raise MasterKeyUnusable(f"master key {version} of {self._named()} does not open this vault") from None

    def version_of(self, wrapped: str) -> str:
        return wrapped.partition(":")[0]

    def current(self) -> str:
        return self._current

    def rotate(self) -> str:
        self._writable()
        with self._lock:
            self._load()
            version = f"k{max(int(name[1:]) for name in self._keys) + 1}"
            self._keys[version] = secrets.token_bytes(KEY_BYTES)
            self._current = version
            self._replace()
        return version

    def retire(self, keep: Collection[str]) -> None:
        if self._given:
            return  # the administrator takes the old key out of the setting
        with self._lock:
            self._load()
            self._keys = {name: key for name, key in self._keys.items() if name in keep or name == self._current}
            self._replace()

    def _writable(self) -> None:
        if self._given:
            raise MasterKeyUnusable(
                "the master key comes from the setting MASTER_KEY: put the new key in front of it, then run "
                "`polyclinic keys rewrap`"
            )

    def _named(self) -> str:
        return "the setting MASTER_KEY" if self._given else str(self._path)

    def _load(self) -> None:
        try:
            if self._given:
                pairs = [part.strip().partition("=")[::2] for part in self._given.split(",") if part.strip()]
                self._current, self._keys = pairs[0][0], {name: _key(text) for name, text in pairs}
                return
            if not self._path.exists():
                self._make()
            kept = json.loads(self._path.read_text(encoding="ascii"))
            self._current = kept["current"]
            self._keys = {name: _key(text) for name, text in kept["keys"].items()}
        except (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError) as problem:
            raise MasterKeyUnusable(f"{self._named()} cannot be read ({problem})") from None

    def _make(self) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._keys, self._current = {"k1": secrets.token_bytes(KEY_BYTES)}, "k1"
        fresh = self._written()
        try:
            # A link fails when the name is taken: of two processes starting together one makes the key, whole.
            os.link(fresh, self._path)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
        _sync_folder(self._path.parent)

    def _replace(self) -> None:
        self._written().replace(self._path)
        _sync_folder(self._path.parent)

    def _written(self) -> Path:
        """The keys in a new file beside the old one, readable by its owner only and safely on disk."""
        handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=".master-")
        with os.fdopen(handle, "w", encoding="ascii") as file:
            keys = {name: base64.b64encode(key).decode() for name, key in self._keys.items()}
            json.dump({"current": self._current, "keys": keys}, file)
            file.flush()
            os.fsync(file.fileno())
        return Path(name)


class TransitKeys:
    """A key service that speaks the transit protocol of HashiCorp Vault and OpenBao.

    The address ends in mount and key name, as in `https://kms.example.org:8200/v1/transit/polyclinic`. The key must
    be of an authenticated kind (aes256-gcm96, the service's default).
    """

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        self._mount, _slash, self._name = parts.path.rstrip("/").rpartition("/")
        self._host, self._port, self._tls = parts.hostname or "", parts.port, parts.scheme == "https"
        self._token = token

    def wrap(self, secret: bytes, context: bytes) -> str:
        body = {"plaintext": _b64(secret), "associated_data": _b64(context)}
        return str(self._post(f"encrypt/{self._name}", body)["ciphertext"])

    def unwrap(self, wrapped: str, context: bytes) -> bytes:
        body = {"ciphertext": wrapped, "associated_data": _b64(context)}
        return base64.b64decode(self._post(f"decrypt/{self._name}", body)["plaintext"])

    def version_of(self, wrapped: str) -> str:
        return wrapped.split(":")[1]  # vault:v3:…

    def current(self) -> str:
        return f"v{self._call('GET', f'keys/{self._name}', None)['latest_version']}"

    def rotate(self) -> str:
        self._post(f"keys/{self._name}/rotate", {})
        return self.current()

    def retire(self, keep: Collection[str]) -> None:
        oldest = min([int(version[1:]) for version in {*keep, self.current()}])
        self._post(f"keys/{self._name}/config", {"min_decryption_version": oldest})

    def _post(self, what: str, body: Mapping[str, object]) -> dict[str, Any]:
        return self._call("POST", what, body)

    def _call(self, method: str, what: str, body: Mapping[str, object] | None) -> dict[str, Any]:
        kind: Any = http.client.HTTPSConnection if self._tls else http.client.HTTPConnection
        options = {"context": ssl.create_default_context()} if self._tls else {}
        line = kind(self._host, self._port, timeout=_TIMEOUT, **options)
        try:
            sent = None if body is None else json.dumps(body)
            headers = {"X-Vault-Token": self._token, "Content-Type": "application/json"}
            line.request(method, f"{self._mount}/{what}", sent, headers)
            answer = line.getresponse()
            text = answer.read(_MOST)
        except (OSError, http.client.HTTPException) as problem:
            raise MasterKeyUnusable(f"the key service at {self._host} does not answer ({problem})") from None
        finally:
            line.close()
        if answer.status >= 300:
            # The answer's text stays out: a service may repeat what it was sent.
            raise MasterKeyUnusable(f"the key service at {self._host} answered {answer.status} to {what}")
        found: dict[str, Any] = json.loads(text).get("data") or {} if text else {}
        return found


def folder() -> Path:
    """Where key file and vault are kept: the setting KEYS_FOLDER, or `keys` in the data folder."""
    given: str = settings.KEYS_FOLDER
    return Path(given) if given else Path(settings.DATA) / "keys"


@functools.cache
def kms() -> Kms:
    """The keeper this installation uses. Raises MasterKeyUnusable."""
    if settings.KMS_URL:
        return TransitKeys(settings.KMS_URL, settings.KMS_TOKEN)
    return LocalKeys(folder() / "master.json", settings.MASTER_KEY)


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _key(text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error:
        key = b""
    if len(key) != KEY_BYTES:
        raise ValueError("a master key is 32 bytes in base64")
    return key


def _sync_folder(path: Path) -> None:
    if os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
