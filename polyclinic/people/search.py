"""Finding a patient by whatever is remembered: parts of a name with a slip in it, a day, a number, half a phone.

Words of names are kept folded, each distinct one with its deletion neighbourhood and its sound, so that a slip is found
by equality and never by looking at everybody. Phones are sealed: their whole and their last four digits are found by
blind index. The index follows the patient's version: `catch_up` finds whatever changed without saying so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

import msgspec
from django.db.models import Exists, F, OuterRef, Q

from polyclinic.core.access import fields, policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Person, Viewer
from polyclinic.core.audit import reads
from polyclinic.core.crypto import blind
from polyclinic.core.crypto.fields import column
from polyclinic.core.db import is_postgres, transactional
from polyclinic.core.errors import NotFound, Unauthenticated
from polyclinic.people import asking, joined, spelling
from polyclinic.people.erasing import ERASED
from polyclinic.people.models import Patient, PatientPlace, PatientWord, PhoneTail, WordVariant

MOST: Final = 20
# So many are looked at more closely before the best are shown; further ones need another word.
_LOOKED_AT: Final = 200
_PREFIXED: Final = 200
_BATCH: Final = 500
_TAIL: Final = 4
_COLUMNS: Final = ("id", "mrn", "family_name", "given_name", "born", "sex", "temporary", "phone")
_phone = column(Patient, "phone")


class Hit(msgspec.Struct, frozen=True, rename="camel"):
    """A patient found. `name` is "SMITH, John"; `score` orders hits of one search and means nothing beyond it."""

    id: UUID
    mrn: str
    name: str
    born: date
    sex: str
    temporary: bool
    score: float
    place: UUID
    age: int | msgspec.UnsetType = msgspec.UNSET


def search(viewer: Viewer, text: str, *, limit: int = MOST) -> list[Hit]:
    """Patients known at a facility where the viewer may list them, the best match first. Nothing finds nothing."""
    if not isinstance(viewer, Person):
        raise Unauthenticated()
    places = policy.places(viewer, "patient.list")
    if not places:
        raise NotFound()
    asked = asking.read(text)
    if asked.nothing:
        return []
    found = _candidates(asked, places)
    _phone.warm(row[7] for row in found) if asked.digits else None
    scored = sorted(
        ((score, row) for row in found if (score := _score(asked, row)) > 0),
        key=lambda pair: (-pair[0], pair[1][2].casefold(), pair[1][3].casefold(), pair[1][4]),
    )[:limit]
    scored = _as_one(scored)
    where = _where([row[0] for _score, row in scored], places)
    hits = [_hit(row, score, where[row[0]]) for score, row in scored]
    reads.listed(viewer, "patient", None, ((hit.id, hit.place) for hit in hits))
    return [fields.shown(viewer, "patient", Subject(patient_id=hit.id, facility_id=hit.place), hit) for hit in hits]


def _hit(row: Sequence[Any], score: float, place: UUID) -> Hit:
    return Hit(
        id=row[0], mrn=row[1], name=f"{row[2].upper()}, {row[3]}", born=row[4], sex=row[5], temporary=row[6],
        score=score, place=place,
    )  # fmt: skip


def _as_one(scored: list[tuple[float, Sequence[Any]]]) -> list[tuple[float, Sequence[Any]]]:
    """A record that was merged away finds the one that stays, which is shown once and in the best place of the two."""
    into = joined.survivors([row[0] for _score, row in scored])
    if not into:
        return scored
    stays = {row[0]: row for row in Patient.objects.filter(pk__in=into.values()).values_list(*_COLUMNS)}
    found: dict[UUID, tuple[float, Sequence[Any]]] = {}
    for score, row in scored:
        found.setdefault(into.get(row[0], row[0]), (score, stays.get(into.get(row[0]), row)))
    return list(found.values())


def _where(patients: Collection[UUID], places: Collection[UUID]) -> dict[UUID, UUID]:
    rows = PatientPlace.objects.filter(patient_id__in=patients, facility_id__in=places)
    return dict(rows.values_list("patient_id", "facility_id"))


def _candidates(asked: asking.Asked, places: Collection[UUID]) -> list[Sequence[Any]]:
    """Whoever may be meant, not yet weighed."""
    known = Exists(PatientPlace.objects.filter(patient_id=OuterRef("pk"), facility_id__in=places))
    rows = Patient.objects.filter(known)
    found: dict[UUID, Sequence[Any]] = {}

    def add(query: Any) -> None:  # noqa: ANN401 - a queryset of patients
        for row in query.values_list(*_COLUMNS)[:_LOOKED_AT]:
            found[row[0]] = row

    if asked.number is not None:
        add(rows.filter(mrn=f"MRN{asked.number:07d}"))
    if asked.digits:
        add(rows.filter(phone_index__in=[blind.index("phone", sign + asked.digits) for sign in ("", "+")]))
        tail = blind.index("phone-tail", asked.digits[-_TAIL:])
        add(rows.filter(pk__in=PhoneTail.objects.filter(tail=tail).values("patient_id")[:_LOOKED_AT]))
    if asked.words:
        ways = [words_like(word) for word in asked.words]
        add(_with_words(rows, ways, asked.born))
        if not found and len(ways) > 1:
            # One of the words is further off than a slip, or belongs to nobody: the others may be enough.
            for left_out in range(len(ways)):
                add(_with_words(rows, ways[:left_out] + ways[left_out + 1 :], asked.born))
    elif asked.born:
        add(rows.filter(born__in=asked.born).order_by("family_name", "given_name"))
    return list(found.values())


def _with_words(rows: Any, ways: list[set[str]], born: Collection[date]) -> Any:  # noqa: ANN401 - querysets
    if not all(ways):
        return rows.none()
    # Driven by the word that fewest people seem to have; the others are then looked at one by one.
    first, *rest = sorted(ways, key=len)
    query = rows.filter(words__word__in=first)
    for way in rest:
        query = query.filter(Exists(PatientWord.objects.filter(patient_id=OuterRef("pk"), word__in=way)))
    if born:
        query = query.filter(born__in=born)
    return query.distinct()


def words_like(word: str) -> set[str]:
    """The words of names that this one may mean: itself, words it begins, a slip away, of the same sound."""
    found = {word}
    if len(word) >= 2:
        begins = Q(variant__startswith=word) if is_postgres() else Q(variant__gte=word, variant__lt=word + "\U0010ffff")
        found.update(WordVariant.objects.filter(begins, variant=F("word")).values_list("word", flat=True)[:_PREFIXED])
    near = [*spelling.variants(word)]
    if sound := spelling.sound(word):
        near.append(f"~{sound}")
    for variant, other in WordVariant.objects.filter(variant__in=near).values_list("variant", "word"):
        if variant.startswith("~") or spelling.slips(word, other) <= 1:
            found.add(other)
    return found


def likeness(asked: str, word: str) -> float:
    """How well a word of a name fits the one asked for, from 0 to 1."""
    if asked == word:
        return 1.0
    if word.startswith(asked):
        return 0.9
    if spelling.slips(asked, word) <= 1:
        return 0.75
    return 0.6 if (sound := spelling.sound(asked)) and sound == spelling.sound(word) else 0.0


def _score(asked: asking.Asked, row: Sequence[Any]) -> float:
    score = 0.0
    own = spelling.words(f"{row[2]} {row[3]}")
    for word in asked.words:
        score += max((likeness(word, other) for other in own), default=0.0)
    if row[4] in asked.born:
        score += 1.5
    if asked.number is not None and row[1] == f"MRN{asked.number:07d}":
        score += 2.0
    if asked.digits and row[7]:
        phone = blind.digits(_phone.open(row[0], row[7])).lstrip("+")
        score += 2.0 if phone == asked.digits else 1.0 if phone.endswith(asked.digits) else 0.0
    return score


@transactional
def index(patients: Iterable[Patient]) -> int:
    """Make these patients findable as they are now. Returns how many."""
    rows = list(patients)
    ids = [row.pk for row in rows]
    there = [row for row in rows if row.family_name != ERASED]
    PatientWord.objects.filter(patient_id__in=ids).delete()
    PhoneTail.objects.filter(patient_id__in=ids).delete()
    named = {row.pk: set(spelling.words(f"{row.family_name} {row.given_name}")) for row in there}
    PatientWord.objects.bulk_create(
        (PatientWord(patient_id=pk, word=word) for pk, words in named.items() for word in sorted(words)),
        batch_size=_BATCH,
    )
    _learn(set().union(*named.values()) if named else set())
    tails = ((row.pk, blind.digits(row.phone).lstrip("+")) for row in there if row.phone)
    PhoneTail.objects.bulk_create(
        (
            PhoneTail(patient_id=pk, tail=blind.index("phone-tail", digits[-_TAIL:]))
            for pk, digits in tails
            if len(digits) >= _TAIL
        ),
        batch_size=_BATCH,
    )
    for row in rows:
        Patient.objects.filter(pk=row.pk, version=row.version).update(searchable=row.version)
    return len(rows)


def _learn(words: set[str]) -> None:
    """Note the ways to words that no name had before."""
    have = set(WordVariant.objects.filter(variant__in=words, variant=F("word")).values_list("word", flat=True))
    made = []
    for word in sorted(words - have):
        ways = spelling.variants(word)
        if sound := spelling.sound(word):
            ways.add(f"~{sound}")
        made += [WordVariant(variant=way, word=word) for way in sorted(ways)]
    WordVariant.objects.bulk_create(made, batch_size=_BATCH, ignore_conflicts=True)


def catch_up(limit: int = _BATCH) -> int:
    """Index patients that changed or came without being indexed. Returns how many; call again until none are left."""
    behind = list(Patient.objects.exclude(searchable=F("version")).order_by("pk")[:limit])
    return index(behind) if behind else 0
