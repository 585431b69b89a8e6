"""The state table of a webhook."""

from __future__ import annotations

from typing import Any, Final, cast

from polyclinic.core.access.policy import Subject
from polyclinic.core.ledger import Machine, Transition
from polyclinic.core.outbox.events import Event
from polyclinic.webhooks import events

ACTIVE, PAUSED, DISABLED, ENDED = "active", "paused", "disabled", "ended"
RIGHT: Final = "webhook.manage"


def _tell(kind: type[Event], row: Any) -> Event:  # noqa: ANN401 - a Webhook
    return cast("Any", kind).of(row)  # type: ignore[no-any-return]


_R = Transition
WEBHOOK: Final = Machine(
    name="webhook",
    model="webhooks.Webhook",
    subject=lambda row: Subject(facility_id=row.facility_id),
    tell=_tell,
    transitions=(
        _R(None, "register", ACTIVE, RIGHT, events.WebhookRegistered),
        _R(ACTIVE, "pause", PAUSED, RIGHT, events.WebhookPaused),
        # By itself: the other side is gone, or has taken nothing since the first try of a message that was given up.
        _R(ACTIVE, "disable", DISABLED, RIGHT, events.WebhookDisabled),
        *(_R(state, "resume", ACTIVE, RIGHT, events.WebhookResumed) for state in (PAUSED, DISABLED)),
        *(_R(state, "end", ENDED, RIGHT, events.WebhookEnded) for state in (ACTIVE, PAUSED, DISABLED)),
    ),
)
