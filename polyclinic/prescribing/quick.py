"""What a doctor has at hand: the medicines they have starred, then those they prescribe most."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db.models import Count

from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor, Person, Viewer
from polyclinic.core.db import lock_keys, transactional
from polyclinic.core.errors import Forbidden, Unauthenticated
from polyclinic.medicines import selectors as medicines
from polyclinic.medicines.rows import MedicineRow
from polyclinic.prescribing.models import Favourite, PrescriptionLine

SPAN: Final = timedelta(days=90)
MOST: Final = 12


@transactional
def star(*, actor: Actor, medicine_id: UUID, starred: bool) -> None:
    """Keep a medicine at hand, or no longer. Doing it twice is fine. Raises NotFound, Forbidden."""
    if not isinstance(actor, Person):
        raise Unauthenticated()
    if actor.seen_by is not None or not policy.ever(actor, "prescription.sign"):
        raise Forbidden()
    medicines.medicine(medicine_id)
    lock_keys([f"favourites:{actor.account_id}"])
    row = Favourite.objects.filter(account_id=actor.account_id, medicine_id=medicine_id).first()
    if starred and row is None:
        row = Favourite(account_id=actor.account_id, medicine_id=medicine_id)
        row.save(force_insert=True)
        ledger.record(actor=actor, action="favourite.add", row=row, subject=Subject())
    elif not starred and row is not None:
        ledger.record(actor=actor, action="favourite.remove", row=row, subject=Subject())
        row.delete()


def starred(viewer: Viewer) -> set[UUID]:
    """The medicines that this person has starred."""
    if not isinstance(viewer, Person):
        raise Unauthenticated()
    return set(Favourite.objects.filter(account_id=viewer.account_id).values_list("medicine_id", flat=True))


def at_hand(viewer: Viewer, limit: int = MOST) -> list[MedicineRow]:
    """Starred ones by name, then the most prescribed of the last 90 days. Three questions to the database."""
    if not isinstance(viewer, Person):
        raise Unauthenticated()
    mine = starred(viewer)
    counted = (
        PrescriptionLine.objects.filter(
            prescription__prescriber_id=viewer.account_id, prescription__signed_at__gte=clock.now() - SPAN
        )
        .values("medicine_id")
        .annotate(times=Count("pk"))
        .order_by("-times")[:limit]
    )
    used = [row["medicine_id"] for row in counted if row["medicine_id"] not in mine]
    rows = medicines.many({*mine, *used})
    first = sorted((rows[one] for one in mine if one in rows), key=lambda row: row.name)
    return [row for row in [*first, *(rows[one] for one in used if one in rows)] if row.active][:limit]
