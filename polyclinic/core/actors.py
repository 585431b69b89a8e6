"""Who acts and who looks. Writes take an `actor`, reads take a `viewer`; neither has a default."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Grant:
    """A role held at one facility, or everywhere when `facility_id` is None."""

    role: str
    facility_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """A signed-in human being with everything an access decision needs, gathered once per session check."""

    account_id: UUID
    name: str
    grants: frozenset[Grant]
    patient_id: UUID | None = None
    doctor_id: UUID | None = None
    language: str = ""
    session: str = field(default="", repr=False)
    via: str = "web"
    # How surely we know who this is: 1 one factor, 2 two (NIST SP 800-63B-4 AAL). `stepped_up_at` is the last time a
    # factor was shown in this session.
    aal: int = 1
    stepped_up_at: datetime | None = None
    # Facilities at which a doctor sees patients: their schedules, not a membership, say where.
    workplaces: frozenset[UUID] = frozenset()
    # Rights of the person's own custom roles: (permission, facility).
    rights: frozenset[tuple[str, UUID]] = frozenset()
    # Patients this person acts for; those of them who let this person book too; those whose parent or guardian this
    # person is, and decides for. Then patients opened by break-glass, with the moment at which that ends.
    delegated: frozenset[UUID] = frozenset()
    books_for: frozenset[UUID] = frozenset()
    represents: frozenset[UUID] = frozenset()
    emergencies: frozenset[tuple[UUID, datetime]] = frozenset()
    # What an API key is limited to; None limits nothing.
    scopes: frozenset[str] | None = None
    # Signed in with a password that somebody else gave them: nothing is open to them but choosing their own.
    must_change_password: bool = False
    # Their work asks for a second factor and they have none: nothing is open to them but adding one.
    must_add_factor: bool = False
    # Notices this person has not read, for the number beside their name.
    unread: int = 0
    # Whether the account's address is known to be this person's.
    email_verified: bool = True
    # The administrator who looks through this person's eyes. Such a person reads and never writes.
    seen_by: UUID | None = None
    # What `core.access.policy` has worked out from the fields above, which never change; it goes with the person.
    worked_out: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def label(self) -> str:
        """How audit rows name this actor."""
        return f"account:{self.account_id}"

    def has_role(self, role: str) -> bool:
        return any(grant.role == role for grant in self.grants)

    def facilities(self, *roles: str) -> frozenset[UUID]:
        """Facilities at which this person holds one of `roles`."""
        return frozenset(
            grant.facility_id for grant in self.grants if grant.role in roles and grant.facility_id is not None
        )


@dataclass(frozen=True, slots=True)
class SystemActor:
    """A job of ours. Its rights are the row of its name in `core.access.rules.SYSTEM`."""

    name: str
    via: str = "job"

    @property
    def label(self) -> str:
        return f"system:{self.name}"


@dataclass(frozen=True, slots=True)
class Anonymous:
    """Someone who has not signed in: sees what is public, changes nothing."""

    via: str = "web"

    @property
    def label(self) -> str:
        return "anonymous"


Actor = Person | SystemActor | Anonymous
Viewer = Person | SystemActor | Anonymous
