"""What other programs look for under /.well-known (RFC 8615). Each address goes on after that."""

from __future__ import annotations

import orjson
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.http import require_GET

from polyclinic.tokens import signing
from polyclinic.web.access import declare


@declare("public")
@require_GET
def jwks(request: HttpRequest) -> HttpResponse:
    """The public keys of our access tokens (RFC 7517), for whoever checks them without asking us."""
    response = HttpResponse(orjson.dumps(signing.published()), content_type="application/jwk-set+json")
    response.headers["Cache-Control"] = f"public, max-age={int(signing.ANNOUNCED.total_seconds()) // 2}"
    return response


urlpatterns = [path("/jwks.json", jwks, name="jwks")]
