"""What is set for a hospital: hours, holidays and rules, what is planned, and every version there ever was."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from django.conf import settings as django_settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from polyclinic.core.errors import Invalid, Problem
from polyclinic.facilities import declared, hours, lettering, offers, reminding, settings
from polyclinic.facilities.setting import Overtaken
from polyclinic.portals import meanwhile
from polyclinic.portals.admin.doctors import place_of
from polyclinic.portals.admin.leave import Affected
from polyclinic.portals.admin.views import nav
from polyclinic.portals.common import FIRST_DAY, LAST_DAY, done, optional_id, person_of, see, show
from polyclinic.portals.doctor import forms
from polyclinic.portals.doctor.schedule import acknowledged, repeated, resolution
from polyclinic.scheduling import house
from polyclinic.scheduling.problems import PatientsStranded
from polyclinic.web.access import declare

# Word and colour of a version's standing.
STANDING: Final = {
    "in_force": (_("In force"), "ok"), "planned": (_("Planned"), "info"), "over": (_("Over"), ""),
    "replaced": (_("Replaced before it began"), ""),
}  # fmt: skip
# Which input a refusal of the domain is about.
_FIELDS: Final = {"effectiveFrom": "from_day", "value": "value"}


@declare("setting.view")
@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    place, places = place_of(request, "setting.view")
    return show(request, "admin/house.html", nav=nav(request, "house"), places=places, **_listed(request, place))


@declare("setting.view")
@require_GET
def state(request: HttpRequest) -> HttpResponse:
    """Only the settings, for when somebody changes one while the page is open."""
    place, _places = place_of(request, "setting.view")
    return show(request, "admin/_house.html", **_listed(request, place))


def _listed(request: HttpRequest, place: Any) -> dict[str, Any]:  # noqa: ANN401 - a PlaceRow of staff
    person = person_of(request)
    units = [
        (name, key, settings.settings(person, place.id, key)) for key, name in settings.departments(person, place.id)
    ]
    rows = settings.settings(person, place.id)
    return {
        "place": place, "rows": [row for row in rows if row.kind != "letter"], "units": units,
        "letters": [row for row in rows if row.kind == "letter"], "spoken": _spoken(),
    }  # fmt: skip


def _spoken() -> dict[str, str]:
    """The name of the language of each letter's words, where there is more than one."""
    if len(django_settings.LANGUAGES) < 2:
        return {}
    return {
        lettering.key_of(kind, language): str(name)
        for kind in lettering.KINDS
        for language, name in django_settings.LANGUAGES
    }


@declare("setting.view")
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, setting_key: str) -> HttpResponse:
    """One setting with its history; a POST sets it. Whoever knows an older value sees both, and nothing is set."""
    if service_id := offers.service_of(setting_key):
        return see(f"/admin/services/{service_id}")
    place, _places = place_of(request, "setting.view")
    unit = optional_id(request.GET.get("unit") or request.POST.get("unit"), "unit")
    row = settings.one(person_of(request), place.id, setting_key, unit)
    if request.method == "GET":
        return _page(request, place, row, unit)
    given = request.POST
    if row.kind == "letter" and given.get("try"):
        return _tried(request, place, row)

    def save() -> None:
        house.change(
            actor=person_of(request), facility_id=place.id, key=row.key, value=_value(given, row), seen=_seen(given),
            department_id=unit, effective_from=from_when(given, place.time_zone), note=given.get("note", ""),
            acknowledged=acknowledged(given), resolution=resolution(given),
        )  # fmt: skip

    return _try(request, place, row, unit, save, _("It is set."))


@declare("setting.view")
@require_POST
def undo(request: HttpRequest, setting_key: str) -> HttpResponse:
    """Set it once more as a version had it (`number`)."""
    place, _places = place_of(request, "setting.view")
    unit = optional_id(request.POST.get("unit"), "unit")
    row = settings.one(person_of(request), place.id, setting_key, unit)

    def save() -> None:
        house.undo(
            actor=person_of(request), facility_id=place.id, key=row.key, number=whole_number(request.POST, "number"),
            seen=_seen(request.POST), department_id=unit, acknowledged=acknowledged(request.POST),
            resolution=resolution(request.POST),
        )  # fmt: skip

    return _try(request, place, row, unit, save, _("It is undone: it is set as it was."))


def _try(
    request: HttpRequest, place: Any, row: settings.SettingRow, unit: UUID | None, save: Callable[[], None],  # noqa: ANN401
    sentence: Any,  # noqa: ANN401 - a lazy translation
) -> HttpResponse:  # fmt: skip
    """Save; or ask about the patients it concerns; or show what is wrong with everything still typed in."""
    back = f"/admin/house/{row.key}?place={place.id}" + (f"&unit={unit}" if unit else "")
    try:
        save()
    except PatientsStranded as stranded:
        found = msgspec.convert(stranded.extra["appointments"], list[Affected])
        return show(
            request, "admin/house_stranded.html", 409, rows=found, sent=repeated(request.POST), action=request.path,
            back=back, nav=nav(request, "house"), row=row,
        )  # fmt: skip
    except Overtaken as late:
        fresh = settings.one(person_of(request), place.id, row.key, unit)
        return _page(request, place, fresh, unit, late=late)
    except Problem as refused:
        if refused.status in (403, 404):
            raise
        return _page(request, place, row, unit, refused=refused)
    done(request, sentence)
    return see(back)


def _page(
    request: HttpRequest, place: Any, row: settings.SettingRow, unit: UUID | None, *,  # noqa: ANN401
    refused: Problem | None = None, late: Overtaken | None = None, shown: settings.LetterRow | None = None,
) -> HttpResponse:  # fmt: skip
    person, given = person_of(request), request.POST
    errors: dict[str, list[str]] = {}
    if refused is not None:
        errors = {_FIELDS.get(refused.field or "", refused.field or "__all__"): [str(refused.sentence)]}
    status = meanwhile.CHANGED if late else refused.status if refused else 200
    newest = declared.known(row.key).kind.read(row.newest)
    when = datetime.fromisoformat(late.extra["at"]) if late and late.extra["at"] else None
    return show(
        request, "admin/house_setting.html", status, nav=nav(request, "house"), place=place, row=row, unit=unit,
        unit_name=dict(settings.departments(person, place.id)).get(unit) if unit else "", errors=errors, given=given,
        late=late.extra if late else None, late_at=when, versions=settings.history(person, place.id, row.key, unit),
        standing=STANDING, week=_week(newest, given) if row.kind == "week" else [],
        holidays=[(one.day.isoformat(), declared.holiday_said(one)) for one in newest]
        if row.kind == "holidays" else [], offsets=list(reminding.WORDS.items()),
        letter=(shown or settings.preview(person, place.id, row.key)) if row.kind == "letter" else None, tried=shown,
        spoken=_spoken(),
    )  # fmt: skip


def _week(newest: hours.Week, given: QueryDict) -> list[tuple[str, str, str]]:
    """(field, weekday, hours) as they are, or as they were typed."""
    known = newest.days or ((),) * 7
    names = declared.weekdays()
    return [
        (day, name, given.get(day, "")[:120] if "mon" in given else hours.clock_text(open_))
        for day, name, open_ in zip(hours.DAYS, names, known, strict=True)
    ]


def _value(given: QueryDict, row: settings.SettingRow) -> str:
    """The value that a form of its kind was filled in with, as text."""
    if row.kind == "week":
        days = [(day, hours.read_stretches(given.get(day, "")[:120], day)) for day in hours.DAYS]
        return "; ".join(f"{day} {hours.clock_text(open_)}" for day, open_ in days if open_)
    if row.kind == "holidays":
        return _holidays(given, row)
    if row.kind == "letter":
        return f"{given.get('subject', '')[:400]}\n{given.get('body', '')[:5000]}"
    if row.kind == "reminders":
        return " ".join(given.getlist("reminders"))[:200]
    return given.get("value", "")[:200]


def _holidays(given: QueryDict, row: settings.SettingRow) -> str:
    """One holiday more, or one less. `seen` says that nobody changed the others meanwhile."""
    known = hours.read_holidays(row.newest)
    if gone := given.get("remove"):
        return hours.write_holidays([one for one in known if one.day.isoformat() != gone])
    more = hours.holiday(given.get("day", "")[:10], given.get("name", "")[:100], given.get("hours", "")[:120])
    if any(one.day == more.day for one in known):
        raise Invalid(_("There is a holiday on this day already."), code="taken", field="day")
    return hours.write_holidays([*known, more])


def from_when(given: QueryDict, zone: str) -> datetime | None:
    """The moment from which on it is to hold, in the clock of the house; None for now."""
    text = given.get("from_day", "").strip()
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    if not FIRST_DAY <= day <= LAST_DAY:
        raise Invalid(_("Write the day as year-month-day, for example 2026-11-21."), field="from_day")
    at = given.get("from_time", "").strip()
    wall = forms.read_time(at[:8], "from_time") if at else datetime.min.time()
    return datetime.combine(day, wall, ZoneInfo(zone))


def _tried(request: HttpRequest, place: Any, row: settings.SettingRow) -> HttpResponse:  # noqa: ANN401
    """The letter with the words that were typed, and nothing set."""
    try:
        shown = settings.preview(person_of(request), place.id, row.key, _value(request.POST, row))
    except Invalid as refused:
        return _page(request, place, row, None, refused=refused)
    return _page(request, place, row, None, shown=shown)


def _seen(given: QueryDict) -> int:
    return whole_number(given, "seen")


def whole_number(given: QueryDict, name: str, sentence: Any = None) -> int:  # noqa: ANN401 - a lazy translation
    """A number of our own form, or one that was typed, for which `sentence` says what is wrong with it."""
    text = given.get(name, "").strip()
    if not (text.isascii() and text.isdecimal() and len(text) < 9):
        raise Invalid(sentence or _("This page is out of date. Reload and try again."), field=name)
    return int(text)
