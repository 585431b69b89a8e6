"""Every cookie that is ever given: out of reach of scripts, over HTTPS alone, and under a name no neighbour can set."""

from __future__ import annotations

import ast
import contextlib
import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from polyclinic.web import cookies
from tests.house import PASSWORD
from tests.proxied import FORWARDED, PUBLIC_HOST, BehindProxy
from tests.server import Server

PACKAGE = Path(cookies.__file__).resolve().parents[1]
# Django's own two ways of giving a cookie, and those of the house that are told by settings.
DOORS = {"set_cookie", "delete_cookie", "set_signed_cookie"}
ELSEWHERE = {
    # The forgery token, which scripts of a portal must be able to read; the language, which is only taken back.
    "api/signing.py": 1,
    "portals/account/views.py": 1,
    "web/cookies.py": 2,
}


def doors(source: str) -> int:
    """How often a module gives or takes back a cookie by itself."""
    return sum(isinstance(node, ast.Attribute) and node.attr in DOORS for node in ast.walk(ast.parse(source)))


def test_no_module_makes_a_cookie_of_its_own() -> None:
    found = {
        str(path.relative_to(PACKAGE)): doors(path.read_text(encoding="utf-8")) for path in PACKAGE.rglob("*.py")
    }  # fmt: skip
    assert {name: many for name, many in found.items() if many} == ELSEWHERE
    assert doors("response.set_cookie('x', '1')") == 1  # negative control


@pytest.mark.parametrize("cookie", cookies.ALL, ids=lambda cookie: cookie.plain)
@pytest.mark.parametrize("https", [True, False])
def test_a_name_says_what_browsers_hold_it_to(cookie: cookies.Cookie, https: bool, settings: Any) -> None:
    settings.SESSION_COOKIE_SECURE = https
    response = HttpResponse()
    cookie.give(response, "x", seconds=60)
    given = response.cookies[cookie.name]
    assert given["httponly"] is True
    assert given["samesite"] in {"Lax", "Strict"}
    assert bool(given["secure"]) is https
    assert given["domain"] == ""
    begins = ("__Host-" if given["path"] == "/" else "__Secure-") if https else "polyclinic_"
    assert given.key.startswith(begins)
    request = RequestFactory().get("/")
    request.COOKIES[cookie.name] = "x"
    assert cookie.of(request) == "x"
    # The same under a name that a neighbour may set is nothing.
    request.COOKIES = {cookie.plain: "x"} if https else {f"__Host-{cookie.plain}": "x"}
    assert cookie.of(request) == ""
    cookie.take_back(response)
    assert response.cookies[cookie.name]["max-age"] == 0
    assert bool(response.cookies[cookie.name]["secure"]) is https


@pytest.fixture(scope="module")
def behind_proxy() -> Iterator[Server]:
    with BehindProxy() as running:
        yield running


def given_by(server: Server, path: str, kind: str, body: bytes) -> dict[str, set[str]]:
    """Flags of each cookie that is given for this form or body, by name."""
    csrf = f"__Host-polyclinic_csrf={'x' * 32}"
    sent = {**FORWARDED, "Content-Type": kind, "Origin": f"https://{PUBLIC_HOST}", "Cookie": csrf}
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)) as line:
        line.request("POST", path, body, sent)
        answer = line.getresponse()
        assert answer.status in {200, 303}, answer.read()
        given = [value for name, value in answer.getheaders() if name.lower() == "set-cookie"]
    return {one.partition("=")[0]: {flag.strip().lower() for flag in one.split(";")[1:]} for one in given}


@pytest.mark.service
def test_behind_a_proxy_browser_and_app_are_given_names_of_this_host_alone(behind_proxy: Server) -> None:
    """As they come, over two ways in: the sign-in page, and an app that keeps its tokens in cookies."""
    fields = {"csrfmiddlewaretoken": "x" * 32, "email": "meera@example.org", "password": PASSWORD}
    form = "application/x-www-form-urlencoded"
    browser = given_by(behind_proxy, "/sign-in", form, urlencode(fields).encode())
    assert {"__Host-polyclinic_session", "__Host-polyclinic_device"} <= browser.keys()
    login = {"email": "meera@example.org", "password": PASSWORD, "cookie": True}
    app = given_by(behind_proxy, "/api/auth/login", "application/json", json.dumps(login).encode())
    assert app.keys() == {"__Secure-polyclinic_refresh", "__Secure-polyclinic_app_device", "__Host-polyclinic_csrf"}
    for name, flags in {**browser, **app}.items():
        assert "secure" in flags, name
        assert ("path=/" in flags) == name.startswith("__Host-"), name
        assert not any(flag.startswith("domain") for flag in flags), name
        if "max-age=0" in flags:
            continue  # one that is taken back holds nothing
        assert ("httponly" in flags) != (name == "__Host-polyclinic_csrf"), name


@pytest.mark.parametrize(("sent", "given"), [(False, False), (True, True)])
def test_a_page_without_messages_touches_their_cookie_only_where_there_is_one(sent: bool, given: bool) -> None:
    name = cookies.MessageStorage.cookie_name
    request, response = RequestFactory().get("/"), HttpResponse()
    if sent:
        request.COOKIES[name] = "something"
    storage = cookies.MessageStorage(request)
    assert not list(storage)
    storage.update(response)
    assert (name in response.cookies) is given
    later, response = cookies.MessageStorage(request), HttpResponse()
    later.add(20, "Saved.")
    later.update(response)
    assert response.cookies[name].value


def told_by(source: str) -> set[str]:
    """What messages for the next page are filled with: names of values, as the sentence writes them."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in TELLING:
            for part in ast.walk(node):
                if isinstance(part, ast.BinOp) and isinstance(part.right, ast.Dict):
                    found |= {key.value for key in part.right.keys if isinstance(key, ast.Constant)}
    return found


TELLING = {"done", "success", "info", "warning"}
# What may stand in a cookie that anybody at this browser can decode: nothing that says who somebody is.
TOLD = {"token", "part", "moment", "factor", "count", "bed"}


def test_a_message_that_waits_in_a_cookie_names_nobody() -> None:
    found = {
        path.name: told_by(path.read_text(encoding="utf-8")) - TOLD for path in (PACKAGE / "portals").rglob("*.py")
    }  # fmt: skip
    assert {name: told for name, told in found.items() if told} == {}
    assert told_by("done(request, _('%(name)s is registered.') % {'name': str(made)})") == {"name"}  # negative control
