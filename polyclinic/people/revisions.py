"""How often an account has changed, so that a form opened before a change does not undo it unseen."""

from __future__ import annotations

from uuid import UUID

from django.db.models import F

from polyclinic.core.errors import StaleEdit
from polyclinic.people.models import Account


def hold(account_id: UUID, seen: int | None) -> None:
    """Keep the account as it is until the transaction ends. Raises StaleEdit when it is not the version `seen`.

    None has seen nothing and overwrites nothing of a page: the API and jobs, whose calls say all they want.
    """
    if seen is None:
        return
    # no_key: giving a role writes a row that points here, and must not wait for whoever only looks at the version.
    rows = Account.objects.select_for_update(no_key=True).filter(pk=account_id)
    found = rows.values_list("version", flat=True).first()
    if found != seen:
        raise StaleEdit(version=found or 0)


def step(account_id: UUID) -> None:
    """The account, or what it may do, has changed: forms opened before are out of date."""
    Account.objects.filter(pk=account_id).update(version=F("version") + 1)
