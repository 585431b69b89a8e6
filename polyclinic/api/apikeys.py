"""API keys: one's own, and those of a hospital's partners."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec
from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from polyclinic.api import answers
from polyclinic.api.api import PROBLEMS
from polyclinic.api.schemas import Body, Limit, PageNumber, Text, described, list_of
from polyclinic.tokens import apikeys
from polyclinic.tokens.apikeys import KeyRow
from polyclinic.web.access import declare

router = Router(tags=["API keys"])


class KeyWish(Body):
    """A key: its name, what it may do, how many days it lives, and from which networks it may be used (none: any)."""

    name: Annotated[Text, Field(max_length=80)]
    scopes: Annotated[list[Annotated[Text, Field(max_length=40)]], Field(min_length=1, max_length=50)]
    days: Annotated[int, Field(strict=True, ge=1, le=366)] = 90
    networks: Annotated[list[Annotated[Text, Field(max_length=50)]], Field(max_length=20)] = []


class MadeRow(msgspec.Struct, frozen=True, rename="camel"):
    """A key just made. `secret` is told this once."""

    id: UUID
    prefix: str
    secret: str


@router.get("/keys", response={200: list_of(KeyRow), **PROBLEMS}, summary="My API keys")
@declare("signed-in")
def own(request: HttpRequest, page: PageNumber = 1, limit: Limit = 50) -> HttpResponse:
    """One's own keys, the newest first."""
    return answers.cut(request, apikeys.keys(answers.person_of(request)), page, limit, None)


@router.post("/keys", response={201: described(MadeRow), **PROBLEMS}, summary="Make an API key")
@declare("signed-in")
def make(request: HttpRequest, body: KeyWish) -> HttpResponse:
    """A key that acts for the caller within the scopes named. Asks for a fresh step-up."""
    made = apikeys.make(
        actor=answers.person_of(request), name=body.name, scopes=body.scopes, days=body.days, networks=body.networks
    )
    return answers.reply(MadeRow(made.row.id, made.row.prefix, made.secret), 201)


@router.delete("/keys/{keyId}", response={204: None, **PROBLEMS}, summary="End an API key")
@declare("signed-in")
def revoke(request: HttpRequest, keyId: str) -> HttpResponse:
    """End one of one's own keys, or one of a hospital whose keys one manages. It opens nothing any more."""
    apikeys.revoke(actor=answers.person_of(request), key_id=answers.key(keyId))
    return HttpResponse(status=204)


@router.get("/hospitals/{hospitalId}/keys", response={200: list_of(KeyRow), **PROBLEMS}, summary="Partners' API keys")
@declare("key.manage")
def partners(request: HttpRequest, hospitalId: str, page: PageNumber = 1, limit: Limit = 50) -> HttpResponse:
    """Keys of the systems that work with this hospital."""
    rows = apikeys.keys(answers.person_of(request), answers.key(hospitalId))
    return answers.cut(request, rows, page, limit, None)


@router.post(
    "/hospitals/{hospitalId}/keys", response={201: described(MadeRow), **PROBLEMS}, summary="Make a partner's API key"
)
@declare("key.manage")
def make_for_partner(request: HttpRequest, hospitalId: str, body: KeyWish) -> HttpResponse:
    """A key for another system, which gets an account of its own; what it may do at the hospital its scopes say."""
    made = apikeys.make_for_partner(
        actor=answers.person_of(request), facility_id=answers.key(hospitalId), name=body.name, scopes=body.scopes,
        days=body.days, networks=body.networks,
    )  # fmt: skip
    return answers.reply(MadeRow(made.row.id, made.row.prefix, made.secret), 201)
