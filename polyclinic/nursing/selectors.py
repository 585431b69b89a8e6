"""What the ward's work lets people see: the round's list, and what was measured and noted of one stay."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q

from polyclinic.core import clock
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Viewer
from polyclinic.core.audit import reads
from polyclinic.core.crypto.fields import column
from polyclinic.core.errors import NotFound
from polyclinic.inpatient.models import BedStay, Ward
from polyclinic.inpatient.rows import StayRow
from polyclinic.inpatient.selectors import _stay as stay_row
from polyclinic.inpatient.states import DEPARTED, IN_BED
from polyclinic.nursing import rules, sheet, sight
from polyclinic.nursing.models import DischargeSummary, Dose, Observation, RoundNote, RoundNoteVersion
from polyclinic.nursing.rows import NoteRow, ObservationRow, RoundRow
from polyclinic.nursing.states import RECORDED, SIGNED
from polyclinic.people import joined
from polyclinic.records import bodies, scores, vitals
from polyclinic.records import sight as records
from polyclinic.records.models import Allergy, AllergyList, VitalSet
from polyclinic.records.rows import ScoreRow
from polyclinic.scheduling.sight import visible

# How many scores the small drawing shows.
TREND: Final = 12
# Stays of one patient that are shown at once.
MOST: Final = 50
_URGENCY: Final = {"overdue": 0, "due": 1, "later": 2}


def ward_round(viewer: Viewer, facility_id: UUID, ward_id: UUID, *, by: str = "need") -> list[RoundRow]:
    """Everybody who lies in a ward, those in need first: the highest NEWS2, then who is overdue; or `by` bed.

    Raises NotFound where the viewer may not see what is measured, and for another house's ward.
    """
    policy.require_sight(viewer, "vitals.view", Subject(facility_id=facility_id))
    if not Ward.objects.filter(pk=ward_id, facility_id=facility_id).exists():
        raise NotFound()
    query = sight.stays().filter(visible(viewer, "vitals.view"), facility_id=facility_id, bed__ward_id=ward_id)
    found = _rows(viewer, list(query.filter(state__in=IN_BED)))
    reads.listed(viewer, "bedside", facility_id, ((row.stay.patient_id, row.stay.facility_id) for row in found))
    return sorted(found, key=in_need if by == "need" else by_bed)


def round_row(viewer: Viewer, stay_id: UUID) -> RoundRow:
    """One patient of a round. Raises NotFound, also for who does not lie in bed (any more)."""
    row = sight.stay(viewer, "vitals.view", stay_id)
    if row.state not in IN_BED:
        raise NotFound()
    sight.looked(viewer, row)
    return _rows(viewer, [row])[0]


def without_summary(viewer: Viewer, facility_id: UUID, ward_id: UUID) -> list[StayRow]:
    """Who left this ward in the last thirty days and has no signed discharge summary, the last to leave first."""
    policy.require_sight(viewer, "summary.view", Subject(facility_id=facility_id))
    since = clock.now() - rules.LOOK_BACK * 30
    signed = DischargeSummary.objects.filter(state=SIGNED).values("stay_id")
    query = sight.stays().filter(visible(viewer, "summary.view"), facility_id=facility_id, bed__ward_id=ward_id)
    rows = query.filter(state=DEPARTED, ended_at__gt=since).exclude(pk__in=signed).order_by("-ended_at")[:50]
    found = [stay_row(viewer, row) for row in rows]
    reads.listed(viewer, "bedside", facility_id, ((row.patient_id, row.facility_id) for row in found))
    return found


def stay(viewer: Viewer, stay_id: UUID) -> StayRow:
    """One stay for whoever works beside its bed. Raises NotFound."""
    row = sight.stay(viewer, "vitals.view", stay_id)
    sight.looked(viewer, row)
    return stay_row(viewer, row)


def observations(viewer: Viewer, stay_id: UUID) -> list[ObservationRow]:
    """The signs of a stay and of the visit that led to it, oldest first, withdrawn ones among them. Raises NotFound."""
    row = sight.stay(viewer, "vitals.view", stay_id)
    sight.looked(viewer, row)
    return _observations([row])[row.pk]


def course(
    viewer: Viewer, patient_id: UUID, *, since: datetime | None = None
) -> list[tuple[StayRow, list[ObservationRow]]]:
    """A patient's stays that the viewer may see into, newest first, with what was measured beside the bed.

    `since`: those that went on after it. Raises NotFound for whom none of it can be.
    """
    query = sight.stays().filter(visible(viewer, "vitals.view"), patient_id__in=joined.same(patient_id))
    if since is not None:
        query = query.filter(Q(ended_at__isnull=True) | Q(ended_at__gte=since))
    rows = list(query.filter(admitted_at__isnull=False).order_by("-admitted_at", "-pk")[:MOST])
    if not rows:
        records.patient(viewer, "vitals.view", patient_id)
    measured = _observations(rows)
    reads.listed(viewer, "bedside", patient_id, ((row.patient_id, row.facility_id) for row in rows))
    return [(stay_row(viewer, row), [one for one in measured[row.pk] if one.here]) for row in rows]


def round_note(viewer: Viewer, stay_id: UUID) -> NoteRow:
    """The round's note as it stands, version 0 and empty when there is none. Raises NotFound."""
    row = sight.stay(viewer, "note.view", stay_id)
    sight.looked(viewer, row)
    found = RoundNote.objects.filter(stay=row).first()
    return NoteRow(found.body, found.version, found.saved_at, found.author) if found else NoteRow("", 0, None, "")


def round_note_versions(viewer: Viewer, stay_id: UUID) -> list[NoteRow]:
    """Every wording of the round's note, newest first. Raises NotFound."""
    row = sight.stay(viewer, "note.view", stay_id)
    sight.looked(viewer, row)
    kept = RoundNoteVersion.objects.filter(note__stay=row).order_by("-version")
    return [NoteRow(one.body, one.version, one.saved_at, one.author) for one in kept]


def first_ward(viewer: Viewer, facility_id: UUID, wards: Sequence[UUID]) -> UUID:
    """Which of these wards a round begins with: where the viewer last measured or gave something for somebody who
    lies there now, else the first in which anybody lies, else the first. Raises NotFound."""
    policy.require_sight(viewer, "vitals.record", Subject(facility_id=facility_id))
    lying = BedStay.objects.filter(facility_id=facility_id, state__in=IN_BED, bed__ward_id__in=wards)
    own = viewer.label
    signs = Observation.objects.filter(stay__in=lying, made_by=own).order_by("-made_at")
    doses = Dose.objects.filter(order__stay__in=lying, recorded_by=own).order_by("-recorded_at")
    last = [
        signs.values_list("made_at", "stay__bed__ward_id"),
        doses.values_list("recorded_at", "order__stay__bed__ward_id"),
    ]
    mine = sorted((row for query in last if (row := query.first())), reverse=True)
    if mine:
        return UUID(str(mine[0][1]))
    there = set(lying.values_list("bed__ward_id", flat=True))
    return next((one for one in wards if one in there), wards[0])


def in_need(row: RoundRow) -> tuple[int, int, int, str]:
    """Where a patient stands in a list by need."""
    total = -1 if row.total is None else row.total
    return -total, _URGENCY[row.observation], -row.late_doses, by_bed(row)


def by_bed(row: RoundRow) -> str:
    """Where a patient stands in a list by bed, with the numbers in names as people count."""
    return "".join(part.zfill(6) if part.isdigit() else part for part in _parts(row.stay.bed_name.casefold()))


def _parts(text: str) -> list[str]:
    found = [""]
    for letter in text:
        if found[-1] and letter.isdigit() != found[-1].isdigit():
            found.append("")
        found[-1] += letter
    return found


def _rows(viewer: Viewer, stays: Sequence[BedStay]) -> list[RoundRow]:
    """The rows of these stays, in as many questions however many they are."""
    measured = _observations(stays)
    allergies = _allergies([row.patient_id for row in stays])
    late = sheet.late([row for row in stays if policy.allowed(viewer, "medication.view", _subject(row))])
    summaries = dict(DischargeSummary.objects.filter(stay__in=stays).values_list("stay_id", "state"))
    return [
        _row(viewer, row, measured[row.pk], allergies[row.patient_id], late.get(row.pk, 0), summaries.get(row.pk, ""))
        for row in stays
    ]


def _row(
    viewer: Viewer, row: BedStay, measured: Sequence[ObservationRow], allergies: tuple[str, ...] | None, late: int,
    summary: str,
) -> RoundRow:  # fmt: skip
    standing = [one for one in measured if one.status == RECORDED]
    last = standing[-1] if standing else None
    came = row.admitted_at or row.requested_at
    # Signs of the visit before say how the patient was; when to look again counts from the bed.
    due = rules.next_observation(last.score.risk if last else None, last.taken_at if last else None, came)
    zone = ZoneInfo(row.facility.time_zone)
    trend = [(one.taken_at, one.score.total) for one in standing if one.score.total is not None]
    return RoundRow(
        stay=stay_row(viewer, row), allergies=allergies,
        day=(clock.now().astimezone(zone).date() - came.astimezone(zone).date()).days + 1,
        total=last.score.total if last else None, risk=last.score.risk if last else None,
        not_for=last.score.not_for if last else "", taken_at=last.taken_at if last else None,
        trend=tuple(trend[-TREND:]), observation=due.state(clock.now()), due_at=due.at, continuous=due.continuous,
        late_doses=late, summary=summary,
    )  # fmt: skip


def _subject(row: BedStay) -> Subject:
    return Subject(row.patient_id, row.doctor_id, row.facility_id)


def _observations(stays: Sequence[BedStay]) -> dict[UUID, list[ObservationRow]]:
    """What was measured of each stay and of its visit, oldest first."""
    found: dict[UUID, list[ObservationRow]] = {row.pk: [] for row in stays}
    by_id = {row.pk: row for row in stays}
    visits: dict[UUID | None, list[UUID]] = defaultdict(list)
    for row in stays:
        if row.visit_id:
            visits[row.visit_id].append(row.pk)
    here = list(Observation.objects.filter(stay_id__in=list(found)))
    before = list(VitalSet.objects.filter(visit_id__in=list(visits))) if visits else []
    column(Observation, "body").warm([str(one.__dict__["body"]) for one in (*here, *before)])
    for one in here:
        found[one.stay_id].append(_observation(one, by_id[one.stay_id], here=True))
    for old in before:
        for stay_id in visits[old.visit_id]:
            found[stay_id].append(_observation(old, by_id[stay_id], here=False))
    for rows in found.values():
        rows.sort(key=lambda one: (one.taken_at, one.id))
    return found


def _observation(row: Any, stay: BedStay, *, here: bool) -> ObservationRow:  # noqa: ANN401 - Observation or VitalSet
    body = bodies.read_vitals(row.body) if row.body else bodies.VitalsBody({})
    score: ScoreRow = scores.of(body, stay.patient.born, row.taken_at)
    return ObservationRow(
        id=row.pk, stay_id=stay.pk, patient_id=stay.patient_id,
        taken_at=row.taken_at, author=row.author, status=row.state, version=row.version,
        values={name: vitals.written(name, body.values[name]) for name in vitals.BY_NAME if name in body.values},
        oxygen=body.oxygen, consciousness=body.consciousness, score=score, here=here,
    )  # fmt: skip


def _allergies(patients: Collection[UUID]) -> dict[UUID, tuple[str, ...] | None]:
    """What stands in each patient's banner: None nobody has asked, empty none known. Merged records count as one."""
    same = joined.many(patients)
    ids = {one for ones in same.values() for one in ones}
    lists = dict.fromkeys(ids, "")
    lists |= {row.patient_id: row.status for row in AllergyList.objects.filter(patient_id__in=ids)}
    rows = list(Allergy.objects.filter(patient_id__in=ids, state=RECORDED).order_by("made_at", "pk"))
    column(Allergy, "body").warm([str(one.__dict__["body"]) for one in rows])
    named: dict[UUID, list[str]] = defaultdict(list)
    for row in rows:
        if row.body:
            named[row.patient_id].append(bodies.read_allergy(row.body).substance)
    found: dict[UUID, tuple[str, ...] | None] = {}
    for patient, ones in same.items():
        substances = tuple(text for one in ones for text in named[one])
        asked = any(lists[one] == "none_known" for one in ones)
        found[patient] = substances or (() if asked else None)
    return found
