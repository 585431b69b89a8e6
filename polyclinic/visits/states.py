"""The state tables of a visit and of a place in a queue."""

from __future__ import annotations

from typing import Any, Final, cast

from polyclinic.core.access.policy import Subject
from polyclinic.core.ledger import Machine, Transition
from polyclinic.core.outbox.events import Event
from polyclinic.visits import events, rules
from polyclinic.visits.words import Line

REGISTERED, PAID, LAB_PENDING, CHECKED = "registered", "paid", "lab_pending", "checked"
LAB_DONE, DIAGNOSED, DONE, LEFT, CANCELLED = "lab_done", "diagnosed", "done", "left", "cancelled"
# Stages of a visit that goes on.
OPEN: Final = (REGISTERED, PAID, LAB_PENDING, CHECKED, LAB_DONE, DIAGNOSED)
# Stages in which nobody has looked at the patient yet.
UNSEEN: Final = (REGISTERED, PAID)
# Which queue somebody waits in at each stage.
LINE_OF: Final = {
    REGISTERED: Line.DESK,
    PAID: Line.CHECK,
    LAB_PENDING: Line.LAB,
    CHECKED: Line.DOCTOR,
    LAB_DONE: Line.DOCTOR,
    DIAGNOSED: Line.PHARMACY,
}

WAITING, CALLED, HELD, SERVING = "waiting", "called", "held", "serving"
SKIPPED, SERVED, NO_SHOW = "skipped", "served", "no_show"


def _tell(kind: type[Event], row: Any) -> Event:  # noqa: ANN401 - a row of this app
    return cast("Any", kind).of(row)  # type: ignore[no-any-return]


def visit_subject(row: Any) -> Subject:  # noqa: ANN401 - a Visit
    """Whom a visit is about and where it belongs."""
    return Subject(patient_id=row.patient_id, doctor_id=row.main_doctor_id, facility_id=row.facility_id)


def entry_subject(row: Any) -> Subject:  # noqa: ANN401 - a QueueEntry with its visit
    """A place in a queue is about the visit's patient; with a doctor of its own it belongs to that doctor."""
    return Subject(row.visit.patient_id, row.doctor_id or row.visit.main_doctor_id, row.facility_id)


_R = Transition
VISIT: Final = Machine(
    name="visit",
    model="visits.Visit",
    subject=visit_subject,
    tell=_tell,
    transitions=(
        _R(None, "register", REGISTERED, "visit.register", events.VisitRegistered),
        _R(REGISTERED, "pay", PAID, "visit.pay", events.VisitPaid),
        _R(REGISTERED, "waive", PAID, "fee.waive", events.VisitPaid),
        _R(PAID, "check", CHECKED, "visit.check", events.VisitChecked),
        _R(PAID, "order_lab", LAB_PENDING, "visit.order_lab", events.VisitLabPending),
        # An emergency is seen before anybody asks for money.
        _R(REGISTERED, "check", CHECKED, "visit.check", events.VisitChecked, rules.an_emergency),
        _R(REGISTERED, "order_lab", LAB_PENDING, "visit.order_lab", events.VisitLabPending, rules.an_emergency),
        _R(LAB_PENDING, "results_done", LAB_DONE, "visit.results", events.VisitLabDone),
        # Who diagnoses may want to know more first.
        _R(CHECKED, "order_lab", LAB_PENDING, "visit.order_more", events.VisitLabPending),
        _R(LAB_DONE, "order_lab", LAB_PENDING, "visit.order_more", events.VisitLabPending),
        _R(CHECKED, "diagnose", DIAGNOSED, "visit.diagnose", events.VisitDiagnosed),
        _R(LAB_DONE, "diagnose", DIAGNOSED, "visit.diagnose", events.VisitDiagnosed),
        _R(DIAGNOSED, "dispense", DONE, "visit.dispense", events.VisitDone),
        _R(DIAGNOSED, "decline_medicine", DONE, "visit.dispense", events.VisitDone),
        _R(DIAGNOSED, "no_medicine", DONE, "visit.diagnose", events.VisitDone),
        *(
            _R(stage, "leave", LEFT, "visit.leave", events.VisitLeft)
            for stage in (REGISTERED, PAID, CHECKED, LAB_PENDING, LAB_DONE)
        ),
        # Once somebody has looked at the patient it happened, and can no longer be a mistake of the desk.
        _R(REGISTERED, "cancel", CANCELLED, "visit.cancel", events.VisitCancelled),
        _R(PAID, "cancel", CANCELLED, "visit.cancel", events.VisitCancelled),
    ),
)

_CALLABLE = (WAITING, HELD, SKIPPED, NO_SHOW)
_THERE = (WAITING, CALLED, HELD, SERVING, SKIPPED, NO_SHOW)
QUEUE: Final = Machine(
    name="queue_entry",
    model="visits.QueueEntry",
    subject=entry_subject,
    tell=_tell,
    transitions=(
        _R(None, "join", WAITING, "visit.queue", events.QueueJoined),
        *(_R(state, "call", CALLED, "visit.queue", events.QueueCalled) for state in _CALLABLE),
        _R(CALLED, "recall", CALLED, "visit.queue", events.QueueCalled),
        *(_R(state, "serve", SERVING, "visit.queue", events.QueueServing) for state in (WAITING, CALLED)),
        *(_R(state, "hold", HELD, "visit.queue", events.QueueHeld) for state in (WAITING, CALLED, SKIPPED)),
        *(_R(state, "resume", WAITING, "visit.queue", events.QueueResumed) for state in (HELD, SKIPPED, NO_SHOW)),
        _R(CALLED, "skip", SKIPPED, "visit.queue", events.QueueSkipped),
        *(_R(state, "no_show", NO_SHOW, "visit.queue", events.QueueNoShow) for state in (CALLED, SKIPPED)),
        *(_R(state, "transfer", WAITING, "visit.queue", events.QueueTransferred) for state in _THERE),
        # The visit went on to its next stage or ended: by `visits.queue` alone, together with that step.
        *(_R(state, "end", SERVED, "visit.queue", events.QueueServed) for state in _THERE),
    ),
)
