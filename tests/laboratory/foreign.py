"""What T15 needs of the laboratory: an order of one side's patient with a critical result, and its readers."""

from __future__ import annotations

from typing import Any

from polyclinic.core.actors import SystemActor
from polyclinic.facilities.models import Membership
from polyclinic.files import results
from polyclinic.laboratory import actions, entering, house_ranges, selectors
from polyclinic.laboratory.models import CriticalAlert, OrderedTest, Specimen
from polyclinic.visits import actions as visits
from polyclinic.visits.models import Visit
from tests.files.hostile import picture
from tests.house import House, account

_DEMO = SystemActor("demo")


class Tubes:
    """An order with a released critical result, a technician of the place who joins its people, and the secrets."""

    def __init__(self, house: House, side: Any) -> None:
        technician = account(f"bench@{side.slug}.example.net", f"Bench of {side.slug}")
        Membership.objects.create(account=technician, facility_id=side.facility, role="lab_technician")
        side.people.append(house.person(technician))
        visit = Visit.objects.filter(patient_id=side.patient, closed_at__isnull=True).first()
        if visit is None:
            visit = visits.register(
                actor=_DEMO, facility_id=side.facility, patient_id=side.patient, doctor_id=side.doctor
            )
        if visit.state == "registered":
            visits.paid(actor=_DEMO, visit_id=visit.pk)
        order = actions.order(actor=_DEMO, visit_id=visit.pk, codes=["k"])
        specimen = Specimen.objects.get(order=order)
        actions.collect(actor=_DEMO, specimen_id=specimen.pk)
        actions.receive(actor=_DEMO, specimen_id=specimen.pk)
        test = OrderedTest.objects.get(order=order)
        entering.enter(actor=_DEMO, order_id=order.pk, values={test.pk: "7.0"})
        entering.verify(actor=_DEMO, test_id=test.pk)
        entering.release(actor=_DEMO, test_id=test.pk)
        self.visit, self.order, self.specimen, self.test = visit.pk, order.pk, specimen.pk, test.pk
        bench = house.person(technician)
        self.file = results.attach(actor=bench, test_id=test.pk, data=picture())
        self.alert, self.barcode = CriticalAlert.objects.get(ordered_test=test).pk, specimen.barcode
        self.secret = {str(one) for one in (order.pk, specimen.pk, test.pk, self.alert, self.file)}


CLOSED: dict[str, Any] = {
    "laboratory.selectors.order": lambda v, s: selectors.order(v, s.tubes.order),
    "laboratory.selectors.orders_of_visit": lambda v, s: selectors.orders_of_visit(v, s.tubes.visit),
    "files.results.of_order": lambda v, s: results.of_order(v, s.tubes.order),
    "files.results.of_released": lambda v, s: results.of_released(v, s.tubes.order),
    "files.results.file": lambda v, s: results.file(v, s.tubes.file),
    "files.results.test_of": lambda v, s: results.test_of(v, s.tubes.file),
    "files.results.content": lambda v, s: [results.content(v, s.tubes.file).size, s.tubes.file],
    "laboratory.selectors.copied": lambda v, s: selectors.copied(v, s.patient),
    "laboratory.selectors.released": lambda v, s: selectors.released(v, s.patient),
    "laboratory.selectors.released_order": lambda v, s: selectors.released_order(v, s.tubes.order),
    "laboratory.selectors.alert": lambda v, s: selectors.alert(v, s.tubes.alert),
    "laboratory.selectors.order_of_test": lambda v, s: selectors.order_of_test(v, s.tubes.test),
    "laboratory.selectors.order_of_specimen": lambda v, s: selectors.order_of_specimen(v, s.tubes.specimen),
}
FILTERED: dict[str, Any] = {
    "laboratory.selectors.orders": lambda v, s: [
        selectors.orders(v), selectors.orders(v, patient_id=s.patient), selectors.orders(v, facility_id=s.facility)
    ],
    # Says nothing about anybody; only one's own laboratories' are read.
    "laboratory.house_ranges.in_force": lambda v, s: house_ranges.in_force(v, "k"),
    "laboratory.selectors.worklist": lambda v, s: [selectors.worklist(v, stage) for stage in selectors.STAGES],
    "laboratory.selectors.stage_counts": lambda v, s: selectors.stage_counts(v),
    # The numbers of two places may be the same: one's own order is found, never the other's.
    "laboratory.selectors.by_barcode": lambda v, s: selectors.by_barcode(v, s.tubes.barcode),
    "laboratory.selectors.alerts": lambda v, s: selectors.alerts(v),
    "laboratory.selectors.waiting_for": lambda v, s: selectors.waiting_for(v),
}  # fmt: skip
