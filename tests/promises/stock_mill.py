"""Thousands of random movements of stock from two processes over one real database. Prints what the books say then.

Run in an installation's settings, in which `tests.seeding` has built the small hospital:
`python -m tests.promises.stock_mill '{"moves": 10000, "threads": 4, "guards": true}'`. Without `guards` a quantity is
read, changed and written back, as one would who had never heard of rivals, and the database's CHECK is taken away.

With `{"last": true, "rivals": 64, "rounds": 10}` that many rivals want the one last unit, round after round.
"""

from __future__ import annotations

import json
import multiprocessing
import random
import sys
import threading
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import django

PROCESSES = 2
MEDICINES, LOTS = 4, 3
STEPS = ("give", "give_many", "receive", "less", "more", "send", "arrive", "call_back", "count", "post")
WEIGHTS = (30, 8, 12, 10, 6, 8, 6, 3, 9, 8)


def weaken() -> None:
    """Nobody holds a medicine, and a quantity is read, changed and written back."""
    from polyclinic.pharmacy import holding, stock
    from polyclinic.pharmacy.models import Batch, StockMove

    def naive(batch_id: UUID, hundredths: int, kind: str, *, actor: Any, why: str = "", source_id: Any = None) -> Any:
        batch = Batch.objects.get(pk=batch_id)
        batch.hundredths, batch.moves = batch.hundredths + hundredths, batch.moves + 1
        Batch.objects.filter(pk=batch_id).update(hundredths=batch.hundredths, moves=batch.moves)
        StockMove.objects.create(
            batch=batch, number=random.getrandbits(30), kind=kind, why=why, hundredths=hundredths,
            after=max(0, batch.hundredths), source_id=source_id, actor=actor.label,
        )  # fmt: skip
        return batch

    holding.lock_keys = lambda _keys: None  # type: ignore[attr-defined]
    stock.move = naive  # type: ignore[assignment]


def unguarded() -> None:
    """Take the CHECK out of the database: on SQLite by telling it to let it be, for each connection."""
    from django.db import connection

    from polyclinic.pharmacy.models import Batch

    if connection.vendor == "postgresql":
        for rule in Batch._meta.constraints:
            if rule.name == "batch_never_negative":
                with connection.schema_editor() as editor:
                    editor.remove_constraint(Batch, rule)


def prepare(asked: dict[str, Any]) -> None:
    from polyclinic.core import clock
    from polyclinic.core.actors import SystemActor
    from polyclinic.facilities.models import Facility
    from polyclinic.pharmacy import keeping, stock
    from tests.pharmacy.shop import medicine

    demo, soon = SystemActor("demo"), clock.now().date() + timedelta(days=200)
    here, there = (Facility.objects.get(slug=slug) for slug in ("riverside", "hilltop"))
    asked["here"], asked["there"] = str(here.pk), str(there.pk)
    asked["medicines"] = [str(medicine(f"mill{n}", generic=f"mill {n}").pk) for n in range(MEDICINES)]
    asked["soon"] = soon.isoformat()
    for one in asked["medicines"]:
        for lot in range(LOTS):
            stock.put(here.pk, UUID(one), f"L{lot}", soon + timedelta(days=lot), 2000, "receive", actor=demo)
    asked["suppliers"] = {
        place: str(keeping.add_supplier(actor=demo, facility_id=UUID(asked[place]), name="Mill").pk)
        for place in ("here", "there")
    }


def step(asked: dict[str, Any], draw: random.Random) -> str:
    """One random movement by a job of ours that may all. What came of it: its name, or its name and the refusal."""
    from polyclinic.core.errors import Problem

    what = draw.choices(STEPS, WEIGHTS)[0]
    try:
        done = _STEPS[what](asked, draw)
    except Problem as refused:
        return f"{what}: {refused.code}"
    return what if done else f"{what}: nothing there"


def _give(asked: dict[str, Any], draw: random.Random) -> bool:
    """As handing over takes it: first expired first, from several batches."""
    from polyclinic.core.actors import SystemActor
    from polyclinic.core.db import transactional
    from polyclinic.core.ids import new_id
    from polyclinic.pharmacy import stock

    @transactional
    def take(wanted: list[tuple[UUID, int]]) -> None:
        here = UUID(asked["here"])
        stock.hold(here, [one for one, _many in wanted])
        for one, many in wanted:
            stock.take(here, one, many, "dispense", actor=SystemActor("demo"), source_id=new_id())
        stock.told(here, [one for one, _many in wanted])

    several = draw.randint(1, 3)
    take([(UUID(one), draw.randint(1, 900)) for one in draw.sample(asked["medicines"], several)])
    return True


def _receive(asked: dict[str, Any], draw: random.Random) -> bool:
    from polyclinic.core.actors import SystemActor
    from polyclinic.core.ids import new_id
    from polyclinic.pharmacy import keeping
    from polyclinic.pharmacy.keeping import Came

    place = draw.choice(["here", "here", "there"])
    lot = draw.randint(0, LOTS - 1)
    soon = date.fromisoformat(asked["soon"]) + timedelta(days=lot)
    keeping.receive(
        actor=SystemActor("demo"), facility_id=UUID(asked[place]), supplier_id=UUID(asked["suppliers"][place]),
        # Now and then the same note once more.
        reference=f"N{draw.randint(1, 400)}" if draw.random() < 0.3 else new_id().hex,
        lines=[Came(UUID(draw.choice(asked["medicines"])), f"L{lot}", soon, Decimal(draw.randint(1, 12)))],
    )  # fmt: skip
    return True


def _batch(draw: random.Random) -> UUID:
    from polyclinic.pharmacy.models import Batch

    return draw.choice(list(Batch.objects.order_by("pk").values_list("pk", flat=True)))


def _adjust(asked: dict[str, Any], draw: random.Random, sign: int) -> bool:
    from polyclinic.core.actors import SystemActor
    from polyclinic.pharmacy import keeping

    keeping.adjust(
        actor=SystemActor("demo"), batch_id=_batch(draw), difference=sign * Decimal(draw.randint(1, 900)) / 100,
        why="lost" if sign < 0 else "found",
    )  # fmt: skip
    return True


def _send(asked: dict[str, Any], draw: random.Random) -> bool:
    from polyclinic.core.actors import SystemActor
    from polyclinic.pharmacy import keeping
    from polyclinic.pharmacy.models import Batch

    batch = Batch.objects.get(pk=_batch(draw))
    other = asked["there"] if str(batch.facility_id) == asked["here"] else asked["here"]
    keeping.send(
        actor=SystemActor("demo"), batch_id=batch.pk, target_id=UUID(other), quantity=Decimal(draw.randint(1, 6))
    )
    return True


def _end(asked: dict[str, Any], draw: random.Random, how: str) -> bool:
    """One that is on its way, or (so that two meet) one that is not any more."""
    from polyclinic.core.actors import SystemActor
    from polyclinic.pharmacy import keeping
    from polyclinic.pharmacy.models import Transfer

    rows = Transfer.objects.order_by("-sent_at", "pk")
    found = list((rows.filter(state="sent") if draw.random() < 0.8 else rows).values_list("pk", flat=True)[:5])
    if not found:
        return False
    getattr(keeping, how)(actor=SystemActor("demo"), transfer_id=draw.choice(found))
    return True


def _count(asked: dict[str, Any], draw: random.Random) -> bool:
    from polyclinic.core.actors import SystemActor
    from polyclinic.pharmacy import counting
    from polyclinic.pharmacy.counting import Count
    from polyclinic.pharmacy.models import Batch

    demo = SystemActor("demo")
    take = counting.start(actor=demo, facility_id=UUID(asked["here"]))
    batch = draw.choice(list(Batch.objects.filter(facility_id=asked["here"])))
    there = max(0, batch.hundredths + draw.randint(-300, 200))
    counting.count(
        actor=demo, take_id=take.pk,
        counts={batch.pk: Count(Decimal(there) / 100, batch.moves if draw.random() < 0.5 else None)},
    )  # fmt: skip
    return True


def _post(asked: dict[str, Any], draw: random.Random) -> bool:
    """Post the count that is going on. What is refused is counted again, as the refusal asks, for who posts next."""
    from polyclinic.core.actors import SystemActor
    from polyclinic.core.errors import Conflict
    from polyclinic.pharmacy import counting
    from polyclinic.pharmacy.counting import Count
    from polyclinic.pharmacy.models import Batch, StockTake

    demo, found = SystemActor("demo"), StockTake.objects.filter(state="open").values_list("pk", flat=True).first()
    if found is None:
        return False
    try:
        counting.post(actor=demo, take_id=found)
    except Conflict as refused:
        if refused.code == "out_of_stock":
            batch = Batch.objects.get(pk=UUID(str(refused.field).removeprefix("count-")))
            counting.count(actor=demo, take_id=found, counts={batch.pk: Count(Decimal(batch.hundredths) / 100)})
        raise
    return True


_STEPS: dict[str, Any] = {
    "give": _give, "give_many": _give, "receive": _receive,
    "less": lambda asked, draw: _adjust(asked, draw, -1), "more": lambda asked, draw: _adjust(asked, draw, 1),
    "send": _send, "arrive": lambda asked, draw: _end(asked, draw, "arrive"),
    "call_back": lambda asked, draw: _end(asked, draw, "call_back"), "count": _count, "post": _post,
}  # fmt: skip


def last_unit(asked: dict[str, Any], number: int, turn: int) -> str:
    """One rival hands over the one unit there is, by the whole of what handing over is."""
    from polyclinic.core.actors import Grant, Person
    from polyclinic.core.errors import Problem
    from polyclinic.pharmacy import actions
    from polyclinic.pharmacy.actions import Handing

    rx, line, check = asked["prescriptions"][turn][number]
    actor = Person(
        account_id=UUID(asked["pharmacist"]), name="", grants=frozenset({Grant("pharmacist", UUID(asked["here"]))}),
        via="test",
    )  # fmt: skip
    try:
        actions.dispense(
            actor=actor, prescription_id=UUID(rx), items=[Handing(UUID(line), Decimal(1))], check_id=UUID(check)
        )
    except Problem as refused:
        return refused.code
    return "given"


def prescribe(asked: dict[str, Any]) -> None:
    """For each round a medicine with one unit left, and a prescription of it for each rival, identified already."""
    from polyclinic.core import clock
    from polyclinic.core.ids import new_id
    from polyclinic.facilities.models import Facility
    from polyclinic.people.models import Account, Patient
    from polyclinic.pharmacy.models import IdentityCheck
    from polyclinic.prescribing.bodies import LineBody, write
    from polyclinic.prescribing.models import Prescription, PrescriptionLine
    from polyclinic.visits.models import Visit
    from tests.pharmacy.shop import in_days, medicine, stocked

    facility = Facility.objects.get(slug="riverside")
    account = Account.objects.get(email="pharmacist@example.org")
    asked["here"], asked["pharmacist"] = str(facility.pk), str(account.pk)
    # A patient each: a second prescription of the same medicine for the same one is asked about before it is given.
    patients = Patient.objects.bulk_create(
        Patient(mrn=f"R{n:08d}", family_name="Rival", given_name=str(n), born=date(1980, 1, 1), sex="female")
        for n in range(asked["rivals"])
    )
    body = write(LineBody(Decimal(1), "capsule", "oral", "once"))
    asked["prescriptions"], number = [], 0
    for turn in range(asked["rounds"]):
        one = medicine(f"last{turn}", generic=f"last {turn}")
        stocked(facility.pk, one, 1)
        rows = []
        for patient in patients:
            number += 1
            visit = Visit.objects.create(
                facility=facility, patient=patient, day=in_days(0), number=number, token=f"X{number}", state="done",
                ticket=new_id().hex, opened_at=(now := clock.now()), closed_at=now, opened_by="test",
            )  # fmt: skip
            rx = Prescription.objects.create(
                number=number, visit=visit, patient=patient, facility=facility, valid_until=in_days(9), state="signed",
                signed_by="",
            )  # fmt: skip
            line = PrescriptionLine(
                prescription=rx, patient=patient, medicine=one, place=0, quantity=Decimal(1), state="open"
            )
            line.body = body
            line.save(force_insert=True)
            check = IdentityCheck.objects.create(
                prescription=rx, patient=patient, facility=facility, account=account, asked="name+born", matched=True
            )
            rows.append((str(rx.pk), str(line.pk), str(check.pk)))
        asked["prescriptions"].append(rows)


def settle(asked: dict[str, Any]) -> None:
    """This thread's connection: as quick as can be, and on SQLite without its checks when no guard is wanted."""
    from django.db import connection

    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            # Power cuts are another promise (T1); here a disk's pace would only make the crowd smaller.
            cursor.execute("PRAGMA synchronous=OFF")
            if not asked["guards"]:
                cursor.execute("PRAGMA ignore_check_constraints=ON")


def crowd(asked: dict[str, Any], seed: int, barrier: Any, answers: Any) -> None:
    """One process of rivals for the last unit: a thread each, let go together in every round."""
    django.setup(set_prefix=False)
    from django.db import connection

    told: Counter[str] = Counter()
    lock = threading.Lock()

    def rival(number: int) -> None:
        settle(asked)
        for turn in range(asked["rounds"]):
            barrier.wait(120)
            try:
                came = f"{turn} {last_unit(asked, number, turn)}"
            except Exception as failure:
                came = f"broken: {failure!r}"[:200]
            with lock:
                told[came] += 1
            if connection.vendor == "postgresql":
                # As after a request: back into the pool, which is smaller than the crowd.
                connection.close()
        connection.close()

    run([threading.Thread(target=rival, args=[n]) for n in range(seed, asked["rivals"], PROCESSES)])
    answers.put(dict(told))


def part(asked: dict[str, Any], seed: int, _barrier: Any, answers: Any) -> None:
    """One process of the mill: some threads, each with its share of the moves."""
    django.setup(set_prefix=False)
    from django.db import connection

    if not asked["guards"]:
        weaken()
    told: Counter[str] = Counter()
    lock = threading.Lock()

    def work(number: int) -> None:
        draw = random.Random(seed * 1000 + number)
        settle(asked)
        for _turn in range(asked["moves"] // (PROCESSES * asked["threads"])):
            try:
                came = step(asked, draw)
            except Exception as failure:
                came = f"broken: {failure!r}"[:200]
            with lock:
                told[came] += 1
        connection.close()

    run([threading.Thread(target=work, args=[number]) for number in range(asked["threads"])])
    answers.put(dict(told))


def run(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main() -> None:
    asked = json.loads(sys.argv[1])
    django.setup(set_prefix=False)
    from django.db import connections

    (prescribe if asked.get("last") else prepare)(asked)
    if not asked["guards"]:
        unguarded()
    connections.close_all()
    for one in connections.all():
        close = getattr(one, "close_pool", None)
        if close:
            close()
    context = multiprocessing.get_context("spawn")
    answers, barrier = context.Queue(), context.Barrier(asked.get("rivals", 1))
    target = crowd if asked.get("last") else part
    parts = [context.Process(target=target, args=(asked, seed, barrier, answers)) for seed in range(PROCESSES)]
    for one in parts:
        one.start()
    told: Counter[str] = Counter()
    for _one in parts:
        told += Counter(answers.get(timeout=900))
    for one in parts:
        one.join()
    print(json.dumps({"told": told, **books()}))


def books() -> dict[str, Any]:
    """What the ledger says, looked at by its own sums and not by the code that made it."""
    from django.db.models import Sum

    from polyclinic.billing.models import InvoiceLine
    from polyclinic.core.audit import chain
    from polyclinic.pharmacy import stock
    from polyclinic.pharmacy.models import Batch, Dispense, StockMove, Transfer

    def total(query: Any) -> int:
        return int(query.aggregate(Sum("hundredths"))["hundredths__sum"] or 0)

    afters, running = 0, {}
    for batch, number, moved, after in StockMove.objects.order_by("batch_id", "number").values_list(
        "batch_id", "number", "hundredths", "after"
    ):
        before, last = running.get(batch, (0, 0))
        afters += not (number == last + 1 and after == before + moved and after >= 0)
        running[batch] = (after, number)
    sums = dict(StockMove.objects.values_list("batch_id").annotate(Sum("hundredths")))
    return {
        "lost": sum(sums.get(key, 0) != there for key, there in Batch.objects.values_list("pk", "hundredths")),
        "wrong": stock.wrong(), "negative": Batch.objects.filter(hundredths__lt=0).count(), "broken_steps": afters,
        "shelves": total(Batch.objects), "moves": total(StockMove.objects),
        "on_the_way": total(Transfer.objects.filter(state="sent")),
        "between": total(StockMove.objects.filter(kind__startswith="transfer")),
        "rows": StockMove.objects.count(), "dispenses": Dispense.objects.count(),
        "charged": InvoiceLine.objects.filter(source_kind="dispense_line").count(),
        "broken_chain": len(list(chain.verify())),
    }  # fmt: skip


if __name__ == "__main__":
    main()
