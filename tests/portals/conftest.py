"""Browsers without a screen: Django's test client, signed in as someone of the house, with a reader for pages."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client

from polyclinic.people.models import Account


class Forms(HTMLParser):
    """Collects the forms of a page: action, method and the values they would send."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, Any]] = []
        self._by_id: dict[str, dict[str, Any]] = {}
        self._elsewhere: list[tuple[str, str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append({"action": given.get("action", ""), "method": given.get("method", "get"), "fields": {}})
            self._by_id[given.get("id", "")] = self.forms[-1]
        if tag == "button" and "formaction" in given:
            # A button that names its form sends that form's fields and its own, to an address of its own.
            owner = self._by_id[given["form"]]
            fields = {**owner["fields"], given["name"]: given["value"]}
            self.forms.append({"action": given["formaction"], "method": owner["method"], "fields": fields})
        if tag == "input" and given.get("form"):
            # It stands outside its form, perhaps before it.
            self._elsewhere.append((given["form"], given["name"], given.get("value", "")))
        elif tag == "input" and self.forms and given.get("name"):
            kind = given.get("type", "text")
            if kind not in ("radio", "checkbox") or "checked" in given:
                self.forms[-1]["fields"][given["name"]] = given.get("value", "")
            elif kind == "radio":
                self.forms[-1].setdefault("radios", {}).setdefault(given["name"], []).append(given["value"])

    def whole(self) -> list[dict[str, Any]]:
        """The forms with what stands elsewhere on the page and belongs to them."""
        for owner, name, value in self._elsewhere:
            if owner in self._by_id:
                self._by_id[owner]["fields"][name] = value
        return self.forms


def forms(response: Any) -> list[dict[str, Any]]:
    """The forms on a page."""
    reader = Forms()
    reader.feed(response.content.decode())
    return reader.whole()


def form(response: Any, action: str) -> dict[str, Any]:
    """The form that posts to `action`, else the first whose action contains it."""
    found = sorted(forms(response), key=lambda one: one["method"] != "post")
    exact = [one for one in found if one["action"] == action]
    return (exact or [one for one in found if action in one["action"]])[0]


@pytest.fixture
def browser_of() -> Callable[[Any], Client]:
    """A client signed in as an account, a patient or a doctor. Forgery protection is on, as it is for everyone."""

    def make(who: Any) -> Client:
        client = Client(enforce_csrf_checks=True)
        client.force_login(who if isinstance(who, Account) else who.account)
        return client

    return make


def send(client: Client, page: Any, action: str, **changes: str) -> Any:
    """Fill the form on `page` whose action contains `action`, with `changes`, and send it."""
    found = form(page, action)
    address = found["action"] or page.request["PATH_INFO"]
    return client.post(address, {**found["fields"], **changes})
