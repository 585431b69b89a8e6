"""Changing who works where."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext_lazy as _

from polyclinic.core import ledger
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.access.rules import Role
from polyclinic.core.actors import Actor
from polyclinic.core.db import transactional
from polyclinic.core.errors import Invalid
from polyclinic.facilities.models import Facility, Membership


@transactional
def grant_role(*, actor: Actor, account_id: UUID, facility_slug: str, role: str) -> Membership:
    """Give an account a role at a facility; a role it already has there is left as it is.

    Raises Forbidden, or Invalid naming `facility` or `role`.
    """
    facility = Facility.objects.filter(slug=facility_slug).first()
    if facility is None:
        raise Invalid(_("There is no facility with this short name."), field="facility")
    if role not in {Role.RECEPTIONIST, Role.MANAGER, Role.ADMIN}:
        raise Invalid(_("This role is not held at a facility."), field="role")
    subject = Subject(facility_id=facility.pk)
    policy.require(actor, "membership.grant", subject)
    membership, made = Membership.objects.get_or_create(
        account_id=account_id, facility=facility, role=role, ended_at=None
    )
    if made:
        ledger.record(
            actor=actor, action="membership.grant", row=membership, subject=subject, detail={"role": str(role)}
        )
    return membership
