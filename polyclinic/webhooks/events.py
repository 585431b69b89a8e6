"""What is told of webhooks, to those who look after them: that something about one changed, and nothing it says."""

from __future__ import annotations

from typing import Any, Self
from uuid import UUID

from polyclinic.core.outbox import rooms
from polyclinic.core.outbox.events import Event, event


class WebhookEvent(Event, frozen=True, rename="camel"):
    """Common to all. `revision` is the webhook's version."""

    webhook_id: UUID
    facility_id: UUID
    stage: str
    revision: int

    @classmethod
    def of(cls, row: Any) -> Self:  # noqa: ANN401 - a Webhook; importing it here would be a circle
        return cls(webhook_id=row.pk, facility_id=row.facility_id, stage=row.state, revision=row.version)

    def stream(self) -> str:
        return f"webhook:{self.webhook_id}"

    def stream_seq(self) -> int:
        return self.revision

    def audience(self) -> tuple[str, ...]:
        return (rooms.facility_right(self.facility_id, "webhook.manage"),)


@event("webhook.registered", "Another system is told of events from now on.")
class WebhookRegistered(WebhookEvent, frozen=True, rename="camel"):
    pass


@event("webhook.changed", "A webhook's name, address, events or secret changed, or messages are sent again.")
class WebhookChanged(WebhookEvent, frozen=True, rename="camel"):
    pass


@event("webhook.paused", "Nothing is sent to a webhook for now; what happens meanwhile is sent later.")
class WebhookPaused(WebhookEvent, frozen=True, rename="camel"):
    pass


@event("webhook.resumed", "A webhook is sent to again, from where it stopped.")
class WebhookResumed(WebhookEvent, frozen=True, rename="camel"):
    pass


@event("webhook.disabled", "A webhook took nothing for days, or said that it is gone, and was switched off.")
class WebhookDisabled(WebhookEvent, frozen=True, rename="camel"):
    pass


@event("webhook.ended", "A webhook was ended for good.")
class WebhookEnded(WebhookEvent, frozen=True, rename="camel"):
    pass


@event("webhook.delivery", "A test was answered, or a message was given up, replayed or discarded.")
class WebhookDelivery(Event, frozen=True, rename="camel"):
    message_id: UUID
    webhook_id: UUID
    facility_id: UUID
    progress: str
    revision: int

    def stream(self) -> str:
        return f"webhook-message:{self.message_id}"

    def stream_seq(self) -> int:
        return self.revision

    def audience(self) -> tuple[str, ...]:
        return (rooms.facility_right(self.facility_id, "webhook.manage"),)
