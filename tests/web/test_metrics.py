"""`/metrics`: true numbers, in a form that Prometheus' own reader takes, for who may have them, and about nobody."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.test import override_settings
from prometheus_client.parser import text_string_to_metric_families

from polyclinic.core.outbox import log
from polyclinic.web import metrics
from polyclinic.web.bridge import ROUTE
from polyclinic.web.workers import Workers
from tests.relay.facts import fact
from tests.server import Server, server

__all__ = ["server"]

IDS = "4f3c2f1e-1111-4222-8333-444455556666"


def read(text: str) -> dict[tuple[str, ...], float]:
    """Every sample by its name and the values of its labels, as Prometheus' own parser reads them."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def ask(client: str = "127.0.0.1", headers: tuple[tuple[bytes, bytes], ...] = (), method: str = "GET") -> Any:
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def go() -> None:
        workers = Workers(1)
        scope = {"method": method, "path": "/metrics", "headers": headers, "client": (client, 1), "type": "http"}
        await metrics.serve(scope, send, workers)
        workers.close()

    asyncio.run(go())
    return sent[0]["status"], sent[1]["body"].decode()


def test_requests_are_counted_by_address_and_how_long_they_took() -> None:
    kept = metrics.Requests()
    scope = {"method": "GET", "path": f"/api/visits/{IDS}", ROUTE: "api/visits/<uuid:visit_id>"}
    for seconds in (0.001, 0.005, 0.03, 60):
        kept.note(scope, 200, seconds)
    kept.note({"method": "BREW", "path": "/x"}, 404, 0.02)
    text = "\n".join(kept.families()) + "\n"
    found = read(text)
    route = "api/visits/<uuid:visit_id>"
    assert found["polyclinic_http_requests_total", route, "GET", "200"] == 4
    assert found["polyclinic_http_requests_total", "(none)", "OTHER", "404"] == 1
    bucket = "polyclinic_http_request_seconds_bucket"
    assert [found[bucket, route, "GET", bound] for bound in ("0.005", "0.01", "0.05", "10.0", "+Inf")] == [
        2,
        2,
        3,
        3,
        4,
    ]
    assert found["polyclinic_http_request_seconds_count", route, "GET"] == 4
    assert found["polyclinic_http_request_seconds_sum", route, "GET"] == pytest.approx(60.036)
    assert IDS not in text


@pytest.mark.parametrize("word", ['a"b', "a\\b", "a\nb"])
def test_a_label_with_strange_signs_stays_one_label(word: str) -> None:
    text = "\n".join(metrics._family("x_total", "counter", "x", [("", {"route": word}, 1)])) + "\n"
    assert read(text) == {("polyclinic_x_total", word): 1}


@pytest.mark.django_db
def test_the_log_is_counted() -> None:
    log.append(fact(1, 1))
    log.assign_positions()
    found = read("\n".join(metrics._database()) + "\n")
    assert found[("polyclinic_log_head",)] == log.head() > 0
    assert found[("polyclinic_broker_up",)] == 1
    with override_settings(BROKER_URL="amqp://x"):
        assert ("polyclinic_log_lag", "broker") in read("\n".join(metrics._database()) + "\n")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("token", "client", "headers", "status"),
    [
        ("", "127.0.0.1", (), 200),
        ("", "::1", (), 200),
        ("", "203.0.113.7", (), 404),
        ("", "", (), 404),
        # A proxy on this machine speaks for the world.
        ("", "127.0.0.1", ((b"x-forwarded-for", b"203.0.113.7"),), 404),
        ("secret-token", "127.0.0.1", (), 404),
        ("secret-token", "203.0.113.7", ((b"authorization", b"Bearer wrong"),), 404),
        ("secret-token", "203.0.113.7", ((b"authorization", b"Bearer secret-token"),), 200),
    ],
)
def test_numbers_are_for_this_machine_or_for_who_has_the_token(
    token: str, client: str, headers: tuple[tuple[bytes, bytes], ...], status: int
) -> None:
    with override_settings(METRICS_TOKEN=token):
        code, body = ask(client, headers)
    assert code == status
    assert ("polyclinic_log_head" in body) == (status == 200)
    assert ask(method="POST")[0] == 404


@pytest.mark.service
def test_a_server_tells_of_what_it_answered_and_names_nobody(server: Server) -> None:
    cookies = server.cookies("patient")
    before = read(server.request("GET", "/metrics")[2].decode())
    assert server.request("GET", "/api/appointments", cookies=cookies)[0] == 200
    assert server.request("GET", f"/api/appointments/{IDS}", cookies=cookies)[0] == 404
    assert server.request("GET", "/no-such-page-of-mrs-smith")[0] == 404
    status, _headers, text = server.request("GET", "/metrics")
    assert status == 200
    found = read(text.decode())
    key = ("polyclinic_http_requests_total", "api/appointments", "GET", "200")
    assert found[key] == before.get(key, 0) + 1
    assert found["polyclinic_process_resident_bytes",] > 10_000_000
    assert found["polyclinic_database_up",] == 1
    assert IDS.encode() not in text
    assert b"smith" not in text
    assert not any(str(value).encode() in text for name, value in server.people.items() if name != "slots")
