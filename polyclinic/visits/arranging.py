"""Setting up where people are called to, and the screens in the halls."""

from __future__ import annotations

from uuid import UUID

import msgspec
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor, Viewer
from polyclinic.core.db import transactional
from polyclinic.core.errors import Invalid, NotFound
from polyclinic.visits import tickets
from polyclinic.visits.models import Counter, HallBoard
from polyclinic.visits.words import Line

LONGEST = 40


class CounterRow(msgspec.Struct, frozen=True, rename="camel"):
    """A place to which people are called."""

    id: UUID
    name: str
    line: str


class BoardRow(msgspec.Struct, frozen=True, rename="camel"):
    """A hall's screen with the code that opens it."""

    id: UUID
    name: str
    lines: tuple[str, ...]
    names: bool
    code: str


def counters(viewer: Viewer, facility_id: UUID) -> list[CounterRow]:
    """The counters of a facility by name. Raises NotFound where the viewer does neither see nor set up."""
    subject = Subject(facility_id=facility_id)
    if not policy.allowed(viewer, "visit.arrange", subject):
        policy.require_sight(viewer, "visit.view", subject)
    rows = Counter.objects.filter(facility_id=facility_id, ended_at__isnull=True).order_by("name")
    return [CounterRow(id=row.pk, name=row.name, line=row.line) for row in rows]


def boards(viewer: Viewer, facility_id: UUID) -> list[BoardRow]:
    """The screens of a facility with their codes, for those who set them up. Raises NotFound for others."""
    policy.require_sight(viewer, "visit.arrange", Subject(facility_id=facility_id))
    rows = HallBoard.objects.filter(facility_id=facility_id, ended_at__isnull=True).order_by("name")
    return [_row(row) for row in rows]


def _row(row: HallBoard) -> BoardRow:
    lines = tuple(line for line in row.lines.split(",") if line)
    return BoardRow(id=row.pk, name=row.name, lines=lines, names=row.names, code=tickets.code(row.pk))


@transactional
def add_counter(*, actor: Actor, facility_id: UUID, name: str, line: str) -> Counter:
    """A new counter. Raises NotFound, Forbidden, Invalid naming the field."""
    _require(actor, facility_id)
    if line not in Line.values:
        raise Invalid(_("Choose one of the listed values."), field="line", possible=list(Line.values))
    made = Counter(facility_id=facility_id, name=_name(name), line=line)
    try:
        with transaction.atomic():
            made.save(force_insert=True)
    except IntegrityError:
        raise Invalid(_("There is a counter of this name."), code="taken", field="name") from None
    ledger.record(actor=actor, action="counter.add", row=made, subject=Subject(facility_id=facility_id), revision=1)
    return made


@transactional
def end_counter(*, actor: Actor, counter_id: UUID) -> None:
    """Nobody is called there any more. Raises NotFound, Forbidden."""
    row = Counter.objects.filter(pk=counter_id, ended_at__isnull=True).first()
    if row is None:
        raise NotFound()
    _require(actor, row.facility_id)
    ledger.change(
        row, {"ended_at": clock.now()}, permission="visit.arrange", subject=Subject(facility_id=row.facility_id),
        actor=actor, action="counter.end",
    )  # fmt: skip


@transactional
def open_board(*, actor: Actor, facility_id: UUID, name: str, lines: list[str], names: bool = False) -> BoardRow:
    """A new hall screen with a code of its own; without `lines` it shows every queue. Raises as `add_counter`."""
    _require(actor, facility_id)
    if not set(lines) <= set(Line.values):
        raise Invalid(_("Choose one of the listed values."), field="lines", possible=list(Line.values))
    made = HallBoard(facility_id=facility_id, name=_name(name), lines=",".join(lines), names=names)
    made.code = tickets.digest(tickets.code(made.pk))
    made.save(force_insert=True)
    ledger.record(actor=actor, action="hall.open", row=made, subject=Subject(facility_id=facility_id), revision=1)
    return _row(made)


@transactional
def close_board(*, actor: Actor, board_id: UUID) -> None:
    """The screen's code opens nothing any more. Raises NotFound, Forbidden."""
    row = HallBoard.objects.filter(pk=board_id, ended_at__isnull=True).first()
    if row is None:
        raise NotFound()
    _require(actor, row.facility_id)
    ledger.change(
        row, {"ended_at": clock.now()}, permission="visit.arrange", subject=Subject(facility_id=row.facility_id),
        actor=actor, action="hall.close",
    )  # fmt: skip


def _require(actor: Actor, facility_id: UUID) -> None:
    subject = Subject(facility_id=facility_id)
    policy.require_sight(actor, "visit.arrange", subject)
    policy.require(actor, "visit.arrange", subject)


def _name(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > LONGEST:
        raise Invalid(_("Write a name of at most 40 characters."), field="name")
    return name
