"""T6 for beds: random steps of many stays over few beds. Database, audit and events agree after every one of them, and
a refused step leaves nothing behind."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from django.db import transaction

from polyclinic.core.errors import Problem
from polyclinic.core.models import AuditEntry, OutboxEvent
from polyclinic.inpatient import actions, beds
from polyclinic.inpatient.models import Bed, BedStay, BedTime
from polyclinic.inpatient.states import HOLDING
from tests.house import patient
from tests.inpatient.wing import DEMO, Wing

STEPS, SEEDS = 120, 4
# What the bed of a stay in this state must be, written out by hand.
TOGETHER = {"reserved": "reserved", "admitted": "occupied", "discharge_ordered": "occupied"}


def one_step(wing: Wing, people: list[Any], draw: random.Random) -> None:
    """Something that somebody might try, whether it is possible now or not."""
    stays = list(BedStay.objects.order_by("pk").values_list("pk", flat=True))
    bed = draw.choice(list(wing.beds.values())).pk
    if not stays or draw.random() < 0.15:
        who = draw.choice(people)
        actions.request(actor=DEMO, facility_id=wing.house.facility.pk, patient_id=who.pk, priority="urgent")
        return
    given: dict[str, Any] = {"actor": DEMO, "stay_id": draw.choice(stays)}
    fit = {"bed_id": bed, "despite": draw.choice(["", "Needed"])}
    draw.choice(
        [
            lambda: actions.reserve(**given, **fit),
            lambda: actions.admit(**given, **fit),
            lambda: actions.admit(**given),
            lambda: actions.transfer(**given, **fit),
            lambda: actions.release(**given),
            lambda: actions.order_discharge(**given),
            lambda: actions.withdraw_discharge(**given, reason="Stays"),
            lambda: actions.depart(**given, reason="Home"),
            lambda: actions.cancel(**given, reason="Not needed"),
            lambda: beds.start_cleaning(actor=DEMO, bed_id=bed),
            lambda: beds.finish_cleaning(actor=DEMO, bed_id=bed),
            lambda: beds.block(actor=DEMO, bed_id=bed, why="repair"),
            lambda: beds.unblock(actor=DEMO, bed_id=bed),
        ]
    )()


def everything() -> tuple[object, ...]:
    return (
        sorted(BedStay.objects.values_list("pk", "state", "version", "bed_id")),
        sorted(Bed.objects.values_list("pk", "state", "version", "why")),
        BedTime.objects.count(), AuditEntry.objects.count(), OutboxEvent.objects.count(),
    )  # fmt: skip


def check() -> None:
    """What must be true whatever happened."""
    holding = list(BedStay.objects.filter(state__in=HOLDING).values_list("bed_id", "state"))
    states = dict(Bed.objects.values_list("pk", "state"))
    assert len({bed for bed, _state in holding}) == len(holding)
    assert {bed: TOGETHER[state] for bed, state in holding} == {
        bed: state for bed, state in states.items() if state in ("reserved", "occupied")
    }
    for rows, stream in ((BedStay.objects.all(), "stay"), (Bed.objects.all(), "bed")):
        told = Counter(OutboxEvent.objects.filter(stream__startswith=f"{stream}:").values_list("stream", flat=True))
        assert told == {f"{stream}:{row.pk}": row.version for row in rows}
    kinds = Counter(
        AuditEntry.objects.filter(subject_kind__in=("bed", "bed_stay")).values_list("subject_id", flat=True)
    )
    assert kinds == {str(row.pk): row.version for row in (*BedStay.objects.all(), *Bed.objects.all())}
    open_ = dict(BedTime.objects.filter(left_at=None).values_list("bed_id", "state"))
    assert open_ == states


@pytest.mark.parametrize("seed", range(SEEDS))
def test_random_steps_keep_stays_and_beds_together(wing: Wing, seed: int) -> None:
    draw = random.Random(seed)
    people = [wing.house.patient, wing.house.other_patient, *(patient(n, f"Walk{n}", f"Nr{n}") for n in range(20, 24))]
    taken = 0
    for _step in range(STEPS):
        before = everything()
        try:
            with transaction.atomic():
                one_step(wing, people, draw)
        except Problem:
            assert everything() == before
        else:
            taken += 1
            check()
    assert taken > STEPS // 12
