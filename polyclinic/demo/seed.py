"""Chance that always falls the same way: one seeded generator and ids drawn in order."""

from __future__ import annotations

import random
from typing import Final
from uuid import UUID

SEED: Final = 20_240_229
_EPOCH_MS: Final = 1_700_000_000_000


class Seeded:
    """The demo's source of chance. The same calls give the same people, ids and choices on every machine."""

    def __init__(self, seed: int = SEED) -> None:
        self.rng = random.Random(seed)  # noqa: S311 - invents people, guards nothing
        self._tick = _EPOCH_MS

    def new_id(self) -> UUID:
        """A UUIDv7 that is the same in every load, so that a link into the demo stays good."""
        self._tick += 1
        tail = 0b10 << 62 | self.rng.getrandbits(62)
        return UUID(int=self._tick << 80 | 0x7 << 76 | self.rng.getrandbits(12) << 64 | tail)
