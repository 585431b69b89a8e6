"""A facility's own roles: a name for a handful of rights, made by somebody who holds every one of them there."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access import changes, policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.access.rules import at_facility
from polyclinic.core.actors import Actor
from polyclinic.core.db import lock_keys, transactional
from polyclinic.core.errors import Conflict, Forbidden, Invalid, NotFound
from polyclinic.core.outbox import log
from polyclinic.facilities import granting
from polyclinic.facilities.events import RoleChanged, StaffChanged
from polyclinic.facilities.models import CustomRole
from polyclinic.notify import actions as notices

MAX_NAME = 60


@transactional
def define(*, actor: Actor, facility_id: UUID, name: str, permissions: Collection[str]) -> CustomRole:
    """Make a role. Raises NotFound (the facility), Forbidden for a right that is not the actor's, Invalid, Conflict."""
    subject = Subject(facility_id=facility_id)
    policy.require_sight(actor, "role.define", subject)
    policy.require(actor, "role.define", subject)
    row = CustomRole(facility_id=facility_id, name=_name(facility_id, name), permissions=_rights(permissions))
    _require_own(actor, facility_id, row.permissions)
    row.save(force_insert=True)
    ledger.record(
        actor=actor, action="role.define", row=row, subject=subject, revision=1,
        detail={"permissions": row.permissions}, event=_event(row),
    )  # fmt: skip
    return row


@transactional
def change(
    *, actor: Actor, role_id: UUID, name: str, permissions: Collection[str], version: int | None = None
) -> CustomRole:
    """Give a role another name or other rights; whoever holds it has the new rights within two seconds.

    Both its old and its new rights must be the actor's to give. Raises as `define`, and StaleEdit.
    """
    row = _of(actor, role_id)
    wanted = _rights(permissions)
    _require_own(actor, row.facility_id, [*row.permissions, *wanted])
    ledger.change(
        row, {"name": _name(row.facility_id, name, row.pk), "permissions": wanted}, permission="role.define",
        subject=Subject(facility_id=row.facility_id), actor=actor, action="role.change", version=version,
        detail={"permissions": wanted, "before": row.permissions},
        event=RoleChanged(role_id=row.pk, facility_id=row.facility_id, revision=row.version + 1),
    )  # fmt: skip
    for account_id in _holders(row):
        changes.tell(account_id)
        log.append(StaffChanged(facility_id=row.facility_id, account_id=account_id))
        notices.tell(account_id, "role_changed", detail={"role": row.name}, mail=False)
    return row


@transactional
def retire(*, actor: Actor, role_id: UUID, version: int | None = None) -> None:
    """Take a role out of use. Raises Conflict while somebody holds it: they would lose their rights unsaid."""
    row = _of(actor, role_id)
    _require_own(actor, row.facility_id, row.permissions)
    if holders := len(_holders(row)):
        raise Conflict(_("Somebody still has this role. Take it away from them first."), code="role_held", held=holders)
    ledger.change(
        row, {"ended_at": clock.now()}, permission="role.define", subject=Subject(facility_id=row.facility_id),
        actor=actor, action="role.retire", version=version,
        event=RoleChanged(role_id=row.pk, facility_id=row.facility_id, revision=row.version + 1),
    )  # fmt: skip


def _of(actor: Actor, role_id: UUID) -> CustomRole:
    row = CustomRole.objects.filter(pk=role_id, ended_at__isnull=True).first()
    policy.require_sight(actor, "role.define", Subject(facility_id=row.facility_id if row else None))
    if row is None:
        raise NotFound()
    return row


def _rights(permissions: Collection[str]) -> list[str]:
    wanted = sorted(set(permissions))
    if not wanted:
        raise Invalid(_("Choose at least one right."), field="permissions")
    if not set(wanted) <= at_facility():
        raise Invalid(_("One of these rights cannot be part of a role."), field="permissions")
    return wanted


def _require_own(actor: Actor, facility_id: UUID, permissions: Collection[str]) -> None:
    foreign = sorted(set(permissions) - granting.grantable_rights(actor, facility_id))
    if foreign:
        raise Forbidden(
            _("You can only hand out rights that you have yourself."), code="not_yours_to_give", field="permissions",
            rights=foreign,
        )  # fmt: skip


def _name(facility_id: UUID, text: str, but: UUID | None = None) -> str:
    name = " ".join(text.split())
    if not name or len(name) > MAX_NAME:
        raise Invalid(_("Give the role a name of at most 60 characters."), field="name")
    lock_keys([f"role:{facility_id}:{name.lower()}"])
    taken = CustomRole.objects.filter(facility_id=facility_id, name__iexact=name, ended_at__isnull=True)
    if (taken.exclude(pk=but) if but else taken).exists():
        raise Conflict(_("There is already a role of this name here."), code="name_taken", field="name")
    return name


def _holders(row: CustomRole) -> list[UUID]:
    return list(row.memberships.filter(ended_at__isnull=True).values_list("account_id", flat=True))


def _event(row: CustomRole) -> RoleChanged:
    return RoleChanged(role_id=row.pk, facility_id=row.facility_id, revision=row.version)
