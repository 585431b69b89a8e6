"""The API's own description: the OpenAPI document for programs, and a page made from it for people."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from typing import Any

import orjson
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET
from ninja.schema import NinjaGenerateJsonSchema

from polyclinic.api.mount import api
from polyclinic.api.schemas import ProblemOut
from polyclinic.core.outbox import events
from polyclinic.live import wire
from polyclinic.web.access import declare
from polyclinic.web.pages import render

_SHAPE = "#/components/schemas/{model}"
METHODS = ("get", "post", "put", "patch", "delete")


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document. Made once: the code it is made from does not change while it runs."""
    made: Any = api.get_openapi_schema(path_prefix="/api/")
    made["components"]["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
        "cookie": {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME},
    }
    schemas = made["components"]["schemas"]
    schemas["ProblemOut"] = ProblemOut.model_json_schema(
        ref_template=_SHAPE, mode="serialization", schema_generator=NinjaGenerateJsonSchema
    )
    schemas |= schemas["ProblemOut"].pop("$defs", {})
    problem = {"application/problem+json": {"schema": {"$ref": _SHAPE.format(model="ProblemOut")}}}
    for path in made["paths"].values():
        for operation in path.values():
            for code, answer in operation["responses"].items():
                if int(code) >= 400:
                    answer["content"] = problem
    read: dict[str, Any] = orjson.loads(orjson.dumps(made, default=str, option=orjson.OPT_NON_STR_KEYS))
    return read


@declare("public")
@require_GET
def openapi(request: HttpRequest) -> HttpResponse:
    return HttpResponse(orjson.dumps(document()), content_type="application/json")


@declare("public")
@require_GET
def api_docs(request: HttpRequest) -> HttpResponse:
    """Every operation by subject, the shapes and the events."""
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for path, operations in document()["paths"].items():
        for method in METHODS:
            if method in operations:
                found = operations[method]
                groups[found["tags"][0]].append({"method": method.upper(), "path": path, **found})
    context = {
        "groups": dict(groups),
        "schemas": document()["components"]["schemas"],
        "events": [
            {"type": kind, "meaning": cls.MEANING, "version": cls.VERSION, "names": wire.SOCKET_NAMES.get(kind, ())}
            for kind, cls in events.registered().items()
        ],
    }
    return render(request, "api/docs.html", context)
