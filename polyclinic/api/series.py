"""Appointments that come again, over REST: plan and look, book all, read, cancel what is left."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from ninja import Router
from pydantic import Field

from polyclinic.api import answers
from polyclinic.api.api import PROBLEMS
from polyclinic.api.schemas import Body, Moment, Text, Words, described, list_of
from polyclinic.core.errors import Invalid
from polyclinic.scheduling import series
from polyclinic.scheduling.series import Planned, SeriesRow
from polyclinic.web import ratelimit
from polyclinic.web.access import declare

router = Router(tags=["Appointments"])
_Number = Annotated[int, Field(strict=True, ge=1, le=100)]


class Rule(Body):
    """When appointments come again: from `starts` on, every so many days, weeks or months, so many times."""

    schedule_id: UUID
    starts: Moment
    every: _Number
    unit: Literal["day", "week", "month"]
    count: _Number
    service_id: UUID | None = None


class OtherTime(Body):
    """One date that is not as the rule says: at another time, or left out (no `starts`)."""

    number: _Number
    starts: Moment | None = None


class SeriesWish(Rule):
    """A series to be booked. Without `patientId` for oneself."""

    patient_id: UUID | None = None
    exceptions: Annotated[list[OtherTime], Field(max_length=series.MOST)] = []
    reason: Annotated[Text, Field(max_length=200)] = ""


class CancelFrom(Body):
    """From which date on, by its number; without one, all that are left."""

    first: _Number = 1
    reason: Annotated[Text, Field(max_length=200)] = ""


@router.post(
    "/appointment-series/plan", response={200: list_of(Planned), **PROBLEMS}, summary="Look at a series before booking"
)
@declare("any caller")
def plan(request: HttpRequest, body: Rule) -> HttpResponse:
    """Each date as it stands now; what is not free comes with the nearest free times. Changes nothing."""
    rows = series.plan(
        answers.person_of(request), schedule_id=body.schedule_id, starts=body.starts, every=body.every, unit=body.unit,
        count=body.count, service_id=body.service_id,
    )  # fmt: skip
    return answers.listing(request, rows)


@router.post("/appointment-series", response={201: described(SeriesRow), **PROBLEMS}, summary="Book a series")
@declare("any caller")
def book(request: HttpRequest, body: SeriesWish) -> HttpResponse:
    """Book every date, or none: a 409 names the date (`occurrence`) and the nearest free slots."""
    actor = answers.person_of(request)
    ratelimit.check("booking", account=actor.label)
    patient_id = body.patient_id or actor.patient_id
    if patient_id is None:
        raise Invalid(_("Say for which patient."), code="required", field="patientId")

    def effect() -> tuple[int, object]:
        made = series.book(
            actor=actor, patient_id=patient_id, schedule_id=body.schedule_id, starts=body.starts, every=body.every,
            unit=body.unit, count=body.count, service_id=body.service_id, reason=body.reason,
            exceptions={one.number: one.starts for one in body.exceptions},
        )  # fmt: skip
        return 201, series.get(actor, made.pk)

    return answers.once(request, effect, kind="appointment")


@router.get("/appointment-series/{seriesId}", response={200: described(SeriesRow), **PROBLEMS}, summary="Read a series")
@declare("any caller")
def read(request: HttpRequest, seriesId: str, fields: Words | None = None) -> HttpResponse:
    """A series, and what became of each date."""
    return answers.one(request, series.get(answers.person_of(request), answers.key(seriesId)), fields)


@router.post(
    "/appointment-series/{seriesId}/cancel", response={200: described(SeriesRow), **PROBLEMS}, summary="Cancel a series"
)
@declare("any caller")
def cancel(request: HttpRequest, seriesId: str, body: CancelFrom) -> HttpResponse:
    """Cancel the dates still to come from one of them on; a date too near to be cancelled keeps them all."""
    actor, key = answers.person_of(request), answers.key(seriesId)

    def effect() -> tuple[int, object]:
        series.cancel(actor=actor, series_id=key, first=body.first, reason=body.reason)
        return 200, series.get(actor, key)

    return answers.once(request, effect, kind="appointment")
