"""The API object: how bodies are read and how every error becomes problem+json."""

from __future__ import annotations

from typing import Any, Final, cast

import orjson
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.parser import Parser

from polyclinic import __version__
from polyclinic.core.errors import Invalid, Problem
from polyclinic.web import errors


class JsonParser(Parser):
    """Bodies by orjson: faster, and strict about what JSON is."""

    def parse_body(self, request: HttpRequest) -> Any:  # noqa: ANN401 - any JSON
        return orjson.loads(request.body)


# What each operation may answer beside success. What they look like is said when the document is asked for
# (`pages.document`): named here, it would be built anew for every status of every operation at every start, which took
# more than half of the API's loading.
PROBLEMS: Final[dict[frozenset[int] | int, Any]] = {
    frozenset({400, 401, 403, 404, 405, 406, 409, 412, 413, 415, 422, 429, 500, 503}): None
}


class Api(NinjaAPI):
    """Every operation makes its own answer, so none is made for it to fill."""

    def create_temporal_response(self, request: HttpRequest) -> HttpResponse:
        # Whoever gave back bare values all the same would fail at the first attribute, and in the first test.
        return cast("HttpResponse", None)


api = Api(
    title="Polyclinic",
    version=__version__,
    description="Appointments, schedules and the directory. Every list is paged; every error is problem+json.",
    parser=JsonParser(),
    docs_url=None,
    openapi_url=None,
    urls_namespace="api",
    openapi_extra={"security": [{"bearer": []}, {"cookie": []}, {}]},
)


@api.exception_handler(Problem)
def _problem(request: HttpRequest, problem: Problem) -> HttpResponse:
    return errors.answer(request, problem)


@api.exception_handler(HttpError)
def _unreadable(request: HttpRequest, error: HttpError) -> HttpResponse:
    return errors.answer(request, Problem(_("The body is not readable as JSON."), code="unreadable"))


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """422 naming each field at fault. The value sent is never repeated: it may be about a patient."""
    listed = [{"field": _field(item["loc"]), "message": item["msg"]} for item in error.errors]
    first = listed[0]["field"] if listed else None
    return errors.answer(request, Invalid(field=first, errors=listed))


def _field(location: tuple[object, ...]) -> str:
    """`weekly.3.ends` from the framework's path; the parameter's source and its argument name say nothing."""
    parts = [str(part) for part in location[1:]]
    if location and location[0] == "body" and len(parts) > 1:
        parts = parts[1:]
    return ".".join(parts)
