"""A laboratory's own reference ranges over REST: those in force, a new one, and an end to one."""

from __future__ import annotations

from typing import Annotated, Final, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from polyclinic.api import answers
from polyclinic.api.api import PROBLEMS
from polyclinic.api.schemas import Body, Limit, PageNumber, Text, Words, described, list_of
from polyclinic.core.errors import Invalid, NotFound
from polyclinic.laboratory import catalogue, house_ranges
from polyclinic.laboratory.house_ranges import OLDEST, HouseRow
from polyclinic.web.access import declare

router = Router(tags=["Laboratory"])
Limits = Annotated[Text, Field(max_length=10)]
Age = Annotated[int, Field(strict=True, ge=0, le=OLDEST)]
# Fields by the names that they have here.
_OUTWARD: Final = {"from_years": "fromYears", "to_years": "toYears"}


class RangeWish(Body):
    """What is usual here from now on, for one group of people.

    Limits are text in the test's unit; an empty one is an open end. Ages are completed years, `toYears` not included.
    `source` says how the range was confirmed.
    """

    hospital_id: UUID
    low: Limits = ""
    high: Limits = ""
    source: Annotated[Text, Field(max_length=120)]
    sex: Literal["", "female", "male"] = ""
    from_years: Age = 0
    to_years: Age = OLDEST
    pregnancy: Literal["", "first", "second", "third"] = ""


@router.get("/lab/tests/{labCode}/ranges", response={200: list_of(HouseRow), **PROBLEMS}, summary="Own ranges")
@declare("lab.view")
def list_ranges(
    request: HttpRequest, labCode: str, page: PageNumber = 1, limit: Limit = 50, fields: Words | None = None
) -> HttpResponse:
    """The own ranges of a test in force at the caller's laboratories. Without one the published range counts."""
    if labCode not in catalogue.TESTS:
        raise NotFound()
    return answers.cut(request, house_ranges.in_force(answers.viewer_of(request), labCode), page, limit, fields)


@router.post("/lab/tests/{labCode}/ranges", response={201: described(HouseRow), **PROBLEMS}, summary="Set a range")
@declare("lab.set_range")
def set_range(request: HttpRequest, labCode: str, body: RangeWish) -> HttpResponse:
    """Begin a range; one of the very same group of people ends with it. Results that are judged keep their limits."""
    person = answers.person_of(request)

    def effect() -> tuple[int, object]:
        made = house_ranges.set_range(
            actor=person, facility_id=body.hospital_id, test=labCode, low=body.low, high=body.high, source=body.source,
            sex=body.sex, from_years=str(body.from_years), to_years=str(body.to_years), pregnancy=body.pregnancy,
        )  # fmt: skip
        return 201, next(row for row in house_ranges.in_force(person, labCode) if row.id == made.pk)

    try:
        return answers.once(request, effect)
    except Invalid as problem:
        problem.field = _OUTWARD.get(problem.field or "", problem.field)
        raise


@router.post("/lab/ranges/{labRangeId}/end", response={204: None, **PROBLEMS}, summary="End a range")
@declare("lab.set_range")
def end_range(request: HttpRequest, labRangeId: str) -> HttpResponse:
    """From now on the published range counts again. 404 also for a range that has ended."""
    house_ranges.end_range(actor=answers.person_of(request), range_id=answers.key(labRangeId))
    return HttpResponse(status=204)
