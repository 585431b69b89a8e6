"""Answers as bytes: single things with their ETag, lists with their pagination, chosen fields, repeated POSTs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

import msgspec
import orjson
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from polyclinic.core import ledger
from polyclinic.core.actors import Person, Viewer
from polyclinic.core.audit import reads
from polyclinic.core.errors import Invalid, NotFound, StaleEdit, Unauthenticated
from polyclinic.core.ids import parse_id
from polyclinic.core.ledger.idempotency import fingerprint
from polyclinic.scheduling.problems import alternatives

JSON: Final = "application/json"
_encode = msgspec.json.Encoder().encode


def viewer_of(request: HttpRequest) -> Viewer:
    """Who is asking, as the middleware found out."""
    return request.viewer  # type: ignore[attr-defined,no-any-return]


def person_of(request: HttpRequest) -> Person:
    """The signed-in caller; raises Unauthenticated for anyone else."""
    viewer = viewer_of(request)
    if not isinstance(viewer, Person):
        raise Unauthenticated()
    return viewer


def key(text: str) -> UUID:
    """The id in an address. A malformed one is answered like a missing thing."""
    found = parse_id(text)
    if found is None:
        raise NotFound()
    return found


def reply(value: object, status: int = 200) -> HttpResponse:
    """`value` (rows of ours, or plain JSON) as the body."""
    return HttpResponse(_encode(value), status=status, content_type=JSON)


def one(request: HttpRequest, row: msgspec.Struct, fields: str | None = None) -> HttpResponse:
    """A single thing. Something with a version carries it as ETag, and is not sent again to who has it."""
    version = getattr(row, "version", None)
    tag = f'"{version}"' if version is not None else ""
    if tag and _names(request.META.get("HTTP_IF_NONE_MATCH", ""), tag):
        response = HttpResponse(status=304)
    else:
        response = reply(_only([row], fields)[0] if fields else row)
    if tag:
        response.headers["ETag"] = tag
    return response


def _names(header: str, tag: str) -> bool:
    """Whether an If-None-Match names this ETag, as one of a list, weakly, or as "whatever there is"."""
    return bool(header) and any(part.strip().removeprefix("W/") in (tag, "*") for part in header.split(","))


def listing(
    request: HttpRequest,
    rows: Sequence[msgspec.Struct],
    *,
    total: int | None = None,
    page: int = 1,
    pages: int = 1,
    fields: str | None = None,
    following: str | None = None,
) -> HttpResponse:
    """A list in the envelope all lists have; `next` is the address of the next page (`following` if given), or null."""
    if page < pages:
        query = {**request.GET.dict(), "page": str(page + 1)}
        following = f"{request.path}?{urlencode(query)}"
    return reply(
        {
            "data": _only(rows, fields) if fields else rows,
            "pagination": {
                "total": len(rows) if total is None else total,
                "page": page,
                "pages": pages,
                "next": following,
            },
        }
    )


def cut(
    request: HttpRequest, rows: Sequence[msgspec.Struct], page: int, limit: int, fields: str | None
) -> HttpResponse:
    """One page of a list that is short enough to have been read whole."""
    start = (page - 1) * limit
    pages = max(1, -(-len(rows) // limit))
    return listing(request, rows[start : start + limit], total=len(rows), page=page, pages=pages, fields=fields)


def _only(rows: Sequence[msgspec.Struct], fields: str) -> list[dict[str, Any]]:
    """The rows with the named fields alone. Raises Invalid for a field they do not have."""
    wanted = [name.strip() for name in fields.split(",") if name.strip()]
    if rows:
        known = type(rows[0]).__struct_encode_fields__
        unknown = [name for name in wanted if name not in known]
        if unknown:
            raise Invalid(
                _("There is no such field in this answer."), code="unknown_field", field="fields", possible=list(known)
            )
    whole: list[dict[str, Any]] = msgspec.to_builtins(rows)
    # A field that this caller is not shown is in no row, and asking for it by name does not bring it.
    return [{name: row[name] for name in wanted if name in row} for row in whole]


def expected_version(request: HttpRequest, given: int | None = None) -> int | None:
    """The version the caller last saw: If-Match, else the body's `version`. `*` matches any.

    Raises StaleEdit for an If-Match that is no version of ours: it can match nothing.
    """
    header = request.META.get("HTTP_IF_MATCH", "").strip()
    if not header or header == "*":
        return given
    text = header.removeprefix("W/").strip('"')
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise StaleEdit()
    version = int(text)
    if given is not None and given != version:
        raise Invalid(_("If-Match and version say different things."), code="contradiction", field="version")
    return version


def once(
    request: HttpRequest, effect: Callable[[], tuple[int, object]], *, kind: str = "", of: str = "id"
) -> HttpResponse:
    """Run a POST. With an Idempotency-Key its answer is kept in the effect's own transaction and given again.

    Given again, it is a reading of a `kind` of thing, whose id the answer's member `of` says; without a kind, of the
    patient's record. A refused time still comes with free ones: they are looked up here, after the failed transaction
    has gone.
    """
    person = person_of(request)
    given = request.META.get("HTTP_IDEMPOTENCY_KEY")

    def run() -> ledger.Answer:
        status, value = effect()
        # Kept sealed with the key of the patient it is about.
        return ledger.Answer(status, _encode(value).decode(), patient_id=getattr(value, "patient_id", None))

    with alternatives():
        if given is None:
            answer = run()
        else:
            print_ = fingerprint((request.method or "").encode(), _unversioned(request.path).encode(), request.body)
            answer = ledger.once(person.label, given, print_, run)
    response = HttpResponse(answer.body.encode(), status=answer.status, content_type=JSON)
    told = orjson.loads(answer.body)
    if answer.replayed:
        response.headers["Idempotent-Replayed"] = "true"
        _told_again(person, told, kind, of)
    version = told.get("version")
    if version is not None:
        response.headers["ETag"] = f'"{version}"'
    return response


def _told_again(person: Person, told: dict[str, Any], kind: str, of: str) -> None:
    """An answer that is given again changes nothing, so no change's entry stands for reading it."""
    if told.get("patientId"):
        place = UUID(told["facilityId"]) if told.get("facilityId") else None
        patient = UUID(told["patientId"])
        subject = UUID(told[of]) if kind else patient
        reads.opened(person, kind or "patient", subject, patient_id=patient, facility_id=place)


def _unversioned(path: str) -> str:
    """/api/v1/x and /api/x are one address: a retry may come by the other."""
    return path.replace("/api/v1/", "/api/", 1)
