"""Changing who works where, and closing accounts of those who left."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext_lazy as _

from polyclinic.core import ledger
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.access.rules import Role
from polyclinic.core.actors import Actor
from polyclinic.core.db import transactional
from polyclinic.core.errors import Invalid, NotFound
from polyclinic.facilities import identity
from polyclinic.facilities.models import Facility, Membership
from polyclinic.people.models import Account


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


@transactional
def deactivate(*, actor: Actor, account_id: UUID, reason: str = "") -> None:
    """Close an account: it can no longer sign in, and every session, stream and token of it ends.

    An administrator closes only accounts that work at their own facilities and nowhere else, for a closed account is
    closed everywhere; any other is answered like a missing one (NotFound). Doing it twice changes nothing and writes
    nothing.
    """
    account = Account.objects.filter(pk=account_id).first()
    places = Membership.objects.filter(account_id=account_id, ended_at__isnull=True).values_list(
        "facility_id", flat=True
    )
    subjects = [Subject(facility_id=place) for place in places] or [Subject()]
    for subject in subjects:
        policy.require_sight(actor, "account.deactivate", subject)
    if account is None:
        raise NotFound()
    if not Account.objects.filter(pk=account_id, is_active=True).update(is_active=False):
        return
    identity.end_sessions(account_id)
    ledger.record(actor=actor, action="account.deactivate", row=account, subject=subjects[0], reason=reason)
