"""`docs/ways-in.md` names every address that answers whoever is not signed in, and its numbers are the code's."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from polyclinic.facilities import invitations, viewing
from polyclinic.factors import actions, tickets
from polyclinic.people import emails, guesses, joining, signing_in
from polyclinic.settings import declared
from polyclinic.tokens import apikeys, refresh
from polyclinic.web import access, stepup

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "ways-in.md").read_text(encoding="utf-8")
DOORS, ANYONE = (TEXT.partition(f"## {title}")[2].partition("\n## ")[0] for title in ("Doors", "What anyone may read"))


def written(route: str) -> str:
    """An address as the page writes it: one version, and three dots for whatever stands in it."""
    return re.sub(r"<[^>]+>", "…", route.replace("/api/v1/", "/api/"))


def public() -> set[str]:
    """Every address that somebody may ask for who has not signed in."""
    return {
        written(route)
        for route, entry in access.addresses()
        if access.PUBLIC in access.declared(entry.callback).values()
    }


def test_every_public_address_is_a_door_or_for_anyone_to_read() -> None:
    doors, anyone = (set(re.findall(r"`(/[^`]*)`", part)) for part in (DOORS, ANYONE))
    beside = {"/health", "/health/ready", "/api/health", "/metrics", "/csp-report", "/api"}
    assert (doors | anyone) - beside == public()
    assert not doors & anyone


def test_an_address_that_nobody_wrote_down_is_noticed() -> None:
    """Negative control: what the comparison is made of tells a door that is not on the page."""
    assert written("/api/v1/auth/magic/<str:token>") == "/api/auth/magic/…"
    assert "/api/auth/magic/…" not in public()
    assert "`/api/auth/magic/…`" not in TEXT


def days(span: timedelta) -> int:
    return span.days


@pytest.mark.parametrize(
    ("sentence", "span"),
    [
        ("a sign-in halfway, {} minutes old at most", tickets.LIFETIME.seconds // 60),
        ("looking through another's eyes | {} minutes", viewing.LASTS.seconds // 60),
        ("exports, erasure, one's own factors and address | {} minutes", stepup.FRESH.seconds // 60),
        ("the mail's link, {} days, once | a role", days(invitations.OPEN_FOR)),
        ("the mail's link, {} hours, and the browser", int(joining.LIVES.total_seconds()) // 3600),
        ("the mail's link, {} hours, once | an address", int(emails.LIVES.total_seconds()) // 3600),
        ("apps of patients {} days between renewals", days(refresh.LIFETIME)),
        ("between renewals and {} in all", days(refresh.LONGEST)),
        ("in all, of staff {} hours", int(refresh.LONGEST_STAFF.total_seconds()) // 3600),
        ("up to {} days, scopes", days(apikeys.LONGEST)),
        ("never a step-up | {} days", days(actions.REMEMBERED)),
        ("a cookie of {} days", days(signing_in.DEVICE_KEPT)),
        ("used within {} days", days(signing_in.NETWORK_KEPT)),
        ("(ADR 011): {} in 15 minutes", guesses.PLACE.count),
        ("in 15 minutes, {} of strangers", guesses.STRANGERS.count),
    ],
)
def test_numbers_are_those_of_the_code(sentence: str, span: int) -> None:
    assert sentence.format(span) in TEXT
    assert sentence.format(span + 1) not in TEXT


def test_the_usual_idle_time_is_the_one_of_the_settings() -> None:
    usual = next(one for one in declared.SETTINGS if one.name == "SESSION_IDLE_MINUTES").default
    assert f"| idle | {usual} minutes" in TEXT
