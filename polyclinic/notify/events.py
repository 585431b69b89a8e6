"""What notices tell the world: that there is one, to its own person and to nobody else."""

from __future__ import annotations

from uuid import UUID

from polyclinic.core.outbox import rooms
from polyclinic.core.outbox.events import Event, event


class NoticeEvent(Event, frozen=True, rename="camel"):
    """Common to both. `unread` is how many are unread now."""

    account_id: UUID
    unread: int
    revision: int

    def stream(self) -> str:
        return f"inbox:{self.account_id}"

    def stream_seq(self) -> int:
        return self.revision

    def audience(self) -> tuple[str, ...]:
        return (rooms.account(self.account_id),)


@event("notice.created", "A person has a new notice. What it says is read with their own rights.")
class NoticeCreated(NoticeEvent, frozen=True, rename="camel"):
    notice_id: UUID


@event("notice.read", "A person read one of their notices, or all of them.")
class NoticeRead(NoticeEvent, frozen=True, rename="camel"):
    pass
