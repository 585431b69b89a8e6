"""Unwrapped keys, in memory only.

An owner is a patient (`patient:<id>`) or a purpose (`purpose:accounts`). Each has one current key that seals and any
number of older ones that still open. What another process renewed or shredded is known here within `HEARD_WITHIN`
seconds.
"""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from polyclinic.core.crypto.kms import KEY_BYTES, NONCE, kms
from polyclinic.core.crypto.problems import CryptoError, KeyErased, KeyMissing, MasterKeyUnusable
from polyclinic.core.crypto.vault import CURRENT, SHREDDED, WrappedKey, WrappedRoot, vault

HEARD_WITHIN: Final = 5.0
_MOST: Final = 8192
_ATTEMPTS: Final = 5


@dataclass(frozen=True, slots=True)
class Key:
    """A data key ready for use."""

    id: str
    owner: str
    secret: bytes = field(repr=False)
    cipher: AESGCM = field(repr=False)


class Ring:
    """The keys one process holds, and the way to make more."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: dict[str, Key] = {}
        self._current: dict[str, Key] = {}
        self._roots: dict[str, AESGCM] = {}
        self._news = -1
        self._asked = 0.0

    def current(self, owner: str) -> Key:
        """The key that seals for an owner, made when there is none. Raises KeyErased for a shredded owner."""
        self._listen()
        found = self._current.get(owner)
        if found is not None:
            return found
        for attempt in range(_ATTEMPTS):
            rows = vault().of_owner(owner)
            if any(row.state == SHREDDED for row in rows):
                raise KeyErased(f"the key of {owner} was destroyed")
            for row in rows:
                if row.state == CURRENT and (key := self._kept(row, attempt, current=True)):
                    return key
            if not any(row.state == CURRENT for row in rows):
                self.make([owner])
        raise CryptoError(f"no key could be made for {owner}")

    def by_id(self, key_id: str) -> Key:
        """The key with which something was sealed. Raises KeyErased or KeyMissing."""
        self._listen()
        found = self._keys.get(key_id)
        if found is not None:
            return found
        for attempt in range(_ATTEMPTS):
            row = vault().key(key_id)
            if row is None:
                break
            if row.state == SHREDDED:
                raise KeyErased(f"key {key_id} was destroyed")
            if key := self._kept(row, attempt):
                return key
        raise KeyMissing(f"key {key_id} is not in the vault")

    def warm(self, key_ids: Iterable[str]) -> None:
        """Fetch several keys with one question, before a list is opened. Missing ones are no error here."""
        self._listen()
        self._fetch(set(key_ids))

    def several(self, key_ids: set[str]) -> dict[str, Key]:
        """Those of the keys that are there, fetched with one question. Why another is not, `by_id` says."""
        self._listen()
        self._fetch(key_ids)
        held = self._keys
        return {key_id: key for key_id in key_ids if (key := held.get(key_id)) is not None}

    def _fetch(self, key_ids: set[str]) -> None:
        missing = [key_id for key_id in key_ids if key_id not in self._keys]
        if len(missing) < 2:
            return
        for row in vault().keys(missing):
            if row.state != SHREDDED:
                self._kept(row, 0)

    def make(self, owners: Iterable[str], *, renewing: bool = False) -> int:
        """New current keys for owners; returns how many were made. Many at once cost one write."""
        root, cipher = self._current_root()
        fresh = [_wrapped(owner, root, cipher, secrets.token_bytes(KEY_BYTES)) for owner in owners]
        made = vault().add(fresh, renewing=renewing)
        if renewing or made < len(fresh):
            # Renewed here, or the root that was thought current has gone: look again.
            self.forget()
        return made

    def shred(self, owner: str) -> int:
        """Destroy an owner's keys, here and in the vault."""
        gone = vault().shred(owner)
        self.forget()
        return gone

    def forget(self) -> None:
        """Empty the memory; keys are unwrapped anew when they are needed."""
        with self._lock:
            self._keys.clear()
            self._current.clear()
            self._roots.clear()

    def unwrap(self, row: WrappedKey) -> bytes:
        """A kept key's bytes. Raises MasterKeyUnusable when its root is not what wrapped it."""
        raw = _unb64(row.wrapped)
        try:
            return self._root(row.root).decrypt(raw[:NONCE], raw[NONCE:], _bound(row.id, row.owner, row.root))
        except InvalidTag:
            raise MasterKeyUnusable(f"key {row.id} was not wrapped by root {row.root}") from None

    def rewrapped(self, row: WrappedKey, root: str) -> str:
        """The same key wrapped by another root."""
        return _wrapped(row.owner, root, self._root(root), self.unwrap(row), row.id).wrapped

    def root(self) -> str:
        """The id of the current root key, made when there is none. Raises MasterKeyUnusable or KeyMissing."""
        return self._current_root()[0]

    def new_root(self) -> str:
        """Make a root key the current one and return its id."""
        made, _secret = _fresh_root()
        vault().add_root(made, renewing=True)
        self.forget()
        return made.id

    def _kept(self, row: WrappedKey, attempt: int, *, current: bool = False) -> Key | None:
        """The key; None when its root went between the two questions: a rotation has just wrapped it anew."""
        try:
            return self._keep(row, current=current)
        except KeyMissing:
            if attempt == _ATTEMPTS - 1:
                raise
            return None

    def _keep(self, row: WrappedKey, *, current: bool = False) -> Key:
        secret = self.unwrap(row)
        key = Key(row.id, row.owner, secret, AESGCM(secret))
        with self._lock:
            for held in (self._keys, self._current):
                if len(held) >= _MOST:
                    del held[next(iter(held))]
            self._keys[key.id] = key
            if current:
                self._current[key.owner] = key
        return key

    def _listen(self) -> None:
        """Look now and then whether another process renewed or shredded keys."""
        now = time.monotonic()
        if now - self._asked < HEARD_WITHIN:
            return
        self._asked = now
        news = vault().news()
        if news != self._news:
            self._news = news
            self.forget()

    def _current_root(self) -> tuple[str, AESGCM]:
        for _attempt in range(_ATTEMPTS):
            for root in vault().roots():
                if root.state == CURRENT:
                    return root.id, self._root(root.id)
            vault().add_root(_fresh_root()[0])
        raise CryptoError("no root key could be made")

    def _root(self, root_id: str) -> AESGCM:
        found = self._roots.get(root_id)
        if found is None:
            kept = {root.id: root for root in vault().roots()}
            if root_id not in kept:
                raise KeyMissing(f"root key {root_id} is not in the vault")
            found = self._roots[root_id] = AESGCM(kms().unwrap(kept[root_id].wrapped, b"root:" + root_id.encode()))
        return found


def _fresh_root() -> tuple[WrappedRoot, bytes]:
    secret, root_id = secrets.token_bytes(KEY_BYTES), secrets.token_urlsafe(9)
    return WrappedRoot(root_id, kms().wrap(secret, b"root:" + root_id.encode()), CURRENT), secret


def _wrapped(owner: str, root: str, cipher: AESGCM, secret: bytes, key_id: str = "") -> WrappedKey:
    key_id = key_id or secrets.token_urlsafe(9)
    nonce = os.urandom(NONCE)
    return WrappedKey(
        key_id, owner, root, (nonce + cipher.encrypt(nonce, secret, _bound(key_id, owner, root))).hex(), CURRENT
    )


def _bound(key_id: str, owner: str, root: str) -> bytes:
    return f"{key_id}|{owner}|{root}".encode()


def _unb64(text: str) -> bytes:
    return bytes.fromhex(text)


def patient(patient_id: UUID) -> str:
    """The owner name of a patient."""
    return f"patient:{patient_id}"


def purpose(name: str) -> str:
    """The owner name of a purpose."""
    return f"purpose:{name}"


ring: Final = Ring()
