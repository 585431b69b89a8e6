"""The one write door.

Every change of state passes here: permission, guard, `UPDATE … WHERE id AND state AND version`, audit row, event,
all in the caller's transaction. Only `actions.py` of a domain app calls it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.db import models

from polyclinic.core.access import policy
from polyclinic.core.actors import Actor
from polyclinic.core.audit import chain
from polyclinic.core.crypto import reasons
from polyclinic.core.db import here
from polyclinic.core.errors import OutsideTransaction, StaleEdit
from polyclinic.core.ledger.machine import Machine, Transition
from polyclinic.core.outbox import log
from polyclinic.core.outbox.events import Event


def create(
    machine: Machine,
    action: str,
    row: Any,  # noqa: ANN401 - any model with state and version
    *,
    actor: Actor,
    reason: str = "",
    insert: Callable[[], chain.Claim | None] | None = None,
) -> None:
    """Insert `row` in the state the machine's creating row names, with its audit entry and event.

    `insert` writes the row itself, for the hottest shapes whose statement is built once. It may have asked for the
    audit entry's lane along with its own questions.

    Raises OutsideTransaction, IllegalTransition, Forbidden, or what the guard raises; nothing is then written.
    """
    _require_transaction()
    step = machine.row(None, action)
    policy.require(actor, step.who, machine.subject(row))
    if step.guard:
        step.guard(row, actor)
    row.state, row.version = step.target, 1
    claim = None
    if insert is None:
        row.save(force_insert=True)
    else:
        claim = insert()
    _seal(machine, step, row, actor, None, reason, claim)


def apply(
    machine: Machine,
    action: str,
    row: Any,  # noqa: ANN401 - any model with state and version
    *,
    actor: Actor,
    version: int | None = None,
    changes: Mapping[str, object] | None = None,
    reason: str = "",
) -> None:
    """Take `row` one step. `version` is what the caller last saw; `changes` are columns that move with the step.

    Raises OutsideTransaction, IllegalTransition (409), Forbidden, the guard's Problem, or StaleEdit (412) when the row
    is no longer as given. On success `row` carries the new state, version and changes.
    """
    _require_transaction()
    if version is not None and version != row.version:
        raise StaleEdit(version=row.version)
    step = machine.row(row.state, action)
    policy.require(actor, step.who, machine.subject(row))
    if step.guard:
        step.guard(row, actor)
    source, seen, updates = row.state, row.version, dict(changes or {})
    # The WHERE is the race's referee: of two people who both saw this version, one changes a row and one changes none.
    changed = (
        type(row)
        ._default_manager.filter(pk=row.pk, state=source, version=seen)
        .update(state=step.target, version=seen + 1, **updates)
    )
    if changed != 1:
        raise StaleEdit()
    row.state, row.version = step.target, seen + 1
    for name, value in updates.items():
        setattr(row, name, value)
    _seal(machine, step, row, actor, source, reason)


def change(
    row: models.Model,
    fields: Mapping[str, object],
    *,
    permission: str,
    subject: policy.Subject,
    actor: Actor,
    action: str,
    event: Event | None = None,
    version: int | None = None,
    detail: dict[str, object] | None = None,
    reason: str = "",
) -> None:
    """Edit a versioned thing that has no states (a schedule, a setting) under the same rules as a transition."""
    _require_transaction()
    kept: Any = row
    if version is not None and version != kept.version:
        raise StaleEdit(version=kept.version)
    policy.require(actor, permission, subject)
    changed = (
        type(row)._default_manager.filter(pk=row.pk, version=kept.version).update(version=kept.version + 1, **fields)
    )
    if changed != 1:
        raise StaleEdit()
    kept.version += 1
    for name, value in fields.items():
        setattr(row, name, value)
    record(
        actor=actor, action=action, row=row, subject=subject, revision=kept.version, detail=detail, reason=reason,
        event=event,
    )  # fmt: skip


def record(
    *,
    actor: Actor,
    action: str,
    row: models.Model,
    subject: policy.Subject,
    revision: int = 0,
    detail: dict[str, object] | None = None,
    reason: str = "",
    event: Event | None = None,
) -> None:
    """Audit entry and event of a change that the caller has just made in this transaction."""
    _require_transaction()
    chain.append(
        actor=actor,
        action=action,
        subject_kind=row._meta.model_name or "",
        subject_id=row.pk,
        patient_id=subject.patient_id,
        facility_id=subject.facility_id,
        revision=revision,
        reason=reasons.seal(reason, subject.patient_id, row.pk, action, revision),
        detail=detail,
    )
    if event is not None:
        log.append(event)


def _seal(
    machine: Machine,
    step: Transition,
    row: Any,  # noqa: ANN401 - any model with state and version
    actor: Actor,
    source: str | None,
    reason: str,
    claim: chain.Claim | None = None,
) -> None:
    """The audit entry and the event of a transition: always both, always here."""
    subject = machine.subject(row)
    chain.append(
        actor=actor,
        action=f"{machine.name}.{step.action}",
        subject_kind=machine.name,
        subject_id=row.pk,
        patient_id=subject.patient_id,
        facility_id=subject.facility_id,
        from_state=source or "",
        to_state=step.target,
        revision=row.version,
        reason=reasons.seal(reason, subject.patient_id, row.pk, f"{machine.name}.{step.action}", row.version),
        claim=claim,
    )
    log.append(machine.tell(step.event, row))


def _require_transaction() -> None:
    if not here().in_atomic_block:
        raise OutsideTransaction("the ledger writes only inside a transaction; use core.db.transactional")
