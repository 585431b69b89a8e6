"""Reading the fleet and its trips, as far as the viewer may see them. Every text of a trip is opened here."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from polyclinic.core import clock
from polyclinic.core.access import fields, policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Person, SystemActor, Viewer
from polyclinic.core.audit import reads
from polyclinic.core.crypto.fields import column
from polyclinic.core.errors import NotFound, Unauthenticated
from polyclinic.people import joined
from polyclinic.transport import arriving, roads
from polyclinic.transport.crews import shift_of
from polyclinic.transport.models import Ambulance, AmbulanceTrip, CrewShift, Station, TripStep
from polyclinic.transport.rows import Availability, CrewRow, OwnShift, StationRow, StepRow, TripRow, VehicleRow
from polyclinic.transport.rules import is_fresh
from polyclinic.transport.states import OUT_OF_SERVICE

MAX_ROWS = 200
_COLUMNS = (
    "id", "state", "version", "facility_id", "facility__name", "facility__time_zone", "facility__station__latitude",
    "facility__station__longitude", "source", "need", "patient_id", "patient__family_name", "patient__given_name",
    "patient__mrn", "patient__born", "patient__sex", "who", "phone", "address", "place", "problem", "outcome",
    "ambulance_id", "ambulance__call_sign", "ambulance__kind", "ambulance__latitude", "ambulance__longitude",
    "ambulance__position_at", "requested_at", "closed_at", "km_to_patient", "km_to_hospital", "estimate",
)  # fmt: skip
_SEALED = {name: column(AmbulanceTrip, name) for name in ("who", "phone", "address", "place", "problem", "outcome")}
_AT = {name: _COLUMNS.index(name) for name in _COLUMNS}


def stations(viewer: Viewer) -> list[StationRow]:
    """The facilities that have ambulances, by name: public, as their addresses are."""
    rows = Station.objects.select_related("facility").order_by("facility__name", "pk")
    return [
        StationRow(
            facility_id=row.pk, name=row.facility.name, time_zone=row.facility.time_zone, latitude=row.latitude,
            longitude=row.longitude, version=row.version,
        )
        for row in rows
    ]  # fmt: skip


def fleet(viewer: Viewer, facility_id: UUID) -> list[VehicleRow]:
    """The vehicles of a facility by call sign. Raises NotFound where the viewer may not see them."""
    policy.require_sight(viewer, "ambulance.view", Subject(facility_id=facility_id))
    return _vehicles(Ambulance.objects.filter(facility_id=facility_id))


def availability(viewer: Viewer, facility_id: UUID) -> Availability:
    """The fleet in numbers. Raises NotFound as `fleet` does."""
    rows = fleet(viewer, facility_id)
    count = Counter(row.status for row in rows)
    return Availability(
        facility_id=facility_id, total=len(rows), free=count["free"], busy=count["busy"], no_crew=count["no_crew"],
        out_of_service=count["out_of_service"],
        free_advanced=sum(row.status == "free" and row.kind == "advanced" for row in rows),
        waiting=AmbulanceTrip.objects.filter(
            facility_id=facility_id, closed_at__isnull=True, ambulance__isnull=True
        ).count(),
    )  # fmt: skip


def own_shift(viewer: Viewer) -> OwnShift | None:
    """Where the viewer is on shift, with the trip that the vehicle has; None when they are on none."""
    shift = shift_of(viewer)
    if shift is None or not policy.allowed(viewer, "ambulance.drive", Subject(facility_id=shift.ambulance.facility_id)):
        return None
    vehicle = _vehicles(Ambulance.objects.filter(pk=shift.ambulance_id))[0]
    return OwnShift(
        seat=shift.seat, since=shift.started_at, version=shift.version, vehicle=vehicle,
        trip=trip(viewer, vehicle.trip_id) if vehicle.trip_id else None,
    )  # fmt: skip


def trip(viewer: Viewer, trip_id: UUID) -> TripRow:
    """One trip with its steps. Raises NotFound alike for a missing and for a foreign one."""
    rows = _trips(AmbulanceTrip.objects.filter(pk=trip_id))
    if not rows:
        raise NotFound() if isinstance(viewer, Person | SystemActor) else Unauthenticated()
    row = rows[0]
    policy.require_sight(viewer, "ambulance.view", subject_of(row))
    if row.patient_id is not None:
        reads.opened(viewer, "ambulance_trip", row.id, patient_id=row.patient_id, facility_id=row.facility_id)
    return _shown(viewer, row)


def trips(viewer: Viewer, facility_id: UUID, *, ended: bool = False) -> list[TripRow]:
    """The trips of a facility that go on, the oldest first; or those that ended in the last 24 hours, the newest first.

    Raises NotFound where the viewer may not see them.
    """
    policy.require_sight(viewer, "ambulance.view", Subject(facility_id=facility_id))
    query = AmbulanceTrip.objects.filter(facility_id=facility_id)
    if ended:
        query = query.filter(closed_at__gte=clock.now() - timedelta(hours=24)).order_by("-closed_at")
    else:
        query = query.filter(closed_at__isnull=True).order_by("requested_at", "pk")
    rows = _trips(query[:MAX_ROWS])
    _listed(viewer, facility_id, rows)
    return [_shown(viewer, row) for row in rows]


def trips_of(viewer: Viewer, patient_id: UUID, *, going: bool = False) -> list[TripRow]:
    """A patient's trips, the newest first, for the patient and whoever acts for them; `going`: only the one that goes
    on. Raises NotFound for others."""
    policy.require_sight(viewer, "ambulance.view", Subject(patient_id=patient_id))
    query = AmbulanceTrip.objects.filter(patient_id__in=joined.same(patient_id))
    rows = _trips((query.filter(closed_at__isnull=True) if going else query).order_by("-requested_at"))
    _listed(viewer, patient_id, rows)
    return [_shown(viewer, row) for row in rows]


def subject_of(row: TripRow) -> Subject:
    """Whom a trip is for and whose vehicle makes it."""
    return Subject(patient_id=row.patient_id, facility_id=row.facility_id)


def _listed(viewer: Viewer, whose: UUID, rows: Iterable[TripRow]) -> None:
    known = [(row.patient_id, row.facility_id) for row in rows if row.patient_id is not None]
    reads.listed(viewer, "ambulance_trip", whose, known)


def _shown(viewer: Viewer, row: TripRow) -> TripRow:
    return fields.shown(viewer, "trip", subject_of(row), row)


def _vehicles(query: Any) -> list[VehicleRow]:  # noqa: ANN401 - a queryset of vehicles
    found = list(query.select_related("facility").order_by("call_sign"))
    ids = [one.pk for one in found]
    crews: dict[UUID, list[CrewRow]] = defaultdict(list)
    shifts = CrewShift.objects.filter(ambulance_id__in=ids, ended_at__isnull=True).select_related("account")
    for shift in shifts.order_by("-seat", "started_at"):
        crews[shift.ambulance_id].append(
            CrewRow(account_id=shift.account_id, name=shift.account.name, seat=shift.seat, since=shift.started_at)
        )
    going = {
        row[0]: row[1:]
        for row in AmbulanceTrip.objects.filter(ambulance_id__in=ids, closed_at__isnull=True).values_list(
            "ambulance_id", "pk", "state"
        )
    }
    return [_vehicle(one, crews[one.pk], going.get(one.pk)) for one in found]


def _vehicle(one: Ambulance, crew: list[CrewRow], going: tuple[UUID, str] | None) -> VehicleRow:
    status = "out_of_service" if one.state == OUT_OF_SERVICE else "busy" if going else "free" if crew else "no_crew"
    return VehicleRow(
        id=one.pk, facility_id=one.facility_id, time_zone=one.facility.time_zone, call_sign=one.call_sign,
        kind=one.kind, status=status, version=one.version, crew=tuple(crew), trip_id=going[0] if going else None,
        trip_status=going[1] if going else "", latitude=one.latitude, longitude=one.longitude,
        position_at=one.position_at, fresh=is_fresh(one.position_at),
    )  # fmt: skip


def _trips(query: Any) -> list[TripRow]:  # noqa: ANN401 - a queryset of trips
    """The trips of a query with their steps, opened all at once."""
    cells = list(query.values_list(*_COLUMNS))
    for name, sealed in _SEALED.items():
        sealed.warm(row[_AT[name]] for row in cells)
    steps: dict[UUID, list[StepRow]] = defaultdict(list)
    found = TripStep.objects.filter(trip_id__in=[row[0] for row in cells]).order_by("trip_id", "number")
    for trip_id, step, at, sign in found.values_list("trip_id", "step", "at", "ambulance__call_sign"):
        steps[trip_id].append(StepRow(status=step, at=at, call_sign=sign or ""))
    return [_trip(row, tuple(steps[row[0]])) for row in cells]


def _trip(cells: Sequence[Any], steps: tuple[StepRow, ...]) -> TripRow:
    value = dict(zip(_COLUMNS, cells, strict=True))
    text = {name: sealed.open(value["id"], value[name]) for name, sealed in _SEALED.items()}
    at = roads.read(text["place"])
    since = steps[-1].at if steps else value["requested_at"]
    named = f"{value['patient__family_name'].upper()}, {value['patient__given_name']}" if value["patient_id"] else ""
    eta = arriving.expected(value["state"], since, at, _home(value), _position(value))
    return TripRow(
        id=value["id"], status=value["state"], version=value["version"], facility_id=value["facility_id"],
        facility_name=value["facility__name"], time_zone=value["facility__time_zone"], source=value["source"],
        need=value["need"], patient_id=value["patient_id"], patient_name=named, mrn=value["patient__mrn"] or "",
        born=value["patient__born"], sex=value["patient__sex"] or "", who=text["who"], phone=text["phone"],
        address=text["address"], latitude=at.latitude if at else None, longitude=at.longitude if at else None,
        problem=text["problem"], outcome=text["outcome"], ambulance_id=value["ambulance_id"],
        call_sign=value["ambulance__call_sign"] or "", kind=value["ambulance__kind"] or "",
        requested_at=value["requested_at"], closed_at=value["closed_at"], status_at=since,
        eta_from=eta[0] if eta else None, eta_until=eta[1] if eta else None, km_to_patient=value["km_to_patient"],
        km_to_hospital=value["km_to_hospital"], estimate=value["estimate"], steps=steps,
    )  # fmt: skip


def _home(value: dict[str, Any]) -> roads.Point:
    return roads.Point(value["facility__station__latitude"], value["facility__station__longitude"])


def _position(value: dict[str, Any]) -> Any:  # noqa: ANN401 - a point and its moment, or None
    if value["ambulance__position_at"] is None:
        return None
    point = roads.Point(value["ambulance__latitude"], value["ambulance__longitude"])
    return point, value["ambulance__position_at"]
