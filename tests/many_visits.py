"""Run inside a server's settings: put so many open visits on the board of the small hospital. Prints the ids, as JSON.

Rows put in at once, as a hall that has been filling all morning: the board is what is looked at, not how it came.
"""

from __future__ import annotations

import json
import sys
from datetime import date, timedelta
from typing import Any

import django


def fill(count: int) -> list[str]:
    from polyclinic.core import clock
    from polyclinic.facilities.models import Facility
    from polyclinic.people.models import Patient, PatientPlace
    from polyclinic.visits import tickets
    from polyclinic.visits.models import QueueEntry, StageTime, Visit

    facility, now = Facility.objects.get(slug="riverside"), clock.now()
    patients = [
        Patient(mrn=f"MRN{700_000 + n:07d}", family_name=f"Waiting{n:03d}", given_name="Wren", born=date(1980, 1, 1))
        for n in range(count)
    ]
    Patient.objects.bulk_create(patients)
    PatientPlace.objects.bulk_create(PatientPlace(patient=one, facility_id=facility.pk) for one in patients)
    visits: list[Any] = []
    for n, patient in enumerate(patients):
        visit = Visit(
            facility=facility, patient=patient, day=now.date(), number=n + 1, token=f"A{n + 1:03d}", state="paid",
            opened_at=now - timedelta(minutes=count - n), opened_by="system:demo",
        )  # fmt: skip
        visit.ticket = tickets.digest(tickets.code(visit.pk))
        visits.append(visit)
    Visit.objects.bulk_create(visits)
    StageTime.objects.bulk_create(StageTime(visit=one, stage="paid", entered_at=one.opened_at) for one in visits)
    QueueEntry.objects.bulk_create(
        QueueEntry(
            visit=one, facility=facility, line="check", priority="routine", state="waiting",
            enqueued_at=one.opened_at, since=one.opened_at,
        )
        for one in visits
    )  # fmt: skip
    return [str(one.pk) for one in visits]


if __name__ == "__main__":
    django.setup(set_prefix=False)
    print(json.dumps(fill(int(sys.argv[1]))))
