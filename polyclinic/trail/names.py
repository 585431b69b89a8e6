"""Names for the ids that the audit keeps: people, places, record numbers. Each asked for once a page."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from polyclinic.core.ids import parse_id
from polyclinic.facilities.models import Facility, Membership
from polyclinic.people.models import Account, Doctor, Patient

_ACCOUNT = "account:"


def account_of(label: str) -> UUID | None:
    """The account behind an actor's label; None for a job."""
    return parse_id(label.removeprefix(_ACCOUNT)) if label.startswith(_ACCOUNT) else None


def account_with(email: str) -> UUID | None:
    """The account with this address."""
    return Account.objects.filter(email__iexact=email.strip()).values_list("pk", flat=True).first()


def people(labels: Iterable[str]) -> dict[str, str]:
    """The names behind actors' labels; a job is named by its own."""
    accounts = {label: account_of(label) for label in set(labels)}
    wanted = [key for key in accounts.values() if key]
    found: dict[UUID, str] = dict(Account.objects.filter(pk__in=wanted).values_list("pk", "name"))
    found |= {
        account: f"{title} {given} {family}"
        for account, title, given, family in Doctor.objects.filter(account_id__in=wanted).values_list(
            "account_id", "title", "given_name", "family_name"
        )
    }
    return {label: found.get(key, label) if key else label for label, key in accounts.items()}


def roles(labels: Iterable[str]) -> dict[tuple[str, UUID | None], str]:
    """What each of them is: by facility for staff, everywhere for doctors. Roles that have ended count too."""
    accounts = {key: label for label in set(labels) if (key := account_of(label))}
    found: dict[tuple[str, UUID | None], str] = {}
    for account, place, role in Membership.objects.filter(account_id__in=accounts).values_list(
        "account_id", "facility_id", "role"
    ):
        found[accounts[account], place] = role
    for account in Doctor.objects.filter(account_id__in=accounts).values_list("account_id", flat=True):
        found[accounts[account], None] = "doctor"
    return found


def places(ids: Iterable[UUID | None]) -> dict[UUID | None, tuple[str, str]]:
    """Name and time zone of each facility."""
    rows = Facility.objects.filter(pk__in={one for one in ids if one}).values_list("pk", "name", "time_zone")
    return {key: (name, zone) for key, name, zone in rows}


def numbers(ids: Iterable[UUID | None]) -> dict[UUID | None, str]:
    """The record number of each patient."""
    return dict(Patient.objects.filter(pk__in={one for one in ids if one}).values_list("pk", "mrn"))


def patient_with(mrn: str) -> UUID | None:
    """The patient with this record number."""
    return Patient.objects.filter(mrn__iexact=mrn.strip()).values_list("pk", flat=True).first()
