"""State machines as tables: rows of from | action | to | who | guard | event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from polyclinic.core.access.policy import Subject
from polyclinic.core.errors import IllegalTransition
from polyclinic.core.outbox.events import Event

Guard = Callable[[Any, Any], None]

_MACHINES: dict[str, Machine] = {}


@dataclass(frozen=True, slots=True)
class Transition:
    """One row. `source` None creates the thing; `who` is a permission; `guard` raises a Problem to refuse."""

    source: str | None
    action: str
    target: str
    who: str
    event: type[Event]
    guard: Guard | None = None


@dataclass(frozen=True)
class Machine:
    """All rows of one kind of thing, and how to see its subject and tell of it.

    `subject` gives what access decisions need; `tell` builds the event of a transition from the row after it.
    """

    name: str
    model: str
    transitions: tuple[Transition, ...]
    subject: Callable[[Any], Subject]
    tell: Callable[[type[Event], Any], Event]
    table: dict[tuple[str | None, str], Transition] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        table = {(row.source, row.action): row for row in self.transitions}
        if len(table) != len(self.transitions):
            raise RuntimeError(f"{self.name}: two rows for one state and action")
        object.__setattr__(self, "table", table)
        _MACHINES[self.name] = self

    def row(self, source: str | None, action: str) -> Transition:
        """The row for this step, or IllegalTransition naming what is possible instead."""
        found = self.table.get((source, action))
        if found is None:
            raise IllegalTransition(state=source, action=action, possible=self.possible(source))
        return found

    def possible(self, source: str | None) -> list[str]:
        """Actions that lead on from `source`, for menus and error answers."""
        return sorted(row.action for row in self.transitions if row.source == source)

    def states(self) -> list[str]:
        """Every state, in the order of first mention."""
        named = [row.target for row in self.transitions]
        named += [row.source for row in self.transitions if row.source is not None]
        return list(dict.fromkeys(named))


def machines() -> dict[str, Machine]:
    """All machines by name, for the docs and for the test that every state field has one."""
    return dict(sorted(_MACHINES.items()))
