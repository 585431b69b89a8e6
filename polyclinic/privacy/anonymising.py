"""Making people unrecognisable: pseudonyms, shifted dates, ages over 89 together, and groups of at least k.

Nothing here knows the database. A class is the set of people whom nobody can tell apart by what somebody could know of
them (age, sex, country, the specialties they went to). A person's specialties count together: two of them under one
pseudonym are known together.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Final, TypeVar
from uuid import UUID

ANY: Final = "*"
# 45 CFR 164.514 (b)(2)(i)(C): ages over 89 are one group.
OLDEST: Final = 90
# Width of an age band at each level; 0 is no age at all.
BANDS: Final = (5, 10, 20, 0)
SHIFT_DAYS: Final = 730
# Specialties by what a stranger would call them; anything else is "other".
GROUPS: Final = {
    "general-practice": "primary care", "paediatrics": "primary care",
    "cardiology": "medical", "dermatology": "medical", "neurology": "medical", "endocrinology": "medical",
    "oncology": "medical", "psychiatry": "medical", "gastroenterology": "medical", "pulmonology": "medical",
    "orthopaedics": "surgical", "gynaecology": "surgical", "ear-nose-throat": "surgical", "surgery": "surgical",
    "ophthalmology": "surgical", "urology": "surgical",
}  # fmt: skip

Key = tuple[str, str, str, str]
Who = TypeVar("Who", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Quasi:
    """What somebody could know of a person without having seen their record. `age` in whole years."""

    age: int
    sex: str
    countries: frozenset[str]
    specialties: frozenset[str]


@dataclass(frozen=True, slots=True)
class Levels:
    """How coarsely each is told: 0 is finest. `age` 3, `sex` 1, `country` 1 and `specialty` 2 say nothing at all."""

    age: int = 0
    sex: int = 0
    country: int = 0
    specialty: int = 0

    @property
    def loss(self) -> float:
        """How much is lost, from 0 to 4: the search takes the least."""
        return self.age / 3 + self.sex + self.country + self.specialty / 2


LADDER: Final = sorted((Levels(*one) for one in product(range(4), range(2), range(2), range(3))), key=lambda x: x.loss)


def pseudonym(key: bytes, patient_id: UUID) -> str:
    """The name of a patient in one export; another key gives another name."""
    return "P-" + _digest(key, b"name", patient_id).hex()[:20]


def shift_of(key: bytes, patient_id: UUID, *, weekdays: bool = False) -> int:
    """Days by which all dates of one patient are moved: −365 to +364. `weekdays` keeps the day of the week (±52 weeks).

    The number is drawn by HMAC-SHA-256 under the export's key: without it the shift cannot be found again.
    """
    drawn = int.from_bytes(_digest(key, b"shift", patient_id)[:8], "big")
    return (drawn % 105 - 52) * 7 if weekdays else drawn % SHIFT_DAYS - 365


def _digest(key: bytes, purpose: bytes, patient_id: UUID) -> bytes:
    return hmac.new(key, purpose + b":" + patient_id.bytes, hashlib.sha256).digest()


def band(age: int, level: int) -> str:
    """An age as a band of 5, 10 or 20 years or as nothing; whoever is 90 or older is in one band."""
    width = BANDS[level]
    if not width:
        return ANY
    start = min(max(age, 0), OLDEST) // width * width
    return f"{start}+" if start + width > OLDEST else f"{start}–{start + width - 1}"


def specialty(name: str, level: int) -> str:
    """A specialty as it is, as its group, or as nothing."""
    return (name, GROUPS.get(name, "other"), ANY)[level]


def coarse(who: Quasi, levels: Levels) -> Key:
    """What is told of a person at these levels: the class they are in."""
    return (
        band(who.age, levels.age),
        ANY if levels.sex else who.sex,
        ANY if levels.country else " + ".join(sorted(who.countries)),
        " + ".join(sorted({specialty(name, levels.specialty) for name in who.specialties})),
    )


@dataclass(frozen=True, slots=True)
class Fit:
    """How a population is told so that every class has at least k people; who is left out because theirs has not."""

    levels: Levels
    kept: frozenset[object]
    left_out: int


def fit(people: Mapping[Who, Quasi], k: int, most_left_out: float = 0.05) -> Fit:
    """The finest levels at which at most this share of people has to be left out for classes of at least k.

    Where no levels do that, those at which fewest are left out. `kept` may be empty: fewer than k people are nobody.
    """
    counts = Counter(people.values())
    best: tuple[int, Levels] | None = None
    for levels in LADDER:
        lost = sum(size for size in _sizes(counts, levels).values() if size < k)
        if best is None or lost < best[0]:
            best = lost, levels
        if lost <= most_left_out * len(people) and lost < len(people):
            best = lost, levels
            break
    assert best is not None
    lost, levels = best
    sizes = _sizes(counts, levels)
    kept = frozenset(who for who, quasi in people.items() if sizes[coarse(quasi, levels)] >= k)
    return Fit(levels, kept, lost)


def _sizes(counts: Mapping[Quasi, int], levels: Levels) -> Counter[Key]:
    sizes: Counter[Key] = Counter()
    for quasi, size in counts.items():
        sizes[coarse(quasi, levels)] += size
    return sizes


@dataclass(frozen=True, slots=True)
class Measured:
    """What a released table comes to: people in the smallest class, how many classes have how many people, and how
    many different values of the sensitive column the poorest class has."""

    k: int
    classes: dict[int, int]
    diversity: int
    diversities: dict[int, int]


def measure(rows: Iterable[tuple[Key, str, str]]) -> Measured:
    """Count again from what is released: (class, pseudonym, sensitive value) of each row. All 0 when there is none."""
    people: defaultdict[Key, set[str]] = defaultdict(set)
    values: defaultdict[Key, set[str]] = defaultdict(set)
    for key, who, value in rows:
        people[key].add(who)
        values[key].add(value)
    sizes = Counter(len(one) for one in people.values())
    kinds = Counter(len(one) for one in values.values())
    return Measured(min(sizes, default=0), dict(sorted(sizes.items())), min(kinds, default=0),
                    dict(sorted(kinds.items())))  # fmt: skip
