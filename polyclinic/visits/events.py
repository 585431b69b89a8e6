"""What visits and queues tell the world: ids, the token, the stage and the priority; never a name or a complaint."""

from __future__ import annotations

from typing import Any, ClassVar, Final, Self
from uuid import UUID

from polyclinic.core.access.rules import Role
from polyclinic.core.outbox import rooms
from polyclinic.core.outbox.events import Event, event

# Whose work begins when a visit reaches a stage; who may see visits at the facility hears of all of them anyway.
STAGE_ROLES: Final[dict[str, tuple[Role, ...]]] = {
    "registered": (Role.RECEPTIONIST, Role.CHECKER_DOCTOR),
    "paid": (Role.RECEPTIONIST, Role.CHECKER_DOCTOR, Role.NURSE),
    "lab_pending": (Role.CHECKER_DOCTOR, Role.LAB_TECHNICIAN),
    "checked": (Role.CHECKER_DOCTOR, Role.MAIN_DOCTOR),
    "lab_done": (Role.CHECKER_DOCTOR, Role.LAB_TECHNICIAN, Role.MAIN_DOCTOR),
    "diagnosed": (Role.MAIN_DOCTOR, Role.PHARMACIST),
    "done": (Role.RECEPTIONIST, Role.PHARMACIST),
    "left": (Role.RECEPTIONIST, Role.CHECKER_DOCTOR, Role.NURSE, Role.LAB_TECHNICIAN, Role.MAIN_DOCTOR),
    "cancelled": (Role.RECEPTIONIST, Role.CHECKER_DOCTOR),
}


class VisitEvent(Event, frozen=True, rename="camel"):
    """Common to all visit events. `revision` is the visit's version after the change."""

    visit_id: UUID
    patient_id: UUID
    facility_id: UUID
    doctor_id: UUID | None
    token: str
    stage: str
    priority: str
    revision: int

    @classmethod
    def of(cls, row: Any) -> Self:  # noqa: ANN401 - a Visit; importing it here would be a circle
        return cls(
            visit_id=row.pk,
            patient_id=row.patient_id,
            facility_id=row.facility_id,
            doctor_id=row.main_doctor_id,
            token=row.token,
            stage=row.state,
            priority=row.priority,
            revision=row.version,
        )

    def stream(self) -> str:
        return f"visit:{self.visit_id}"

    def stream_seq(self) -> int:
        return self.revision

    def audience(self) -> tuple[str, ...]:
        doctor = (rooms.doctor(self.doctor_id),) if self.doctor_id else ()
        return (
            rooms.patient(self.patient_id),
            *doctor,
            rooms.facility_right(self.facility_id, "visit.view"),
            rooms.facility_role(self.facility_id, Role.MANAGER),
            *(rooms.facility_role(self.facility_id, role) for role in STAGE_ROLES.get(self.stage, ())),
        )


@event("visit.registered", "The front desk opened a visit.")
class VisitRegistered(VisitEvent, frozen=True, rename="camel"):
    pass


@event("visit.paid", "The fee was paid or waived; the first check is next.")
class VisitPaid(VisitEvent, frozen=True, rename="camel"):
    pass


@event("visit.lab_pending", "Tests were ordered.")
class VisitLabPending(VisitEvent, frozen=True, rename="camel"):
    pass


@event("visit.checked", "The first check is done; the doctor is next.")
class VisitChecked(VisitEvent, frozen=True, rename="camel"):
    pass


@event("visit.lab_done", "All ordered tests have their results; the doctor is next.")
class VisitLabDone(VisitEvent, frozen=True, rename="camel"):
    pass


@event("visit.diagnosed", "The doctor has diagnosed; the pharmacy is next.")
class VisitDiagnosed(VisitEvent, frozen=True, rename="camel"):
    pass


@event("visit.done", "The visit is over.")
class VisitDone(VisitEvent, frozen=True, rename="camel"):
    pass


@event("visit.left", "The patient left before the end.")
class VisitLeft(VisitEvent, frozen=True, rename="camel"):
    pass


@event("visit.cancelled", "The visit was opened by mistake.")
class VisitCancelled(VisitEvent, frozen=True, rename="camel"):
    pass


@event("visit.transferred", "The visit goes on in another department or with another doctor.")
class VisitTransferred(VisitEvent, frozen=True, rename="camel"):
    pass


class QueueEvent(Event, frozen=True, rename="camel"):
    """Common to all queue events. `revision` is the entry's version after the change."""

    entry_id: UUID
    visit_id: UUID
    patient_id: UUID
    facility_id: UUID
    doctor_id: UUID | None
    line: str
    token: str
    counter: str
    status: str
    revision: int

    @classmethod
    def of(cls, row: Any) -> Self:  # noqa: ANN401 - a QueueEntry with its visit and counter
        return cls(
            entry_id=row.pk,
            visit_id=row.visit_id,
            patient_id=row.visit.patient_id,
            facility_id=row.facility_id,
            doctor_id=row.doctor_id,
            line=row.line,
            token=row.visit.token,
            counter=row.counter.name if row.counter else "",
            status=row.state,
            revision=row.version,
        )

    def stream(self) -> str:
        return f"queue:{self.entry_id}"

    def stream_seq(self) -> int:
        return self.revision

    def audience(self) -> tuple[str, ...]:
        doctor = (rooms.doctor(self.doctor_id),) if self.doctor_id else ()
        return (
            rooms.patient(self.patient_id),
            *doctor,
            rooms.facility_right(self.facility_id, "visit.view"),
        )


@event("queue.joined", "A visit waits in a queue.")
class QueueJoined(QueueEvent, frozen=True, rename="camel"):
    pass


@event("queue.called", "A token was called, or called again.")
class QueueCalled(QueueEvent, frozen=True, rename="camel"):
    pass


@event("queue.held", "A place in the queue is kept while the patient is elsewhere.")
class QueueHeld(QueueEvent, frozen=True, rename="camel"):
    pass


@event("queue.resumed", "A place that was kept or skipped waits again.")
class QueueResumed(QueueEvent, frozen=True, rename="camel"):
    pass


@event("queue.serving", "The patient is there and being seen.")
class QueueServing(QueueEvent, frozen=True, rename="camel"):
    pass


@event("queue.skipped", "Nobody came; the token waits behind the next few.")
class QueueSkipped(QueueEvent, frozen=True, rename="camel"):
    pass


@event("queue.no_show", "Nobody came at all.")
class QueueNoShow(QueueEvent, frozen=True, rename="camel"):
    pass


@event("queue.served", "The place in the queue is over.")
class QueueServed(QueueEvent, frozen=True, rename="camel"):
    pass


@event("queue.transferred", "A place in the queue moved to another doctor or service.")
class QueueTransferred(QueueEvent, frozen=True, rename="camel"):
    pass


@event("queue.moved", "A queue at this facility moved; says nothing about who is in it.")
class QueueMoved(Event, frozen=True, rename="camel"):
    """What hall displays and ticket holders hear, who have no account. A number would count people: always 0."""

    UNORDERED: ClassVar[bool] = True

    facility_id: UUID
    line: str

    def stream(self) -> str:
        return f"queues:{self.facility_id}"

    def stream_seq(self) -> int:
        return 0

    def audience(self) -> tuple[str, ...]:
        return (rooms.queues(self.facility_id),)
