"""What facilities tell those who run them: that somebody came, went or changed roles. Ids only; the page says who."""

from __future__ import annotations

from typing import Any, ClassVar, Self
from uuid import UUID, uuid5

from polyclinic.core.outbox import rooms
from polyclinic.core.outbox.events import Event, event


@event("staff.changed", "Who works at a facility, or in which role, changed.")
class StaffChanged(Event, frozen=True, rename="camel"):
    """An account has no version that a role would move, so these are not numbered; the list is read anew."""

    UNORDERED: ClassVar[bool] = True

    facility_id: UUID
    account_id: UUID

    def stream(self) -> str:
        return f"staff:{self.facility_id}"

    def stream_seq(self) -> int:
        return 0

    def audience(self) -> tuple[str, ...]:
        # The person too: their open pages and sockets are then in the rooms of the rights they have now.
        return (rooms.facility_right(self.facility_id, "staff.list"), rooms.account(self.account_id))


@event("role.changed", "A role of a facility's own was made, changed or taken out of use.")
class RoleChanged(Event, frozen=True, rename="camel"):
    role_id: UUID
    facility_id: UUID
    revision: int

    def stream(self) -> str:
        return f"role:{self.role_id}"

    def stream_seq(self) -> int:
        return self.revision

    def audience(self) -> tuple[str, ...]:
        return (rooms.facility_right(self.facility_id, "staff.list"),)


@event("setting.changed", "What a manager sets for a facility changed; `key` says what, and the page says to which.")
class SettingChanged(Event, frozen=True, rename="camel"):
    facility_id: UUID
    department_id: UUID | None
    key: str
    revision: int

    def stream(self) -> str:
        place = self.department_id or self.facility_id
        # A name with an id in it is too long beside that of the place: one id then stands for both.
        return f"setting:{uuid5(place, self.key)}" if len(self.key) > 16 else f"setting:{place}:{self.key}"

    def stream_seq(self) -> int:
        return self.revision

    def audience(self) -> tuple[str, ...]:
        return (rooms.facility_right(self.facility_id, "setting.view"),)


@event("service.added", "A facility added a service that only it gives.")
class ServiceAdded(Event, frozen=True, rename="camel"):
    facility_id: UUID
    service_id: UUID

    def stream(self) -> str:
        return f"service:{self.service_id}"

    def stream_seq(self) -> int:
        return 1

    def audience(self) -> tuple[str, ...]:
        return (rooms.facility_right(self.facility_id, "setting.view"),)


@event("equipment.changed", "A facility has a new kind of device, or more or fewer of one.")
class EquipmentChanged(Event, frozen=True, rename="camel"):
    facility_id: UUID
    equipment_id: UUID
    revision: int

    @classmethod
    def of(cls, row: Any) -> Self:  # noqa: ANN401 - an Equipment; importing it here would be a circle
        return cls(facility_id=row.facility_id, equipment_id=row.pk, revision=row.version)

    def stream(self) -> str:
        return f"equipment:{self.equipment_id}"

    def stream_seq(self) -> int:
        return self.revision

    def audience(self) -> tuple[str, ...]:
        return (rooms.facility_right(self.facility_id, "setting.view"),)


class InvitationEvent(Event, frozen=True, rename="camel"):
    """Common to the steps of an invitation to work at a facility."""

    invitation_id: UUID
    facility_id: UUID
    status: str
    revision: int

    @classmethod
    def of(cls, row: Any) -> Self:  # noqa: ANN401 - a StaffInvitation; importing it here would be a circle
        return cls(invitation_id=row.pk, facility_id=row.facility_id, status=row.state, revision=row.version)

    def stream(self) -> str:
        return f"invitation:{self.invitation_id}"

    def stream_seq(self) -> int:
        return self.revision

    def audience(self) -> tuple[str, ...]:
        return (rooms.facility_right(self.facility_id, "staff.list"),)


@event("invitation.sent", "Somebody was invited to work at a facility, or the invitation was sent again.")
class InvitationSent(InvitationEvent, frozen=True, rename="camel"):
    pass


@event("invitation.accepted", "The invited person took it up and holds the role now.")
class InvitationAccepted(InvitationEvent, frozen=True, rename="camel"):
    pass


@event("invitation.revoked", "The facility took the invitation back.")
class InvitationRevoked(InvitationEvent, frozen=True, rename="camel"):
    pass


@event("invitation.expired", "Nobody took the invitation up in time.")
class InvitationExpired(InvitationEvent, frozen=True, rename="camel"):
    pass
