"""An answer of the API that is given again under its key is a reading, of what it says and of nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from polyclinic.core.audit import journal
from polyclinic.core.ids import new_id
from polyclinic.core.models import AuditEntry
from tests.api.calling import bearer, call
from tests.records.conftest import Ward


def _last() -> AuditEntry:
    journal.bring_in()
    return AuditEntry.objects.order_by("-pk")[0]


@pytest.mark.parametrize(
    ("path", "body", "read"),
    [
        ("vitals", {"values": {"pulse": "80"}}, "chart.read"),
        ("allergies", {"substance": "Penicillin"}, "allergies.read"),
        ("conditions", {"text": "Pneumonia", "code": "J18.9"}, "chart.read"),
        ("lab-orders", {"codes": ["na"]}, "lab_order.read"),
    ],
)
def test_what_is_given_again_is_recorded_as_what_it_is(ward: Ward, path: str, body: Any, read: str) -> None:
    headers = {**bearer(ward.house.staff["main_doctor"]), "Idempotency-Key": str(new_id())}
    first = call("POST", f"/api/visits/{ward.visit.pk}/{path}", body=body, headers=headers)
    assert first.status == 201, first.body
    before = AuditEntry.objects.count()
    again = call("POST", f"/api/visits/{ward.visit.pk}/{path}", body=body, headers=headers)
    assert (again.status, again.body) == (201, first.body)
    assert again.headers["idempotent-replayed"] == "true"
    entry = _last()
    assert AuditEntry.objects.count() == before + 1
    told = first.json
    subjects = {"allergies.read": told["patientId"], "lab_order.read": told["id"], "chart.read": str(ward.visit.pk)}
    assert (entry.action, entry.subject_id) == (read, subjects[read])
    assert entry.patient_id == ward.house.patient.pk
    assert entry.facility_id == ward.house.facility.pk
