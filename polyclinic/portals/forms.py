"""Reading what forms of several portals send: days, two identifiers, for whom."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext_lazy as _

from polyclinic.core.errors import Invalid, NotFound, Problem
from polyclinic.core.ids import parse_id
from polyclinic.portals.auth.forms import month_number
from polyclinic.portals.common import FIRST_DAY, LAST_DAY, patient_of, person_of
from polyclinic.privacy.lookup import Identifiers


def end_of(text: str, field: str = "until") -> datetime | None:
    """The end of the day given as 2026-11-21, in UTC; None when none is given. Raises Invalid naming `field`."""
    if not text.strip():
        return None
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        day = date.min
    if not FIRST_DAY <= day <= LAST_DAY:
        raise Invalid(_("Write the day as year-month-day, for example 2026-11-21."), field=field)
    return datetime.combine(day + timedelta(days=1), time(0), UTC)


def identifiers_of(given: QueryDict) -> Identifiers:
    """The two identifiers of a form: the date of birth in three boxes, and record number or name."""
    born = birth_of(given)
    texts = {name: given.get(name, "").strip()[:80] for name in ("mrn", "family_name", "given_name")}
    found = Identifiers(born=born, **texts)
    found.check()
    return found


def birth_of(given: QueryDict) -> date:
    day, month, year = (given.get(f"born_{part}", "").strip()[:12] for part in ("day", "month", "year"))
    number = month_number(month)
    try:
        return date(int(year), number or 0, int(day))
    except (ValueError, OverflowError):
        raise Invalid(_("Enter the date of birth: day, month and year."), field="born") from None


def errors_of(problem: Problem) -> dict[str, list[str]]:
    """A refusal as the form parts show it."""
    return {problem.field or "__all__": [str(problem.sentence)]}


def decided_for(request: HttpRequest) -> UUID:
    """Whose record a page of decisions is about: one's own, or (`for=`) a patient one is parent or guardian of."""
    text = request.POST.get("for") or request.GET.get("for")
    if not text:
        return patient_of(request)
    found, person = parse_id(text), person_of(request)
    if found is None or (found != person.patient_id and found not in person.represents):
        raise NotFound()
    return found
