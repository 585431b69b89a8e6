"""The write door of beds: their steps, how long each lasted, cleaning, blocking."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.actors import Actor, Person, SystemActor
from polyclinic.core.db import lock_keys, transactional
from polyclinic.core.errors import Invalid, NotFound, Unauthenticated
from polyclinic.inpatient import rules
from polyclinic.inpatient.models import Bed, BedStay, BedTime
from polyclinic.inpatient.states import BED, CLEANING, bed_subject
from polyclinic.inpatient.words import Fault
from polyclinic.visits.wishes import text_of

MAX_NOTE = 200


@transactional
def start_cleaning(*, actor: Actor, bed_id: UUID, version: int | None = None) -> Bed:
    """Somebody begins to clean. Raises NotFound, Forbidden, IllegalTransition, StaleEdit, Conflict (begun already)."""
    row = hold_one(actor, bed_id)
    step(actor, row, "start_cleaning", version=version)
    return row


@transactional
def finish_cleaning(*, actor: Actor, bed_id: UUID, version: int | None = None) -> Bed:
    """The bed is clean and free. Raises NotFound, Forbidden, IllegalTransition, StaleEdit."""
    row = hold_one(actor, bed_id)
    step(actor, row, "finish_cleaning", version=version)
    return row


@transactional
def block(*, actor: Actor, bed_id: UUID, why: str, note: str = "", version: int | None = None) -> Bed:
    """Let nobody be put into a bed that is free or to be cleaned. `note` is kept in the audit alone.

    Raises NotFound, Forbidden, Invalid naming `why` or `note`, IllegalTransition, StaleEdit.
    """
    row = hold_one(actor, bed_id)
    policy.require(actor, "bed.block", bed_subject(row))
    if why not in Fault.values:
        raise Invalid(_("Choose one of the listed values."), field="why", possible=list(Fault.values))
    said = text_of(note, MAX_NOTE, "note")
    if why == Fault.OTHER and not said:
        raise Invalid(_("Say why."), code="required", field="note")
    step(actor, row, "block", version=version, why=why, reason=said)
    return row


@transactional
def unblock(*, actor: Actor, bed_id: UUID, version: int | None = None) -> Bed:
    """The bed can be used again; it is cleaned first if it was not clean or if its reason asks for it."""
    row = hold_one(actor, bed_id)
    before = BedTime.objects.filter(bed_id=row.pk, left_at__isnull=False).order_by("-left_at", "-pk").first()
    unclean = rules.clean_after(row.why, before.state if before else "")
    step(actor, row, "unblock_unclean" if unclean else "unblock", version=version)
    return row


def seen(actor: Actor, bed_id: UUID) -> Bed:
    """A bed that the actor may see. Raises NotFound alike for a missing and a foreign one."""
    row = Bed.objects.select_related("ward").filter(pk=bed_id).first()
    if row is None:
        raise NotFound() if isinstance(actor, Person | SystemActor) else Unauthenticated()
    policy.require_sight(actor, "bed.view", bed_subject(row))
    return row


def hold_one(actor: Actor, bed_id: UUID) -> Bed:
    """A bed that the actor may see, kept from everybody else until the transaction ends, and as it is now."""
    row = seen(actor, bed_id)
    return hold(row.facility_id, [row.pk])[row.pk]


def hold(facility_id: UUID, bed_ids: Collection[UUID]) -> dict[UUID, Bed]:
    """Keep these beds from everybody else until the transaction ends, and how they are now.

    Of many who want one bed each waits here for the one before, and then sees what is left. Raises NotFound (bedId) for
    a bed that this facility has not.
    """
    lock_keys(f"bed:{one}" for one in set(bed_ids))
    found = {row.pk: row for row in Bed.objects.select_related("ward").filter(pk__in=bed_ids, facility_id=facility_id)}
    if len(found) != len(set(bed_ids)):
        raise NotFound(field="bedId")
    return found


def step(
    actor: Actor,
    row: Bed,
    action: str,
    *,
    stay: BedStay | None = None,
    version: int | None = None,
    why: str = "",
    reason: str = "",
) -> None:
    """One step of a bed, and the time of the state before comes to its end."""
    now = clock.now()
    begins = action == "start_cleaning"
    changes: dict[str, object] = {"cleaning_since": now} if begins else {
        "since": now, "cleaning_since": None, "why": why,
    }  # fmt: skip
    ledger.apply(BED, action, row, actor=actor, version=version, changes=changes, reason=reason)
    if begins:
        BedTime.objects.filter(bed_id=row.pk, left_at__isnull=True).update(begun_at=now)
    else:
        enter(row, now, stay)


def enter(row: Bed, now: datetime, stay: BedStay | None = None) -> None:
    """Stop the time of the state before and start this one's."""
    BedTime.objects.filter(bed_id=row.pk, left_at__isnull=True).update(left_at=now)
    if row.state != "retired":
        BedTime.objects.create(bed_id=row.pk, state=row.state, stay=stay, entered_at=now)


def turnarounds(facility_id: UUID, since: datetime) -> list[int]:
    """Minutes from a patient's leaving to the clean bed, of every cleaning that ended after `since`, in order."""
    ended = BedTime.objects.filter(bed__facility_id=facility_id, state=CLEANING, left_at__gte=since)
    # A bed that was blocked meanwhile was not being turned round.
    after = BedTime.objects.filter(state="available")
    free = set(after.filter(bed__facility_id=facility_id, entered_at__gte=since).values_list("bed_id", "entered_at"))
    rows = ended.values_list("bed_id", "entered_at", "left_at")
    return sorted(int((left - came).total_seconds() // 60) for bed, came, left in rows if left and (bed, left) in free)
