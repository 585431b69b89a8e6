"""Handovers: the facts filled in for the nurse who writes one, and those that were signed."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Max
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Viewer
from polyclinic.core.audit import reads
from polyclinic.core.errors import NotFound
from polyclinic.inpatient.models import BedStay, Ward
from polyclinic.inpatient.rows import StayRow
from polyclinic.inpatient.selectors import _stay as stay_row
from polyclinic.inpatient.states import IN_BED
from polyclinic.nursing import bodies, selectors, sheet, sight, words
from polyclinic.nursing.models import Handover
from polyclinic.nursing.rows import HandoverRow, RoundRow
from polyclinic.scheduling.sight import visible


def handovers(viewer: Viewer, stay_id: UUID) -> list[HandoverRow]:
    """Every handover of a stay, newest first. Raises NotFound."""
    stay = sight.stay(viewer, "handover.view", stay_id)
    sight.looked(viewer, stay)
    rows = Handover.objects.filter(stay=stay).order_by("-signed_at", "-pk")
    return [_row(viewer, row) for row in rows if row.body]


def of_ward(viewer: Viewer, facility_id: UUID, ward_id: UUID) -> list[tuple[StayRow, HandoverRow | None]]:
    """Everybody who lies in a ward, by bed, with the last handover of each. Raises NotFound."""
    policy.require_sight(viewer, "handover.view", Subject(facility_id=facility_id))
    if not Ward.objects.filter(pk=ward_id, facility_id=facility_id).exists():
        raise NotFound()
    query = sight.stays().filter(visible(viewer, "handover.view"), facility_id=facility_id, bed__ward_id=ward_id)
    stays = list(query.filter(state__in=IN_BED).order_by("bed__name"))
    newest = Handover.objects.filter(stay__in=stays).values("stay_id").annotate(at=Max("signed_at"))
    times = {one["stay_id"]: one["at"] for one in newest}
    rows = Handover.objects.filter(stay__in=stays, signed_at__in=list(times.values()))
    last = {row.stay_id: _row(viewer, row) for row in rows if row.body and row.signed_at == times[row.stay_id]}
    reads.listed(viewer, "bedside", facility_id, ((row.patient_id, row.facility_id) for row in stays))
    return [(stay_row(viewer, row), last.get(row.pk)) for row in stays]


def facts(viewer: Viewer, stay_id: UUID) -> dict[str, str]:
    """The four parts of SBAR as far as the records fill them in; the nurse goes on from there. Raises NotFound."""
    stay = sight.stay(viewer, "handover.sign", stay_id)
    row = selectors.round_row(viewer, stay_id)
    return {
        "situation": _situation(row), "background": _background(row), "assessment": _assessment(row),
        "recommendation": _recommendation(row, stay),
    }  # fmt: skip


def _situation(row: RoundRow) -> str:
    stay = row.stay
    said = [_("%(bed)s, day %(day)s.") % {"bed": f"{stay.ward_name}, {stay.bed_name}", "day": row.day}]
    if stay.reason:
        said.append(f"{stay.reason}.")
    if stay.stage == "discharge_ordered":
        said.append(_("Discharge is ordered."))
    return " ".join(said)


def _background(row: RoundRow) -> str:
    if row.allergies is None:
        allergies = _("Allergies: not asked.")
    else:
        allergies = _("Allergies: %(what)s.") % {"what": ", ".join(row.allergies) or _("none known")}
    doctor = _("Doctor: %(name)s.") % {"name": row.stay.doctor_name} if row.stay.doctor_name else ""
    return " ".join(part for part in (allergies, doctor) if part)


def _assessment(row: RoundRow) -> str:
    if row.taken_at is None:
        return _("Nothing has been measured yet.")
    at = _clock(row.taken_at, row.stay.time_zone)
    if row.total is None or row.risk is None:
        return _("Measured at %(time)s, without a NEWS2 score.") % {"time": at}
    said = _("NEWS2 %(total)s at %(time)s: %(risk)s.") % {
        "total": row.total, "time": at, "risk": words.RISKS[row.risk][0],
    }  # fmt: skip
    before = [str(total) for _at, total in row.trend[:-1]]
    return f"{said} " + _("Before: %(totals)s.") % {"totals": ", ".join(before)} if before else said


def _recommendation(row: RoundRow, stay: BedStay) -> str:
    zone = row.stay.time_zone
    said = [
        _("Watch continuously.")
        if row.continuous
        else _("Next observation at %(time)s.") % {"time": _clock(row.due_at, zone)}
    ]
    if row.late_doses:
        said.append(
            ngettext("%(count)s medicine is late.", "%(count)s medicines are late.", row.late_doses)
            % {"count": row.late_doses}
        )
    said += [f"{one.medicine.shown}: {one.directions}." for one in sheet.orders_of(stay) if one.state == "active"]
    return "\n".join(said)


def _clock(at: datetime, zone: str) -> str:
    return f"{at.astimezone(ZoneInfo(zone)):%H:%M}"


def _row(viewer: Viewer, row: Handover) -> HandoverRow:
    parts = bodies.read_parts(row.body)
    return HandoverRow(
        id=row.pk, stay_id=row.stay_id, patient_id=row.patient_id,
        signed_at=row.signed_at, author=row.author, read_at=row.read_at,
        reader=row.reader, status=row.state, version=row.version,
        mine=row.signed_by == getattr(viewer, "label", ""), **{name: parts.get(name, "") for name in words.SBAR},
    )  # fmt: skip
