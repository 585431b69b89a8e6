"""T20: whatever the source says is grave asks for a fresh factor at every address that leads there, of every role.

The addresses are found and not listed: a view that loses its guard, or a new one that is reached without it, fails.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from polyclinic.core import clock
from polyclinic.facilities import identity
from polyclinic.people.models import Session
from polyclinic.web import access, stepup
from tests.api.calling import Answer
from tests.house import House
from tests.matrix.driving import METHODS, World
from tests.matrix.expected import ROLES, SOMETIMES
from tests.privacy import test_erasure
from tests.promises import test_t20_step_up

# Whose sessions have shown a factor a moment ago.
FRESH = frozenset(ROLES[short] for short in SOMETIMES)
# Asked at one step of a form only, which the matrix does not send; the test that does.
ELSEWHERE = {
    "/api/bed-bookings/<stayId>/discharge-summary": test_t20_step_up.test_t20_a_discharge_is_signed_with_a_fresh_factor,
    "/nursing/stays/<str:stay_id>/summary": test_t20_step_up.test_t20_a_discharge_is_signed_with_a_fresh_factor,
    "/api/invoices/<invoiceId>/less": test_t20_step_up.test_t20_money_that_leaves,
    "/cashier/invoices/<str:invoice_id>": test_t20_step_up.test_t20_money_that_leaves,
    "/privacy/requests/<str:request_id>": test_erasure.test_the_page_and_the_api_ask_for_a_fresh_factor,
}
STALE = [role for role in ROLES.values() if role not in FRESH and role != "anonymous"]


def views() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every address with the function behind it; operations of the API one by one, and once each."""
    for route, entry in access.addresses():
        if not route.startswith("/api/v1/"):
            operations = access._operations(entry.callback)
            found = [one.view_func for one in operations] if operations else [entry.callback]
            for one in found:
                yield route, one.func if isinstance(one, partial) else one


def guard(view: Callable[..., Any]) -> str:
    """How a view asks for a fresh factor: `always` by the decorator, `sometimes` in its body, or not at all."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(view))))
    function = tree.body[0]
    assert isinstance(function, ast.FunctionDef)
    decorators = [ast.unparse(one) for one in function.decorator_list]
    if any(one.endswith("stepup.needed") or one == "fresh.needed" for one in decorators):
        return "always"
    asked = {ast.unparse(node.func) for node in ast.walk(function) if isinstance(node, ast.Call)}
    return "sometimes" if "stepup.require" in asked else ""


def asked_again(answer: Answer) -> bool:
    """Whether this answer asks for a factor first."""
    if answer.headers.get("content-type", "").startswith("application/problem+json"):
        return answer.json["code"] == "step_up_needed"
    return answer.headers.get("location", "").startswith("/step-up")


@pytest.mark.wide
def test_t20_every_grave_address_asks_and_lets_nobody_by(house: House) -> None:
    world = World(house)
    Session.objects.update(stepped_up_at=clock.now() - stepup.FRESH)
    identity.forget()
    silent, passed, seen = [], [], 0
    for route, view in sorted(views(), key=lambda one: one[0]):
        kind = guard(view)
        if not kind:
            continue
        seen += 1
        asks = False
        for method in METHODS:
            for role in STALE:
                answer = world.ask(method, route, role)
                again = asked_again(answer)
                asks = asks or again
                if kind == "always" and answer.status < 400 and not again and answer.status != 303:
                    passed.append(f"{method} {route} as {role}: {answer.status}")
        if not asks:
            silent.append(route)
    assert seen >= 40
    assert passed == []
    # An address has a view for each method, of which one may ask.
    assert sorted(set(silent)) == sorted(ELSEWHERE)


def test_t20_the_guard_is_read_from_the_source() -> None:
    """Negative control: the views that ask are told from those that do not."""
    kinds = {(route, guard(view)) for route, view in views()}
    assert ("/account/security/codes", "always") in kinds
    assert ("/my", "") in kinds
    assert any(kind == "sometimes" for _route, kind in kinds)
