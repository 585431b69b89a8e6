"""The masked token: Django's middleware takes it, no two are alike, and another visitor's is refused."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.middleware import csrf as djangos
from django.middleware.csrf import CSRF_ALLOWED_CHARS, CsrfViewMiddleware
from django.test import RequestFactory

from polyclinic.web import csrf

# Django's own, which its stubs leave out.
matches = djangos._does_token_match  # type: ignore[attr-defined]
fresh = djangos._get_new_csrf_string


def asked(secret: str) -> HttpRequest:
    request = RequestFactory().get("/")
    request.META["CSRF_COOKIE"] = secret
    return request


def test_django_takes_every_token_and_no_two_are_alike() -> None:
    secret = fresh()
    request = asked(secret)
    made = [csrf.token(request) for _ in range(500)]
    assert len({one[:32] for one in made}) == 500
    assert all(matches(one, secret) for one in made)
    assert not any(matches(one, fresh()) for one in made)
    assert request.META["CSRF_COOKIE_NEEDS_UPDATE"] is True


def test_letters_of_a_mask_are_drawn_evenly() -> None:
    """62 letters in 32,000 draws: each about 516 times; ten standard deviations off would be no chance."""
    request = asked("a" * 32)
    letters = "".join(csrf.token(request)[:32] for _ in range(1_000))
    counts = [letters.count(letter) for letter in CSRF_ALLOWED_CHARS]
    assert min(counts) > 290
    assert max(counts) < 742


def test_a_first_visitor_gets_a_cookie_of_djangos() -> None:
    request = RequestFactory().get("/")
    made = csrf.token(request)
    assert matches(made, request.META["CSRF_COOKIE"])


def test_a_form_sent_with_it_passes_the_middleware_and_a_changed_one_does_not() -> None:
    secret = fresh()
    token = csrf.token(asked(secret))
    middleware = CsrfViewMiddleware(lambda _request: HttpResponse())

    def sent(text: str) -> HttpResponse | None:
        request = RequestFactory(enforce_csrf_checks=True).post("/", {"csrfmiddlewaretoken": text})
        request.COOKIES["polyclinic_csrf"] = secret
        middleware.process_request(request)
        return middleware.process_view(request, lambda _request: HttpResponse(), (), {})

    assert sent(token) is None
    other = "b" if token[40] != "b" else "c"
    refused = sent(token[:40] + other + token[41:])
    assert refused is not None
    assert refused.status_code == 403
