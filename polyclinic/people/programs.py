"""Programs that act for a person. Their keys are a layer above and name here who ends them with the password."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID


def _none(_account_id: UUID) -> int:
    return 0


_end: Callable[[UUID], int] = _none


def use(end: Callable[[UUID], int]) -> None:
    """Name who ends a person's keys (`tokens.apikeys`)."""
    global _end
    _end = end


def end(account_id: UUID) -> int:
    """End every key with which a program acts for this person, in the running transaction. Returns how many."""
    return _end(account_id)
