"""What can go wrong with keys and sealed texts. None of these is the caller's fault; all are loud on purpose."""

from __future__ import annotations


class CryptoError(RuntimeError):
    """Common to all. The message names keys and columns, never a content."""


class Tampered(CryptoError):
    """A sealed text is not what was sealed for this row and column: altered, moved, or not sealed at all."""


class KeyErased(CryptoError):
    """The key was destroyed on purpose (crypto-shredding): what it sealed is gone for good."""


class KeyMissing(CryptoError):
    """The vault does not know the key: another vault, or an older copy of it, stands beside this database."""


class MasterKeyUnusable(CryptoError):
    """The master key cannot be read, or does not open this vault."""
