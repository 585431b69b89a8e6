"""What T15 needs of the pharmacy: shelves and a handing over of one side, a pharmacist of the place, its readers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from polyclinic.core import clock
from polyclinic.core.actors import SystemActor
from polyclinic.core.ids import new_id
from polyclinic.facilities.models import Facility, Membership
from polyclinic.pharmacy import actions, counter, counting, identity, keeping, selectors
from polyclinic.pharmacy.actions import Handing
from polyclinic.pharmacy.identity import Said
from polyclinic.pharmacy.keeping import Came
from polyclinic.pharmacy.models import Batch
from polyclinic.prescribing.bodies import LineBody, write
from polyclinic.prescribing.models import Prescription, PrescriptionLine
from polyclinic.visits.models import Visit
from tests.house import House, account
from tests.pharmacy.shop import in_days, medicine

_DEMO = SystemActor("demo")


class Shelves:
    """A product that this side alone has, a prescription of it that is partly handed over, a transfer, a count."""

    def __init__(self, house: House, side: Any) -> None:
        who = account(f"shelves@{side.slug}.example.net", f"Shelves of {side.slug}")
        Membership.objects.create(account=who, facility_id=side.facility, role="pharmacist")
        person = house.person(who)
        side.people.append(person)
        product = medicine(f"only-{side.slug}", generic=f"onlyat{side.slug}")
        supplier = keeping.add_supplier(actor=_DEMO, facility_id=side.facility, name=f"Supplier of {side.slug}")
        came = keeping.receive(
            actor=_DEMO, facility_id=side.facility, supplier_id=supplier.pk, reference="N1",
            lines=[Came(product.pk, f"LOT-{side.slug}".upper(), in_days(200), Decimal(50))],
        )  # fmt: skip
        batch = Batch.objects.get(facility_id=side.facility)
        number = 800_000 + len(side.slug)
        visit = Visit.objects.create(
            facility_id=side.facility, patient_id=side.patient, day=in_days(0), number=number, token="X1",
            state="done", ticket=new_id().hex, opened_at=(now := clock.now()), closed_at=now, opened_by="test",
        )  # fmt: skip
        row = Prescription.objects.create(
            number=number, visit=visit, patient_id=side.patient, facility_id=side.facility, valid_until=in_days(20),
            state="signed", signed_by="",
        )  # fmt: skip
        line = PrescriptionLine(
            prescription=row, patient_id=side.patient, medicine=product, place=0, quantity=Decimal(20), state="open"
        )
        line.body = write(LineBody(Decimal(1), "capsule", "oral", "three", 7))
        line.save(force_insert=True)
        patient = row.patient
        identity.confirm(
            actor=person, prescription_id=row.pk, said=Said(f"{patient.given_name} {patient.family_name}", patient.born)
        )
        made = actions.dispense(actor=person, prescription_id=row.pk, items=[Handing(line.pk, Decimal(5))])
        third, _new = Facility.objects.get_or_create(slug="third", defaults={"name": "Third", "time_zone": "UTC"})
        sent = keeping.send(actor=_DEMO, batch_id=batch.pk, target_id=third.pk, quantity=Decimal(3))
        take = counting.start(actor=_DEMO, facility_id=side.facility)
        counting.count(actor=_DEMO, take_id=take.pk, counts={batch.pk: counting.Count(Decimal(40))})
        self.rx, self.line, self.made, self.label = row.pk, line.pk, made.pk, row.label
        self.product, self.batch, self.sent, self.take = product.pk, batch.pk, sent.pk, take.pk
        ids = (row.pk, line.pk, made.pk, product.pk, batch.pk, sent.pk, take.pk, supplier.pk, came.pk)
        self.secret = {*map(str, ids), f"LOT-{side.slug}".upper(), f"Supplier of {side.slug}"}


_OPEN = Decimal(15)
CLOSED: dict[str, Any] = {
    "pharmacy.selectors.available": lambda v, s: selectors.available(v, s.facility, [s.shelves.product]),
    "pharmacy.selectors.board": lambda v, s: selectors.board(v, s.facility),
    "pharmacy.selectors.figures": lambda v, s: selectors.figures(v, s.facility),
    "pharmacy.selectors.of_medicine": lambda v, s: selectors.of_medicine(v, s.facility, s.shelves.product),
    "pharmacy.selectors.batches": lambda v, s: selectors.batches(v, s.facility),
    "pharmacy.selectors.batch": lambda v, s: selectors.batch(v, s.shelves.batch),
    "pharmacy.selectors.moves": lambda v, s: selectors.moves(v, s.facility, s.shelves.product),
    "pharmacy.selectors.suppliers": lambda v, s: selectors.suppliers(v, s.facility),
    "pharmacy.selectors.deliveries": lambda v, s: selectors.deliveries(v, s.facility),
    "pharmacy.selectors.transfers": lambda v, s: selectors.transfers(v, s.facility),
    "pharmacy.selectors.transfer": lambda v, s: selectors.transfer(v, s.shelves.sent),
    "pharmacy.selectors.takes": lambda v, s: selectors.takes(v, s.facility),
    "pharmacy.selectors.take": lambda v, s: selectors.take(v, s.shelves.take),
    "pharmacy.counter.counter": lambda v, s: counter.counter(v, s.shelves.rx),
    "pharmacy.counter.dispense": lambda v, s: counter.dispense(v, s.shelves.made),
    "pharmacy.counter.of_prescription": lambda v, s: counter.of_prescription(v, s.shelves.rx),
    "pharmacy.counter.today": lambda v, s: counter.today(v, s.facility),
    "pharmacy.counter.copied": lambda v, s: counter.copied(v, s.patient),
    "pharmacy.counter.by_label": lambda v, s: counter.by_label(v, s.shelves.label),
    "pharmacy.counter.stocked": lambda v, s: counter.stocked(v, s.facility, {s.shelves.rx: {s.shelves.product: _OPEN}}),
}
# Numbers alone.
BARE = {"pharmacy.selectors.figures"}
