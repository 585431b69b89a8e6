""" "Seen by": that whoever decides has looked at a result, and at which number of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from polyclinic.core import ledger
from polyclinic.core.access import policy
from polyclinic.core.actors import Actor, Person, Viewer
from polyclinic.core.db import lock_keys, transactional
from polyclinic.core.errors import Conflict, Forbidden, NotFound
from polyclinic.laboratory.models import OrderedTest
from polyclinic.prescribing.models import TestReview
from polyclinic.records import sight
from polyclinic.visits.models import Visit
from polyclinic.visits.states import visit_subject


@dataclass(frozen=True, slots=True)
class Seen:
    """Who has seen one number of a test's result, and when: the first who did; and whether the viewer has."""

    name: str
    at: datetime
    mine: bool = False


@transactional
def mark(*, actor: Actor, visit_id: UUID, numbers: Mapping[UUID, int]) -> int:
    """The actor has seen these numbers of these tests. Returns how many were new to them.

    Raises NotFound (also for a test of another visit, or a number that is not verified), Forbidden.
    """
    visit = sight.visit(actor, "visit.view", visit_id)
    policy.require(actor, "visit.diagnose", visit_subject(visit))
    if not isinstance(actor, Person):
        raise Forbidden()
    tests = {test.pk: test for test in OrderedTest.objects.filter(order__visit_id=visit_id, pk__in=numbers)}
    for test_id, number in numbers.items():
        test = tests.get(test_id)
        if test is None or number != test.verified_number:
            raise NotFound(field="test")
    lock_keys([f"review:{visit_id}:{actor.account_id}"])
    known = set(
        TestReview.objects.filter(ordered_test_id__in=numbers, account_id=actor.account_id).values_list(
            "ordered_test_id", "number"
        )
    )
    fresh = [(test_id, number) for test_id, number in numbers.items() if (test_id, number) not in known]
    for test_id, number in fresh:
        _write(actor, visit, test_id, number)
    return len(fresh)


def require(actor: Actor, visit: Visit, said: Mapping[UUID, int]) -> None:
    """Before a signature, in its transaction: every verified result of the visit was looked at by who signs.

    `said` are those the signer says they have seen with it, each with its number: they are written down. Raises
    Conflict (`results_unseen`) for any other, also for a number that was corrected while the page was open.
    """
    if not isinstance(actor, Person):
        return
    lock_keys([f"review:{visit.pk}:{actor.account_id}"])
    own = TestReview.objects.filter(visit_id=visit.pk, account_id=actor.account_id)
    known = set(own.values_list("ordered_test_id", "number"))
    tests = OrderedTest.objects.filter(order__visit_id=visit.pk, verified_number__isnull=False)
    open_ = [test for test in tests.order_by("pk") if (test.pk, test.verified_number) not in known]
    unseen = [test for test in open_ if said.get(test.pk) != test.verified_number]
    if unseen:
        raise Conflict(
            _("Results of this visit are not yet seen. Look at them and tick that you have, then sign."),
            code="results_unseen", field="results_seen", tests=[str(test.pk) for test in unseen],
        )  # fmt: skip
    for test in open_:
        _write(actor, visit, test.pk, said[test.pk])


def _write(actor: Person, visit: Visit, test_id: UUID, number: int) -> None:
    row = TestReview(
        ordered_test_id=test_id, number=number, visit=visit, patient_id=visit.patient_id, account_id=actor.account_id
    )
    row.save(force_insert=True)
    ledger.record(actor=actor, action="result.seen", row=row, subject=visit_subject(visit), revision=number)


def of_visit(viewer: Viewer, visit_id: UUID) -> dict[tuple[UUID, int], Seen]:
    """By test and number, who has seen it first. Raises NotFound."""
    visit = sight.visit(viewer, "lab.view", visit_id)
    rows = TestReview.objects.filter(visit_id=visit.pk).select_related("account").order_by("-at")
    own = viewer.account_id if isinstance(viewer, Person) else None
    found: dict[tuple[UUID, int], Seen] = {}
    for row in rows:
        key = (row.ordered_test_id, row.number)
        mine = row.account_id == own or (key in found and found[key].mine)
        found[key] = Seen(row.account.name, row.at, mine)
    return found
