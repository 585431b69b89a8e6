"""Reading webhooks: which there are, how far each is, and what became of each message."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from django.db.models import Count, Q

from polyclinic.core import clock
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Person, Viewer
from polyclinic.core.errors import Invalid, NotFound, Unauthenticated
from polyclinic.core.outbox import log
from polyclinic.webhooks.messages import name_of
from polyclinic.webhooks.models import Attempt, Message, Webhook
from polyclinic.webhooks.states import ENDED, RIGHT

PER_PAGE: Final = 50
PROGRESS: Final = ("waiting", "sent", "dead", "discarded")


class WebhookRow(msgspec.Struct, frozen=True, rename="camel"):
    """A webhook as those who look after it see it; its secrets are never told again.

    `behind` counts events of the log it has not come to yet, of whichever kind.
    """

    id: UUID
    facility_id: UUID
    name: str
    url: str
    host: str
    events: tuple[str, ...]
    stage: str
    version: int
    made_at: datetime
    made_by: str
    former_secret_until: datetime | None
    failures: int
    next_try_at: datetime | None
    last_delivered_at: datetime | None
    behind: int
    waiting: int
    dead: int


class DeliveryRow(msgspec.Struct, frozen=True, rename="camel"):
    """A message: `webhook_id` in its header, its event, what became of it, and its last try (`status` 0: no answer)."""

    id: UUID
    name: str
    type: str
    at: datetime
    progress: str
    attempts: int
    next_at: datetime | None
    done_at: datetime | None
    status: int
    error: str
    ms: int
    body: str


class DeliveryPage(msgspec.Struct, frozen=True, rename="camel"):
    """Some messages, newest first."""

    rows: list[DeliveryRow]
    total: int
    page: int
    pages: int


def webhooks(viewer: Viewer, facility_id: UUID) -> list[WebhookRow]:
    """The webhooks of a facility, those that were ended last. Raises NotFound."""
    policy.require_sight(_person(viewer), RIGHT, Subject(facility_id=facility_id))
    rows = [_row(row) for row in _counted().filter(facility_id=facility_id).order_by("made_at", "pk")]
    return sorted(rows, key=lambda row: row.stage == ENDED)


def one(viewer: Viewer, webhook_id: UUID) -> WebhookRow:
    """One webhook. Raises NotFound."""
    row = _counted().filter(pk=webhook_id).first()
    if row is None:
        raise NotFound()
    policy.require_sight(_person(viewer), RIGHT, Subject(facility_id=row.facility_id))
    return _row(row)


def deliveries(
    viewer: Viewer, webhook_id: UUID, progress: str = "", page: int = 1, limit: int = PER_PAGE
) -> DeliveryPage:
    """What was sent and is to be sent, newest first. Raises NotFound, Invalid naming `progress`."""
    one(viewer, webhook_id)
    found = Message.objects.filter(webhook_id=webhook_id)
    if progress:
        if progress not in PROGRESS:
            raise Invalid(field="progress", possible=list(PROGRESS))
        found = found.filter(progress=progress)
    total = found.count()
    rows = list(found.order_by("-at", "-position", "pk")[(page - 1) * limit : page * limit])
    last: dict[UUID, Attempt] = {}
    for attempt in Attempt.objects.filter(message__in=[row.pk for row in rows]).order_by("pk"):
        last[attempt.message_id] = attempt
    return DeliveryPage([_delivery(row, last.get(row.pk)) for row in rows], total, page, max(1, -(-total // limit)))


class Counts(msgspec.Struct, frozen=True, rename="camel"):
    """How many messages wait or were given up."""

    waiting: int
    dead: int


def counts() -> Counts:
    """Of all webhooks together, of nobody in particular."""
    found = Message.objects.filter(progress__in=("waiting", "dead")).aggregate(
        waiting=Count("pk", filter=Q(progress="waiting")), dead=Count("pk", filter=Q(progress="dead"))
    )
    return Counts(found["waiting"], found["dead"])


def _counted() -> Any:  # noqa: ANN401 - a queryset with two more columns
    return Webhook.objects.select_related("made_by").annotate(
        waiting=Count("messages", filter=Q(messages__progress="waiting")),
        dead=Count("messages", filter=Q(messages__progress="dead")),
    )


def _row(row: Webhook) -> WebhookRow:
    counted: dict[str, int] = {name: getattr(row, name) for name in ("waiting", "dead")}
    now = clock.now()
    return WebhookRow(
        id=row.pk, facility_id=row.facility_id, name=row.name, url=row.url, host=row.host, events=tuple(row.events),
        stage=row.state, version=row.version, made_at=row.made_at, made_by=row.made_by.name,
        former_secret_until=row.old_until if row.old_until and row.old_until > now else None,
        failures=row.failures, next_try_at=row.held_until if row.held_until and row.held_until > now else None,
        last_delivered_at=row.last_ok_at, behind=0 if row.state == ENDED else max(0, log.head() - row.position),
        **counted,
    )  # fmt: skip


def _delivery(row: Message, last: Attempt | None) -> DeliveryRow:
    return DeliveryRow(
        id=row.pk, name=name_of(row), type=row.type, at=row.at, progress=row.progress, attempts=row.attempts,
        next_at=row.next_at if row.progress == "waiting" else None, done_at=row.done_at,
        status=last.status if last else 0, error=last.error if last else "", ms=last.ms if last else 0, body=row.body,
    )  # fmt: skip


def _person(viewer: Viewer) -> Person:
    if not isinstance(viewer, Person):
        raise Unauthenticated()
    return viewer
