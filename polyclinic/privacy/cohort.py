"""Whose visits may be used for research, and what of them: the raw side of an export, which never leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from importlib.resources import files
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings

from polyclinic.consent.models import Consent, Purpose
from polyclinic.consent.states import ACTIVE
from polyclinic.core import clock
from polyclinic.facilities.models import Facility
from polyclinic.people.erasing import ERASED
from polyclinic.privacy.restrictions import all_restricted
from polyclinic.scheduling.models import Appointment


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit of one patient. `moved`: how often it was rescheduled; `days_ahead`: whole days booked before it."""

    patient: UUID
    facility: UUID
    country: str
    born: date
    sex: str
    specialty: str
    starts: datetime  # in the facility's own time
    minutes: int
    days_ahead: int
    moved: int
    outcome: str


def gather(facility_ids: Sequence[UUID], first: date, last: date) -> tuple[list[Visit], int]:
    """The visits of the period of everyone who lets them be used, and how many patients do not."""
    places = {place.pk: place for place in Facility.objects.filter(pk__in=facility_ids)}
    visits: list[Visit] = []
    for place in places.values():
        zone = ZoneInfo(place.time_zone)
        start = datetime.combine(first, time(0), zone)
        end = datetime.combine(last + timedelta(days=1), time(0), zone)
        rows = (
            Appointment.objects.filter(facility_id=place.pk, starts__gte=start, starts__lt=end)
            .exclude(patient__family_name=ERASED)
            .values_list("patient_id", "patient__born", "patient__sex", "doctor__specialty", "starts", "ends",
                         "booked_at", "rescheduled", "state")
        )  # fmt: skip
        country = country_of(place.time_zone)
        visits += [_visit(cells, place.pk, country, zone) for cells in rows.iterator(2000)]
    willing = _Willing(list(places))
    kept = [visit for visit in visits if willing.lets(visit)]
    return kept, len({visit.patient for visit in visits} - {visit.patient for visit in kept})


def _visit(cells: Any, place: UUID, country: str, zone: ZoneInfo) -> Visit:  # noqa: ANN401 - a row of the query
    patient, born, sex, specialty, starts, ends, booked, moved, outcome = cells
    minutes = int((ends - starts).total_seconds()) // 60
    return Visit(
        patient, place, country, born, sex, specialty, starts.astimezone(zone), minutes,
        max(0, (starts - booked).days), moved, outcome,
    )  # fmt: skip


class _Willing:
    """Who lets their data be used, at which facility. A consent is a patient's last word about that facility.

    By `opt-out` everyone does whose last word on research is not withdrawn or run out; by `opt-in` only those whose
    word is in force. Whose record is restricted does not. A word taken back from one researcher counts
    everywhere.
    """

    def __init__(self, places: Sequence[UUID]) -> None:
        last: dict[tuple[UUID, UUID | None], bool] = {}
        now = clock.now()
        rows = Consent.objects.filter(purpose=Purpose.RESEARCH).order_by("granted_at", "pk")
        for patient, place, state, until in rows.values_list("patient_id", "facility_id", "state", "expires_at"):
            last[patient, place] = state == ACTIVE and (until is None or now < until)
        self._last = last
        self._opt_in = settings.RESEARCH_CONSENT == "opt-in"
        self._restricted = all_restricted()

    def lets(self, visit: Visit) -> bool:
        if visit.patient in self._restricted or self._last.get((visit.patient, None)) is False:
            return False
        return self._last.get((visit.patient, visit.facility), not self._opt_in)


@cache
def country_of(zone: str) -> str:
    """The ISO 3166 code of the country a time zone is used in; "" for one that names no country (UTC)."""
    for line in files("tzdata").joinpath("zoneinfo/zone.tab").read_text(encoding="utf-8").splitlines():
        cells = line.split("\t")
        if not line.startswith("#") and len(cells) > 2 and cells[2] == zone:
            return cells[0]
    return ""
