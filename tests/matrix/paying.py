"""What the addresses of billing are about: the patient's invoice, half paid in cash, the box it went into, a price."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from polyclinic.billing import selectors
from polyclinic.billing.models import TillShift
from tests.billing.desk import begun, paid, priced
from tests.house import House


def parts(house: House) -> dict[str, str]:
    priced(house)
    desk = house.person(house.receptionist)
    bill = begun(house, "CONS", "CBC")
    payment = paid(bill, desk, 20_00)
    price = selectors.prices(desk, house.facility.pk)[0]
    return {
        "invoice_id": str(bill.pk), "invoiceId": str(bill.pk), "payment_id": str(payment.pk),
        "paymentId": str(payment.pk), "till_id": str(TillShift.objects.get().pk), "price_id": str(price.id),
        "provider": "stripe", "table": "services", "patientId": str(house.patient.pk),
    }  # fmt: skip


def bodies(house: House) -> dict[str, Callable[[], dict[str, Any]]]:
    price = {"code": "XRAY", "name": "X-ray", "kind": "procedure", "amountMinor": 30_00}
    return {
        "POST /api/invoices/<invoiceId>/lines": lambda: {"code": "CBC"},
        "POST /api/invoices/<invoiceId>/payments": lambda: {"method": "cash", "amountMinor": 1_00},
        "POST /api/invoices/<invoiceId>/online": lambda: {"amountMinor": 1_00},
        "PUT /api/invoices/<invoiceId>/less": lambda: {"step": "waive", "reason": "hardship"},
        "PUT /api/payments/<paymentId>/terminal": lambda: {"approved": True},
        "POST /api/payments/<paymentId>/refunds": lambda: {"amountMinor": 1_00, "reason": "not done"},
        "PUT /api/hospitals/<hospitalId>/prices": lambda: price,
    }


def forms(house: House) -> dict[str, dict[str, str]]:
    return {
        "POST /cashier/invoices/<str:invoice_id>": {
            "step": "pay", "method": "cash", "amount": "1.00", "key": "a-key-of-this-form",
        },
        "POST /cashier/till": {"float": "10.00"},
        "POST /cashier/tills/<str:till_id>": {"counted": "20.00"},
        "POST /cashier/prices": {"code": "XRAY", "name": "X-ray", "kind": "procedure", "amount": "30.00"},
        "POST /my/invoices/<str:invoice_id>/pay": {"amount": "1.00", "key": "a-key-of-this-form"},
    }  # fmt: skip
