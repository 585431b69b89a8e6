"""Registering webhooks and looking after them. What is sent is sent by `sending`, after the commit."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import F
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger, outgoing
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor, Person
from polyclinic.core.crypto.fields import column
from polyclinic.core.db import lock_keys, transactional
from polyclinic.core.errors import Conflict, Forbidden, Invalid, NotFound, StepUpNeeded
from polyclinic.core.ids import new_id
from polyclinic.core.outbox import log
from polyclinic.facilities.models import Facility
from polyclinic.webhooks import messages, signing, topics
from polyclinic.webhooks.events import WebhookChanged, WebhookDelivery
from polyclinic.webhooks.models import Message, Webhook
from polyclinic.webhooks.states import ENDED, RIGHT, WEBHOOK

MOST: Final = 20
FRESH: Final = timedelta(minutes=5)
# How long a receiver may go on knowing the former secret alone.
BOTH_VALID: Final = timedelta(hours=24)
# How far back what happened can be sent once more.
FARTHEST_BACK: Final = timedelta(days=30)
_NAME_LENGTH: Final = 80
_URL_LENGTH: Final = 500


@dataclass(frozen=True, slots=True)
class Made:
    """A webhook with a new secret, which is shown this once."""

    row: Webhook
    secret: str


def register(*, actor: Person, facility_id: UUID, name: str, url: str, events: Collection[str]) -> Made:
    """Tell an address of these events from now on.

    Raises NotFound, Forbidden, StepUpNeeded, or Invalid naming `name`, `url` or `events`.
    """
    policy.require_sight(actor, RIGHT, Subject(facility_id=facility_id))
    _require_fresh(actor)
    given = _name(name), _host(url), _events(events)
    return _register(actor, facility_id, *given, url.strip())


@transactional
def _register(actor: Person, facility_id: UUID, name: str, host: str, events: list[str], url: str) -> Made:
    if not Facility.objects.filter(pk=facility_id).exists():
        raise NotFound()
    lock_keys([f"webhooks:{facility_id}"])
    if Webhook.objects.filter(facility_id=facility_id).exclude(state=ENDED).count() >= MOST:
        raise Invalid(_("There are too many webhooks. End one that is no longer used."), field="name", code="too_many")
    log.assign_positions()
    secret = signing.new_secret()
    row = Webhook(
        facility_id=facility_id, name=name, url=url, host=host, events=events, secret=secret, position=log.head(),
        made_by_id=actor.account_id,
    )  # fmt: skip
    ledger.create(WEBHOOK, "register", row, actor=actor)
    return Made(row, secret)


def edit(
    *, actor: Person, webhook_id: UUID, version: int | None = None, name: str | None = None, url: str | None = None,
    events: Collection[str] | None = None,
) -> Webhook:  # fmt: skip
    """Change what is given. Another address asks for a fresh step-up, for whatever is told goes there then.

    Raises as `register` does, and StaleEdit.
    """
    row = _alive(actor, webhook_id)
    fields: dict[str, Any] = {}
    if name is not None:
        fields["name"] = _name(name)
    if events is not None:
        fields["events"] = _events(events)
    if url is not None and url.strip() != row.url:
        _require_fresh(actor)
        fields |= {"host": _host(url), "url": column(Webhook, "url").seal(row.pk, _owner("url", row), url.strip())}
    return _change(actor, row, fields, "webhook.edit", version, {"fields": sorted(fields)})


@transactional
def rotate(*, actor: Person, webhook_id: UUID) -> Made:
    """A new secret. For a day messages are signed with the former one as well, so that the receiver can change over.

    Raises NotFound, StepUpNeeded, Conflict for one that was ended.
    """
    row = _alive(actor, webhook_id)
    _require_fresh(actor)
    secret, cell = signing.new_secret(), column(Webhook, "secret")
    _change(
        actor, row,
        {
            "secret": cell.seal(row.pk, _owner("secret", row), secret),
            "old_secret": column(Webhook, "old_secret").seal(row.pk, _owner("old_secret", row), row.secret),
            "old_until": clock.now() + BOTH_VALID,
        },
        "webhook.rotate", None, None,
    )  # fmt: skip
    return Made(row, secret)


@transactional
def step(*, actor: Actor, webhook_id: UUID, action: str) -> Webhook:
    """`pause`, `resume` or `end` one. Raises NotFound, IllegalTransition, or Invalid for another step."""
    if action not in ("pause", "resume", "end"):
        raise Invalid(_("Choose pause, resume or end."), field="action")
    row = _seen(actor, webhook_id)
    lock_keys([f"webhook:{row.pk}"])
    changes: dict[str, Any] = {}
    if action != "pause":
        changes = {"failures": 0, "held_until": None}
    if action == "end":
        changes |= {"secret": "", "old_secret": "", "old_until": None, "url": ""}
    ledger.apply(WEBHOOK, action, row, actor=actor, changes=changes)
    waiting = Message.objects.filter(webhook=row, progress="waiting")
    if action == "resume":
        # Whoever switches it on again has looked into it: nothing waits for hours, and each has all its tries.
        waiting.update(attempts=0, tried_at=None, next_at=clock.now())
    elif action == "end":
        waiting.update(progress="discarded", done_at=clock.now())
    return row


@transactional
def test(*, actor: Person, webhook_id: UUID) -> Message:
    """Send a message that says nothing, also where nothing else is sent for now. Raises NotFound, Conflict."""
    row = _alive(actor, webhook_id)
    made = messages.test(row, new_id(), clock.now())
    made.save(force_insert=True)
    ledger.record(
        actor=actor, action="webhook.test", row=row, subject=Subject(facility_id=row.facility_id), revision=row.version
    )
    return made


@transactional
def replay(*, actor: Person, message_id: UUID) -> Message:
    """Send one once more, under the same id, with all its tries. Raises NotFound, Conflict when it is waiting."""
    again = {"progress": "waiting", "attempts": 0, "tried_at": None, "done_at": None, "next_at": clock.now()}
    return _decide(actor, message_id, "replay", ("dead", "sent", "discarded"), again)


@transactional
def discard(*, actor: Person, message_id: UUID) -> Message:
    """Give one up that waits or was set aside. Raises NotFound, Conflict when there is nothing to give up."""
    return _decide(actor, message_id, "discard", ("dead", "waiting"), {"progress": "discarded", "done_at": clock.now()})


@transactional
def replay_since(*, actor: Person, webhook_id: UUID, since: datetime) -> Webhook:
    """Send everything once more that happened from a moment on, under the same ids and in the same order.

    What is no longer kept as a message is read from the log again. Raises NotFound, Conflict, Invalid naming `since`.
    """
    row, now = _alive(actor, webhook_id), clock.now()
    if since.tzinfo is None:
        raise Invalid(_("Give the time with its offset, for example 09:00+02:00."), field="since")
    if not now - FARTHEST_BACK <= since <= now:
        raise Invalid(_("Choose a time of the last thirty days."), field="since")
    lock_keys([f"webhook:{row.pk}"])
    Message.objects.filter(webhook=row, at__gte=since).exclude(type=topics.TEST).update(
        progress="waiting", attempts=0, tried_at=None, done_at=None, next_at=now
    )
    log.assign_positions()
    # A minute more: whatever was being written then may have been numbered before.
    position = min(log.before(since - timedelta(minutes=1)), row.position)
    return _change(actor, row, {"position": position}, "webhook.replay", None, {"since": since.isoformat()})


def _decide(actor: Person, message_id: UUID, verb: str, sources: Collection[str], fields: Mapping[str, Any]) -> Message:
    found = Message.objects.select_related("webhook").filter(pk=message_id).first()
    if found is None:
        raise NotFound()
    row = _alive(actor, found.webhook_id)
    changed = Message.objects.filter(pk=found.pk, progress__in=sources).update(version=F("version") + 1, **fields)
    if not changed:
        raise Conflict(_("This message has changed meanwhile. Reload the page."), code="message_changed")
    found.refresh_from_db()
    subject = Subject(facility_id=row.facility_id)
    ledger.record(
        actor=actor, action=f"webhook.{verb}_message", row=row, subject=subject, revision=row.version,
        detail={"message": str(found.pk), "type": found.type}, event=told(found),
    )  # fmt: skip
    return found


def told(message: Message) -> WebhookDelivery:
    """What is told of a message, to those who look after its webhook."""
    return WebhookDelivery(
        message_id=message.pk, webhook_id=message.webhook_id, facility_id=message.webhook.facility_id,
        progress=message.progress, revision=message.version,
    )  # fmt: skip


@transactional
def _change(
    actor: Person, row: Webhook, fields: dict[str, Any], action: str, version: int | None,
    detail: dict[str, object] | None,
) -> Webhook:  # fmt: skip
    # Who switches it off by itself holds this too, so that neither finds the other's version.
    lock_keys([f"webhook:{row.pk}"])
    ledger.change(
        row, fields, permission=RIGHT, subject=Subject(facility_id=row.facility_id), actor=actor, action=action,
        version=version, detail=detail,
    )  # fmt: skip
    log.append(WebhookChanged.of(row))
    return row


def _owner(name: str, row: Webhook) -> str:
    field: Any = Webhook._meta.get_field(name)
    return str(field.owner_of(row))


def _seen(actor: Actor, webhook_id: UUID) -> Webhook:
    row = Webhook.objects.filter(pk=webhook_id).first()
    if row is None:
        raise NotFound()
    policy.require_sight(actor, RIGHT, Subject(facility_id=row.facility_id))
    policy.require(actor, RIGHT, Subject(facility_id=row.facility_id))
    return row


def _alive(actor: Actor, webhook_id: UUID) -> Webhook:
    row = _seen(actor, webhook_id)
    if row.state == ENDED:
        raise Conflict(_("This webhook was ended. Register a new one."), code="ended")
    return row


def _require_fresh(actor: Person) -> None:
    if actor.scopes is not None or actor.seen_by is not None:
        raise Forbidden()
    if actor.stepped_up_at is None or clock.now() - actor.stepped_up_at >= FRESH:
        raise StepUpNeeded()


def _name(text: str) -> str:
    name = " ".join(text.split())
    if not name or len(name) > _NAME_LENGTH or not name.isprintable():
        raise Invalid(_("Give the webhook a name of up to 80 characters."), field="name")
    return name


def _host(url: str) -> str:
    """The host of an address that may be asked. Resolves its name, so never inside a transaction."""
    text = url.strip()
    if len(text) > _URL_LENGTH:
        raise Invalid(_("The address is longer than 500 characters."), field="url", code="too_long")
    try:
        return outgoing.check(text).host
    except outgoing.NotAllowed as refused:
        sentence = _("Nothing can be sent to this address: %(why)s.") % {"why": refused}
        raise Invalid(sentence, field="url", code="address_refused") from None


def _events(given: Collection[str]) -> list[str]:
    unknown = sorted(kind for kind in given if not topics.known(kind))
    if unknown or not given:
        raise Invalid(_("Choose among the events listed."), field="events", possible=list(topics.TYPES))
    return sorted(set(given))
