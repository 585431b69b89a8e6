"""Mails that were given up: kept sealed for thirty days, so that after an outage they can be sent or let go.

Nobody is shown to whom they go or what they say; that there is one, of which kind and why it failed, is enough to
decide. What is kept for somebody goes with their record.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
import orjson
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Person, Viewer
from polyclinic.core.crypto import blind
from polyclinic.core.crypto.fields import column
from polyclinic.core.crypto.ring import purpose
from polyclinic.core.db import transactional
from polyclinic.core.errors import Conflict, Forbidden, NotFound, Unauthenticated
from polyclinic.notify.kinds import KINDS
from polyclinic.notify.models import Delivery
from polyclinic.people.models import Patient

SHOWN: Final = 200
_PURPOSE: Final = "mails"


class FailedMail(msgspec.Struct, frozen=True, rename="camel"):
    """A mail that was given up. `error` is the kind of the last failure; without `replayable` it can be let go only."""

    id: UUID
    kind: str
    title: str
    made_at: datetime
    failed_at: datetime | None
    attempts: int
    error: str
    replayable: bool


def failed_mails(viewer: Viewer) -> list[FailedMail]:
    """Those that were given up, newest first, at most 200. Raises Forbidden."""
    _require(viewer, "system.view")
    rows = Delivery.objects.filter(state="failed").order_by("-made_at", "pk")[:SHOWN]
    return [
        FailedMail(
            row.pk, row.kind, str(KINDS[row.kind].title) if row.kind in KINDS else row.kind, row.made_at, row.done_at,
            row.attempts, row.error, bool(row.kept_for),
        )
        for row in rows
    ]  # fmt: skip


def keep(delivery: Delivery) -> dict[str, str]:
    """The columns in which a mail that is given up is kept."""
    text = orjson.dumps({"to": delivery.to, "detail": delivery.detail}).decode()
    sealed = column(Delivery, "kept").seal(delivery.pk, purpose(_PURPOSE), text)
    return {"kept": sealed, "kept_for": _mark(delivery.to)}


@transactional
def replay(*, actor: Person, delivery_id: UUID) -> None:
    """Send one again, with all its tries. Raises Forbidden, NotFound, Conflict when it is not there to be sent."""
    row = _held(actor, delivery_id)
    if not row.kept:
        raise Conflict(_("What this mail said is not kept any more. Discard it."), code="gone")
    told = orjson.loads(row.kept)
    _decide(
        actor, row, "mail.replay", state="waiting", attempts=0, next_at=clock.now(), done_at=None, error="",
        to=told["to"], detail=told["detail"],
    )  # fmt: skip


@transactional
def discard(*, actor: Person, delivery_id: UUID) -> None:
    """Let one go. Raises Forbidden, NotFound, Conflict when somebody else was quicker."""
    _decide(actor, _held(actor, delivery_id), "mail.discard", state="dropped")


def forget_of(patient_id: UUID) -> None:
    """A record is erased: of mails to its patient that were given up nothing is kept."""
    email = Patient.objects.filter(pk=patient_id).values_list("account__email", flat=True).first()
    if email:
        Delivery.objects.filter(kept_for=_mark(email)).update(kept="", kept_for="")


def _decide(actor: Person, row: Delivery, action: str, **fields: object) -> None:
    changed = Delivery.objects.filter(pk=row.pk, state="failed").update(kept="", kept_for="", **fields)
    if not changed:
        raise Conflict(_("Somebody else has dealt with this mail. Reload the page."), code="mail_changed")
    ledger.record(actor=actor, action=action, row=row, subject=Subject(), detail={"kind": row.kind})


def _held(actor: Person, delivery_id: UUID) -> Delivery:
    _require(actor, "system.repair")
    row = Delivery.objects.filter(pk=delivery_id).first()
    if row is None:
        raise NotFound()
    return row


def _require(viewer: Viewer, right: str) -> None:
    """Mails belong to the installation and no one place: whoever has the right anywhere looks after them."""
    if not isinstance(viewer, Person):
        raise Unauthenticated()
    if viewer.seen_by is not None or viewer.scopes is not None or not policy.ever(viewer, right):
        raise Forbidden()


def _mark(address: str) -> str:
    return blind.index(_PURPOSE, address.strip().lower())
