"""Pure rules of beds: guards of the state tables, and whether a bed fits a patient, with the reasons."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from polyclinic.core.access import fields
from polyclinic.core.actors import Actor
from polyclinic.core.errors import Conflict
from polyclinic.inpatient.words import FEATURES, Fault, SexPolicy

# Until this birthday a patient is put into a bed for children; from the next on into one for adults, and in between
# into either. Wards for children mostly end at the sixteenth birthday; a child is one until the eighteenth (UN
# Convention on the Rights of the Child, article 1).
CHILD_UNTIL: Final = 16
ADULT_FROM: Final = 18
# After these nobody is put into a bed that was not cleaned.
_UNCLEAN: Final = frozenset({Fault.REPAIR, Fault.INFECTION})


def not_begun(row: Any, _actor: Actor) -> None:  # noqa: ANN401 - a Bed
    """Cleaning begins once: how long it took is counted from then."""
    if row.cleaning_since is not None:
        raise Conflict(_("Somebody is cleaning this bed already."), code="cleaning_begun")


def clean_after(why: str, before: str) -> bool:
    """Whether a blocked bed must be cleaned before it is free: it was not clean before, or what happened since."""
    return before == "cleaning" or why in _UNCLEAN


@dataclass(frozen=True, slots=True)
class Need:
    """What somebody needs of a bed. `sex` and `born` are the patient's."""

    sex: str
    born: date
    isolation: bool = False
    oxygen: bool = False
    intensive: bool = False
    ward: object = None


@dataclass(frozen=True, slots=True)
class Place:
    """What a bed offers. `others` are the sexes of those who lie, or will, in other beds of its room."""

    ward: object
    ward_name: str
    sex: str
    isolation: bool
    oxygen: bool
    intensive: bool
    children: bool
    others: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason for or against a bed. `kind`: `fits`, `waste` (it would do, and is needed for others), `against`."""

    kind: str
    code: str
    words: str | Promise


def judge(need: Need, place: Place) -> list[Reason]:
    """Why this bed fits this patient and why not, what speaks against it first."""
    found = [*_features(need, place), *_sex(need, place), *_age(need, place)]
    if need.ward is not None:
        found.append(
            Reason("fits", "ward", _("in the ward asked for"))
            if need.ward == place.ward
            else Reason("waste", "other_ward", _("in another ward than asked for"))
        )
    order = {"against": 0, "fits": 1, "waste": 2}
    return sorted(found, key=lambda one: order[one.kind])


def _features(need: Need, place: Place) -> list[Reason]:
    found = []
    for name, words in FEATURES.items():
        wanted, there = getattr(need, name), getattr(place, name)
        if wanted and there:
            found.append(Reason("fits", name, words))
        elif wanted:
            found.append(Reason("against", f"no_{name}", _("without: %(what)s") % {"what": words}))
        elif there:
            # Beds that can do more are few: whoever needs them should find one.
            found.append(Reason("waste", f"spare_{name}", _("not needed: %(what)s") % {"what": words}))
    return found


def _sex(need: Need, place: Place) -> list[Reason]:
    match place.sex:
        case SexPolicy.FEMALE | SexPolicy.MALE if place.sex != need.sex:
            return [Reason("against", "sex", SexPolicy(place.sex).label)]
        case SexPolicy.FEMALE | SexPolicy.MALE:
            return [Reason("fits", "sex", SexPolicy(place.sex).label)]
        case SexPolicy.ROOM if any(other != need.sex for other in place.others):
            return [Reason("against", "room", _("somebody of another sex lies in this room"))]
    return []


def _age(need: Need, place: Place) -> list[Reason]:
    years = fields.years(need.born)
    if place.children and years >= ADULT_FROM:
        return [Reason("against", "children_only", _("for children"))]
    if not place.children and years < CHILD_UNTIL:
        # Intensive care takes everybody where there is none for children alone.
        kind = "waste" if place.intensive and need.intensive else "against"
        return [Reason(kind, "adults_only", _("for adults"))]
    return [Reason("fits", "children", _("for children"))] if place.children else []


def fits(reasons: Collection[Reason]) -> bool:
    """Whether nothing speaks against the bed."""
    return all(one.kind != "against" for one in reasons)


def badness(reasons: Collection[Reason]) -> tuple[int, int]:
    """What a list of suggestions is sorted by: how much speaks against a bed, then how much of it would be wasted."""
    kinds = [one.kind for one in reasons]
    return kinds.count("against"), kinds.count("waste")
