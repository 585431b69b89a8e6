"""Thousands of random money moves from two processes over one real database. Prints what the books say afterwards.

Run in an installation's settings, in which `tests.seeding` has built the small hospital:
`python -m tests.promises.money_mill '{"moves": 10000, "threads": 4, "guards": true}'`. Without `guards` nobody
holds an invoice while its sums are read and written, and the database's own checks are taken away.
"""

from __future__ import annotations

import json
import multiprocessing
import random
import sys
import threading
from collections import Counter
from typing import Any
from uuid import UUID

import django

PROCESSES = 2
INVOICES = 24


def weaken() -> None:
    """Take away the locks and the look at the sums, in the code of this process."""
    from polyclinic.billing import paying, prices, sums, tills

    for module in (sums, tills, prices):
        module.lock_keys = lambda _keys: None  # type: ignore[attr-defined]
    paying.pending_minor = lambda _row: -(10**9)  # type: ignore[assignment]


def unguarded() -> None:
    """Take the checks on sums out of the database: on SQLite by telling it to let them be, for each connection."""
    from django.db import connection

    from polyclinic.billing.models import Invoice, Payment

    if connection.vendor == "postgresql":
        for model in (Invoice, Payment):
            for rule in model._meta.constraints:
                if rule.name in ("invoice_sums", "invoice_refunds", "invoice_not_overpaid", "payment_refunds"):
                    with connection.schema_editor() as editor:
                        editor.remove_constraint(model, rule)


def prepare() -> dict[str, Any]:
    from polyclinic.billing import prices
    from polyclinic.core.actors import SystemActor
    from polyclinic.facilities.models import Facility
    from polyclinic.people.models import Account, Patient

    facility = Facility.objects.get(slug="riverside")
    for code, amount, rate in (("A", 50_00, 0), ("B", 7_35, 1900), ("C", 1_99, 700)):
        prices.set_price(
            actor=SystemActor("demo"), facility_id=facility.pk, code=code, name=code, kind="other",
            amount_minor=amount, tax_rate=rate,
        )  # fmt: skip
    patient = Patient.objects.order_by("pk")[0]
    accounts = list(Account.objects.filter(email__in=("front@example.org", "boss@example.org")).order_by("email"))
    return {
        "facility": str(facility.pk), "patient": str(patient.pk),
        "accounts": {"desk": str(accounts[1].pk), "boss": str(accounts[0].pk)},
    }  # fmt: skip


def begin(asked: dict[str, Any]) -> list[str]:
    from polyclinic.billing import actions
    from polyclinic.core.ids import new_id

    made = []
    for _number in range(INVOICES):
        bill = actions.open_invoice(
            actor=person(asked, "desk"), facility_id=UUID(asked["facility"]), patient_id=UUID(asked["patient"]),
            subject_kind="mill", subject_id=new_id(),
        )  # fmt: skip
        made.append(str(bill.pk))
    return made


def person(asked: dict[str, Any], who: str) -> Any:
    from polyclinic.core.actors import Grant, Person

    role = {"desk": "receptionist", "boss": "manager"}[who]
    account, facility = UUID(asked["accounts"][who]), UUID(asked["facility"])
    return Person(account_id=account, name=who, grants=frozenset({Grant(role, facility)}), via="test")


def move(asked: dict[str, Any], draw: random.Random) -> str:  # noqa: C901 - one branch for each kind of step
    """One random step on a random invoice; some are sent again under an old key. What came of it."""
    from polyclinic.billing import actions, lapsing, paying
    from polyclinic.billing.models import InvoiceLine, Payment
    from polyclinic.core.errors import Problem
    from polyclinic.core.ids import new_id

    desk, boss = person(asked, "desk"), person(asked, "boss")
    invoice = UUID(draw.choice(asked["invoices"]))
    step = draw.choices(
        ["charge", "pay", "again", "card", "answer", "refund", "discount", "waive", "drop", "lapse"],
        [20, 26, 6, 6, 8, 18, 6, 1, 4, 2],
    )[0]
    amount = draw.choice([1_99, 7_35, 10_00, 50_00, draw.randint(1, 60_00)])
    payments = list(Payment.objects.filter(invoice_id=invoice).values_list("pk", "state", "key", "amount_minor"))
    try:
        if step == "charge":
            actions.charge(
                actor=desk, invoice_id=invoice, code=draw.choice("ABC"), quantity=draw.randint(1, 3),
                source_kind="mill", source_id=new_id(),
            )  # fmt: skip
        elif step in ("pay", "card"):
            actions.take_payment(
                actor=desk, invoice_id=invoice, method="cash" if step == "pay" else "card", amount_minor=amount,
                key=f"k{draw.randint(1, 10**9)}",
            )  # fmt: skip
        elif step == "again":
            cash = [row for row in payments if row[1] == "taken"]
            if cash:
                _pk, _state, key, paid = draw.choice(cash)
                actions.take_payment(actor=desk, invoice_id=invoice, method="cash", amount_minor=paid, key=key)
        elif step == "answer":
            waiting = [row[0] for row in payments if row[1] == "pending"]
            if waiting:
                paying.confirm_card(actor=desk, payment_id=draw.choice(waiting), approved=draw.random() < 0.8)
        elif step == "refund":
            if payments:
                target = draw.choice(payments)[0]
                actions.refund(
                    actor=desk, payment_id=target, amount_minor=amount, reason="mill", key=f"r{draw.randint(1, 400)}",
                    credits=draw.random() < 0.5,
                )  # fmt: skip
        else:
            lines = list(InvoiceLine.objects.filter(invoice_id=invoice).values_list("pk", flat=True))
            if lines and step == "discount":
                actions.discount(
                    actor=boss, line_id=draw.choice(lines), amount_minor=draw.randint(1, 5_00), reason="mill"
                )
            elif lines and step == "drop":
                actions.drop(actor=boss, line_id=draw.choice(lines), reason="mill")
            elif lines and step == "lapse":
                _lapse(lapsing, InvoiceLine.objects.get(pk=draw.choice(lines)))
            elif step == "waive":
                actions.waive(actor=boss, invoice_id=invoice, reason="mill")
    except Problem as refused:
        return f"{step}: {refused.code}"
    return step


def _lapse(lapsing: Any, line: Any) -> None:
    """What one thing was charged for will not be done. The only line is left alone: a mill of void invoices stands."""
    from polyclinic.core.actors import SystemActor

    if line.invoice.lines.filter(dropped_at__isnull=True).count() > 2:
        lapsing.lapse(
            actor=SystemActor("cash-desk"), source_kind=line.source_kind, source_id=line.source_id, reason="mill"
        )


def part(asked: dict[str, Any], seed: int, answers: Any) -> None:
    """One process: some threads, each with its share of the moves."""
    django.setup(set_prefix=False)
    from django.db import connection

    if not asked["guards"]:
        weaken()
    told: Counter[str] = Counter()
    lock = threading.Lock()

    def work(number: int) -> None:
        draw = random.Random(seed * 1000 + number)
        if connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                # Power cuts are another promise (T1); here a disk's pace would only make the crowd smaller.
                cursor.execute("PRAGMA synchronous=OFF")
                if not asked["guards"]:
                    cursor.execute("PRAGMA ignore_check_constraints=ON")
        for _turn in range(asked["moves"] // (PROCESSES * asked["threads"])):
            try:
                came = move(asked, draw)
            except Exception as failure:
                came = f"broken: {failure!r}"[:200]
            with lock:
                told[came] += 1
        connection.close()

    threads = [threading.Thread(target=work, args=[number]) for number in range(asked["threads"])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answers.put(dict(told))


def main() -> None:
    asked = json.loads(sys.argv[1])
    django.setup(set_prefix=False)
    from django.db import connections

    asked |= prepare()
    asked["invoices"] = begin(asked)
    if not asked["guards"]:
        unguarded()
    connections.close_all()
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    parts = [context.Process(target=part, args=(asked, seed, answers)) for seed in range(PROCESSES)]
    for one in parts:
        one.start()
    told: Counter[str] = Counter()
    for _one in parts:
        told += Counter(answers.get(timeout=500))
    for one in parts:
        one.join()
    from polyclinic.core.audit import chain
    from tests.billing import desk

    try:
        desk.in_order()
        wrong = ""
    except AssertionError as found:
        wrong = repr(found) + "|" + str(found.__traceback__ and found.__traceback__.tb_lineno)
    print(
        json.dumps({"told": told, "wrong": wrong, "sums": desk.balances(), "broken_chain": len(list(chain.verify()))})
    )


if __name__ == "__main__":
    main()
