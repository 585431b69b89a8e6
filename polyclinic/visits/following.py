"""A visit as its patient follows it: the steps behind and before them, their place in the queue, and where to go.

Who acts for the patient follows it too. Nobody reads here what others wait for.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from polyclinic.core import clock
from polyclinic.core.actors import Viewer
from polyclinic.visits import selectors, tickets, watching
from polyclinic.visits.models import StageTime, Visit
from polyclinic.visits.rows import VisitRow
from polyclinic.visits.states import (
    CANCELLED,
    CHECKED,
    DIAGNOSED,
    LAB_DONE,
    LAB_PENDING,
    LEFT,
    OPEN,
    PAID,
    REGISTERED,
)

# A visit that nobody has ended since is no news to its patient.
_FORGOTTEN: Final = timedelta(days=2)
# What usually comes after each stage. A laboratory appears once something is ordered: nobody is promised one.
_AHEAD: Final[dict[str, tuple[str, ...]]] = {
    REGISTERED: (PAID, CHECKED, DIAGNOSED),
    PAID: (CHECKED, DIAGNOSED),
    LAB_PENDING: (LAB_DONE, DIAGNOSED),
    CHECKED: (DIAGNOSED,),
    LAB_DONE: (DIAGNOSED,),
    DIAGNOSED: (),
}


class Step(msgspec.Struct, frozen=True, rename="camel"):
    """What a visit is waiting for at a stage. `state` is done, now, ahead, or missed (the visit ended there)."""

    stage: str
    state: str
    since: datetime | None


class Journey(msgspec.Struct, frozen=True, rename="camel"):
    """A visit, its steps, and while it goes on the ticket that says where the patient stands. `code` opens the ticket's
    page and the live line that says that the queue moved; it is empty once the ticket shows nothing any more."""

    visit: VisitRow
    steps: tuple[Step, ...]
    ticket: watching.Ticket | None
    code: str

    @property
    def going_on(self) -> bool:
        """Whether the patient is still to be seen by somebody."""
        return self.visit.stage in OPEN


def now(viewer: Viewer, patient_id: UUID) -> list[Journey]:
    """The patient's visits that go on, or ended in the last hours, the newest first.

    Raises NotFound for a stranger. What was opened by mistake is not shown.
    """
    return [_journey(row) for row in selectors.visits_of(viewer, patient_id) if _is_news(row)]


def _is_news(row: VisitRow) -> bool:
    moment = clock.now()
    if row.closed_at is None:
        return row.opened_at >= moment - _FORGOTTEN
    return row.stage != CANCELLED and row.closed_at >= moment - watching.AFTERWARDS


def journey(viewer: Viewer, visit_id: UUID) -> Journey:
    """One visit as its patient follows it. Raises NotFound."""
    return _journey(selectors.visit(viewer, visit_id))


def _journey(row: VisitRow) -> Journey:
    shown = row.closed_at is None or row.closed_at + watching.AFTERWARDS >= clock.now()
    return Journey(
        visit=row,
        steps=_steps(row),
        ticket=watching.of(Visit.objects.select_related("facility").get(pk=row.id)) if shown else None,
        code=tickets.code(row.id) if shown else "",
    )


def _steps(row: VisitRow) -> tuple[Step, ...]:
    """Those behind in the order they came, and those ahead."""
    passed = list(StageTime.objects.filter(visit_id=row.id, stage__in=OPEN).order_by("entered_at", "pk"))
    ended = row.stage in (LEFT, CANCELLED)
    found = [
        Step(
            one.stage,
            "now" if one.stage == row.stage and one.left_at is None else "missed" if ended and last else "done",
            one.entered_at,
        )
        for last, one in ((one is passed[-1], one) for one in passed)
    ]
    return (*found, *(Step(stage, "ahead", None) for stage in _AHEAD.get(row.stage, ())))


__all__ = ["Journey", "Step", "journey", "now"]
