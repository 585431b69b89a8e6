"""Printing: the thing as it is now, set as a PDF, and counted.

The first print of a thing is a paper with a code of its own. As long as the thing says the same, further prints are
copies of that paper and say which; once it says something else the old paper is superseded and a new one begins.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor, Person, SystemActor
from polyclinic.core.db import transactional
from polyclinic.core.errors import Conflict, Invalid, StaleEdit
from polyclinic.facilities import ruling
from polyclinic.facilities.models import Facility
from polyclinic.papers import setting, sources
from polyclinic.papers.models import Paper
from polyclinic.papers.sheet import Letterhead, Source
from polyclinic.papers.states import PAPER, VALID
from polyclinic.papers.words import PaperKind, Size, moment

# 160 bits, in 32 letters and digits that are not taken for one another.
CODE_BYTES: Final = 20
# A second click, a reload, a viewer that fetches twice: the same print.
AGAIN: Final = timedelta(seconds=60)
# Kinds that make sense on a roll.
ROLLS: Final = frozenset({PaperKind.RECEIPT, PaperKind.PRESCRIPTION, PaperKind.INVOICE})
_TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class Printed:
    """A PDF, the name to save it under (which says nothing about anybody), and the paper it is a print of."""

    pdf: bytes
    name: str
    paper_id: UUID
    copy: int


@dataclass(frozen=True, slots=True)
class _Plan:
    """Which paper, which copy of it and when; `before` is the paper as it was seen, `same` says that it still holds."""

    code: str
    copy: int
    at: datetime
    before: Paper | None
    same: bool
    counted: bool


def print_(*, actor: Actor, kind: str, subject_id: UUID, size: str = Size.A4) -> Printed:
    """Print a thing that the actor may see.

    Raises NotFound, Forbidden, Invalid for `size`, Conflict when there is nothing to print yet, `setting.Busy`.
    """
    _check_size(kind, size)
    source = sources.find(actor, kind, subject_id)
    policy.require(actor, "paper.print", Subject(source.patient_id, source.doctor_id, source.facility_id))
    digest = digest_of(source)
    facility = Facility.objects.get(pk=source.facility_id)
    for _try in range(_TRIES):
        plan = _plan(actor, source, digest)
        # Set before it is counted, and outside the transaction: what could not be set was not printed, and nobody
        # waits for the compiler with the write lock held.
        pdf = setting.typeset(
            source.draw(), letterhead(facility), _mark(actor, source, plan), size=size, at=plan.at
        )  # fmt: skip
        try:
            paper_id = _keep(actor, source, digest, plan)
        except StaleEdit:
            # Somebody printed the same thing meanwhile: this is the next copy.
            continue
        return Printed(pdf, f"{kind}-{plan.code[:8].lower()}.pdf", paper_id, plan.copy)
    raise Conflict(_("Somebody else is printing this. Please try again."), code="printed_meanwhile")


def digest_of(source: Source) -> str:
    """What a paper says, as SHA-256."""
    return hashlib.sha256(source.facts).hexdigest()


def letterhead(facility: Facility) -> Letterhead:
    """The facility as its papers name it."""
    where = ", ".join(part for part in (facility.address, facility.city) if part)
    phone = _("Telephone %(number)s") % {"number": facility.phone} if facility.phone else ""
    name, note = (ruling.value(facility, key) for key in ("letter_name", "letter_note"))
    return Letterhead(name or facility.name, tuple(line for line in (where, phone, note) if line))


def address_of(code: str) -> str:
    """Where a paper's code is checked."""
    return f"{settings.PUBLIC_URL.rstrip('/')}/verify/{code}"


def new_code() -> str:
    """A code that nobody can guess, in Crockford's base 32: no I, L, O or U."""
    plain = base64.b32encode(secrets.token_bytes(CODE_BYTES)).decode()
    return plain.translate(str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "0123456789ABCDEFGHJKMNPQRSTVWXYZ"))


def _check_size(kind: str, size: str) -> None:
    possible = list(Size.values) if kind in ROLLS else [Size.A4.value]
    if size not in possible:
        raise Invalid(_("This paper is not printed in that size."), field="size", possible=possible)


def _plan(actor: Actor, source: Source, digest: str) -> _Plan:
    now = clock.now()
    before = Paper.objects.filter(
        kind=source.kind, subject_id=source.subject_id, variant=source.variant, state=VALID
    ).first()
    if before is None or not hmac.compare_digest(before.digest, digest):
        return _Plan(new_code(), 1, now, before, same=False, counted=False)
    if before.printed_by == actor.label and now - before.printed_at < AGAIN:
        return _Plan(before.code, before.printed, before.printed_at, before, same=True, counted=True)
    return _Plan(before.code, before.printed + 1, now, before, same=True, counted=False)


def _mark(actor: Actor, source: Source, plan: _Plan) -> setting.Mark:
    who = actor.name if isinstance(actor, Person | SystemActor) else ""
    printed = _("Printed %(time)s by %(name)s") % {"time": moment(plan.at, source.time_zone), "name": who}
    copy = _("Copy %(number)s") % {"number": plan.copy} if plan.copy > 1 else ""
    return setting.Mark(address_of(plan.code), plan.code, copy, printed)


@transactional
def _keep(actor: Actor, source: Source, digest: str, plan: _Plan) -> UUID:
    """Count the print. Raises StaleEdit when another one came between."""
    before = plan.before
    if before is not None and plan.counted:
        return before.pk
    if before is not None:
        before.treated_by = source.doctor_id  # type: ignore[attr-defined]
        if plan.same:
            changes: dict[str, object] = {"printed": plan.copy, "printed_at": plan.at, "printed_by": actor.label}
            ledger.apply(PAPER, "print", before, actor=actor, version=before.version, changes=changes)
            return before.pk
        ledger.apply(PAPER, "supersede", before, actor=actor, version=before.version)
    row = Paper(
        kind=source.kind, subject_id=source.subject_id, variant=source.variant, patient_id=source.patient_id,
        facility_id=source.facility_id, code=plan.code, digest=digest, issued_at=plan.at, issued_by=actor.label,
        printed_at=plan.at, printed_by=actor.label,
    )  # fmt: skip
    row.treated_by = source.doctor_id  # type: ignore[attr-defined]
    try:
        # One thing has one valid paper: of two that are the first at the same time, the database refuses one.
        with transaction.atomic():
            ledger.create(PAPER, "print", row, actor=actor)
    except IntegrityError:
        raise StaleEdit() from None
    return row.pk
