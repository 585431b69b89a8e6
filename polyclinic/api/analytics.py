"""A hospital's figures over REST: the day as it stands, ranges of days, and all hospitals that somebody runs."""

from __future__ import annotations

from typing import Annotated, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from polyclinic.analytics import selectors
from polyclinic.analytics.rows import Analytics, HospitalStats
from polyclinic.api import answers
from polyclinic.api.api import PROBLEMS
from polyclinic.api.schemas import Day, described
from polyclinic.web.access import declare

router = Router(tags=["Figures"])
First = Annotated[Day | None, Query(alias="from")]
Last = Annotated[Day | None, Query(alias="to")]
Compare = Literal["", "previous", "year"]


@router.get(
    "/hospitals/{hospitalId}/stats",
    response={200: described(HospitalStats), **PROBLEMS},
    summary="A hospital in figures",
)
@declare("facility.stats")
def hospital_stats(
    request: HttpRequest,
    hospitalId: str,
    date: Day | None = None,
    first: First = None,
    last: Last = None,
    compare: Compare = "",
) -> HttpResponse:
    """Appointments by status, bookable doctors and free slots of today or another day, and under `now` what goes on.

    With `from`, `to` or `compare` (`previous`: as many days before; `year`: the same days a year ago) those who run the
    hospital get `range` as well: figures of up to 731 days until today, and each day or, of more than 45, each week.
    """
    return answers.reply(
        selectors.hospital(
            answers.viewer_of(request), answers.key(hospitalId), day=date, first=first, last=last, compare=compare
        )
    )


@router.get("/admin/analytics", response={200: described(Analytics), **PROBLEMS}, summary="Figures of one's hospitals")
@declare("analytics.view")
def analytics(request: HttpRequest, first: First = None, last: Last = None, compare: Compare = "") -> HttpResponse:
    """The figures of every hospital that the caller runs, over whole days: thirty until yesterday unless told."""
    return answers.reply(selectors.analytics(answers.viewer_of(request), first, last, compare))
