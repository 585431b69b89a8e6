"""Who acts and who looks. Writes take an `actor`, reads take a `viewer`; neither has a default."""

from __future__ import annotations

from dataclasses import dataclass, field
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
