"""Changing who works where, and closing and reopening accounts."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access import changes, policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.access.rules import CUSTOM, HELD_AT_FACILITY, Role
from polyclinic.core.actors import Actor
from polyclinic.core.db import transactional
from polyclinic.core.errors import Invalid, NotFound
from polyclinic.core.outbox import log
from polyclinic.facilities import granting, identity
from polyclinic.facilities.events import StaffChanged
from polyclinic.facilities.models import CustomRole, Facility, Membership
from polyclinic.notify import actions as notices
from polyclinic.people import emails, programs, revisions
from polyclinic.people.models import Account, Doctor

MAX_REASON = 200


@transactional
def grant_role(*, actor: Actor, account_id: UUID, facility_slug: str, role: str) -> Membership:
    """Give an account a role at a facility; a role it already has there is left as it is.

    Raises Forbidden, or Invalid naming `facility` or `role`.
    """
    facility = Facility.objects.filter(slug=facility_slug).first()
    if facility is None:
        raise Invalid(_("There is no facility with this short name."), field="facility")
    if role not in HELD_AT_FACILITY:
        raise Invalid(_("This role is not held at a facility."), field="role")
    return _give(actor, account_id, facility, role, None)


@transactional
def give_role(
    *,
    actor: Actor,
    account_id: UUID,
    facility_id: UUID,
    role: str = "",
    custom_role_id: UUID | None = None,
    version: int | None = None,
) -> Membership:
    """Give a role, standard or of the facility's own, to somebody who works there or did.

    Raises NotFound for anybody else (an invitation brings them in), Forbidden, Invalid naming `role`, or StaleEdit.
    """
    facility = Facility.objects.filter(pk=facility_id).first()
    policy.require_sight(actor, "staff.list", Subject(facility_id=facility_id))
    if facility is None or facility_id not in places_of(account_id, ever=True):
        raise NotFound()
    revisions.hold(account_id, version)
    return _give(actor, account_id, facility, role or CUSTOM, own_role(facility_id, custom_role_id))


def own_role(facility_id: UUID, custom_role_id: UUID | None) -> CustomRole | None:
    """A role of the facility's own that is in use; None when none is asked for. Raises Invalid naming `role`."""
    if custom_role_id is None:
        return None
    found = CustomRole.objects.filter(pk=custom_role_id, facility_id=facility_id, ended_at__isnull=True).first()
    if found is None:
        raise Invalid(_("There is no such role at this facility."), field="role")
    return found


def _give(actor: Actor, account_id: UUID, facility: Facility, role: str, custom: CustomRole | None) -> Membership:
    subject = Subject(facility_id=facility.pk)
    policy.require(actor, "membership.grant", subject)
    granting.require_another(actor, account_id)
    granting.require_grantable(actor, facility.pk, role, custom)
    membership, made = Membership.objects.get_or_create(
        account_id=account_id, facility=facility, role=CUSTOM if custom else role, custom_role=custom, ended_at=None
    )
    if made:
        revisions.step(account_id)
        detail: dict[str, object] = {"role": str(role)}
        if custom:
            detail["custom_role"] = str(custom.pk)
        told = StaffChanged(facility_id=facility.pk, account_id=account_id)
        ledger.record(
            actor=actor, action="membership.grant", row=membership, subject=subject, detail=detail, event=told
        )
        # A patient's app stays signed in for weeks, used or not; who works here signs in each day.
        identity.end_apps(account_id)
        changes.tell(account_id)
        notices.tell(account_id, "role_given", detail={"role": named(membership), "facility": facility.name})
    return membership


@transactional
def end_role(*, actor: Actor, membership_id: UUID, reason: str = "", version: int | None = None) -> Membership:
    """Take a role away. What the person did in it stays explained: the membership is kept with its end.

    Raises NotFound for a membership elsewhere, Forbidden, LastAdministrator, StaleEdit when the account is not the
    version that was seen. Ending it twice changes nothing.
    """
    why = reason_of(reason)
    row = Membership.objects.select_related("facility", "custom_role").filter(pk=membership_id).first()
    if row is None:
        policy.require_sight(actor, "staff.list", Subject())
        raise NotFound()
    subject = Subject(facility_id=row.facility_id)
    policy.require_sight(actor, "staff.list", subject)
    policy.require(actor, "membership.grant", subject)
    granting.require_another(actor, row.account_id)
    granting.require_grantable(actor, row.facility_id, row.role, row.custom_role)
    revisions.hold(row.account_id, version)
    if row.role == Role.ADMIN:
        granting.require_administered(row.facility_id, row.account_id)
    row.ended_at = clock.now()
    if not Membership.objects.filter(pk=row.pk, ended_at__isnull=True).update(ended_at=row.ended_at):
        return row
    revisions.step(row.account_id)
    told = StaffChanged(facility_id=row.facility_id, account_id=row.account_id)
    ledger.record(
        actor=actor, action="membership.end", row=row, subject=subject, reason=why,
        detail={"role": row.role}, event=told,
    )  # fmt: skip
    changes.tell(row.account_id)
    notices.tell(row.account_id, "role_ended", detail={"role": named(row), "facility": row.facility.name})
    return row


@transactional
def deactivate(*, actor: Actor, account_id: UUID, reason: str = "", version: int | None = None) -> None:
    """Close an account: it can no longer sign in, and every session, stream and token of it ends.

    An administrator closes only accounts that work at their own facilities and nowhere else, for a closed account is
    closed everywhere; any other is answered like a missing one (NotFound). Doing it twice changes nothing and writes
    nothing. Raises StaleEdit when the account is not the version that was seen.
    """
    why = reason_of(reason)
    account, subjects = _account(actor, account_id, "account.deactivate")
    granting.require_another(actor, account_id)
    revisions.hold(account_id, version)
    for place in Membership.objects.filter(account_id=account_id, role=Role.ADMIN, ended_at__isnull=True):
        granting.require_administered(place.facility_id, account_id)
    if not Account.objects.filter(pk=account_id, is_active=True).update(is_active=False):
        return
    revisions.step(account_id)
    identity.end_sessions(account_id)
    ledger.record(actor=actor, action="account.deactivate", row=account, subject=subjects[0], reason=why)
    _tell_staff(account_id, subjects)


@transactional
def reactivate(*, actor: Actor, account_id: UUID, reason: str = "", version: int | None = None) -> None:
    """Open a closed account again, with the roles it still holds. Raises NotFound, StaleEdit as `deactivate` does."""
    why = reason_of(reason)
    account, subjects = _account(actor, account_id, "account.deactivate")
    granting.require_another(actor, account_id)
    revisions.hold(account_id, version)
    if not Account.objects.filter(pk=account_id, is_active=False).update(is_active=True):
        return
    revisions.step(account_id)
    ledger.record(actor=actor, action="account.reactivate", row=account, subject=subjects[0], reason=why)
    _tell_staff(account_id, subjects)


@transactional
def sign_out_everywhere(*, actor: Actor, account_id: UUID, version: int | None = None) -> int:
    """End every session of an account, its pages, streams and tokens, and its keys. Returns how many sessions."""
    account, subjects = _account(actor, account_id, "staff.edit")
    policy.require(actor, "staff.edit", subjects[0])
    revisions.hold(account_id, version)
    ended = identity.end_sessions(account_id)
    programs.end(account_id)
    if ended:
        ledger.record(
            actor=actor, action="account.sign_out", row=account, subject=subjects[0], detail={"sessions": ended}
        )
        notices.tell(account_id, "signed_out_by_admin")
    return ended


@transactional
def reset_password(*, actor: Actor, account_id: UUID, version: int | None = None) -> None:
    """Make the old password worthless and sign the account out; the person chooses a new one by a link in a mail.

    Whoever may have stolen the old password can no longer sign in with it: it is taken away and not only marked.
    """
    account, subjects = _account(actor, account_id, "staff.reset_password")
    policy.require(actor, "staff.reset_password", subjects[0])
    granting.require_another(actor, account_id)
    revisions.hold(account_id, version)
    account.set_unusable_password()
    # With the password goes what was begun under it: a sign-in halfway, a change of address.
    Account.objects.filter(pk=account_id).update(
        password=account.password, must_change_password=True, password_changed_at=clock.now()
    )
    revisions.step(account_id)
    emails.forget_changes(account_id)
    identity.end_sessions(account_id)
    programs.end(account_id)
    ledger.record(actor=actor, action="account.reset_password", row=account, subject=subjects[0])
    notices.post("password_reset_by_admin", account.email, language=account.language)


def places_of(account_id: UUID, *, ever: bool = False) -> frozenset[UUID]:
    """Facilities at which an account works (`ever`: or has worked), by membership or as a doctor with a schedule."""
    held = Membership.objects.filter(account_id=account_id)
    if not ever:
        held = held.filter(ended_at__isnull=True)
    seen = Doctor.objects.filter(account_id=account_id, schedules__isnull=False)
    return frozenset(held.values_list("facility_id", flat=True)) | frozenset(
        seen.values_list("schedules__facility_id", flat=True)
    )


def named(membership: Membership) -> str:
    """The role in words, as notices tell of it."""
    if membership.custom_role is not None:
        return membership.custom_role.name
    return str(role_name(membership.role))


def role_name(role: str) -> str:
    """A standard role in the active language."""
    names = {
        Role.PATIENT: _now("Patient"),
        Role.DOCTOR: _now("Doctor"),
        Role.CHECKER_DOCTOR: _now("Checking doctor"),
        Role.MAIN_DOCTOR: _now("Head doctor"),
        Role.NURSE: _now("Nurse"),
        Role.LAB_TECHNICIAN: _now("Laboratory technician"),
        Role.PHARMACIST: _now("Pharmacist"),
        Role.RECEPTIONIST: _now("Receptionist"),
        Role.AMBULANCE_CREW: _now("Ambulance crew"),
        Role.MANAGER: _now("Manager"),
        Role.ADMIN: _now("Administrator"),
        Role.PRIVACY_OFFICER: _now("Privacy officer"),
        Role.AUDITOR: _now("Auditor"),
    }
    return {str(known): name for known, name in names.items()}.get(role, role)


def reason_of(text: str) -> str:
    """A reason as it is kept. Raises Invalid naming `reason` when it is too long."""
    if len(text) > MAX_REASON:
        raise Invalid(_("Please keep the reason under 200 characters."), code="too_long", field="reason")
    return text.strip()


def _account(actor: Actor, account_id: UUID, permission: str) -> tuple[Account, list[Subject]]:
    """An account whose every place is one where the actor has this right; any other is answered as missing."""
    account = Account.objects.filter(pk=account_id).first()
    subjects = [Subject(facility_id=place) for place in sorted(places_of(account_id), key=str)]
    if not subjects and account is not None and not account.is_active:
        # Closed after the last role was taken away: whoever had them last may open the account again.
        last = Membership.objects.filter(account_id=account_id).order_by("-ended_at").first()
        subjects = [Subject(facility_id=last.facility_id) if last else Subject()]
    subjects = subjects or [Subject()]
    for subject in subjects:
        policy.require_sight(actor, permission, subject)
    if account is None:
        raise NotFound()
    return account, subjects


def _tell_staff(account_id: UUID, subjects: Iterable[Subject]) -> None:
    for subject in subjects:
        if subject.facility_id is not None:
            log.append(StaffChanged(facility_id=subject.facility_id, account_id=account_id))
