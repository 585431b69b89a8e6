"""A patient's emergency link: made for some hours, ended at any moment, and every opening of it told to them.

What it shows is put together by `privacy.keyfacts`, above everything that knows a part of it.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor, SystemActor, Viewer
from polyclinic.core.crypto import blind
from polyclinic.core.db import lock_keys, transactional
from polyclinic.core.errors import Conflict, Invalid, NotFound
from polyclinic.people import joined
from polyclinic.records.models import EmergencyLink, EmergencyOpening
from polyclinic.records.states import LINK, OPEN

ACTOR: Final = SystemActor("emergency-link", via="web")
# For how many minutes a link may be made.
MINUTES: Final = (15, 60, 240, 1440)
# At once: one for each who helps, and not so many that nobody knows where they are.
MOST: Final = 3
_SHOWN: Final = 20


class LinkRow(msgspec.Struct, frozen=True, rename="camel"):
    """A link as its patient sees it. `code` is empty once it has ended; `openings` newest first."""

    id: UUID
    patient_id: UUID
    code: str
    made_at: datetime
    ends_at: datetime
    revoked_at: datetime | None
    in_force: bool
    version: int
    opened: int
    openings: tuple[datetime, ...]


@transactional
def make(*, actor: Actor, patient_id: UUID, minutes: int) -> EmergencyLink:
    """A new link, for one of `MINUTES`. Raises NotFound, Forbidden, Invalid, Conflict when there are three already."""
    policy.require(actor, "consent.edit", Subject(patient_id=patient_id))
    if minutes not in MINUTES:
        raise Invalid(_("Choose one of the listed values."), field="minutes", possible=list(MINUTES))
    joined.require_current(patient_id)
    lock_keys([f"emergency-links:{patient_id}"])
    now = clock.now()
    if EmergencyLink.objects.filter(patient_id=patient_id, state=OPEN, ends_at__gt=now).count() >= MOST:
        raise Conflict(_("There are three links already. End one of them first."), code="too_many_links")
    row = EmergencyLink(
        patient_id=patient_id, made_at=now, made_by=actor.label, ends_at=now + timedelta(minutes=minutes)
    )
    row.code = _digest(code_of(row.pk))
    ledger.create(LINK, "make", row, actor=actor)
    return row


@transactional
def revoke(*, actor: Actor, link_id: UUID, version: int | None = None) -> EmergencyLink:
    """It opens nothing any more, from now on. Raises NotFound, IllegalTransition, StaleEdit."""
    row = EmergencyLink.objects.select_for_update().filter(pk=link_id).first()
    if row is None:
        raise NotFound()
    policy.require_sight(actor, "consent.edit", Subject(patient_id=row.patient_id))
    ledger.apply(LINK, "revoke", row, actor=actor, version=version, changes={"revoked_at": clock.now()})
    return row


def open_(code: str) -> UUID:
    """Whose link this is; that it was opened is written down with it, in the caller's transaction. Raises NotFound."""
    row = _in_force(code, held=True)
    ledger.apply(LINK, "open", row, actor=ACTOR, changes={"opened": row.opened + 1})
    EmergencyOpening.objects.create(link=row, number=row.opened, at=clock.now())
    return row.patient_id


def until(code: str) -> datetime:
    """When a link ends, for the page before it is opened. Raises NotFound for one that is none or has ended."""
    return _in_force(code).ends_at


def links(viewer: Viewer, patient_id: UUID) -> list[LinkRow]:
    """A patient's links, newest first, those that ended included. Raises NotFound for whom they are none of theirs."""
    policy.require_sight(viewer, "consent.edit", Subject(patient_id=patient_id))
    rows = EmergencyLink.objects.filter(patient_id=patient_id).prefetch_related("openings").order_by("-made_at", "-pk")
    return [_row(row) for row in rows[:_SHOWN]]


def code_of(link_id: UUID) -> str:
    """The code of a link: 22 letters, digits, - and _ (128 bits)."""
    return blind.index("emergency-link", link_id.hex)


def _row(row: EmergencyLink) -> LinkRow:
    in_force = row.state == OPEN and clock.now() < row.ends_at
    return LinkRow(
        id=row.pk, patient_id=row.patient_id, code=code_of(row.pk) if in_force else "", made_at=row.made_at,
        ends_at=row.ends_at, revoked_at=row.revoked_at, in_force=in_force, version=row.version, opened=row.opened,
        openings=tuple(sorted((one.at for one in row.openings.all()), reverse=True)[:_SHOWN]),
    )  # fmt: skip


def _in_force(code: str, *, held: bool = False) -> EmergencyLink:
    rows = EmergencyLink.objects.select_for_update() if held else EmergencyLink.objects
    row = rows.filter(code=_digest(code), state=OPEN, ends_at__gt=clock.now()).first()
    if row is None:
        raise NotFound()
    return row


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
