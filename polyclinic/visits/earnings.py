"""What was charged during visits, by the doctor they were with."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from uuid import UUID

from django.utils.translation import gettext as _

from polyclinic.billing import figures
from polyclinic.billing.rows import FigureRow
from polyclinic.core.actors import Viewer
from polyclinic.people.models import Doctor
from polyclinic.visits.models import Visit


def by_doctor(viewer: Viewer, facility_id: UUID, first: date, last: date) -> list[FigureRow]:
    """A row for each main doctor, the most first; the last is what belongs to no visit with one. `count` is of visits.

    Who may not see revenue gets NotFound; Invalid for a stretch of days that is none.
    """
    charged = figures.subjects(viewer, facility_id, first, last)
    ids = [subject for kind, subject, _unit in charged if kind == "visit"]
    rows = Visit.objects.filter(pk__in=ids, main_doctor__isnull=False)
    doctor_of: dict[UUID, UUID | None] = dict(rows.values_list("pk", "main_doctor_id"))
    sums: dict[tuple[UUID | None, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for (_kind, subject, unit), (_lines, amount, less, tax) in charged.items():
        kept = sums[doctor_of.get(subject), unit]
        for place, value in enumerate((1, amount, less, tax)):
            kept[place] += value
    names = {one.pk: str(one) for one in Doctor.objects.filter(pk__in={key for key, _unit in sums if key})}
    found = [
        FigureRow(
            str(doctor or ""), names[doctor] if doctor else _("Without a doctor"), "", count, amount, less, tax, unit
        )
        for (doctor, unit), (count, amount, less, tax) in sums.items()
    ]
    return sorted(found, key=lambda row: (not row.key, -row.amount_minor, row.name))
