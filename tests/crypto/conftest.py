"""A vault of its own for each test, in a throw-away folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from polyclinic.core.crypto import kms, vault
from polyclinic.core.crypto.ring import ring


def fresh() -> None:
    """Forget everything held in memory, as a new process would have it."""
    if vault.vault.cache_info().currsize:
        vault.vault().close()
    vault.vault.cache_clear()
    kms.kms.cache_clear()
    ring.forget()
    ring._asked, ring._news = 0.0, -1


@pytest.fixture
def keys(tmp_path: Path, settings: Any) -> Iterator[Path]:
    """The folder of a fresh key file and vault."""
    settings.KEYS_FOLDER = str(tmp_path / "keys")
    fresh()
    yield tmp_path / "keys"
    fresh()
