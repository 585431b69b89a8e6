"""Setting up wards and their beds."""

from __future__ import annotations

from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor
from polyclinic.core.db import transactional
from polyclinic.core.errors import Conflict, Invalid, NotFound
from polyclinic.inpatient import beds
from polyclinic.inpatient.models import Bed, Ward
from polyclinic.inpatient.states import BED, RETIRED
from polyclinic.inpatient.words import SexPolicy, WardKind

# No ward has more: a longer list is a mistake of whoever types it.
MOST_BEDS = 100


@transactional
def add_ward(*, actor: Actor, facility_id: UUID, name: str, kind: str, sex: str = SexPolicy.ANY) -> Ward:
    """A new ward without beds. Raises NotFound, Forbidden, Invalid naming the field."""
    _require(actor, facility_id)
    if kind not in WardKind.values:
        raise Invalid(_("Choose one of the listed values."), field="kind", possible=list(WardKind.values))
    if sex not in SexPolicy.values:
        raise Invalid(_("Choose one of the listed values."), field="sex", possible=list(SexPolicy.values))
    made = Ward(facility_id=facility_id, name=_name(name, 60, "name"), kind=kind, sex=sex)
    try:
        with transaction.atomic():
            made.save(force_insert=True)
    except IntegrityError:
        raise Invalid(_("There is a ward of this name."), code="taken", field="name") from None
    ledger.record(actor=actor, action="ward.add", row=made, subject=Subject(facility_id=facility_id), revision=1)
    return made


@transactional
def end_ward(*, actor: Actor, ward_id: UUID) -> None:
    """There is no such ward any more. Raises NotFound, Forbidden, Conflict while it has beds."""
    row = _ward(actor, ward_id)
    if row.beds.exclude(state=RETIRED).exists():
        raise Conflict(_("This ward has beds. Take them out first."), code="has_beds")
    ledger.change(
        row, {"ended_at": clock.now()}, permission="bed.arrange", subject=Subject(facility_id=row.facility_id),
        actor=actor, action="ward.end",
    )  # fmt: skip


@transactional
def add_bed(
    *,
    actor: Actor,
    ward_id: UUID,
    name: str,
    room: str = "",
    isolation: bool = False,
    oxygen: bool = False,
    intensive: bool | None = None,
    children: bool | None = None,
    sex: str = "",
) -> Bed:
    """A new bed, free at once. What is not said of `intensive` and `children` follows from the kind of the ward.

    Raises NotFound, Forbidden, Invalid naming the field.
    """
    ward = _ward(actor, ward_id)
    if sex and sex not in SexPolicy.values:
        raise Invalid(_("Choose one of the listed values."), field="sex", possible=list(SexPolicy.values))
    if ward.beds.exclude(state=RETIRED).count() >= MOST_BEDS:
        raise Invalid(_("This ward has as many beds as one may have."), field="name")
    made = Bed(
        ward=ward, facility_id=ward.facility_id, name=_name(name, 20, "name"), room=_name(room, 40, "room", some=False),
        isolation=isolation, oxygen=oxygen, sex=sex,
        intensive=ward.kind == WardKind.INTENSIVE if intensive is None else intensive,
        children=ward.kind == WardKind.CHILDREN if children is None else children,
    )  # fmt: skip
    try:
        with transaction.atomic():
            ledger.create(BED, "add", made, actor=actor)
    except IntegrityError:
        raise Invalid(_("There is a bed of this name in the ward."), code="taken", field="name") from None
    beds.enter(made, made.since)
    return made


@transactional
def retire_bed(*, actor: Actor, bed_id: UUID, version: int | None = None) -> Bed:
    """The bed is taken out of its ward. Raises NotFound, Forbidden, IllegalTransition while it is in use, StaleEdit."""
    row = beds.hold_one(actor, bed_id)
    beds.step(actor, row, "retire", version=version)
    return row


def _ward(actor: Actor, ward_id: UUID) -> Ward:
    row = Ward.objects.filter(pk=ward_id, ended_at__isnull=True).first()
    if row is None:
        raise NotFound(field="wardId")
    _require(actor, row.facility_id)
    return row


def _require(actor: Actor, facility_id: UUID) -> None:
    subject = Subject(facility_id=facility_id)
    policy.require_sight(actor, "bed.view", subject)
    policy.require(actor, "bed.arrange", subject)


def _name(text: str, longest: int, field: str, *, some: bool = True) -> str:
    text = " ".join(text.split())
    if len(text) > longest or (some and not text):
        raise Invalid(_("Write a name of at most %(most)s characters.") % {"most": longest}, field=field)
    return text
