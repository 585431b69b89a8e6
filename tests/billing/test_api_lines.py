"""Charging and taking off over the API: once for each key, and only at the desk."""

from __future__ import annotations

from typing import Any

from polyclinic.billing.models import Invoice
from tests.api.calling import bearer, call
from tests.billing.desk import BLOOD, FEE, begun, in_order, priced
from tests.house import House


def test_a_line_is_added_once_and_taken_off(house: House) -> None:
    priced(house)
    bill = begun(house, "CONS")
    desk = {**bearer(house.receptionist), "Idempotency-Key": "one-line"}
    answers: list[Any] = [
        call("POST", f"/api/invoices/{bill.pk}/lines", body={"code": "CBC", "quantity": 2}, headers=desk)
        for _twice in range(2)
    ]
    assert [one.status for one in answers] == [201, 201]
    bill.refresh_from_db()
    assert bill.total_minor == FEE + 2 * BLOOD
    line = bill.lines.get(code="CBC")
    plain = bearer(house.receptionist)
    less = f"/api/invoices/{bill.pk}/less"
    for body, status in (
        ({"step": "drop", "reason": "not done"}, 422),
        ({"step": "drop", "reason": "", "lineId": str(line.pk)}, 422),
        ({"step": "drop", "reason": "not done", "lineId": str(bill.pk)}, 404),
        ({"step": "drop", "reason": "not done", "lineId": str(line.pk)}, 200),
    ):
        assert call("PUT", less, body=body, headers=plain).status == status
    assert Invoice.objects.get(pk=bill.pk).total_minor == FEE
    in_order()


def test_what_is_not_on_the_list_is_refused_by_name(house: House) -> None:
    priced(house)
    bill = begun(house, "CONS")
    plain = bearer(house.receptionist)
    for body in ({"code": "NOTHING"}, {"code": "CBC", "quantity": 0}, {"code": ""}, {}):
        answer = call("POST", f"/api/invoices/{bill.pk}/lines", body=body, headers=plain)
        assert answer.status == 422
    foreign = bearer(house.stranger_receptionist)
    assert call("POST", f"/api/invoices/{bill.pk}/lines", body={"code": "CBC"}, headers=foreign).status == 404
    assert Invoice.objects.get(pk=bill.pk).total_minor == FEE
