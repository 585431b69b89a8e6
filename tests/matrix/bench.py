"""What the matrix needs of the laboratory: an order of `patient`'s visit, with a test at each step of the bench."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from polyclinic.core.actors import SystemActor
from polyclinic.files import results
from polyclinic.laboratory import actions, entering, house_ranges
from polyclinic.laboratory.models import CriticalAlert, OrderedTest, Specimen
from polyclinic.visits import actions as visits
from polyclinic.visits.models import Visit
from tests.api.calling import upload
from tests.files.hostile import picture
from tests.house import House

_DEMO = SystemActor("demo")


def parts(house: House) -> dict[str, str]:
    """An order whose potassium is critical and released, whose sodium waits to be verified, and an alert for it."""
    visit = Visit.objects.filter(patient=house.patient, closed_at__isnull=True).first()
    if visit is None:
        visit = visits.register(
            actor=_DEMO, facility_id=house.facility.pk, patient_id=house.patient.pk, doctor_id=house.doctor.pk
        )
    if visit.state == "registered":
        visits.paid(actor=_DEMO, visit_id=visit.pk)
    order = actions.order(actor=_DEMO, visit_id=visit.pk, codes=["na", "k", "mg"])
    specimen = Specimen.objects.get(order=order)
    actions.collect(actor=_DEMO, specimen_id=specimen.pk)
    actions.receive(actor=_DEMO, specimen_id=specimen.pk)
    tests = {row.test: row for row in OrderedTest.objects.filter(order=order)}
    entering.enter(actor=_DEMO, order_id=order.pk, values={tests["na"].pk: "140", tests["k"].pk: "7.0"})
    entering.verify(actor=_DEMO, test_id=tests["k"].pk)
    entering.release(actor=_DEMO, test_id=tests["k"].pk)
    own = house_ranges.set_range(
        actor=_DEMO, facility_id=house.facility.pk, test="k", low="3.6", high="5.1", source="Leaflet of the method"
    )
    technician = house.person(house.staff["lab_technician"])
    shown = results.attach(actor=technician, test_id=tests["k"].pk, data=picture())
    return {
        "lab_file_id": str(shown),
        "labFileId": str(shown),
        "lab_code": "k",
        "labCode": "k",
        "lab_range_id": str(own.pk),
        "labRangeId": str(own.pk),
        "lab_order_id": str(order.pk),
        "labOrderId": str(order.pk),
        "specimen_id": str(specimen.pk),
        "specimenId": str(specimen.pk),
        "lab_test_id": str(tests["k"].pk),
        "labTestId": str(tests["k"].pk),
        "alert_id": str(CriticalAlert.objects.get().pk),
        "alertId": str(CriticalAlert.objects.get().pk),
        "visit_id": str(visit.pk),
        "visitId": str(visit.pk),
    }


def bodies(house: House) -> dict[str, Callable[[], Any]]:
    """What is sent to the API."""
    specimens, tests = "POST /api/lab/specimens/<specimenId>", "POST /api/lab/results/<labTestId>"

    def results() -> dict[str, Any]:
        magnesium = OrderedTest.objects.get(order__patient=house.patient, test="mg")
        return {"results": [{"testId": magnesium.pk, "value": "2.0"}]}

    return {
        "POST /api/visits/<visitId>/lab-orders": lambda: {"codes": ["tsh"]},
        "PUT /api/lab/orders/<labOrderId>/results": results,
        f"{specimens}/collect": dict,
        f"{specimens}/receive": dict,
        f"{specimens}/reject": lambda: {"why": "clotted"},
        f"{tests}/verify": dict,
        f"{tests}/release": dict,
        f"{tests}/amend": lambda: {"value": "6.9", "reason": "Repeated"},
        f"{tests}/cancel": lambda: {"reason": "By mistake"},
        f"{tests}/files": lambda: upload(b"Sodium 140", "text/plain"),
        "POST /api/lab/files/<labFileId>/withdraw": lambda: {"reason": "Another result's"},
        "POST /api/lab/tests/<labCode>/ranges": lambda: {
            "hospitalId": house.facility.pk,
            "low": "3.4",
            "high": "4.9",
            "source": "Own study",
        },
        "POST /api/lab/critical/<alertId>/acknowledge": lambda: {"comment": "Calcium given"},
    }


def forms(house: House) -> dict[str, Any]:
    """What a form on a page sends."""
    return {
        "POST /lab/order/<str:visit_id>": {"codes": "tsh"},
        "POST /lab/critical/<str:alert_id>": {"comment": "Calcium given"},
        "POST /lab/specimens/<str:specimen_id>/reject": {"why": "clotted"},
        "POST /lab/catalogue/<str:lab_code>/ranges": {
            "facility": str(house.facility.pk),
            "low": "3.4",
            "high": "4.9",
            "source": "Own study",
            "from_years": "0",
        },
        "POST /lab/files/<str:lab_file_id>/withdraw": {"reason": "Another result's"},
        "POST /lab/tests/<str:lab_test_id>/amend": {"value": "6.9", "reason": "Repeated"},
    }
