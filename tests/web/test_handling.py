"""The short way from an environment to an answer leaves out what has nothing to do, and nothing else."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.core.signals import request_finished, request_started
from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import path

from polyclinic.web import bridge, handling, viewer
from polyclinic.web.access import declare
from polyclinic.web.bridge import environ_of
from polyclinic.web.routes import RememberingHandler
from tests.api.calling import kept_connection


def scope(method: str, address: str, *headers: tuple[bytes, bytes]) -> dict[str, Any]:
    way, _mark, query = address.partition("?")
    return {
        "method": method, "path": way, "query_string": query.encode(), "http_version": "1.1",
        "client": ("203.0.113.7", 4000), "headers": [(b"host", b"localhost"), *headers],
    }  # fmt: skip


FORM = (b"content-type", b"application/x-www-form-urlencoded; charset=utf-8")


@pytest.mark.parametrize(
    "asked",
    [
        scope("GET", "/doctor?day=2026-11-21&day=2"),
        scope("get", "//doubled/slash"),
        scope("GET", "*"),
        scope("GET", ""),
        scope("GET", "/añadir/\udc80"),
        scope("HEAD", "/x", (b"cookie", b"a=1"), (b"cookie", b"b=2")),
        scope("POST", "/x", FORM),
        scope("POST", "/x"),
    ],
    ids=lambda one: f"{one['method']} {one['path']!r}",
)
def test_a_request_is_as_django_makes_it(asked: dict[str, Any]) -> None:
    quick, slow = (kind(environ_of(asked, b"a=1&b=%C3%B1")) for kind in (handling.Request, WSGIRequest))
    for name in ("path", "path_info", "method", "content_type", "content_params", "encoding", "scheme", "META"):
        one, other = getattr(quick, name), getattr(slow, name)
        if name == "META":
            one, other = ({key: text for key, text in told.items() if key != "wsgi.input"} for told in (one, other))
        assert one == other, name
    assert quick.GET == slow.GET
    assert quick.POST == slow.POST
    assert quick.COOKIES == slow.COOKIES
    assert quick.get_full_path() == slow.get_full_path()
    assert quick.body == slow.body


def test_an_environment_without_a_length_has_no_body() -> None:
    environ = environ_of(scope("POST", "/x"), b"12345")
    del environ["CONTENT_LENGTH"]
    assert handling.Request(environ).body == b""


def test_a_body_is_read_whole_and_once() -> None:
    asked = handling.Request(environ_of(scope("POST", "/x"), b"12345"))
    assert (asked.read(3), asked.read(9), asked.read()) == (b"123", b"45", b"")


@declare("public")
def _tells(request: HttpRequest) -> HttpResponse:
    what = request.GET["what"]
    if what == "raises":
        raise ValueError("something of ours")
    if what == "forgets":
        return None  # type: ignore[return-value]  # the mistake that is meant
    if what == "breaks":
        transaction.set_autocommit(False)
    response = HttpResponse(what, status=204 if what == "nothing" else 200, headers={"X-Told": what})
    if what == "cookies":
        response.set_cookie("one", "1", max_age=60)
        response.set_cookie("two", "a b", httponly=True)
    response._resource_closers.append(lambda: _closed.append(what))
    return response


urlpatterns = [path("tell", _tells)]
_closed: list[str] = []


@pytest.mark.django_db
@override_settings(ROOT_URLCONF=__name__)
@pytest.mark.parametrize("what", ["words", "nothing", "cookies"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_an_answer_is_as_django_gives_it(what: str, method: str) -> None:
    asked = scope(method, f"/tell?what={what}")
    started: list[Any] = []
    with kept_connection():
        plain = WSGIHandler()(environ_of(asked, b""), lambda *told: started.extend(told))
        _closed.clear()
        status, headers, payload = bridge._call(RememberingHandler(), environ_of(asked, b""), "an-id")
    assert status == int(started[0][:3])
    given = {name.lower(): value.strip() for name, value in started[1]}
    told = {name.decode(): value.decode("latin-1").strip() for name, value in headers}
    assert told == given
    assert len(headers) == len(started[1])
    body = b"".join(plain)
    assert payload == (b"" if method == "HEAD" else body)
    assert told["content-length"] == str(len(body))
    assert _closed == [what]


@pytest.mark.django_db
@pytest.mark.parametrize(("answer", "length"), [(HttpResponse("12345"), b"5"), (HttpResponse(status=204), None)])
def test_a_length_is_told_where_there_may_be_a_body(answer: HttpResponse, length: bytes | None) -> None:
    class Handler:
        def get_response(self, _request: HttpRequest) -> HttpResponse:
            return answer

    with kept_connection():
        _status, headers, _payload = bridge._call(Handler(), environ_of(scope("GET", "/"), b""), "an-id")
    assert dict(headers).get(b"content-length") == length


@pytest.mark.django_db
@override_settings(ROOT_URLCONF=__name__)
@pytest.mark.parametrize("what", ["raises", "forgets"])
def test_a_failure_of_a_view_is_an_error_page(what: str) -> None:
    with kept_connection():
        status, _headers, _payload = bridge._call(
            RememberingHandler(), environ_of(scope("GET", f"/tell?what={what}"), b""), "an-id"
        )
    assert status == 500


@pytest.mark.django_db(transaction=True)
@override_settings(ROOT_URLCONF=__name__)
def test_a_connection_left_in_a_transaction_is_not_used_again() -> None:
    connection.ensure_connection()
    try:
        with mock.patch.object(connections[DEFAULT_DB_ALIAS], "close") as given_up:
            bridge._call(RememberingHandler(), environ_of(scope("GET", "/tell?what=words"), b""), "an-id")
            # One of a pool is given back after each request; a lasting one stays.
            assert given_up.called is (connection.settings_dict["CONN_MAX_AGE"] == 0)
            given_up.reset_mock()
            bridge._call(RememberingHandler(), environ_of(scope("GET", "/tell?what=breaks"), b""), "an-id")
            assert given_up.called
    finally:
        transaction.set_autocommit(True)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (scope("GET", "/x?q=words%0a00", (b"cookie", b"a=1; b=%00")), False),
        (scope("GET", "/x?q=a%00b"), True),
        (scope("GET", "/x?q=a\0b"), True),
        (scope("GET", "/x?q=%2BAAA-"), False),
        (scope("GET", "/x?q=%2BAAA-", (b"content-type", b"text/plain; charset=utf-7")), True),
        (scope("GET", "/x", (b"cookie", b'a="\\000"')), True),
        (scope("GET", "/x", (b"cookie", b"a=\0")), True),
        (scope("POST", "/x", FORM), True),
    ],
    ids=lambda one: repr((one["query_string"], one["headers"][1:])) if isinstance(one, dict) else "",
)
def test_a_nul_is_seen_however_it_is_written(asked: dict[str, Any], found: bool) -> None:
    assert viewer._has_nul(handling.Request(environ_of(asked, b"q=a%00b"))) is found


def test_no_one_else_waits_for_the_signals_that_are_left_out() -> None:
    # A receiver that comes to them is not called for pages and the API: what it does belongs into `settle`.
    def names(signal: Any) -> set[str]:
        sync, _async = signal._live_receivers(None)
        return {f"{one.__module__}.{one.__name__}" for one in sync}

    assert names(request_started) <= {"django.db.reset_queries", "django.db.close_old_connections"}
    assert names(request_finished) <= {
        "django.db.close_old_connections", "django.core.cache.close_caches", "django.core.handlers.base.reset_urlconf"
    }  # fmt: skip
