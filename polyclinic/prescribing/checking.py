"""What is checked before a signature: allergies, interactions, duplicates, doses, age, pregnancy, kidneys.

Each finding is a `Warning_` with a key that stays the same while nothing changes, so that a reason given for it counts
for it alone. The gravest tiers interrupt: each needs a reason. A key the prescriber was not shown stops a signature.

The tables know a part of what there is (`medicines.interactions`): silence is no clearance, and the page says so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final
from uuid import UUID

import msgspec
from django.utils.translation import gettext as _

from polyclinic.core.actors import Viewer
from polyclinic.core.errors import Conflict, Invalid
from polyclinic.medicines import allergens, cautions, classes, doses, duplicates, interactions
from polyclinic.medicines.interactions import CAUTION, CONTRAINDICATED, RANK, SERIOUS
from polyclinic.medicines.rows import MedicineRow
from polyclinic.prescribing.bodies import Line, Override
from polyclinic.prescribing.patients import Whom, whom
from polyclinic.prescribing.sentences import plain
from polyclinic.prescribing.words import FREQUENCIES, INTERRUPTS
from polyclinic.prescribing.writing import Written, complete
from polyclinic.records import sight
from polyclinic.visits.models import Visit

MAX_REASON: Final = 200


class Warning_(msgspec.Struct, frozen=True, rename="camel"):
    """One finding about the line at `place`. `interrupts`: signing takes a reason for it."""

    key: str
    place: int
    tier: str
    kind: str
    title: str
    says: str
    source: str
    interrupts: bool


def warnings(patient: Whom, lines: Sequence[Written]) -> list[Warning_]:
    """Everything found about these lines, the gravest first, then in the order of the lines."""
    return _sorted(one for place, line in enumerate(lines) for one in _of_line(patient, lines, place, line))


def against_known(patient: Whom, lines: Sequence[Written]) -> list[Warning_]:
    """As `warnings`, by allergies and other medicines alone: for whom nothing that was measured is known."""
    return _sorted(
        one
        for place, line in enumerate(lines)
        for one in (
            *_allergies(patient, place, line.medicine), *_others(patient, lines, place, line.medicine)
        )
    )  # fmt: skip


def _sorted(all_: Iterable[Warning_]) -> list[Warning_]:
    found: dict[str, Warning_] = {}
    for one in all_:
        found.setdefault(one.key, one)
    return sorted(found.values(), key=lambda one: (RANK[one.tier], one.place))


def of_lines(viewer: Viewer, visit_id: UUID, lines: Sequence[Line]) -> list[Warning_]:
    """What the checks say of lines that somebody prepares in a visit. Raises NotFound, and as `writing.complete`."""
    visit = sight.visit(viewer, "prescription.sign", visit_id)
    sight.looked(viewer, visit)
    return warnings(whom(visit), [complete(line, place) for place, line in enumerate(lines)])


def passed(
    visit: Visit, lines: Sequence[Written], reasons: Mapping[str, str], seen: Collection[str] | None,
    patient: Whom | None = None,
) -> dict[int, tuple[Override, ...]]:  # fmt: skip
    """The overrides of each line by its place. Raises Conflict (`warnings`) with those that stop the signature."""
    return cleared(warnings(patient or whom(visit), lines), reasons, seen)


def cleared(
    found: Sequence[Warning_], reasons: Mapping[str, str], seen: Collection[str] | None
) -> dict[int, tuple[Override, ...]]:
    """The overrides of these findings by the place of their line, with the reasons given. Raises as `passed`."""
    unseen = [one for one in found if seen is not None and one.key not in seen]
    if unseen:
        raise Conflict(
            _("A warning has come up that was not there before. Read it, then sign again."), code="new_warnings",
            field="overrides", warnings=msgspec.to_builtins(unseen),
        )  # fmt: skip
    said = {key: " ".join(reason.split()) for key, reason in reasons.items()}
    for key, reason in said.items():
        if len(reason) > MAX_REASON:
            raise Invalid(
                _("This text is longer than can be stored."), code="too_long", field=f"reason-{key}",
                maxLength=MAX_REASON,
            )  # fmt: skip
    open_ = [one for one in found if one.interrupts and not said.get(one.key)]
    if open_:
        raise Conflict(
            _("A warning needs a reason before this can be signed."), code="warnings", field=f"reason-{open_[0].key}",
            warnings=msgspec.to_builtins(open_),
        )  # fmt: skip
    kept: dict[int, tuple[Override, ...]] = {}
    for one in found:
        if one.interrupts:
            kept[one.place] = (
                *kept.get(one.place, ()), Override(one.key, one.tier, f"{one.title}: {one.says}", said[one.key]),
            )  # fmt: skip
    return kept


def _of_line(patient: Whom, lines: Sequence[Written], place: int, line: Written) -> Iterator[Warning_]:
    yield from _allergies(patient, place, line.medicine)
    yield from _others(patient, lines, place, line.medicine)
    yield from _dose(patient, place, line)
    yield from _cautions(patient, place, line.medicine)


def _warning(kind: str, place: int, tier: str, title: str, says: object, source: str, *parts: object) -> Warning_:
    key = ".".join(str(part).replace(" ", "_") for part in (kind, *parts))
    return Warning_(key, place, tier, kind, title, str(says), source, tier in INTERRUPTS)


def _allergies(patient: Whom, place: int, medicine: MedicineRow) -> Iterator[Warning_]:
    if not patient.allergies_asked:
        yield _warning(
            "allergy", place, CAUTION, _("Allergies"), _("Nobody has asked this patient about allergies yet."),
            allergens.SOURCE, "not_asked",
        )  # fmt: skip
    for written in patient.allergies:
        if finding := allergens.against(written, medicine):
            title = _("Allergy: %(allergy)s") % {"allergy": written}
            says = f"{medicine.shown}: {finding.says}"
            yield _warning(
                "allergy", place, finding.tier, title, says, allergens.SOURCE, medicine.code, _short(written)
            )


def _others(patient: Whom, lines: Sequence[Written], place: int, medicine: MedicineRow) -> Iterator[Warning_]:
    """Against the lines before it, so that each pair is told once, and against what the patient is on already."""
    beside: Iterable[tuple[MedicineRow, bool]] = (
        *((line.medicine, False) for line in lines[:place]),
        *((line.medicine, True) for line in patient.taken),
    )
    for other, taken in beside:
        where = _("taken at present") if taken else _("on this prescription")
        said = f"{medicine.shown} + {other.shown} ({where})"
        pair = "+".join(sorted((medicine.code, other.code)))
        if substance := duplicates.same_substance(medicine, other):
            yield _warning(
                "duplicate", place, SERIOUS, said,
                _("%(substance)s is in both: the dose adds up.") % {"substance": substance}, duplicates.VERSION, pair,
            )  # fmt: skip
        elif group := duplicates.same_kind(medicine, other):
            yield _warning(
                "duplicate", place, CAUTION, said,
                _("Both do the same (ATC group %(group)s).") % {"group": group}, duplicates.VERSION, pair,
            )  # fmt: skip
        # The gravest is enough: whoever has decided about it has decided about the pair.
        for found in interactions.between(medicine, other)[:1]:
            yield _warning("interaction", place, found.tier, said, found.says, found.source, found.key, pair)


def _dose(patient: Whom, place: int, line: Written) -> Iterator[Warning_]:
    medicine, how = line.medicine, line.line
    times = FREQUENCIES[how.frequency].per_day
    first = medicine.substances[0]
    if first in doses.WEEKLY and (times is None or times > Decimal("0.15")) and how.frequency != "once":
        yield _warning(
            "dose", place, CONTRAINDICATED, medicine.shown,
            _("It is taken once a week. Every day it has killed people."), doses.WEEKLY[first], medicine.code, "weekly",
        )  # fmt: skip
    limit = doses.LIMITS.get(first)
    if limit is None or medicine.strength_value is None or medicine.strength_unit != "mg":
        return
    once = how.dose * medicine.strength_value
    day = once if times is None else once * max(times, Decimal(1))
    yield from _too_much(patient, place, medicine, limit, once, day)


def _too_much(
    patient: Whom, place: int, medicine: MedicineRow, limit: doses.Limit, once: Decimal, day: Decimal
) -> Iterator[Warning_]:
    name, mg = medicine.shown, "mg"
    child = patient.age < doses.CHILD
    most = limit.kilo_most_day if child and limit.kilo_most_day else limit.most_day
    if most is not None and day > most:
        # Twice the limit is rarely meant.
        tier = CONTRAINDICATED if day >= 2 * most else SERIOUS
        yield _warning(
            "dose", place, tier, name,
            _("%(day)s %(mg)s a day; the most is %(most)s %(mg)s.")
            % {"day": plain(day), "most": plain(most), "mg": mg}, limit.source, medicine.code, "day", plain(day),
        )  # fmt: skip
    if not child and limit.most_once is not None and once > limit.most_once:
        yield _warning(
            "dose", place, SERIOUS, name,
            _("%(once)s %(mg)s at once; the most is %(most)s %(mg)s.")
            % {"once": plain(once), "most": plain(limit.most_once), "mg": mg}, limit.source, medicine.code, "once",
            plain(once),
        )  # fmt: skip
    if child and limit.kilo_day is not None:
        yield from _by_weight(patient, place, medicine, limit, day)


def _by_weight(
    patient: Whom, place: int, medicine: MedicineRow, limit: doses.Limit, day: Decimal
) -> Iterator[Warning_]:
    """A child's dose by weight, with the sum."""
    assert limit.kilo_day is not None
    if patient.weight is None:
        yield _warning(
            "dose", place, SERIOUS, medicine.shown,
            _("A child's dose goes by weight, and no weight is written down in this visit."), limit.source,
            medicine.code, "no_weight",
        )  # fmt: skip
        return
    low, high = limit.kilo_day
    each = day / patient.weight
    said = _("%(day)s mg a day ÷ %(weight)s kg = %(each)s mg/kg a day; usual is %(low)s to %(high)s.") % {
        "day": plain(day), "weight": plain(patient.weight), "each": plain(round(each, 1)), "low": plain(low),
        "high": plain(high),
    }  # fmt: skip
    if each > high * Decimal("1.1"):
        tier = CONTRAINDICATED if each >= 2 * high else SERIOUS
        yield _warning(
            "dose", place, tier, medicine.shown, said, limit.source, medicine.code, "kg", plain(round(each, 1))
        )
    elif each < low * Decimal("0.8"):
        yield _warning(
            "dose", place, CAUTION, medicine.shown, said, limit.source, medicine.code, "kg", plain(round(each, 1))
        )


def _cautions(patient: Whom, place: int, medicine: MedicineRow) -> Iterator[Warning_]:
    names = classes.of(medicine)
    for rule in cautions.RULES:
        if rule.what not in names or not _applies(rule, patient):
            continue
        yield _warning(
            "caution", place, rule.tier, medicine.shown, rule.says, rule.source, medicine.code, rule.what,
            "pregnancy" if rule.pregnant else "kidney" if rule.egfr is not None else "age",
        )  # fmt: skip


def _applies(rule: cautions.Rule, patient: Whom) -> bool:
    if rule.pregnant:
        return patient.pregnant
    if rule.egfr is not None:
        return patient.egfr is not None and patient.egfr < rule.egfr
    if rule.under is not None:
        return patient.age < rule.under
    return rule.from_ is not None and patient.age >= rule.from_


def _short(text: str) -> str:
    """A name of an allergy for a key: keys stand in forms and answers, and say nothing of anybody by themselves."""
    return hashlib.sha256(text.strip().lower().encode()).hexdigest()[:12]
