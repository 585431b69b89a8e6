"""Whatever is malformed is answered alike: headers, tokens, cookies and codes, one 4xx shape for each place.

An answer that differed by how a secret is wrong would tell whoever tries how near they are. Each place has its control:
the same request with what belongs there is let in. Codes of the second step: `tests/factors`; of a paper:
`tests/portals/test_papers.py`; refresh tokens in a body: `tests/promises/test_t19_refresh.py`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable

import pytest
from django.contrib.auth.tokens import default_token_generator
from django.core.signing import dumps
from django.utils.http import urlsafe_base64_encode

from polyclinic.api import tokens
from polyclinic.facilities import identity, viewing
from polyclinic.factors import tickets
from polyclinic.tokens import apikeys
from polyclinic.web import stepup
from tests.api.calling import Answer, bearer, call, cookies
from tests.house import PASSWORD, House
from tests.matrix import visiting
from tests.seeding import sign_in
from tests.server import CSRF, Server, server

__all__ = ["server"]

FORM = "application/x-www-form-urlencoded"
# What fits into a header and means nothing; every value is tried at every place.
JUNK = [
    "", " ", "x", "0", "-1", "null", "a.b.c", "..", "../../etc/passwd", "%00", "%ff%fe", "é" * 6, "\xff" * 40,
    "' OR 1=1 --", "{}", "[]", "=", "==", "A" * 32, "0" * 40, "f" * 64, "y" * 4000,
    "00000000-0000-0000-0000-000000000000", "eyJhbGciOiJub25lIn0.e30.", "pc_", "pk_" + "a" * 43,
    "\\000\\001", '"', "<script>",
]  # fmt: skip
# In an address only what an address can hold.
CODES = ["x", "0" * 32, "A" * 900, "%00", "%ff", "%F0%9F%A9%BA", "..%2F..", "'--", "%0d%0aX:1", "-" * 43]


def shape(answer: Answer) -> tuple[int, str, str, bytes]:
    """All that a caller can tell answers apart by. The masked token of a form is another each time it is drawn."""
    body = re.sub(rb'value="[A-Za-z0-9]{64}"', b"", answer.body)
    return answer.status, answer.headers.get("content-type", ""), answer.headers.get("location", ""), body


def alike(answers: Iterable[Answer]) -> tuple[int, str, str, bytes]:
    """The one shape of all of them."""
    shapes = {shape(one) for one in answers}
    assert len(shapes) == 1, [(one[0], one[2], one[3][:200]) for one in shapes]
    return shapes.pop()


def api_code(of: tuple[int, str, str, bytes]) -> str:
    assert of[1] == "application/problem+json"
    told = json.loads(of[3])
    assert told.keys() == {"type", "title", "status", "code", "detail"}
    assert told["status"] == of[0]
    return str(told["code"])


def spoiled(good: str) -> list[str]:
    """Near misses of something that would be right."""
    other = "B" if good[-1] == "A" else "A"
    return [good[:-1], good + "A", good[:-1] + other, good[1:], good.swapcase(), good[: len(good) // 2], good * 2]


# Tokens and headers


def test_an_authorization_header(house: House) -> None:
    good = bearer(house.patient)["Authorization"].partition(" ")[2]
    stepped = identity.open_api_session(house.doctor.account)
    stepup.mark(stepped, 1)
    actor = identity.person_of_session(stepped)
    assert actor
    key = apikeys.make(actor=actor, name="Robot", scopes=["appointment.view"], days=1).secret
    wrong = [f"Bearer {one}" for one in [*JUNK, *spoiled(good), *spoiled(key)]]
    wrong += [f"Basic {good}", f"Token {good}", good, "Bearer", f"Bearer {good}, Bearer {good}", f"Bearer {good} x"]
    for path in ("/api/auth/me", "/api/hospitals", "/api/appointments/00000000-0000-0000-0000-000000000000"):
        asked = [call("GET", path, headers={"Authorization": one}) for one in wrong]
        found = alike(asked)
        assert (found[0], api_code(found)) == (401, "invalid_token"), path
        assert {one.headers["www-authenticate"] for one in asked} == {"Bearer"}
    for one in (good, key):
        assert call("GET", "/api/auth/me", headers={"Authorization": f"Bearer {one}"}).status == 200


def test_a_token_that_is_wrong_inside(house: House) -> None:
    """Another algorithm, another key, another time: all the same to whoever shows it."""
    assert house.patient.account
    assert house.other_patient.account
    good = tokens.issue(house.patient.account).token
    head, claims, mark = good.split(".")
    other = tokens.issue(house.other_patient.account).token.split(".")
    none = "eyJhbGciOiJub25lIn0"
    wrong = [f"{none}.{claims}.", f"{none}.{claims}.{mark}", f"{head}.{other[1]}.{mark}", f"{head}.{claims}.{other[2]}",
             f"{head}.{claims}", f"{head}..{mark}", f".{claims}.{mark}", f"{head}.{claims}.{mark}.{mark}"]  # fmt: skip
    found = alike(call("GET", "/api/auth/me", headers={"Authorization": f"Bearer {one}"}) for one in wrong)
    assert (found[0], api_code(found)) == (401, "invalid_token")
    assert call("GET", "/api/auth/me", headers={"Authorization": f"Bearer {good}"}).status == 200


@pytest.mark.parametrize("name", ["Accept-Language", "Accept", "User-Agent", "Referer", "X-Request-ID", "If-None-Match",
                                  "Range", "X-Requested-With", "Accept-Encoding", "X-Forwarded-For"])  # fmt: skip
def test_a_header_that_asks_for_no_right_never_breaks_anything(house: House, name: str) -> None:
    headers = bearer(house.patient)
    assert {call("GET", "/api/auth/me", headers={**headers, name: one}).status for one in JUNK} == {200}
    # A list of documents accepted may leave the page none to give: then it says so and does not fail.
    assert {call("GET", "/doctors", headers={name: one}).status for one in JUNK} <= {200, 406}


# Cookies


def sent(cookie: str, name: str = "polyclinic_session") -> dict[str, str]:
    return {"Cookie": f"{name}={cookie}"}


def test_a_session_cookie(house: House) -> None:
    good = sign_in(["meera@example.org"])["meera@example.org"]
    wrong = [*JUNK, *spoiled(good)]
    found = alike(call("GET", "/api/auth/me", headers=sent(one)) for one in wrong)
    assert (found[0], api_code(found)) == (401, "unauthenticated")
    page = alike(call("GET", "/my", headers=sent(one)) for one in wrong)
    assert page == shape(call("GET", "/my"))
    assert (page[0], page[2]) == (303, "/sign-in?next=%2Fmy")
    # Public pages are a visitor's, as if nothing had been sent.
    assert alike(call("GET", "/doctors", headers=sent(one)) for one in wrong) == shape(call("GET", "/doctors"))
    assert (
        call("GET", "/api/auth/me", headers=sent(good)).status == call("GET", "/my", headers=sent(good)).status == 200
    )


@pytest.mark.parametrize(
    "name", ["polyclinic_session", "polyclinic_csrf", "polyclinic_view", "polyclinic_device", "polyclinic_messages",
             "polyclinic_second", "polyclinic_counter", "django_language"],
)  # fmt: skip
def test_a_nul_that_a_cookie_spells(house: House, name: str) -> None:
    """Cookies can write any character as a number; no database can be asked about this one."""
    wrong = ['"\\000"', '"a\\000b"', f'"{"x" * 40}\\000"']
    own = cookies(house.patient)["Cookie"]
    found = alike(call("GET", "/sign-in", headers={"Cookie": f"{own}; {name}={one}"}) for one in wrong)
    assert found[0] == 400
    assert call("GET", "/doctors", headers={"Cookie": own}).status == 200


def test_a_csrf_cookie_and_its_token(house: House) -> None:
    good = sign_in(["meera@example.org"])["meera@example.org"]

    def leave(cookie: str, token: str) -> Answer:
        headers = {"Cookie": f"polyclinic_session={good}; polyclinic_csrf={cookie}", "X-CSRFToken": token}
        return call("PUT", "/api/appointments/x/status", body={"status": "confirmed"}, headers=headers)

    near = [*JUNK, *spoiled(CSRF)]
    found = alike([*(leave(CSRF, one) for one in near), *(leave(one, CSRF) for one in near)])
    assert (found[0], api_code(found)) == (403, "csrf_failed")
    assert leave(CSRF, CSRF).status == 404

    def come(cookie: str, token: str) -> Answer:
        body = f"email=meera%40example.org&password=wrong&csrfmiddlewaretoken={token}".encode()
        return call(
            "POST", "/sign-in", body=body, headers={"Content-Type": FORM, "Cookie": f"polyclinic_csrf={cookie}"}
        )

    plain = [one for one in near if re.fullmatch(r"\w*", one, re.ASCII)]
    page = alike([*(come(CSRF, one) for one in plain), *(come(one, CSRF) for one in near)])
    assert page[0] == 403
    assert come(CSRF, CSRF).status == 422


def test_a_device_cookie(house: House) -> None:
    """It can make a wrong password count less, so a wrong one must look like none."""

    def come(device: str, password: str = "wrong") -> Answer:
        headers = {"Content-Type": FORM, "Cookie": f"polyclinic_csrf={CSRF}; polyclinic_device={device}"}
        body = f"email=meera%40example.org&password={password}&csrfmiddlewaretoken={CSRF}".encode()
        return call("POST", "/sign-in", body=body, headers=headers)

    found = alike(come(one) for one in JUNK[:4])
    assert found[0] == 422
    for one in JUNK:
        assert come(one).status in {422, 429}  # by and by the guesses are slowed down
    assert come("x", PASSWORD.replace(" ", "+")).status in {303, 429}


def test_a_view_cookie(house: House) -> None:
    """What an administrator looks through another's eyes with: a wrong one shows them their own page."""
    admin = house.staff["admin"]
    own = sign_in([admin.email])[admin.email]
    stepup.mark(own, 1)
    actor = identity.person_of_session(own)
    assert actor
    key = viewing.begin(actor=actor, account_id=house.receptionist.pk, reason="They cannot find the page")

    def look(cookie: str) -> Answer:
        return call("GET", "/home", headers={"Cookie": f"polyclinic_session={own}; polyclinic_view={cookie}"})

    nothing = shape(call("GET", "/home", headers=sent(own)))
    assert alike(look(one) for one in [*JUNK, *spoiled(key)]) == nothing
    assert shape(look(key)) != nothing
    # Nor does it open anything to whoever has it and is not that administrator.
    assert call("GET", "/home", headers=sent(key, "polyclinic_view")).status == 303


def test_a_cookie_of_a_sign_in_halfway(house: House) -> None:
    account = house.doctor.account
    good = tickets.begin_second(account.pk)
    head = {"Content-Type": FORM}

    def show(cookie: str) -> Answer:
        headers = {**head, "Cookie": f"polyclinic_csrf={CSRF}; polyclinic_second={cookie}"}
        return call("POST", "/sign-in/second", body=f"code=123456&csrfmiddlewaretoken={CSRF}".encode(), headers=headers)

    found = alike(show(one) for one in [*JUNK, *spoiled(good)])
    assert found[:3] == (303, "text/html; charset=utf-8", "/sign-in?next=%2Fhome")
    assert show(good).status == 422


def test_an_apps_cookies(house: House) -> None:
    login = {"email": "meera@example.org", "password": PASSWORD, "cookie": True}

    def come() -> dict[str, str]:
        answer = call("POST", "/api/auth/login", body=login)
        return dict(one.strip().partition(";")[0].split("=", 1) for one in answer.cookies)

    given = come()

    def renew(**changed: str) -> Answer:
        jar = "; ".join(f"{name}={value}" for name, value in {**given, **changed}.items())
        headers = {"Cookie": jar, "X-CSRFToken": given["polyclinic_csrf"]}
        return call("POST", "/api/auth/refresh", body={}, headers=headers)

    token = given["polyclinic_refresh"]
    found = alike(renew(polyclinic_refresh=one) for one in [*JUNK, token[:-1], token[1:], f"{token}A"])
    assert (found[0], api_code(found)) == (401, "refresh_refused")
    assert renew().status == 200
    # A right token of the wrong device is the sign of a copy, and ends it: it is told in the very same words.
    given |= come()
    assert shape(renew(polyclinic_app_device="x")) == found
    assert shape(renew()) == found


# Codes and links in addresses


def link(kind: str, house: House) -> Callable[[str], str]:
    """The address of a link of this kind with some other code."""
    account = house.patient.account
    assert account
    user = urlsafe_base64_encode(str(account.pk).encode())
    return {
        "ticket": lambda code: f"/t/{code}",
        "ticket state": lambda code: f"/t/{code}/state",
        "hall": lambda code: f"/display/{code}",
        "hall state": lambda code: f"/display/{code}/state",
        "paper": lambda code: f"/verify/{code}",
        "sign-up": lambda code: f"/sign-up/confirm/{code}",
        "reset": lambda code: f"/password/reset/{user}/{code}",
        "reset of": lambda code: f"/password/reset/{code}/{default_token_generator.make_token(account)}",
        "invitation": lambda code: f"/invitation/{code}",
        "address": lambda code: f"/email/verify/{code}",
    }[kind]


@pytest.mark.parametrize(
    ("kind", "status"),
    [("ticket", 404), ("ticket state", 404), ("hall", 404), ("hall state", 404), ("paper", 404), ("sign-up", 410),
     ("reset", 410), ("reset of", 410), ("invitation", 410), ("address", 410)],
)  # fmt: skip
def test_a_code_in_an_address(house: House, kind: str, status: int) -> None:
    address = link(kind, house)
    stale = dumps({"x": 1}, salt="elsewhere")
    found = alike(call("GET", address(code)) for code in [*CODES, stale])
    assert found[0] == status


def test_a_ticket_s_code_is_right_or_it_is_nothing(house: House) -> None:
    good = visiting.parts(house)["code"]
    for more in ("", "/state"):
        found = alike(call("GET", f"/t/{code}{more}") for code in [*CODES, *spoiled(good)])
        assert found[0] == 404
        assert call("GET", f"/t/{good}{more}").status == 200


@pytest.mark.service
def test_a_stream_is_opened_to_nobody_by_what_is_malformed(server: Server) -> None:
    cookie = f"polyclinic_session={server.session('patient')}"

    def listen(path: str, **headers: str) -> tuple[int, bytes]:
        status, _headers, body = server.request("GET", path, headers=headers)
        return status, body

    plain = [one for one in JUNK if one.isascii() and one.strip()]
    for path in ("/live", "/api/appointments/stream"):
        found = {listen(path, Cookie=f"polyclinic_session={one}") for one in plain}
        assert len(found) == 1
        assert {status for status, _body in found} == {401}
        shown = {listen(path, Authorization=f"Bearer {one}", Cookie=cookie) for one in plain}
        assert len(shown) == 1, "who shows a token does not mean to be anonymous, nor somebody else"
        assert {status for status, _body in shown} == {401}
