"""Writing somebody down at a front desk: with a warning when they seem to be there already, or without a name yet."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from django.db.models import Q
from django.utils.translation import gettext as translate
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor, Person
from polyclinic.core.crypto import blind, ring
from polyclinic.core.db import transactional
from polyclinic.core.errors import Conflict, Invalid, NotFound
from polyclinic.people import joined, search, spelling
from polyclinic.people.actions import _birth_date, _name, _phone, _sex, next_record_number
from polyclinic.people.models import Patient, PatientPlace, PatientWord, Sex

# From this weight on two people are shown as possibly one. The weights below are agreed ones and not measured.
ALIKE: Final = 7.0
MOST_SHOWN: Final = 5
UNKNOWN: Final = "Unknown"


class Twin(msgspec.Struct, frozen=True, rename="camel"):
    """Somebody on file who may be the one being registered. `why` names the fields that agree."""

    id: UUID
    mrn: str
    name: str
    born: date
    sex: str
    weight: float
    why: tuple[str, ...]


class MaybeKnown(Conflict):
    """Somebody very like this is on file: open that record, or say why this is another person."""

    code = "maybe_known"
    sentence = _("Somebody very like this is on file. Open that record, or say why this is a new person.")


@transactional
def register(
    *,
    actor: Actor,
    facility_id: UUID,
    given_name: str,
    family_name: str,
    born: object,
    sex: str,
    phone: str = "",
    new_because: str = "",
) -> Patient:
    """A new patient without an account, known at the facility and found at once.

    Raises Forbidden, Invalid naming the field, or MaybeKnown with the `twins` unless `new_because` says why not.
    """
    policy.require(actor, "patient.register", Subject(facility_id=facility_id))
    _require_desk(actor, facility_id)
    given = {"given_name": given_name, "family_name": family_name, "born": born, "sex": sex, "phone": phone}
    fields, reason = check(facility_id, given, new_because)
    return _store(actor, facility_id, fields, "patient.register", reason=reason)


@transactional
def take_over(*, actor: Actor, facility_id: UUID, given: Mapping[str, Any], new_because: str = "") -> Patient:
    """A new patient from a list of another system, by whoever may bring lists in: what holds at the desk holds here.

    `given` has `given_name`, `family_name`, `born`, `sex` and `phone`. Raises as `register`.
    """
    policy.require(actor, "import.run", Subject(facility_id=facility_id))
    fields, reason = check(facility_id, given, new_because)
    return _store(actor, facility_id, fields, "patient.take_over", reason=reason)


def check(facility_id: UUID, given: Mapping[str, Any], new_because: str = "") -> tuple[dict[str, Any], str]:
    """What is kept of `given`, and why it is another person if somebody alike is on file at the facility.

    Raises Invalid naming the field, or MaybeKnown.
    """
    fields: dict[str, Any] = {
        "given_name": _name(given["given_name"], "given_name"),
        "family_name": _name(given["family_name"], "family_name"),
        "born": _birth_date(given["born"]),
        "sex": _sex(given["sex"]),
        "phone": _phone(given["phone"]),
    }
    reason = new_because.strip()[:200]
    alike = twins(fields, {facility_id})
    if alike and not reason:
        raise MaybeKnown(twins=msgspec.to_builtins(alike), field="new_because")
    return fields, reason if alike else ""


@transactional
def register_unknown(*, actor: Actor, facility_id: UUID, zone: str, sex: str, years: int | None = None) -> Patient:
    """Somebody who cannot say who they are, by what one sees: "UNKNOWN, male ~40, 21-Nov 10:42". Flagged as temporary.

    `years` is the age they seem to have; the date of birth is then the first day of that year, and 1900 without it.
    """
    policy.require(actor, "patient.register", Subject(facility_id=facility_id))
    _require_desk(actor, facility_id)
    if years is not None and not 0 <= years <= 120:
        raise Invalid(_("Write an age from 0 to 120."), field="years")
    here = clock.now().astimezone(ZoneInfo(zone))
    words = {Sex.MALE: translate("male"), Sex.FEMALE: translate("female")}.get(Sex(_sex(sex)), translate("person"))
    about = f" ~{years}" if years is not None else ""
    fields = {
        "family_name": UNKNOWN,
        "given_name": f"{words}{about}, {here:%d-%b %H:%M}",
        "born": date(here.year - years if years is not None else 1900, 1, 1),
        "sex": sex,
        "temporary": True,
    }
    return _store(actor, facility_id, fields, "patient.register_unknown")


@transactional
def identify(
    *, actor: Actor, facility_id: UUID, patient_id: UUID, given_name: str, family_name: str, born: object, sex: str
) -> Patient:
    """Say who an unknown patient is. Raises NotFound, Forbidden, Invalid; Conflict when they are known already."""
    subject = Subject(patient_id=patient_id, facility_id=facility_id)
    row = Patient.objects.filter(pk=patient_id, places__facility_id=facility_id).first()
    if row is None:
        raise NotFound(field="patientId")
    if not row.temporary:
        raise Conflict(_("This patient is not a temporary one."), code="not_temporary")
    ledger.change(
        row,
        {
            "given_name": _name(given_name, "given_name"), "family_name": _name(family_name, "family_name"),
            "born": _birth_date(born), "sex": _sex(sex), "temporary": False,
        },
        permission="patient.edit", subject=subject, actor=actor, action="patient.identify",
    )  # fmt: skip
    search.index([row])
    return row


def twins(fields: dict[str, Any], places: set[UUID]) -> list[Twin]:
    """Patients of these places who may be the one described, the likeliest first. For the desk's own warning."""
    ways = [search.words_like(word) for word in spelling.words(f"{fields['family_name']} {fields['given_name']}")]
    meant = set().union(*ways) if ways else set()
    by_day = Q(born__in=_days_like(fields["born"]), words__word__in=meant)
    by_phone = Q(phone_index=_phone_index(fields["phone"])) if fields.get("phone") else Q(pk__in=[])
    by_name = Q(pk__in=_of_both_names(ways))
    rows = Patient.objects.filter(by_day | by_phone | by_name, places__facility_id__in=places).distinct()[:200]
    # Who was merged is there once, as the record that stays.
    away = joined.survivors([row.pk for row in rows])
    found = [_weigh(fields, row) for row in rows if row.pk not in away]
    alike = sorted((one for one in found if one.weight >= ALIKE), key=lambda one: -one.weight)
    return alike[:MOST_SHOWN]


def _of_both_names(ways: list[set[str]]) -> Any:  # noqa: ANN401 - a queryset of ids
    query = Patient.objects.all()
    for way in ways:
        query = query.filter(pk__in=PatientWord.objects.filter(word__in=way).values("patient_id"))
    return query.values("pk")[:200] if len(ways) > 1 else []


def _weigh(fields: dict[str, Any], row: Patient) -> Twin:
    """How much speaks for one person, after Fellegi and Sunter (1969): agreement adds, disagreement takes away."""
    why, weight = [], 0.0
    family, given = _names_like(fields, row)
    weight += 4.0 if family == 1.0 else 2.5 if family > 0 else -3.0
    weight += 3.0 if given == 1.0 else 2.0 if given > 0 else -3.0
    if family > 0 and given > 0:
        why.append("name")
    if row.born == fields["born"]:
        weight += 4.0
        why.append("born")
    elif row.born in _days_like(fields["born"]):
        weight += 2.0
        why.append("born_nearly")
    else:
        weight -= 3.0
    if fields.get("phone") and row.phone and row.phone_index == _phone_index(fields["phone"]):
        weight += 4.0
        why.append("phone")
    known = {row.sex, fields["sex"]} & {Sex.MALE, Sex.FEMALE}
    weight -= 2.0 if len(known) == 2 else 0.0
    return Twin(id=row.pk, mrn=row.mrn, name=str(row), born=row.born, sex=row.sex, weight=weight, why=tuple(why))


def _names_like(fields: dict[str, Any], row: Patient) -> tuple[float, float]:
    """How alike family and given names are, from 0 to 1; swapped ones count a little less."""
    straight = _alike(fields["family_name"], row.family_name), _alike(fields["given_name"], row.given_name)
    swapped = _alike(fields["family_name"], row.given_name), _alike(fields["given_name"], row.family_name)
    return straight if sum(straight) >= sum(swapped) else (swapped[0] * 0.9, swapped[1] * 0.9)


def _alike(one: str, other: str) -> float:
    mine, theirs = spelling.words(one), spelling.words(other)
    if not mine or not theirs:
        return 0.0
    short, long = sorted((mine, theirs), key=len)
    best = [max(max(search.likeness(word, match), search.likeness(match, word)) for match in long) for word in short]
    return min(best)


def _days_like(born: date) -> list[date]:
    """The day, and what it becomes by a common slip: day and month swapped, or a year off by one."""
    found = [born]
    for year, month, day in (
        (born.year, born.day, born.month), (born.year - 1, born.month, born.day), (born.year + 1, born.month, born.day),
    ):  # fmt: skip
        try:
            found.append(date(year, month, day))
        except ValueError:
            continue
    return found


def _phone_index(phone: str) -> str:
    return blind.index("phone", blind.digits(phone))


def _require_desk(actor: Actor, facility_id: UUID) -> None:
    """One registers where one works: the right to register names no place, being held at one does."""
    if isinstance(actor, Person) and facility_id not in policy.places(actor, "patient.list"):
        raise NotFound(field="facilityId")


def _store(actor: Actor, facility_id: UUID, fields: dict[str, Any], action: str, reason: str = "") -> Patient:
    patient = Patient(mrn=next_record_number(), **fields)
    ring.ring.current(ring.patient(patient.pk))
    patient.save(force_insert=True)
    PatientPlace.objects.create(patient=patient, facility_id=facility_id)
    search.index([patient])
    subject = Subject(patient_id=patient.pk, facility_id=facility_id)
    ledger.record(actor=actor, action=action, row=patient, subject=subject, revision=1, reason=reason)
    return patient
