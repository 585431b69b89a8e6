"""Reading one's own account."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from polyclinic.core.actors import Person, Viewer
from polyclinic.core.errors import NotFound
from polyclinic.people import passwords
from polyclinic.people.models import Account


class AccountRecord(msgspec.Struct, frozen=True, rename="camel"):
    """One's own account. `minimum` is how long a new password must be."""

    id: UUID
    name: str
    email: str
    email_verified: bool
    language: str
    password_changed_at: datetime
    minimum: int
    version: int


def own_account(viewer: Viewer) -> AccountRecord:
    """The viewer's own account. Raises NotFound for someone who has none."""
    row = Account.objects.filter(pk=viewer.account_id).first() if isinstance(viewer, Person) else None
    if row is None:
        raise NotFound()
    return AccountRecord(
        row.pk, row.name, row.email, row.email_verified_at is not None, row.language, row.password_changed_at,
        passwords.minimum(row), row.version,
    )  # fmt: skip
