"""What is set for a hospital over REST: read, set from now or later, undo, every version; and its hours, for anyone."""

from __future__ import annotations

from typing import Annotated, Final, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from polyclinic.api import answers
from polyclinic.api.api import PROBLEMS
from polyclinic.api.schemas import Body, Limit, Moment, PageNumber, Text, Words, described, list_of
from polyclinic.facilities import settings
from polyclinic.facilities.settings import HoursRow, LetterRow, SettingRow, VersionRow
from polyclinic.scheduling import house
from polyclinic.web.access import declare

router = Router(tags=["Settings"])
_ONE: Final = {200: described(SettingRow), **PROBLEMS}
Number = Annotated[int, Field(ge=0, le=1_000_000)]


class Stranding(Body):
    """`seen`: the number of the newest version the caller knows, 0 when there is none. `acknowledged`: the appointments
    of a 409 that the caller has seen, and what becomes of them."""

    seen: Number
    department_id: UUID | None = None
    acknowledged: Annotated[list[UUID], Field(max_length=1000)] = []
    resolution: Literal["keep", "cancel"] = "keep"


class SettingWish(Stranding):
    """The new value as text, as the setting gives it, and from when on (now)."""

    value: Annotated[Text, Field(max_length=8000)]
    effective_from: Moment | None = None
    note: Annotated[Text, Field(max_length=200)] = ""


class Undoing(Stranding):
    """Which version's value is to hold again; 0: the one before anybody set it."""

    number: Number


@router.get("/hospitals/{hospitalId}/hours", response={200: described(HoursRow), **PROBLEMS}, summary="Opening hours")
@declare("public")
def read_hours(request: HttpRequest, hospitalId: str) -> HttpResponse:
    """The coming seven days, today first, and the coming holidays. Hours are minutes of the day on the wall clock."""
    return answers.reply(settings.opening_hours(answers.viewer_of(request), answers.key(hospitalId)))


@router.get("/hospitals/{hospitalId}/settings", response={200: list_of(SettingRow), **PROBLEMS}, summary="Settings")
@declare("setting.view")
def list_settings(
    request: HttpRequest,
    hospitalId: str,
    departmentId: UUID | None = None,
    page: PageNumber = 1,
    limit: Limit = 50,
    fields: Words | None = None,
) -> HttpResponse:
    """What is set for a hospital or one of its departments, and what is planned."""
    rows = settings.settings(answers.viewer_of(request), answers.key(hospitalId), departmentId)
    return answers.cut(request, rows, page, limit, fields)


@router.get(
    "/hospitals/{hospitalId}/settings/{settingKey}/versions",
    response={200: list_of(VersionRow), **PROBLEMS},
    summary="A setting's history",
)
@declare("setting.view")
def list_versions(
    request: HttpRequest,
    hospitalId: str,
    settingKey: str,
    departmentId: UUID | None = None,
    page: PageNumber = 1,
    limit: Limit = 50,
    fields: Words | None = None,
) -> HttpResponse:
    """Every version, newest first: who, when, from when on, and what it was before."""
    rows = settings.history(answers.viewer_of(request), answers.key(hospitalId), settingKey, departmentId)
    return answers.cut(request, rows, page, limit, fields)


@router.put("/hospitals/{hospitalId}/settings/{settingKey}", response=_ONE, summary="Set a setting")
@declare("setting.view")
def change_setting(request: HttpRequest, hospitalId: str, settingKey: str, body: SettingWish) -> HttpResponse:
    """A new version, from now or from a coming moment on; the old one is kept.

    Whoever has not seen the newest version gets 412 with both values (`mine`, `theirs`). Booked patients who would come
    while the house is closed are listed in a 409 (`appointments`); send their ids as `acknowledged` to go ahead.
    """
    person, place = answers.person_of(request), answers.key(hospitalId)
    house.change(
        actor=person, facility_id=place, key=settingKey, value=body.value, seen=body.seen,
        department_id=body.department_id, effective_from=body.effective_from, note=body.note,
        acknowledged=frozenset(body.acknowledged), resolution=body.resolution,
    )  # fmt: skip
    return answers.one(request, settings.one(person, place, settingKey, body.department_id))


@router.post("/hospitals/{hospitalId}/settings/{settingKey}/undo", response=_ONE, summary="Undo a setting")
@declare("setting.view")
def undo_setting(request: HttpRequest, hospitalId: str, settingKey: str, body: Undoing) -> HttpResponse:
    """A new version equal to an old one, from now on. Answers as setting it does."""
    person, place = answers.person_of(request), answers.key(hospitalId)

    def effect() -> tuple[int, object]:
        house.undo(
            actor=person, facility_id=place, key=settingKey, number=body.number, seen=body.seen,
            department_id=body.department_id, acknowledged=frozenset(body.acknowledged), resolution=body.resolution,
        )  # fmt: skip
        return 200, settings.one(person, place, settingKey, body.department_id)

    return answers.once(request, effect)


class Draft(Body):
    """The words to try: a subject, a line end, the text; empty for the usual ones. Null: those in force."""

    value: Annotated[Text, Field(max_length=8000)] | None = None


@router.post(
    "/hospitals/{hospitalId}/settings/{settingKey}/preview", response={200: described(LetterRow), **PROBLEMS},
    summary="How a letter would read",
)  # fmt: skip
@declare("setting.view")
def preview(request: HttpRequest, hospitalId: str, settingKey: str, body: Draft) -> HttpResponse:
    """With example values that are nobody's. 422 names an unknown placeholder; nothing is changed."""
    return answers.reply(settings.preview(answers.viewer_of(request), answers.key(hospitalId), settingKey, body.value))
