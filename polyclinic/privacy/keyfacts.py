"""What a stranger who helps a patient needs to know, shown to whoever has the patient's emergency link.

Only what changes what is done in the next hours: allergies, medicines, diagnoses, blood group, the last signs, whom to
call. No notes, no results beyond the blood group, no addresses.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

import msgspec

from polyclinic.consent.models import Delegation
from polyclinic.consent.states import ACTIVE
from polyclinic.core import clock
from polyclinic.core.db import transactional
from polyclinic.core.errors import NotFound
from polyclinic.laboratory import reports
from polyclinic.laboratory.models import OrderedTest
from polyclinic.nursing.models import Observation
from polyclinic.people import joined
from polyclinic.people.models import Patient
from polyclinic.prescribing import selectors as prescribing
from polyclinic.records import bodies, links, selectors, vitals
from polyclinic.records.models import Condition, VitalSet
from polyclinic.records.rows import AllergyRow
from polyclinic.records.states import RECORDED

_MOST: Final = 30
_GROUP: Final = "group"


class Signs(msgspec.Struct, frozen=True, rename="camel"):
    """Vital signs as they were last measured here."""

    taken_at: datetime
    values: dict[str, str]


class Contact(msgspec.Struct, frozen=True, rename="camel"):
    """Whom to call: the patient's own telephone, or somebody who acts for them."""

    name: str
    phone: str
    own: bool


class KeyFacts(msgspec.Struct, frozen=True, rename="camel"):
    """The key history of a patient. `allergy_status`: not_asked, none_known or present; no `blood_group`: unknown."""

    name: str
    born: date
    sex: str
    allergy_status: str
    allergies: tuple[AllergyRow, ...]
    medicines: tuple[str, ...]
    problems: tuple[str, ...]
    blood_group: str
    blood_group_at: datetime | None
    signs: Signs | None
    contacts: tuple[Contact, ...]
    until: datetime
    as_of: datetime


@transactional
def opened(code: str) -> KeyFacts:
    """The facts behind a link. That it was opened is kept, with the audit's entry; raises NotFound and keeps nothing
    for a code that is none, or whose time is over."""
    until = links.until(code)
    patient = Patient.objects.filter(pk=links.open_(code)).first()
    if patient is None:
        raise NotFound()
    ids = joined.same(patient.pk)
    known = selectors.allergies_of(patient.pk)
    group, group_at = _blood_group(ids)
    return KeyFacts(
        name=str(patient), born=patient.born, sex=patient.sex, allergy_status=known.status,
        allergies=known.allergies,
        medicines=tuple(one.sentence for one in prescribing.taken_now(patient.pk)),
        problems=_problems(ids), blood_group=group, blood_group_at=group_at, signs=_signs(ids),
        contacts=_contacts(patient), until=until, as_of=clock.now(),
    )  # fmt: skip


def _problems(ids: Sequence[UUID]) -> tuple[str, ...]:
    """The newest of each diagnosis, newest first."""
    rows = Condition.objects.filter(patient_id__in=ids, state=RECORDED).order_by("-made_at", "pk")[:200]
    found: dict[str, str] = {}
    for row in rows:
        if row.body:
            body = bodies.read_condition(row.body)
            found.setdefault(
                body.code or body.text.casefold(), f"{body.text} ({body.code})" if body.code else body.text
            )
    return tuple(found.values())[:_MOST]


def _signs(ids: Sequence[UUID]) -> Signs | None:
    """The last signs that stand, of a visit or of a stay."""
    found: list[VitalSet | Observation] = [
        *VitalSet.objects.filter(patient_id__in=ids, state=RECORDED).order_by("-taken_at")[:1],
        *Observation.objects.filter(patient_id__in=ids, state=RECORDED).order_by("-taken_at")[:1],
    ]
    for row in sorted(found, key=lambda one: one.taken_at, reverse=True):
        if row.body:
            body = bodies.read_vitals(row.body)
            values = {name: vitals.written(name, body.values[name]) for name in vitals.BY_NAME if name in body.values}
            return Signs(row.taken_at, values)
    return None


def _blood_group(ids: Sequence[UUID]) -> tuple[str, datetime | None]:
    """The last blood group that was released to the patient."""
    rows = OrderedTest.objects.filter(patient_id__in=ids, test=_GROUP, released_number__isnull=False)
    for row in rows.order_by("-pk"):
        result = row.results.filter(number=row.released_number or 0).first()
        report = reports.open_(result.report) if result else None
        if result and report is not None:
            return report.value, result.released_at
    return "", None


def _contacts(patient: Patient) -> tuple[Contact, ...]:
    found = [Contact(str(patient), patient.phone, True)] if patient.phone else []
    now = clock.now()
    rows = Delegation.objects.filter(patient=patient, state=ACTIVE).select_related("carer__patient")
    for row in rows.order_by("starts_at", "pk"):
        if row.carer is not None and (row.ends_at is None or now < row.ends_at):
            their = getattr(row.carer, "patient", None)
            found.append(Contact(row.carer.name, their.phone if their else "", False))
    return tuple(found)
