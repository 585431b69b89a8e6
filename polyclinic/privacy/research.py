"""Anonymised data for research: gathered, made unrecognisable, counted again, recorded, and only then handed out.

What leaves is a zip: the visits as CSV, and a report of how far they protect. The free text of a visit never leaves,
and neither does any of the eighteen identifiers of 45 CFR 164.514 (b)(2). What the key was is kept nowhere.
"""

from __future__ import annotations

import csv
import hashlib
import io
import secrets
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
from django.template import engines
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor, Person, SystemActor, Viewer
from polyclinic.core.audit import reads
from polyclinic.core.db import transactional
from polyclinic.core.errors import Conflict, Invalid, NotFound, Unauthenticated
from polyclinic.facilities.models import Facility
from polyclinic.privacy import anonymising, cohort
from polyclinic.privacy.anonymising import Key, Levels, Quasi
from polyclinic.privacy.cohort import Visit
from polyclinic.privacy.models import ResearchExport

LEAST_K: Final = 5
MOST_K: Final = 1000
LONGEST: Final = timedelta(days=3660)
_LEAST_KEY: Final = 32
_COLUMNS: Final = (
    "patient", "age", "sex", "country", "specialties", "date", "hour", "specialty", "minutes", "days_ahead", "moved",
    "outcome",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for. `key` (at least 32 bytes) makes two exports fit together; without it one is drawn and thrown
    away. `years_only` tells of each date the year alone; otherwise dates are shifted, by whole weeks with `weekdays`.
    """

    facility_ids: tuple[UUID, ...]
    first: date
    last: date
    purpose: str
    approval: str
    k: int = LEAST_K
    weekdays: bool = False
    years_only: bool = False
    key: bytes | None = None


class Report(msgspec.Struct, frozen=True, rename="camel"):
    """How far a released table protects. Counts are of people, not rows, unless they say so."""

    made_at: datetime
    facilities: int
    first_day: date
    last_day: date
    purpose: str
    approval: str
    k_asked: int
    k_reached: int
    patients: int
    rows: int
    unwilling: int
    suppressed: int
    suppressed_rows: int
    classes: dict[int, int]
    sensitive: str
    l_reached: int
    diversities: dict[int, int]
    levels: dict[str, int]
    generalised: list[str]
    dates: str
    keyed: bool
    notes: list[str]


@dataclass(frozen=True, slots=True)
class Made:
    """An export as it is handed out."""

    id: UUID
    content: bytes
    report: Report


class ExportRow(msgspec.Struct, frozen=True, rename="camel"):
    """An export that was made."""

    id: UUID
    facilities: tuple[str, ...]
    purpose: str
    approval: str
    first_day: date
    last_day: date
    k: int
    patients: int
    rows: int
    made_at: datetime
    digest: str


def export(*, actor: Actor, wanted: Wanted) -> Made:
    """Make an export, and put on record that it was made. That the person has just stepped up is the caller's to ask.

    Raises Forbidden, Invalid naming `facility`, `from`, `to`, `k`, `purpose`, `approval` or `key`, and Conflict
    (too_few) when fewer than k patients are left: nothing is then released.
    """
    _check(actor, wanted)
    visits, unwilling = cohort.gather(wanted.facility_ids, wanted.first, wanted.last)
    key = wanted.key or secrets.token_bytes(32)
    released, report = _anonymise(visits, unwilling, wanted, key)
    content = _pack(released, report)
    return Made(_note(actor, wanted, report, content, visits), content, report)


def exports(viewer: Viewer) -> list[ExportRow]:
    """Exports of data of the viewer's facilities alone, newest first."""
    if not isinstance(viewer, Person):
        raise Unauthenticated()
    places = policy.places(viewer, "research.export")
    rows = ResearchExport.objects.filter(facilities__in=places).exclude(
        facilities__in=Facility.objects.exclude(pk__in=places)
    )
    return [_row(row) for row in rows.distinct().prefetch_related("facilities").order_by("-made_at")[:100]]


def _row(row: ResearchExport) -> ExportRow:
    return ExportRow(
        id=row.pk, facilities=tuple(place.name for place in row.facilities.all()), purpose=row.purpose,
        approval=row.approval, first_day=row.first_day, last_day=row.last_day, k=row.report["kReached"],
        patients=row.report["patients"], rows=row.report["rows"], made_at=row.made_at, digest=row.digest,
    )  # fmt: skip


def _check(actor: Actor, wanted: Wanted) -> None:
    if not isinstance(actor, Person | SystemActor):
        raise Unauthenticated()
    found = set(Facility.objects.filter(pk__in=wanted.facility_ids).values_list("pk", flat=True))
    if not wanted.facility_ids:
        raise Invalid(_("Choose a hospital."), code="required", field="facility")
    for place in wanted.facility_ids:
        if place not in found or not policy.allowed(actor, "research.export", Subject(facility_id=place)):
            raise NotFound(field="facility")
    if not LEAST_K <= wanted.k <= MOST_K:
        raise Invalid(_("Groups have from 5 to 1,000 people."), field="k", minimum=LEAST_K, maximum=MOST_K)
    if wanted.last < wanted.first:
        raise Invalid(_("The last day is before the first."), field="to")
    if wanted.last - wanted.first > LONGEST:
        raise Invalid(_("Choose at most ten years."), field="to")
    for field, text, most in (("purpose", wanted.purpose, 300), ("approval", wanted.approval, 160)):
        if not text.strip():
            raise Invalid(_("Say it in your own words."), code="required", field=field)
        if len(text) > most:
            raise Invalid(_("This is too long."), code="too_long", field=field, maxLength=most)
    if wanted.key is not None and len(wanted.key) < _LEAST_KEY:
        raise Invalid(_("A key has at least 32 bytes."), field="key")


def _anonymise(
    visits: Sequence[Visit], unwilling: int, wanted: Wanted, key: bytes
) -> tuple[list[dict[str, object]], Report]:
    people = _people(visits, wanted)
    found = anonymising.fit(people, wanted.k)
    if not found.kept:
        raise Conflict(
            _("Fewer patients than a group needs: nothing can be released. Choose a longer period."), code="too_few"
        )
    classes = {who: anonymising.coarse(quasi, found.levels) for who, quasi in people.items() if who in found.kept}
    released = [_released(visit, classes[visit.patient], found.levels, wanted, key) for visit in visits
                if visit.patient in classes]  # fmt: skip
    # The order of the database tells who came first; the order of pseudonyms tells nothing.
    released.sort(key=lambda row: (row["patient"], row["date"], row["hour"]))
    measured = anonymising.measure((_class_of(row), str(row["patient"]), str(row["outcome"])) for row in released)
    if measured.k < wanted.k:
        raise RuntimeError("an export would have been released with too small a class")
    report = Report(
        made_at=clock.now(), facilities=len(wanted.facility_ids), first_day=wanted.first, last_day=wanted.last,
        purpose=wanted.purpose.strip(), approval=wanted.approval.strip(), k_asked=wanted.k, k_reached=measured.k,
        patients=len(classes), rows=len(released), unwilling=unwilling, suppressed=found.left_out,
        suppressed_rows=len(visits) - len(released), classes=measured.classes, sensitive="outcome",
        l_reached=measured.diversity, diversities=measured.diversities, levels=_levels(found.levels),
        generalised=_generalised(found.levels), dates=_dates(wanted), keyed=wanted.key is not None,
        notes=_notes(wanted, measured.diversity),
    )  # fmt: skip
    return released, report


def _people(visits: Iterable[Visit], wanted: Wanted) -> dict[UUID, Quasi]:
    """What somebody could know of each patient: all countries and specialties of the period together."""
    of: defaultdict[UUID, list[Visit]] = defaultdict(list)
    for visit in visits:
        of[visit.patient].append(visit)
    return {
        who: Quasi(
            _age(theirs[0].born, wanted.first), theirs[0].sex, frozenset(one.country for one in theirs),
            frozenset(one.specialty for one in theirs),
        )
        for who, theirs in of.items()
    }  # fmt: skip


def _age(born: date, on: date) -> int:
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def _released(visit: Visit, told: Key, levels: Levels, wanted: Wanted, key: bytes) -> dict[str, object]:
    """One row as it leaves."""
    moved_by = timedelta(days=anonymising.shift_of(key, visit.patient, weekdays=wanted.weekdays))
    age, sex, country, specialties = told
    day: object = visit.starts.year if wanted.years_only else (visit.starts.date() + moved_by).isoformat()
    values = (
        anonymising.pseudonym(key, visit.patient), age, sex, country, specialties, day, visit.starts.hour,
        anonymising.specialty(visit.specialty, levels.specialty), visit.minutes, visit.days_ahead, visit.moved,
        visit.outcome,
    )  # fmt: skip
    return dict(zip(_COLUMNS, values, strict=True))


def _class_of(row: dict[str, object]) -> Key:
    return str(row["age"]), str(row["sex"]), str(row["country"]), str(row["specialties"])


def _levels(levels: Levels) -> dict[str, int]:
    return {"age": levels.age, "sex": levels.sex, "country": levels.country, "specialty": levels.specialty}


def _generalised(levels: Levels) -> list[str]:
    """What was told more coarsely than it is known, in words."""
    width = anonymising.BANDS[levels.age]
    said = [f"age in bands of {width} years, 90 and older together" if width else "age left out"]
    said += ["sex left out"] * levels.sex
    said += ["country left out" if levels.country else "place told as the country"]
    said += [("", "specialties as groups", "specialties left out")[levels.specialty]] if levels.specialty else []
    return said


def _dates(wanted: Wanted) -> str:
    if wanted.years_only:
        return "years only"
    return "shifted by whole weeks, up to 52" if wanted.weekdays else "shifted by -365 to +364 days"


def _notes(wanted: Wanted, diversity: int) -> list[str]:
    """What the reader of the report must know and might not ask."""
    said = [
        "Classes are made of age, sex, country and all specialties of a person. Hour, length, days ahead and moves are "
        "not part of them: whoever knows exact visits of a person may still recognise a pattern.",
        "Names, record numbers, telephone numbers, addresses, accounts, doctors, rooms, services and the reason in the "
        "patient's words are not in the table. Postcodes are not kept, so none had to be shortened.",
    ]
    if diversity < 2:
        said.append("Some classes have one outcome alone: it is then known of everyone in them.")
    if not wanted.years_only:
        said.append(
            "Dates are shifted, the same way for all of one patient. 45 CFR 164.514 (b)(2) by its letter allows years "
            "only; shifted dates are for an expert's determination under (b)(1)."
        )
    return said


def _pack(released: Sequence[dict[str, object]], report: Report) -> bytes:
    table = io.StringIO()
    writer = csv.DictWriter(table, _COLUMNS)
    writer.writeheader()
    writer.writerows(released)
    page = engines["jinja2"].get_template("privacy/research_report.html").render({"report": report})
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as box:
        box.writestr("visits.csv", table.getvalue())
        box.writestr("report.json", msgspec.json.format(msgspec.json.encode(report), indent=2))
        box.writestr("report.html", page)
    return packed.getvalue()


@transactional
def _note(actor: Actor, wanted: Wanted, report: Report, content: bytes, visits: Sequence[Visit]) -> UUID:
    """The export's own row, an audit entry for each facility, and that the records were read for it."""
    row = ResearchExport(
        purpose=report.purpose, approval=report.approval, first_day=wanted.first, last_day=wanted.last,
        report=msgspec.to_builtins(report, str_keys=True), digest=hashlib.sha256(content).hexdigest(),
        made_by=actor.label,
    )  # fmt: skip
    row.save(force_insert=True)
    row.facilities.set(Facility.objects.filter(pk__in=wanted.facility_ids))
    for place in wanted.facility_ids:
        policy.require(actor, "research.export", Subject(facility_id=place))
        ledger.record(
            actor=actor, action="research.export", row=row, subject=Subject(facility_id=place),
            detail={"k": report.k_reached, "patients": report.patients, "digest": row.digest},
        )  # fmt: skip
    reads.listed(actor, "appointment", row.pk, {(one.patient, one.facility) for one in visits}, purpose="research")
    return row.pk
