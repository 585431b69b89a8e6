"""The AsyncAPI document: it has every event, each reference leads somewhere, and what the relay sends fits it."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest

from polyclinic import docs
from polyclinic.core.outbox import log
from polyclinic.core.outbox.events import registered
from polyclinic.relay.envelope import message
from tests.relay.facts import fact


@pytest.fixture(scope="module")
def told() -> Any:
    return json.loads(docs.pages()["asyncapi.json"])


def references(part: Any) -> list[str]:
    if isinstance(part, dict):
        own = [part["$ref"]] if "$ref" in part else []
        return own + [found for value in part.values() for found in references(value)]
    return [found for value in part for found in references(value)] if isinstance(part, list) else []


def test_every_event_is_in_it_and_every_reference_leads_somewhere(told: Any) -> None:
    assert list(told["components"]["messages"]) == list(registered())
    assert set(told["channels"]["events"]["messages"]) == set(registered())
    found = references(told)
    assert len(found) > 3 * len(registered())
    for reference in set(found):
        part = told
        for step in reference.removeprefix("#/").split("/"):
            part = part[step]
        assert part, reference


@pytest.mark.django_db
def test_what_is_sent_fits_and_what_is_wrong_does_not(told: Any) -> None:
    log.append(fact(1, 1))
    log.assign_positions()
    body = json.loads(message(log.read_after(0)[0], "https://clinic.example.org").body)
    schema = {"$ref": "#/components/messages/schedule.changed/payload", "components": told["components"]}
    assert jsonschema_rs.is_valid(schema, body)
    assert not jsonschema_rs.is_valid(schema, {**body, "type": "visit.called"})
    assert not jsonschema_rs.is_valid(schema, {**body, "data": {"revision": 1}})
    del body["id"]
    assert not jsonschema_rs.is_valid(schema, body)
