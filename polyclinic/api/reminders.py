"""Reminders over REST: saying that one comes, which reminders one gets, and the address of one's calendar."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Literal

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from polyclinic.api import answers
from polyclinic.api.api import PROBLEMS
from polyclinic.api.schemas import Body, Text, described
from polyclinic.core.errors import NotFound
from polyclinic.reminders import actions, selectors
from polyclinic.reminders.selectors import ChoiceRow
from polyclinic.web.access import declare

router = Router(tags=["Reminders"])


class AnswerRow(msgspec.Struct, frozen=True, rename="camel"):
    """What the patient said of an appointment's present time: null when nothing yet, else when they said they come."""

    coming_at: datetime | None


class CalendarRow(msgspec.Struct, frozen=True, rename="camel"):
    """The private address of one's calendar. Whoever has it sees one's times."""

    address: str
    made_at: datetime


class Answer(Body):
    """That the patient comes. Who does not cancels the appointment."""

    answer: Literal["coming"]


class ChoiceWish(Body):
    """Some of `booking`, `7d`, `48h`, `24h` and `2h`; an empty list: none. `version` 0: nothing was chosen before."""

    reminders: Annotated[list[Annotated[Text, Field(max_length=20)]], Field(max_length=20)]
    version: Annotated[int, Field(ge=0, le=1_000_000)] | None = None


_ANSWER: Final = {200: described(AnswerRow), **PROBLEMS}
_CHOICE: Final = {200: described(ChoiceRow), **PROBLEMS}
_CALENDAR: Final = {200: described(CalendarRow), **PROBLEMS}


@router.get("/appointments/{appointmentId}/answer", response=_ANSWER, summary="Whether the patient said they come")
@declare("appointment.view")
def read_answer(request: HttpRequest, appointmentId: str) -> HttpResponse:
    """About the time the appointment has now: what was said of an earlier one is over."""
    return _answer(request, appointmentId)


@router.post("/appointments/{appointmentId}/answer", response=_ANSWER, summary="Say that one comes")
@declare("appointment.answer")
def answer(request: HttpRequest, appointmentId: str, body: Answer) -> HttpResponse:
    """The doctor and the front desk see it at once. Said twice it is said once; 409 for what is not ahead any more."""
    actions.come(actor=answers.person_of(request), appointment_id=answers.key(appointmentId))
    return _answer(request, appointmentId)


def _answer(request: HttpRequest, key: str) -> HttpResponse:
    return answers.reply(AnswerRow(selectors.answer(answers.viewer_of(request), answers.key(key))))


@router.get("/me/reminders", response=_CHOICE, summary="Which reminders one gets")
@declare("signed-in")
def read_choice(request: HttpRequest) -> HttpResponse:
    """Of these one gets those that the hospital of an appointment sends."""
    return answers.one(request, selectors.choice(answers.viewer_of(request)))


@router.put("/me/reminders", response=_CHOICE, summary="Choose one's reminders")
@declare("signed-in")
def choose(request: HttpRequest, body: ChoiceWish) -> HttpResponse:
    """If-Match refuses a stale choice."""
    person = answers.person_of(request)
    actions.choose(actor=person, wanted=body.reminders, version=answers.expected_version(request, body.version))
    return answers.reply(selectors.choice(person))


@router.get("/me/calendar", response=_CALENDAR, summary="The address of one's calendar")
@declare("signed-in")
def read_calendar(request: HttpRequest) -> HttpResponse:
    """404 while it has none."""
    return _calendar(request)


@router.post("/me/calendar", response=_CALENDAR, summary="Give one's calendar another address")
@declare("signed-in")
def open_calendar(request: HttpRequest) -> HttpResponse:
    """The address before this one shows nothing from now on."""
    actions.open_feed(actor=answers.person_of(request))
    return _calendar(request)


@router.delete("/me/calendar", response={204: None, **PROBLEMS}, summary="Take the address away")
@declare("signed-in")
def end_calendar(request: HttpRequest) -> HttpResponse:
    """Where there is none nothing happens."""
    actions.end_feed(actor=answers.person_of(request))
    return HttpResponse(status=204)


def _calendar(request: HttpRequest) -> HttpResponse:
    found = selectors.feed(answers.viewer_of(request))
    if found is None:
        raise NotFound()
    response = answers.reply(CalendarRow(f"{settings.PUBLIC_URL}{found.path}", found.made_at))
    response.headers["Cache-Control"] = "no-store"
    return response
