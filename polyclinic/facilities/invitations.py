"""Inviting somebody to work at a facility, and taking an invitation up by the link in its mail."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.core import signing
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.access.rules import CUSTOM
from polyclinic.core.actors import Actor, Person, SystemActor
from polyclinic.core.db import here, lock_keys, transactional
from polyclinic.core.errors import Conflict, Forbidden, Invalid, NotFound, Problem, Unauthenticated
from polyclinic.core.ids import parse_id
from polyclinic.facilities import granting, identity
from polyclinic.facilities.actions import _give, own_role
from polyclinic.facilities.models import CustomRole, Facility, Membership, StaffInvitation
from polyclinic.facilities.states import INVITATION, SENT
from polyclinic.notify import actions as notices
from polyclinic.people import actions as people
from polyclinic.people.emails import read_email
from polyclinic.people.models import Account

OPEN_FOR: Final = timedelta(days=7)
_SALT: Final = "staff-invitation"
# Takes an invitation up: the person invited holds no right yet, and their link is proof enough.
_DOOR: Final = SystemActor("invitation")
MAX_NAME: Final = 160


class InvitationGone(Problem):
    """The link was used, replaced by a newer one, taken back, or is too old."""

    status = 410
    code = "invitation_gone"
    sentence = _("This invitation is no longer open. Ask the hospital for a new one.")


@transactional
def invite(
    *, actor: Actor, facility_id: UUID, email: str, name: str, role: str = "", custom_role_id: UUID | None = None
) -> StaffInvitation:
    """Invite somebody in a role; the link goes to their address after the commit.

    Raises NotFound (the facility), Forbidden, Invalid naming the field, Conflict for somebody already invited.
    """
    subject = Subject(facility_id=facility_id)
    policy.require_sight(actor, "staff.invite", subject)
    if not isinstance(actor, Person):
        raise Unauthenticated()
    facility = Facility.objects.filter(pk=facility_id).first()
    if facility is None:
        raise NotFound()
    custom = own_role(facility_id, custom_role_id)
    address, named = check(actor, facility_id, email, name, role, custom)
    made = StaffInvitation(
        facility=facility, email=address, name=named, role=CUSTOM if custom else role, custom_role=custom,
        invited_by_id=actor.account_id, expires_at=clock.now() + OPEN_FOR,
    )  # fmt: skip
    ledger.create(INVITATION, "invite", made, actor=actor)
    _send(made)
    return made


def check(
    actor: Actor, facility_id: UUID, email: str, name: str, role: str, custom: CustomRole | None
) -> tuple[str, str]:
    """Address and name as they are kept. Raises what `invite` raises. In a transaction the address stays locked."""
    granting.require_grantable(actor, facility_id, role, custom)
    address, named = read_email(email), " ".join(name.split())
    if not named or len(named) > MAX_NAME:
        raise Invalid(_("Enter a name."), field="name")
    if here().in_atomic_block:
        lock_keys([f"invite:{facility_id}:{address.lower()}"])
    if StaffInvitation.objects.filter(facility_id=facility_id, email__iexact=address, state=SENT).exists():
        raise Conflict(_("This person is already invited. You can send the invitation again."), code="already_invited",
                       field="email")  # fmt: skip
    held = Membership.objects.filter(facility_id=facility_id, account__email__iexact=address, ended_at__isnull=True)
    if held.filter(role=CUSTOM if custom else role, custom_role=custom).exists():
        raise Conflict(_("This person already has this role here."), code="already_here", field="email")
    return address, named


@transactional
def resend(*, actor: Actor, invitation_id: UUID, version: int | None = None) -> StaffInvitation:
    """Send it again with a new link and seven more days; the old link stops working."""
    row = _of(actor, invitation_id)
    granting.require_grantable(actor, row.facility_id, row.role, row.custom_role)
    changes: dict[str, object] = {"sendings": row.sendings + 1, "expires_at": clock.now() + OPEN_FOR}
    ledger.apply(INVITATION, "resend", row, actor=actor, version=version, changes=changes)
    _send(row)
    return row


@transactional
def revoke(*, actor: Actor, invitation_id: UUID, version: int | None = None) -> None:
    """Take it back: its link stops working."""
    ledger.apply(INVITATION, "revoke", _of(actor, invitation_id), actor=actor, version=version)


def token_of(invitation: StaffInvitation) -> str:
    """What stands in the newest link."""
    return signing.Signer(salt=_SALT).sign(f"{invitation.pk}.{invitation.sendings}")


def by_token(token: str) -> StaffInvitation:
    """The open invitation that this link is for. Raises InvitationGone for any other text, alike."""
    try:
        key, _dot, sending = signing.Signer(salt=_SALT).unsign(token).rpartition(".")
    except signing.BadSignature:
        raise InvitationGone() from None
    found = StaffInvitation.objects.select_related("facility", "custom_role").filter(state=SENT)
    row = found.filter(pk=parse_id(key) or UUID(int=0)).first()
    if row is None or sending != str(row.sendings) or row.expires_at <= clock.now():
        raise InvitationGone()
    return row


def account_exists(invitation: StaffInvitation) -> bool:
    """Whether the invited address has an account already: then it signs in instead of choosing a password."""
    return Account.objects.filter(email__iexact=invitation.email).exists()


def accept_as_new(*, token: str, password: str, name: str) -> Account:
    """Make the invited person's account with this password and give it the role.

    Raises InvitationGone, Invalid naming the field, EmailTaken when there is an account by now.
    """
    row = by_token(token)
    made = people.create_account(actor=_DOOR, email=row.email, password=password, name=name)
    _accept(row.pk, made.pk)
    return made


def accept(*, actor: Actor, token: str) -> None:
    """Take it up with the account one is signed in with, which must be the invited address's.

    Raises InvitationGone, or Forbidden (another_address).
    """
    if not isinstance(actor, Person):
        raise Unauthenticated()
    if actor.seen_by is not None:
        raise Forbidden()
    row = by_token(token)
    if not Account.objects.filter(pk=actor.account_id, email__iexact=row.email).exists():
        raise Forbidden(
            _("This invitation is for another email address. Sign out, and in again with that address."),
            code="another_address",
        )
    _accept(row.pk, actor.account_id)


@transactional
def _accept(invitation_id: UUID, account_id: UUID) -> None:
    row = StaffInvitation.objects.select_related("facility", "custom_role").get(pk=invitation_id)
    # Whoever invited may have lost the right to since; what they could not give today is not given.
    inviter = identity.person_of_account(row.invited_by_id)
    try:
        if inviter is None:
            raise Forbidden()
        granting.require_grantable(inviter, row.facility_id, row.role, row.custom_role)
    except (Forbidden, Invalid):
        raise InvitationGone() from None
    ledger.apply(INVITATION, "accept", row, actor=_DOOR, changes={"account_id": account_id})
    _give(_DOOR, account_id, row.facility, row.role, row.custom_role)
    Account.objects.filter(pk=account_id, email_verified_at__isnull=True).update(email_verified_at=clock.now())


@transactional
def expire(*, actor: Actor) -> int:
    """Let old invitations lapse, so that lists say so. Returns how many."""
    policy.require(actor, "staff.invite", Subject())
    over = list(StaffInvitation.objects.filter(state=SENT, expires_at__lte=clock.now())[:500])
    for row in over:
        ledger.apply(INVITATION, "expire", row, actor=actor)
    return len(over)


def _of(actor: Actor, invitation_id: UUID) -> StaffInvitation:
    row = StaffInvitation.objects.select_related("facility", "custom_role").filter(pk=invitation_id).first()
    policy.require_sight(actor, "staff.invite", Subject(facility_id=row.facility_id if row else None))
    if row is None:
        raise NotFound()
    return row


def _send(row: StaffInvitation) -> None:
    notices.post("staff_invitation", row.email, detail={"invitation": str(row.pk)})
