"""Who is told when an invoice is settled or a payment failed: the app whose thing was billed, in one transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from uuid import UUID

from polyclinic.core.actors import Actor

Told = Callable[[Actor, UUID], None]

_settled: dict[str, list[Told]] = defaultdict(list)
_failed: dict[str, list[Told]] = defaultdict(list)


def on_settled(subject_kind: str, told: Told) -> None:
    """Call `told(actor, subject_id)` whenever nothing is owed any more on an invoice of this kind. Register in `ready`.

    It runs inside the transaction of the payment, waiver or discount: what it raises undoes that too. An invoice that
    has grown is settled again, so `told` must bear being called twice.
    """
    if told not in _settled[subject_kind]:
        _settled[subject_kind].append(told)


def settled(subject_kind: str, actor: Actor, subject_id: UUID) -> None:
    """Tell all who asked to be told of this kind."""
    for told in _settled.get(subject_kind, ()):
        told(actor, subject_id)


def on_failed(subject_kind: str, told: Told) -> None:
    """Call `told(actor, subject_id)` whenever money that was asked for on an invoice of this kind will not come.

    It runs with the invoice held, inside the transaction that writes this down. Register in `ready`.
    """
    if told not in _failed[subject_kind]:
        _failed[subject_kind].append(told)


def failed(subject_kind: str, actor: Actor, subject_id: UUID) -> None:
    """Tell all who asked to be told of this kind."""
    for told in _failed.get(subject_kind, ()):
        told(actor, subject_id)
