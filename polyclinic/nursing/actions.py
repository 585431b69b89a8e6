"""The write door of rounds and handovers: signs measured, the round's note, and a patient handed over to the next.

Medicines have their own module, `nursing.medicines`, and so has the summary, `nursing.summaries`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.actors import Actor
from polyclinic.core.crypto.fields import column
from polyclinic.core.db import lock_keys, transactional
from polyclinic.core.errors import Invalid, StaleEdit
from polyclinic.inpatient.states import stay_subject
from polyclinic.nursing import bodies, events, rules, sight
from polyclinic.nursing.models import Handover, Observation, RoundNote, RoundNoteVersion
from polyclinic.nursing.states import HANDOVER, OBSERVATION
from polyclinic.nursing.words import SBAR
from polyclinic.records import actions as records
from polyclinic.records import bodies as signs

LONGEST: Final = 4_000


@transactional
def observe(
    *,
    actor: Actor,
    stay_id: UUID,
    values: Mapping[str, str],
    oxygen: bool | None = None,
    consciousness: str = "",
    scale: int = 1,
    pregnant: bool = False,
    confirmed: Collection[str] = (),
    taken_at: datetime | None = None,
) -> Observation:
    """Write down signs measured beside a bed, by the rules of `records.actions.record_vitals`.

    Raises NotFound, Forbidden, Conflict (`not_in_bed`), or Invalid naming the field.
    """
    stay = sight.to_write(actor, "vitals.record", stay_id, see="vitals.view")
    body = records.measured(values, oxygen, consciousness, scale, pregnant, confirmed)
    row = Observation(
        stay=stay, patient_id=stay.patient_id, taken_at=records.moment(taken_at), made_by=actor.label,
        author=sight.author(actor),
    )  # fmt: skip
    row.body = signs.write(body)
    ledger.create(OBSERVATION, "record", row, actor=actor)
    return row


@transactional
def withdraw(*, actor: Actor, observation_id: UUID, reason: str, version: int | None = None) -> Observation:
    """They were entered in error, and stay readable as such. Raises NotFound, Forbidden, Invalid, StaleEdit."""
    row = sight.entry(actor, "vitals.view", Observation, observation_id)
    ledger.apply(OBSERVATION, "withdraw", row, actor=actor, version=version, reason=records.reason_of(reason))
    return row


@transactional
def note(*, actor: Actor, stay_id: UUID, text: str, version: int) -> RoundNote:
    """Save the round's note in place of its version `version` (0: there was none yet).

    Raises NotFound, Forbidden, Conflict (`not_in_bed`), Invalid (`text`), or StaleEdit with the present version.
    """
    stay = sight.to_write(actor, "note.write", stay_id, see="note.view")
    said = text_of(text, "text", required=True)
    lock_keys([f"round-note:{stay.pk}"])
    row = RoundNote.objects.filter(stay=stay).first()
    rules.in_bed(RoundNote(stay=stay), actor)
    if row is None:
        if version:
            raise StaleEdit(version=0)
        row = RoundNote(stay=stay, patient_id=stay.patient_id, saved_by=actor.label, author=sight.author(actor))
        row.body = said
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError:
            raise StaleEdit() from None
        ledger.record(
            actor=actor, action="round_note.save", row=row, subject=stay_subject(stay), revision=1,
            event=events.RoundNoted.of(row),
        )  # fmt: skip
    else:
        row.stay = stay
        sealed = column(RoundNote, "body").seal(row.pk, RoundNote._meta.get_field("body").owner_of(row), said)
        ledger.change(
            row, {"body": sealed, "saved_at": clock.now(), "saved_by": actor.label, "author": sight.author(actor)},
            permission="note.write", subject=stay_subject(stay), actor=actor, action="round_note.save",
            event=events.RoundNoted.of(row, row.version + 1), version=version,
        )  # fmt: skip
    kept = RoundNoteVersion(
        note=row, patient_id=row.patient_id, version=row.version, saved_at=row.saved_at, saved_by=row.saved_by,
        author=row.author,
    )  # fmt: skip
    kept.body = row.body
    kept.save(force_insert=True)
    return row


@transactional
def hand_over(*, actor: Actor, stay_id: UUID, parts: Mapping[str, str]) -> Handover:
    """Sign a handover: what is so now, what led to it, what one makes of it, and what is asked for.

    The four parts of SBAR, in the form of the Institute for Healthcare Improvement (SBAR Tool) and of NHS England
    (Online library of Quality, Service Improvement and Redesign tools: SBAR, 2018). Each is needed.
    Raises NotFound, Forbidden, Conflict (`not_in_bed`), Invalid naming the part.
    """
    stay = sight.to_write(actor, "handover.sign", stay_id, see="handover.view")
    said = {name: text_of(str(parts.get(name, "")), name, required=True) for name in SBAR}
    row = Handover(stay=stay, patient_id=stay.patient_id, signed_by=actor.label, author=sight.author(actor))
    row.body = bodies.write(said)
    ledger.create(HANDOVER, "sign", row, actor=actor)
    return row


@transactional
def acknowledge(*, actor: Actor, handover_id: UUID, version: int | None = None) -> Handover:
    """The nurse who takes over has read it. Raises NotFound, Forbidden, Conflict (`own_handover`), StaleEdit."""
    row = sight.entry(actor, "handover.view", Handover, handover_id)
    ledger.apply(
        HANDOVER, "read", row, actor=actor, version=version,
        changes={"read_at": clock.now(), "read_by": actor.label, "reader": sight.author(actor)},
    )  # fmt: skip
    return row


def text_of(text: str, field: str, *, required: bool = False, longest: int = LONGEST) -> str:
    """A text as it is kept. Raises Invalid naming the field: missing, too long, or not a text."""
    text = text.replace("\r\n", "\n").strip()
    if required and not text:
        raise Invalid(_("This is needed."), code="required", field=field)
    if len(text) > longest:
        raise Invalid(_("This text is longer than can be stored."), code="too_long", field=field, maxLength=longest)
    if any(ord(letter) < 32 and letter not in "\n\t" for letter in text):
        raise Invalid(_("Please check what you entered."), field=field)
    return text
