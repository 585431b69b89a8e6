"""Controlled medicines: a second person counts them out at the counter and says so under their own name."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.actors import Actor, Person, SystemActor
from polyclinic.core.db import transactional
from polyclinic.core.errors import Conflict, Forbidden, Invalid, NotFound, StaleEdit, Unauthenticated
from polyclinic.core.outbox import log
from polyclinic.pharmacy import amounts
from polyclinic.pharmacy.events import Witnessed
from polyclinic.pharmacy.models import Witnessing
from polyclinic.pharmacy.states import dispense_subject
from polyclinic.prescribing.models import Prescription
from polyclinic.prescribing.states import OPEN

HOLDS: Final = timedelta(minutes=30)


@transactional
def witness(
    *, actor: Actor, prescription_id: UUID, counts: Mapping[UUID, Decimal], version: int | None = None
) -> Witnessing:
    """Say that one has seen so many units of the controlled lines counted out.

    Raises NotFound, Forbidden, StaleEdit, Invalid (nothing counted; not a controlled line that is open).
    """
    row = Prescription.objects.filter(pk=prescription_id).first()
    if row is None:
        raise NotFound() if isinstance(actor, Person | SystemActor) else Unauthenticated()
    subject = dispense_subject(row)
    policy.require_sight(actor, "prescription.view", subject)
    policy.require(actor, "prescription.witness", subject)
    if not isinstance(actor, Person):
        raise Forbidden()
    if version is not None and version != row.version:
        raise StaleEdit(version=row.version)
    lines = {line.pk: line for line in row.lines.filter(state=OPEN, medicine__controlled=True)}
    if not counts:
        raise Invalid(_("Write how many you have counted."), code="required", field="counts")
    for line_id, counted in counts.items():
        line = lines.get(line_id)
        if line is None or not 0 < counted <= line.quantity - line.dispensed:
            raise Invalid(_("Write how many you have counted, at most what is left of the line."), field=f"q-{line_id}")
    made = Witnessing.objects.create(
        prescription=row, patient_id=row.patient_id, facility_id=row.facility_id, account_id=actor.account_id,
        seen_version=row.version, counts={str(key): amounts.hundredths_of(value) for key, value in counts.items()},
    )  # fmt: skip
    ledger.record(
        actor=actor, action="prescription.witness", row=made, subject=subject,
        detail={"prescription": str(row.pk)},
    )  # fmt: skip
    log.append(Witnessed(prescription_id=row.pk, facility_id=row.facility_id))
    return made


def require(actor: Actor, row: Prescription, wanted: Mapping[UUID, int]) -> Witnessing | None:
    """The witnessing that allows this person to hand over these controlled lines; None where there are none.

    Raises Conflict: `witness_needed`, or `witness_counted_other` when another quantity was counted.
    """
    if not wanted:
        return None
    mine = actor.account_id if isinstance(actor, Person) else None
    found = last(row, mine)
    if found is None:
        raise Conflict(
            _("A second person must count the controlled medicines with you and say so on their own screen."),
            code="witness_needed",
        )
    if any(found.counts.get(str(key)) != count for key, count in wanted.items()):
        raise Conflict(
            _("The second person counted another quantity. Count again together."), code="witness_counted_other"
        )
    return found


def last(row: Prescription, but: UUID | None) -> Witnessing | None:
    """The last witnessing by somebody else than `but` that still holds: of this version, half an hour old at most."""
    rows = Witnessing.objects.filter(
        prescription_id=row.pk, seen_version=row.version, at__gt=clock.now() - HOLDS
    ).select_related("account")
    return rows.exclude(account_id=but).order_by("-at", "-pk").first() if but else None
