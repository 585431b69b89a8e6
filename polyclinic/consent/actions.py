"""The write door of sharing: granting and withdrawing consent, and letting somebody act for a patient."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from polyclinic.consent import rules, sharing
from polyclinic.consent.models import Category, Consent, Delegation, Kind, Purpose, Rights
from polyclinic.consent.states import ACTIVE, CONSENT, DELEGATION, PROPOSED
from polyclinic.core import clock, ledger
from polyclinic.core.access import changes, policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor, Person, SystemActor
from polyclinic.core.db import lock_keys, transactional
from polyclinic.core.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from polyclinic.notify import actions as notify
from polyclinic.people.models import Account, Patient

LONGEST: Final = timedelta(days=366 * 10)
# Letters and digits that are not taken for one another when read aloud or copied by hand.
_SIGNS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_CODE_LENGTH: Final = 10
_SWEPT_AT_ONCE: Final = 200


# Sharing


@transactional
def grant(
    *,
    actor: Actor,
    patient_id: UUID,
    facility_id: UUID | None = None,
    account_id: UUID | None = None,
    purpose: str,
    categories: Iterable[str],
    expires_at: datetime | None = None,
) -> Consent:
    """Let a facility or a doctor see parts of the patient's record. It holds from the commit on.

    On a restricted record it counts too: consent given since is
    the exception the law makes. Raises Forbidden, or Invalid naming `grantee`, `purpose`, `categories` or `until`.
    """
    policy.require(actor, "consent.edit", Subject(patient_id=patient_id))
    made = Consent(
        patient_id=_patient(patient_id).pk,
        purpose=_one_of(Purpose.values, purpose, "purpose"),
        categories=_categories(categories),
        granted_at=clock.now(),
        granted_by=actor.label,
        expires_at=_until(expires_at),
        **_grantee(facility_id, account_id),
    )
    ledger.create(CONSENT, "grant", made, actor=actor)
    sharing.forget_on_commit(patient_id)
    if account_id is not None:
        notify.tell(account_id, "record_shared", mail=False)
    return made


@transactional
def withdraw(*, actor: Actor, consent_id: UUID, version: int | None = None) -> Consent:
    """Stop sharing. Whoever saw by it does not from the commit on. Raises NotFound, IllegalTransition, StaleEdit."""
    row = Consent.objects.filter(pk=consent_id).first()
    if row is None:
        raise NotFound() if isinstance(actor, Person | SystemActor) else Unauthenticated()
    policy.require_sight(actor, "consent.edit", Subject(patient_id=row.patient_id))
    ledger.apply(CONSENT, "withdraw", row, actor=actor, version=version, changes={"withdrawn_at": clock.now()})
    sharing.forget_on_commit(row.patient_id)
    return row


def _grantee(facility_id: UUID | None, account_id: UUID | None) -> dict[str, Any]:
    if (facility_id is None) == (account_id is None):
        raise Invalid(_("Choose a hospital or a doctor."), code="required", field="grantee")
    if facility_id is not None and not _facilities().filter(pk=facility_id).exists():
        raise Invalid(_("There is no such hospital."), field="grantee")
    doctors = Account.objects.filter(is_active=True, doctor__isnull=False)
    if account_id is not None and not doctors.filter(pk=account_id).exists():
        raise Invalid(_("There is no such doctor."), field="grantee")
    return {"facility_id": facility_id, "account_id": account_id}


def _facilities() -> Any:  # noqa: ANN401 - the manager of a model above this app
    related: Any = Consent._meta.get_field("facility").related_model
    return related._default_manager


def _categories(given: Iterable[str]) -> str:
    wanted = set(given)
    if not wanted:
        raise Invalid(_("Choose what you want to share."), code="required", field="categories")
    if unknown := wanted - set(Category.values):
        raise Invalid(_("Choose one of the listed values."), field="categories", possible=sorted(Category.values),
                      unknown=len(unknown))  # fmt: skip
    # Everything includes the rest.
    chosen = {Category.ALL} if Category.ALL in wanted else wanted
    return " ".join(sorted(str(name) for name in chosen))


def _one_of(values: list[str], given: str, field: str) -> str:
    if given not in values:
        raise Invalid(_("Choose one of the listed values."), field=field, possible=list(values))
    return given


def _until(moment: datetime | None, field: str = "until") -> datetime | None:
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise Invalid(_("Give the time with its offset, for example 09:00+02:00."), code="naive_time", field=field)
    if not clock.now() < moment:
        raise Invalid(_("Choose a day in the future."), code="in_past", field=field)
    if moment > clock.now() + LONGEST:
        raise Invalid(_("Choose a day within the next ten years."), code="too_far", field=field)
    return moment


# Acting for somebody


@transactional
def propose(
    *, actor: Actor, patient_id: UUID, email: str, kind: str, rights: str, ends_at: datetime | None = None
) -> tuple[Delegation, str]:
    """Ask somebody to act for the patient. Returns the delegation and the code, which is shown once and to the
    patient: only who has the code *and* an account under this address can take it up, within seven days.

    Raises Forbidden, or Invalid naming `email`, `kind`, `rights` or `until`.
    """
    policy.require(actor, "delegation.edit", Subject(patient_id=patient_id))
    patient = _patient(patient_id)
    address = email.strip()
    if not 3 <= len(address) <= 254 or "@" not in address[1:-1]:
        raise Invalid(_("Enter an email address such as name@example.org."), field="email")
    if patient.account is not None and patient.account.email.lower() == address.lower():
        raise Invalid(_("This is your own address."), field="email")
    lock_keys([f"delegation:{patient_id}"])
    if Delegation.objects.filter(patient_id=patient_id, state=PROPOSED).count() >= 10:
        raise Conflict(_("There are ten open invitations. End one of them first."), code="too_many_invitations")
    code = "".join(secrets.choice(_SIGNS) for _place in range(_CODE_LENGTH))
    made = Delegation(
        patient_id=patient_id,
        kind=_one_of(Kind.values, kind, "kind"),
        rights=_one_of(Rights.values, rights, "rights"),
        email=address,
        code=_digest(code),
        proposed_at=clock.now(),
        proposed_by=actor.label,
        ends_at=_term(patient, kind, ends_at),
    )
    ledger.create(DELEGATION, "propose", made, actor=actor)
    invited = Account.objects.filter(email__iexact=address, is_active=True).values_list("pk", flat=True).first()
    if invited is not None:
        notify.tell(invited, "delegation_proposed")
    return made, code


@transactional
def accept(*, actor: Actor, code: str) -> Delegation:
    """Take up a delegation with the code the patient has passed on.

    A wrong code, somebody else's and one that is too old are answered alike: NotFound. Raises Conflict for oneself or
    when one acts for this patient already.
    """
    if not isinstance(actor, Person):
        raise Unauthenticated()
    digest = _digest("".join(code.split()).replace("-", "").upper())
    address = Account.objects.values_list("email", flat=True).get(pk=actor.account_id)
    row = Delegation.objects.filter(code=digest, email__iexact=address, state=PROPOSED).first()
    if row is None or not hmac.compare_digest(row.code, digest):
        raise NotFound(_("This code does not fit your account, or is older than seven days."), field="code")
    _require_first(row.patient_id, actor.account_id)
    starts: dict[str, object] = {"carer_id": actor.account_id, "starts_at": clock.now(), "code": ""}
    ledger.apply(DELEGATION, "accept", row, actor=actor, changes=starts)
    _changed(row, "delegation_started")
    return row


@transactional
def appoint(
    *,
    actor: Actor,
    facility_id: UUID,
    mrn: str,
    born: date,
    email: str,
    kind: str,
    rights: str,
    ends_at: datetime | None = None,
) -> Delegation:
    """At the front desk, for whom stands there: the patient known by two identifiers, the carer by their address.

    Raises Forbidden, NotFound for identifiers that fit nobody, Invalid naming `email` when it is nobody's address.
    """
    policy.require(actor, "delegation.appoint", Subject(facility_id=facility_id))
    patient = Patient.objects.filter(mrn__iexact=mrn.strip(), born=born).first()
    if patient is None:
        raise NotFound(_("There is no patient with this record number and date of birth."), field="mrn")
    carer = Account.objects.filter(email__iexact=email.strip(), is_active=True).first()
    if carer is None:
        raise Invalid(_("Nobody has an account with this address. Ask them to sign up first."), field="email")
    if carer.pk == patient.account_id:
        raise Invalid(_("This is the patient's own address."), field="email")
    if isinstance(actor, Person) and carer.pk == actor.account_id:
        raise Forbidden(_("Somebody else at the desk has to do this for you."), code="own_delegation")
    _require_first(patient.pk, carer.pk)
    made = Delegation(
        patient_id=patient.pk,
        carer=carer,
        facility_id=facility_id,
        kind=_one_of(Kind.values, kind, "kind"),
        rights=_one_of(Rights.values, rights, "rights"),
        proposed_by=actor.label,
        proposed_at=clock.now(),
        starts_at=clock.now(),
        ends_at=_term(patient, kind, ends_at),
    )
    ledger.create(DELEGATION, "appoint", made, actor=actor)
    _changed(made, "delegation_started")
    return made


@transactional
def renew(*, actor: Actor, delegation_id: UUID, ends_at: datetime, version: int | None = None) -> Delegation:
    """Let it go on until another moment: an adult patient may keep a parent as carer. Raises NotFound, Invalid."""
    row = _delegation(actor, delegation_id)
    policy.require_sight(actor, "delegation.edit", Subject(patient_id=row.patient_id))
    until = _until(ends_at)
    ledger.apply(DELEGATION, "renew", row, actor=actor, version=version, changes={"ends_at": until})
    _changed(row, "")
    return row


@transactional
def end(*, actor: Actor, delegation_id: UUID, version: int | None = None) -> Delegation:
    """End it, by the patient, by who acts by it, or by the desk that made it; it holds from the commit on.

    Raises NotFound alike for missing and foreign, IllegalTransition, StaleEdit.
    """
    row = _delegation(actor, delegation_id)
    ledger.apply(DELEGATION, "end", row, actor=actor, version=version, changes={"ended_at": clock.now(), "code": ""})
    _changed(row, "delegation_ended")
    return row


@transactional
def sweep(*, actor: Actor) -> int:
    """End delegations whose time is over and invitations nobody took up. Returns how many."""
    policy.require(actor, "delegation.end", Subject())
    now = clock.now()
    over = Q(state=ACTIVE, ends_at__lte=now) | Q(state=PROPOSED, proposed_at__lte=now - rules.INVITATION)
    rows = list(Delegation.objects.filter(over).order_by("pk")[:_SWEPT_AT_ONCE])
    for row in rows:
        ledger.apply(DELEGATION, "end", row, actor=actor, changes={"ended_at": now, "code": ""})
        _changed(row, "delegation_ended" if row.carer_id else "")
    return len(rows)


def _changed(row: Delegation, kind: str) -> None:
    """Who acts by it has other rights from the commit on; both sides are told of it."""
    if row.carer_id is not None:
        changes.tell(row.carer_id)
    patient = Patient.objects.filter(pk=row.patient_id).values_list("account_id", flat=True).first()
    for account in (row.carer_id, patient):
        if kind and account is not None:
            notify.tell(account, kind)


def _delegation(actor: Actor, delegation_id: UUID) -> Delegation:
    row = Delegation.objects.filter(pk=delegation_id).first()
    if row is None:
        raise NotFound() if isinstance(actor, Person | SystemActor) else Unauthenticated()
    try:
        rules.a_party(row, actor)
    except Forbidden:
        raise NotFound() from None
    return row


def _require_first(patient_id: UUID, carer_id: UUID) -> None:
    lock_keys([f"delegation:{patient_id}"])
    now = clock.now()
    found = Delegation.objects.filter(patient_id=patient_id, carer_id=carer_id, state=ACTIVE)
    if found.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=now)).exists():
        raise Conflict(_("You act for this person already."), code="already_acting")
    for old in found:
        ledger.apply(DELEGATION, "end", old, actor=SystemActor("access-sweeper"), changes={"ended_at": now})


def _term(patient: Patient, kind: str, given: datetime | None) -> datetime | None:
    """Until when: as asked, and for a child's parent no longer than to the eighteenth birthday."""
    until = _until(given)
    if kind != Kind.PARENT:
        return until
    grown = rules.of_age(patient.born)
    if grown <= clock.now():
        raise Invalid(_("This patient is of age. Choose carer or guardian."), code="of_age", field="kind")
    return grown if until is None else min(until, grown)


def _patient(patient_id: UUID) -> Patient:
    found = Patient.objects.select_related("account").filter(pk=patient_id).first()
    if found is None:
        raise NotFound(field="patientId")
    return found


def _digest(code: str) -> str:
    """Ten signs of thirty-two are 50 random bits: a plain digest of them cannot be tried out in a week."""
    return hashlib.sha256(f"delegation:{code}".encode()).hexdigest()
