"""Renewing keys while people work. Each step is short, and what was interrupted goes on where it stopped.

The master key: a new version wraps a new root key, every data key is wrapped anew under it, and then older roots and
versions are forgotten; no row of the database is touched. Data keys: each owner gets a new one, and every column is
walked and sealed anew. Older data keys stay in the vault, since older backups and the audit trail still need them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from polyclinic.core.crypto import ring as rings
from polyclinic.core.crypto import sweep
from polyclinic.core.crypto.kms import kms
from polyclinic.core.crypto.ring import ring
from polyclinic.core.crypto.vault import CURRENT, RETIRED, SHREDDED, vault

_STEP: Final = 500
_BLIND: Final = rings.purpose("blind-")

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Status:
    """What there is. `left_behind` counts data keys that an interrupted rotation left under an older root."""

    master: str
    roots: int
    current: int
    retired: int
    shredded: int
    left_behind: int


def status() -> Status:
    """Raises MasterKeyUnusable when the master key does not open this vault."""
    root = ring.root()
    counts = vault().counts()
    left = vault().left_behind(root)
    return Status(
        kms().current(), len(vault().roots()), counts.get(CURRENT, 0), counts.get(RETIRED, 0),
        counts.get(SHREDDED, 0), left,
    )  # fmt: skip


def rotate_master(say: Say) -> int:
    """A new version of the master key, a new root, every data key under it. Returns how many keys were wrapped anew."""
    ring.root()  # nothing is begun with a master key that does not open what there is
    version = kms().rotate()
    say(f"Master key {version} made")
    return rewrap(say)


def rewrap(say: Say) -> int:
    """Wrap everything under the newest master key, then forget older roots and versions. Also ends a broken-off run."""
    newest = kms().current()
    ring.root()
    current = next(root for root in vault().roots() if root.state == CURRENT)
    if kms().version_of(current.wrapped) != newest:
        say(f"Root key {ring.new_root()} made under master key {newest}")
    done = 0
    # Another process may still wrap with the root it knew; the vault refuses a root that is gone, so this ends.
    while rows := vault().under_other_roots(ring.root(), _STEP):
        root = ring.root()
        vault().rewrap([(row, root, ring.rewrapped(row, root)) for row in rows])
        done += len(rows)
        say(f"  {done:,} data keys wrapped anew")
    vault().drop_unused_roots()
    ring.forget()
    kms().retire({kms().version_of(root.wrapped) for root in vault().roots()})
    return done


def rotate_data(say: Say, owners: Sequence[str] = (), pause: float | None = None) -> int:
    """New data keys for these owners (all of them when none is named), and every text under its new key.

    Returns how many texts were sealed anew. Other processes hear of new keys within `HEARD_WITHIN` seconds and may seal
    with the old ones until then, so the columns are walked once more after a pause.
    """
    chosen = [owner for owner in owners or vault().owners() if not owner.startswith(_BLIND)]
    for start in range(0, len(chosen), _STEP):
        ring.make(chosen[start : start + _STEP], renewing=True)
    say(f"{len(chosen):,} data keys made")
    total = walk(say)
    time.sleep(rings.HEARD_WITHIN + 1 if pause is None else pause)
    return total + walk(say)


def walk(say: Say) -> int:
    """Seal anew whatever stands under an older data key. Returns how much that was."""
    total = 0
    for field in sweep.encrypted():
        done = sum(sweep.reseal(field))
        total += done
        if done:
            say(f"  {field.model._meta.db_table}.{field.attname}: {done:,} sealed anew")
    return total
