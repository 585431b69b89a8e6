"""Who may hand out which role: nobody more than they hold, nobody to themselves.

The table of standard roles is `core.access.rules.MAY_GRANT`; a facility's own role may be given by whoever holds all
its rights at that facility. No facility is left without an administrator.
"""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext_lazy as _

from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.access.rules import CUSTOM, HELD_AT_FACILITY, MAY_GRANT, Role, at_facility
from polyclinic.core.actors import Actor, Person, SystemActor
from polyclinic.core.db import lock_keys
from polyclinic.core.errors import Conflict, Forbidden, Invalid
from polyclinic.facilities.models import CustomRole, Membership


class LastAdministrator(Conflict):
    """A facility that nobody administers could never get an administrator again."""

    code = "last_administrator"
    sentence = _("This is the only administrator here. Make somebody else administrator first.")


def grantable_roles(actor: Actor, facility_id: UUID) -> frozenset[str]:
    """The standard roles that this actor may give and take at the facility."""
    if isinstance(actor, SystemActor):
        return frozenset(map(str, HELD_AT_FACILITY)) if _may_grant(actor) else frozenset()
    if not isinstance(actor, Person) or actor.seen_by is not None:
        return frozenset()
    if facility_id not in policy.places(actor, "membership.grant"):
        return frozenset()
    return frozenset(
        str(role) for giver, roles in MAY_GRANT.items() if facility_id in actor.facilities(giver) for role in roles
    )


def grantable_rights(actor: Actor, facility_id: UUID) -> frozenset[str]:
    """The rights that this actor may put into a role of the facility's own: those they hold there themselves."""
    if isinstance(actor, SystemActor):
        return at_facility() if _may_grant(actor) else frozenset()
    subject = Subject(facility_id=facility_id)
    return frozenset(right for right in at_facility() if policy.allowed(actor, right, subject))


def _may_grant(job: SystemActor) -> bool:
    return policy.allowed(job, "membership.grant", Subject())


def require_grantable(actor: Actor, facility_id: UUID, role: str, custom: CustomRole | None) -> None:
    """Raise Invalid for what is no role here, Forbidden for one that is not this actor's to give or take."""
    if custom is not None:
        if custom.facility_id != facility_id or custom.ended_at is not None:
            raise Invalid(_("There is no such role at this facility."), field="role")
        allowed = frozenset(custom.permissions) <= grantable_rights(actor, facility_id)
    elif role == CUSTOM or role not in HELD_AT_FACILITY:
        raise Invalid(_("This role is not held at a facility."), field="role")
    else:
        allowed = role in grantable_roles(actor, facility_id)
    if not allowed:
        raise Forbidden(_("You can only hand out roles and rights that you may give."), code="not_yours_to_give")


def require_another(actor: Actor, account_id: UUID) -> None:
    """Nobody changes their own roles or closes their own account: a second person must want it too."""
    if isinstance(actor, Person) and actor.account_id == account_id:
        raise Forbidden(_("Nobody can do this to their own account. Ask another administrator."), code="own_account")


def require_administered(facility_id: UUID, without: UUID) -> None:
    """Raise LastAdministrator when `without` is the only active administrator of the facility.

    Call it inside the transaction that takes the role away: the lock lasts until its end, so that of two who leave at
    once the second sees the first gone.
    """
    lock_keys([f"administrators:{facility_id}"])
    admins = Membership.objects.filter(
        facility_id=facility_id, role=Role.ADMIN, ended_at__isnull=True, account__is_active=True
    ).values_list("account_id", flat=True)
    if set(admins) == {without}:
        raise LastAdministrator()
