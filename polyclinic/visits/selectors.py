"""What visits let people see. Every function takes the viewer first and shows nothing beyond their rights."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import F
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock
from polyclinic.core.access import fields, policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Person, SystemActor, Viewer
from polyclinic.core.audit import reads
from polyclinic.core.crypto.fields import column
from polyclinic.core.errors import Invalid, NotFound, Unauthenticated
from polyclinic.people import joined
from polyclinic.scheduling import selectors as scheduling
from polyclinic.scheduling.rows import AppointmentRow
from polyclinic.scheduling.sight import visible
from polyclinic.scheduling.states import EXPECTED
from polyclinic.visits import fairness
from polyclinic.visits.models import QueueEntry, StageTime, Visit
from polyclinic.visits.rows import Place, StageRow, VisitRow
from polyclinic.visits.states import CALLED, DONE, HELD, LEFT, SERVING, VISIT, WAITING
from polyclinic.visits.words import Line

MAX_ROWS = 500
_COLUMNS = (
    "id", "state", "version", "token", "number", "day", "facility__time_zone", "facility_id", "facility__name",
    "department_id", "department__name", "service_id", "service__name", "main_doctor_id", "main_doctor__title",
    "main_doctor__given_name", "main_doctor__family_name", "appointment_id", "patient_id", "patient__family_name",
    "patient__given_name", "patient__mrn", "patient__born", "patient__sex", "priority", "priority_why", "complaint",
    "opened_at", "closed_at",
)  # fmt: skip
_SEALED = {name: column(Visit, name) for name in ("priority_why", "complaint")}
_AT = {name: _COLUMNS.index(name) for name in _COLUMNS}


def visit(viewer: Viewer, visit_id: UUID) -> VisitRow:
    """One visit. Raises NotFound alike for a missing and for a foreign one."""
    rows = _rows(Visit.objects.filter(pk=visit_id))
    if not rows:
        raise NotFound() if isinstance(viewer, Person | SystemActor) else Unauthenticated()
    row = rows[0]
    policy.require_sight(viewer, "visit.view", subject_of(row))
    reads.opened(viewer, "visit", row.id, patient_id=row.patient_id, facility_id=row.facility_id)
    return _shown(viewer, row)


def board(viewer: Viewer, facility_id: UUID, stage: str = "", *, line: str = "") -> list[VisitRow]:
    """The open visits of a facility in the order in which they are to be seen; of one stage or one queue alone.

    Raises NotFound for a facility at which the viewer may not see visits, Invalid for an unknown stage or queue.
    """
    if stage and stage not in VISIT.states():
        raise Invalid(_("Unknown stage."), field="stage", possible=VISIT.states())
    if line and line not in Line.values:
        raise Invalid(_("Unknown queue."), field="line", possible=list(Line.values))
    policy.require_sight(viewer, "visit.view", Subject(facility_id=facility_id))
    query = Visit.objects.filter(facility_id=facility_id)
    query = query.filter(state=stage) if stage else query.filter(closed_at__isnull=True)
    if line:
        query = query.filter(entries__line=line, entries__ended_at__isnull=True)
    found = _rows(query.order_by("-opened_at")[:MAX_ROWS])
    shown = sorted((_shown(viewer, row) for row in found), key=in_order)
    reads.listed(viewer, "visit", facility_id, ((row.patient_id, row.facility_id) for row in shown))
    return shown


def treated(viewer: Viewer) -> list[VisitRow]:
    """The open visits of which the viewer is the doctor, wherever, in the order in which they are to be seen."""
    if not isinstance(viewer, Person):
        raise Unauthenticated()
    if viewer.doctor_id is None or not policy.allowed(viewer, "visit.view", Subject(doctor_id=viewer.doctor_id)):
        return []
    query = Visit.objects.filter(main_doctor_id=viewer.doctor_id, closed_at__isnull=True)
    shown = sorted((_shown(viewer, row) for row in _rows(query.order_by("-opened_at")[:MAX_ROWS])), key=in_order)
    reads.listed(viewer, "visit", viewer.doctor_id, ((row.patient_id, row.facility_id) for row in shown))
    return shown


def visits_of(viewer: Viewer, patient_id: UUID) -> list[VisitRow]:
    """A patient's visits, the newest first, as far as the viewer may see them. Raises NotFound if they see none."""
    # The table of rights calls whoever treats a thing's doctor `doctor_id`.
    treated = Visit.objects.annotate(doctor_id=F("main_doctor_id"))
    theirs = treated.filter(visible(viewer, "visit.view"), patient_id__in=joined.same(patient_id))
    found = _rows(theirs.order_by("-opened_at"))
    if not found:
        policy.require_sight(viewer, "visit.view", Subject(patient_id=patient_id))
    reads.listed(viewer, "visit", patient_id, ((row.patient_id, row.facility_id) for row in found))
    return [_shown(viewer, row) for row in found]


def stages(viewer: Viewer, visit_id: UUID) -> list[StageRow]:
    """How long a visit was in each stage, in order. Raises NotFound as `visit` does."""
    visit(viewer, visit_id)
    rows = StageTime.objects.filter(visit_id=visit_id).order_by("entered_at", "pk")
    return [StageRow(stage=row.stage, entered_at=row.entered_at, left_at=row.left_at) for row in rows]


def subject_of(row: VisitRow) -> Subject:
    """Whom a visit is about and where it belongs."""
    return Subject(patient_id=row.patient_id, doctor_id=row.doctor_id, facility_id=row.facility_id)


def in_order(row: VisitRow) -> tuple[Any, ...]:
    """What boards are sorted by: whoever is there or called first, then as `fairness` says."""
    if row.place is None:
        return 3, 1, row.opened_at, row.number
    rank = {"serving": 0, "called": 0, "waiting": 1}.get(row.place.state, 2)
    return rank, *fairness.key(row.priority, row.place.since), row.number


def sort_key(row: VisitRow) -> str:
    """`in_order` as a text: rows that come by themselves go to their place by it."""
    *head, since, number = in_order(row)
    return f"{''.join(map(str, head))}{since:%Y%m%dT%H%M%S%f}{number:05d}"


def _shown(viewer: Viewer, row: VisitRow) -> VisitRow:
    return fields.shown(viewer, "visit", subject_of(row), row)


def _rows(query: Any) -> list[VisitRow]:  # noqa: ANN401 - a queryset of visits
    """The visits of a query with their places in queues, opened all at once."""
    cells = list(query.values_list(*_COLUMNS))
    for name, sealed in _SEALED.items():
        sealed.warm(row[_AT[name]] for row in cells)
    ids = [row[0] for row in cells]
    places = _places(ids)
    since = dict(
        StageTime.objects.filter(visit_id__in=ids).order_by("entered_at").values_list("visit_id", "entered_at")
    )
    return [_row(row, places.get(row[0]), since) for row in cells]


def _row(cells: Sequence[Any], place: Place | None, since: dict[UUID, Any]) -> VisitRow:
    value = dict(zip(_COLUMNS, cells, strict=True))
    doctor = f"{value['main_doctor__title']} {value['main_doctor__given_name']} {value['main_doctor__family_name']}"
    return VisitRow(
        id=value["id"],
        stage=value["state"],
        version=value["version"],
        token=value["token"],
        number=value["number"],
        day=value["day"],
        time_zone=value["facility__time_zone"],
        facility_id=value["facility_id"],
        facility_name=value["facility__name"],
        department_id=value["department_id"],
        department_name=value["department__name"] or "",
        service_id=value["service_id"],
        service_name=value["service__name"] or "",
        doctor_id=value["main_doctor_id"],
        doctor_name=doctor if value["main_doctor_id"] else "",
        appointment_id=value["appointment_id"],
        patient_id=value["patient_id"],
        patient_name=f"{value['patient__family_name'].upper()}, {value['patient__given_name']}",
        mrn=value["patient__mrn"],
        born=value["patient__born"],
        sex=value["patient__sex"],
        priority=value["priority"],
        priority_why=_SEALED["priority_why"].open(value["id"], value["priority_why"]),
        complaint=_SEALED["complaint"].open(value["id"], value["complaint"]),
        opened_at=value["opened_at"],
        closed_at=value["closed_at"],
        stage_at=since.get(value["id"], value["opened_at"]),
        place=place,
    )


def _places(visit_ids: Iterable[UUID]) -> dict[UUID, Place]:
    rows = QueueEntry.objects.filter(visit_id__in=list(visit_ids), ended_at__isnull=True).values_list(
        "visit_id", "id", "line", "state", "version", "enqueued_at", "since", "called_at", "serving_at", "counter_id",
        "counter__name", "recalls",
    )  # fmt: skip
    return {
        row[0]: Place(
            id=row[1], line=row[2], state=row[3], version=row[4], enqueued_at=row[5], since=row[6],
            called_at=row[7], serving_at=row[8], counter_id=row[9], counter=row[10] or "", recalls=row[11],
        )
        for row in rows
    }  # fmt: skip


def due(viewer: Viewer, facility_id: UUID, limit: int = 12) -> list[AppointmentRow]:
    """Who is booked for today and has not come, by time: the late ones first. Raises NotFound as `board` does."""
    policy.require_sight(viewer, "visit.register", Subject(facility_id=facility_id))
    now = clock.now()
    rows = scheduling.appointments(
        viewer, facility_id=facility_id, from_=now - timedelta(hours=2), until=now + timedelta(hours=8), limit=100
    ).rows
    return [row for row in rows if row.status in EXPECTED][:limit]


def figures(viewer: Viewer, facility_id: UUID) -> dict[str, int]:
    """The hall in figures: waiting, called, being seen, on hold, the longest and the median wait in minutes, and of the
    last 24 hours the visits that ended and those that left. Raises NotFound as `board` does."""
    policy.require_sight(viewer, "visit.view", Subject(facility_id=facility_id))
    now = clock.now()
    rows = list(
        QueueEntry.objects.filter(facility_id=facility_id, ended_at__isnull=True).values_list("state", "enqueued_at")
    )
    waits = sorted(int((now - since).total_seconds() // 60) for state, since in rows if state == WAITING)
    states = Counter(state for state, _since in rows)
    ended = Counter(
        Visit.objects.filter(facility_id=facility_id, closed_at__gte=now - timedelta(hours=24)).values_list(
            "state", flat=True
        )
    )
    return {
        "waiting": states[WAITING], "called": states[CALLED], "serving": states[SERVING], "held": states[HELD],
        "longest": waits[-1] if waits else 0, "median": waits[len(waits) // 2] if waits else 0,
        "done": ended[DONE], "left": ended[LEFT],
    }  # fmt: skip
