"""The key pair that signs access tokens: made once, kept in the data folder, readable by its owner only."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings

_BITS: Final = 2048


@dataclass(frozen=True)
class KeyPair:
    """The private key, its public half and the name (`kid`) that tokens refer to it by."""

    private: rsa.RSAPrivateKey
    public: rsa.RSAPublicKey
    kid: str


def current() -> KeyPair:
    """The key pair of this installation, made when there is none yet."""
    return _load(Path(settings.DATA) / "keys")


@lru_cache(maxsize=4)
def _load(folder: Path) -> KeyPair:
    path = folder / "access-token.pem"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        _make(path)
    private = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(private, rsa.RSAPrivateKey):
        raise SystemExit(f"{path} does not hold an RSA key. Move it away; a new one is made at the next start.")
    public = private.public_key()
    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return KeyPair(private, public, hashlib.sha256(der).hexdigest()[:16])


def _make(path: Path) -> None:
    pem = rsa.generate_private_key(public_exponent=65537, key_size=_BITS).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    written = path.with_name(f"{path.name}.{os.getpid()}")
    handle = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(pem)
    try:
        # A link, not a rename: of two processes starting together the first keeps its key, whole from the start.
        os.link(written, path)
    except FileExistsError:
        pass
    finally:
        written.unlink()
