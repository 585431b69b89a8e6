"""The bench driven at random: a specimen and its tests go only where the table written here says, each step with its
audit row and its event, and a refused step changes nothing. Forty walks of forty steps.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from polyclinic.core.errors import Problem
from polyclinic.core.models import AuditEntry, OutboxEvent
from polyclinic.laboratory import actions, entering
from polyclinic.laboratory.models import OrderedTest, Result, Specimen
from tests.laboratory.bench import Bench

# Written out by hand and not read from the table: what a test may become by each step.
MAY = {
    "collect": {("ordered", "collected")},
    "receive": {("collected", "received")},
    "reject": {("collected", "ordered"), ("received", "ordered"), ("resulted", "ordered")},
    "enter": {("received", "resulted"), ("resulted", "resulted")},
    "verify": {("resulted", "verified")},
    "release": {("verified", "released")},
    "amend": {("verified", "resulted"), ("released", "resulted")},
    "cancel": {(state, "cancelled") for state in ("ordered", "collected", "received", "rejected")},
}
WHO = {
    "collect": {"checker", "main", "tech", "second"}, "receive": {"tech", "second"}, "reject": {"tech", "second"},
    "enter": {"tech", "second"}, "verify": {"tech", "second", "main"}, "release": {"tech", "second", "main"},
    "amend": {"tech", "second"}, "cancel": {"tech", "second", "checker", "main"},
}  # fmt: skip


def step(bench: Bench, chance: random.Random, name: str, actor: Any) -> None:
    """Try one step on a test (or a specimen) of the order, chosen at random."""
    test = chance.choice(list(OrderedTest.objects.order_by("test")))
    value = chance.choice(["140", "145", "118", "150"])
    does: dict[str, Callable[[], object]] = {
        "collect": lambda: actions.collect(actor=actor, specimen_id=test.specimen_id),
        "receive": lambda: actions.receive(actor=actor, specimen_id=test.specimen_id),
        "reject": lambda: actions.reject(actor=actor, specimen_id=test.specimen_id, why="clotted"),
        "enter": lambda: entering.enter(actor=actor, order_id=test.order_id, values={test.pk: value}),
        "verify": lambda: entering.verify(actor=actor, test_id=test.pk),
        "release": lambda: entering.release(actor=actor, test_id=test.pk),
        "amend": lambda: entering.amend(actor=actor, test_id=test.pk, value=value, reason="Again"),
        "cancel": lambda: actions.cancel(actor=actor, test_id=test.pk, reason="Not needed"),
    }
    with transaction.atomic():
        does[name]()


def everything() -> list[Any]:
    return [
        sorted(map(str, model.objects.values_list()))
        for model in (OrderedTest, Specimen, Result, AuditEntry, OutboxEvent)
    ]


@pytest.mark.wide
@pytest.mark.parametrize("seed", range(40))
def test_the_bench_goes_only_where_the_table_says(bench: Bench, seed: int) -> None:
    chance = random.Random(seed)
    bench.order("na", "cl")
    taken = 0
    for _turn in range(40):
        name, who = chance.choice(sorted(MAY)), chance.choice(["checker", "main", "tech", "second", "desk"])
        before, told = dict(OrderedTest.objects.values_list("pk", "state")), everything()
        try:
            step(bench, chance, name, getattr(bench, who))
        except Problem:
            assert everything() == told
            continue
        taken += 1
        assert who in WHO[name]
        after = dict(OrderedTest.objects.values_list("pk", "state"))
        moved = {(before[key], after[key]) for key in before if before[key] != after[key]}
        assert moved <= MAY[name]
        for row in OrderedTest.objects.all():
            assert Result.objects.filter(ordered_test=row).count() == row.number
            steps = AuditEntry.objects.filter(subject_kind="ordered_test", subject_id=str(row.pk)).exclude(
                action__endswith=".read"
            )
            assert steps.count() == row.version == OutboxEvent.objects.filter(stream=f"lab:{row.pk}").count()
    assert taken > 0
