"""Webhooks over REST: registered, looked after, and what became of each message."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

import msgspec
from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from polyclinic.api import answers
from polyclinic.api.api import PROBLEMS
from polyclinic.api.schemas import Body, Limit, Moment, PageNumber, Text, Version, Words, described, list_of
from polyclinic.web import stepup
from polyclinic.web.access import declare
from polyclinic.webhooks import actions, selectors, topics
from polyclinic.webhooks.selectors import DeliveryRow, WebhookRow

router = Router(tags=["Webhooks"])
_ONE: Final = {200: described(WebhookRow), **PROBLEMS}
Events = Annotated[list[Annotated[Text, Field(max_length=64)]], Field(max_length=100)]


class WebhookWish(Body):
    """A webhook: a name, an https address on the open internet, and the events it is told of."""

    name: Annotated[Text, Field(max_length=80)]
    url: Annotated[Text, Field(max_length=500)]
    events: Events


class WebhookChange(Body):
    """What is to be another; what is left out stays."""

    name: Annotated[Text, Field(max_length=80)] | None = None
    url: Annotated[Text, Field(max_length=500)] | None = None
    events: Events | None = None
    version: Version | None = None


class WebhookStep(Body):
    """pause, resume or end."""

    action: Literal["pause", "resume", "end"]


class Since(Body):
    """From when on everything is sent once more; within the last thirty days."""

    since: Moment


class Decision(Body):
    """Send it once more, or give it up."""

    action: Literal["replay", "discard"]


class SecretRow(msgspec.Struct, frozen=True, rename="camel"):
    """A webhook with its new secret, which is told this once."""

    id: UUID
    secret: str


class EventRow(msgspec.Struct, frozen=True, rename="camel"):
    """An event that a webhook can be told of, the fields it then gets under `data`, and where `url` leads."""

    type: str
    title: str
    fields: tuple[str, ...]
    link: str


@router.get("/webhook-events", response={200: list_of(EventRow), **PROBLEMS}, summary="Events for webhooks")
@declare("webhook.manage")
def list_events(request: HttpRequest, page: PageNumber = 1, limit: Limit = 50) -> HttpResponse:
    """The closed list of what another system can be told of. Nothing else ever leaves by a webhook."""
    rows = [
        EventRow(kind, f"{topic.title}: {words}", topic.fields, topic.link)
        for topic in topics.TOPICS
        for kind, words in topic.types
    ]
    return answers.cut(request, rows, page, limit, None)


@router.get("/hospitals/{hospitalId}/webhooks", response={200: list_of(WebhookRow), **PROBLEMS}, summary="Webhooks")
@declare("webhook.manage")
def list_webhooks(
    request: HttpRequest, hospitalId: str, page: PageNumber = 1, limit: Limit = 50, fields: Words | None = None
) -> HttpResponse:
    """The webhooks of a hospital, those that were ended last."""
    rows = selectors.webhooks(answers.viewer_of(request), answers.key(hospitalId))
    return answers.cut(request, rows, page, limit, fields)


@router.post(
    "/hospitals/{hospitalId}/webhooks", response={201: described(SecretRow), **PROBLEMS}, summary="Register a webhook"
)
@declare("webhook.manage")
def register(request: HttpRequest, hospitalId: str, body: WebhookWish) -> HttpResponse:
    """Messages are signed after Standard Webhooks with the secret of this answer. Asks for a fresh step-up."""
    stepup.require(request)
    made = actions.register(
        actor=answers.person_of(request), facility_id=answers.key(hospitalId), name=body.name, url=body.url,
        events=body.events,
    )  # fmt: skip
    return answers.reply(SecretRow(made.row.pk, made.secret), 201)


@router.get("/webhooks/{webhookId}", response=_ONE, summary="Read a webhook")
@declare("webhook.manage")
def read_webhook(request: HttpRequest, webhookId: str, fields: Words | None = None) -> HttpResponse:
    """One webhook: how far it is, what waits and what was given up."""
    return answers.one(request, selectors.one(answers.viewer_of(request), answers.key(webhookId)), fields)


@router.patch("/webhooks/{webhookId}", response=_ONE, summary="Change a webhook")
@declare("webhook.manage")
def change_webhook(request: HttpRequest, webhookId: str, body: WebhookChange) -> HttpResponse:
    """Its name, address or events. Another address asks for a fresh step-up."""
    person, key = answers.person_of(request), answers.key(webhookId)
    actions.edit(
        actor=person, webhook_id=key, version=answers.expected_version(request, body.version), name=body.name,
        url=body.url, events=body.events,
    )  # fmt: skip
    return answers.one(request, selectors.one(person, key))


@router.put("/webhooks/{webhookId}/status", response=_ONE, summary="Pause, resume or end a webhook")
@declare("webhook.manage")
def step_webhook(request: HttpRequest, webhookId: str, body: WebhookStep) -> HttpResponse:
    """What happens while it is paused is sent when it is resumed. One that was ended sends nothing any more."""
    person, key = answers.person_of(request), answers.key(webhookId)
    actions.step(actor=person, webhook_id=key, action=body.action)
    return answers.one(request, selectors.one(person, key))


@router.post("/webhooks/{webhookId}/secret", response={200: described(SecretRow), **PROBLEMS}, summary="A new secret")
@declare("webhook.manage")
def rotate(request: HttpRequest, webhookId: str) -> HttpResponse:
    """For 24 hours messages carry the signatures of both secrets. Asks for a fresh step-up."""
    stepup.require(request)
    made = actions.rotate(actor=answers.person_of(request), webhook_id=answers.key(webhookId))
    return answers.reply(SecretRow(made.row.pk, made.secret))


@router.post("/webhooks/{webhookId}/test", response={202: None, **PROBLEMS}, summary="Send a test")
@declare("webhook.manage")
def test(request: HttpRequest, webhookId: str) -> HttpResponse:
    """A message `webhook.test` that says nothing. Its answer is among the deliveries a moment later."""
    actions.test(actor=answers.person_of(request), webhook_id=answers.key(webhookId))
    return HttpResponse(status=202)


@router.post("/webhooks/{webhookId}/replay", response=_ONE, summary="Send once more since a moment")
@declare("webhook.manage")
def replay_since(request: HttpRequest, webhookId: str, body: Since) -> HttpResponse:
    """Everything since then, in its order and under the same `webhook-id`s."""
    person, key = answers.person_of(request), answers.key(webhookId)
    since: datetime = body.since
    actions.replay_since(actor=person, webhook_id=key, since=since)
    return answers.one(request, selectors.one(person, key))


@router.get(
    "/webhooks/{webhookId}/deliveries", response={200: list_of(DeliveryRow), **PROBLEMS}, summary="A webhook's messages"
)
@declare("webhook.manage")
def list_deliveries(
    request: HttpRequest,
    webhookId: str,
    progress: Words = "",
    page: PageNumber = 1,
    limit: Limit = 50,
    fields: Words | None = None,
) -> HttpResponse:
    """Newest first: waiting, sent, dead or discarded, with the last try's status and time."""
    found = selectors.deliveries(answers.viewer_of(request), answers.key(webhookId), progress, page, limit)
    return answers.listing(request, found.rows, total=found.total, page=found.page, pages=found.pages, fields=fields)


@router.put(
    "/webhook-deliveries/{deliveryId}/status", response={204: None, **PROBLEMS}, summary="Replay or discard a message"
)
@declare("webhook.manage")
def decide(request: HttpRequest, deliveryId: str, body: Decision) -> HttpResponse:
    """Sent once more it keeps its `webhook-id` and gets all its tries."""
    person, key = answers.person_of(request), answers.key(deliveryId)
    deed = actions.replay if body.action == "replay" else actions.discard
    deed(actor=person, message_id=key)
    return HttpResponse(status=204)
