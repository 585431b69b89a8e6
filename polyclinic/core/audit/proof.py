"""Everything that can be checked about the audit: chains, lists, guards and the checkpoints outside."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from polyclinic.core.audit import chain, checkpoints, groups, guard
from polyclinic.core.audit.chain import GENESIS, Heads
from polyclinic.core.audit.checkpoints import Checkpoint
from polyclinic.core.models import AuditCheckpoint, AuditEntry

_AT_ONCE = 400


@dataclass(frozen=True, slots=True)
class Finding:
    """What does not hold, and what to do about it."""

    what: str
    remedy: str


_RESTORE = "compare with a backup from before, keep this database and its files as evidence, tell the privacy officer"
_OUTSIDE = "bring the checkpoint files back from their copy, keep what is there as evidence, tell the privacy officer"
_ANEW = "if a backup was restored on purpose, say so with `polyclinic audit restart REASON`; else " + _RESTORE


def verify() -> Iterator[Finding]:
    """Yield what does not hold. Nothing yielded: every entry is as it was written, none is missing, the guards stand.

    What was written since the last checkpoint can still be cut off unseen: a minute at most while the server runs.
    """
    yield from tampering()
    for name in guard.missing():
        yield Finding(f"the trigger {name} is missing or switched off", "find out who took it away; then restore it")


def tampering() -> Iterator[Finding]:
    """What was altered, added or taken away in the database or in the files."""
    for broken in chain.verify():
        yield Finding(f"chain {broken.lane}, entry {broken.seq}: {broken.why}", _RESTORE)
    for name in groups.broken():
        yield Finding(f"list {name[:16]}…: its patients are not those that were written", _RESTORE)
    yield from _outside()


def _outside() -> Iterator[Finding]:
    """The files in themselves, then against the database, then the database against the files."""
    good: list[Checkpoint] = []
    number, previous = 0, GENESIS
    for line in checkpoints.lines():
        try:
            found = checkpoints.read(line)
        except ValueError:
            yield Finding(f"a line after checkpoint {number} cannot be read", _OUTSIDE)
            continue
        if found.number != number + 1 or found.previous != previous:
            yield Finding(f"checkpoint {found.number} does not follow checkpoint {number}", _OUTSIDE)
        if checkpoints.signed(line):
            good.append(found)
        else:
            yield Finding(f"checkpoint {found.number} is not signed by its key", _OUTSIDE)
        number, previous = found.number, found.digest
    yield from _against_database(good)
    yield from _against_files({(one.key, one.number): one.digest for one in good})


def _against_database(good: list[Checkpoint]) -> Iterator[Finding]:
    """Every entry that was ever signed must still be there with its digest."""
    starts = [place for place, one in enumerate(good) if one.restart]
    wanted: dict[tuple[int, int], tuple[str, int]] = {}
    for one in good[starts[-1] if starts else 0 :]:
        for lane, (seq, digest) in one.heads.items():
            wanted.setdefault((lane, seq), (digest, one.number))
    keys = iter(wanted)
    while part := list(islice(keys, _AT_ONCE)):
        there: dict[tuple[int, int], str] = {}
        for lane in {lane for lane, _seq in part}:
            rows = AuditEntry.objects.filter(lane=lane, seq__in=[seq for each, seq in part if each == lane])
            there.update({(lane, seq): digest for seq, digest in rows.values_list("seq", "digest")})
        for lane, seq in part:
            digest, number = wanted[lane, seq]
            if (lane, seq) not in there:
                yield Finding(f"chain {lane}, entry {seq}: gone, though checkpoint {number} signed it", _ANEW)
            elif there[lane, seq] != digest:
                yield Finding(f"chain {lane}, entry {seq}: not the entry that checkpoint {number} signed", _ANEW)


def _against_files(signed: dict[tuple[str, int], str]) -> Iterator[Finding]:
    for key, number, digest in AuditCheckpoint.objects.order_by("pk").values_list("key", "number", "digest"):
        found = signed.get((key, number))
        if found is None:
            yield Finding(f"checkpoint {number} is gone from the files", _OUTSIDE)
        elif found != digest:
            yield Finding(f"checkpoint {number} in the files is not the one that was written", _OUTSIDE)


def covering(lane: int, seq: int, at: datetime) -> Checkpoint | None:
    """The first checkpoint that signs this entry of that moment, or None while there is none yet."""
    # A read comes into the chain a second after it, an entry never before it.
    since = at.isoformat().encode()
    for line in checkpoints.lines(f"{at:%Y-%m}"):
        place = line.find(b'"at":"') + 6
        if line[place : place + 19] < since[:19]:
            continue
        try:
            found = checkpoints.read(line)
        except ValueError:
            continue
        heads: Heads = found.heads
        if lane in heads and heads[lane][0] >= seq:
            return found
    return None
