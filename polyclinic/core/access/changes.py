"""Telling those who remember people's rights that somebody's have just changed.

Sharing and delegation lie below the layer that turns a session into a person, so they cannot call it: that layer asks
here to be called.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.db import transaction

_listeners: list[Callable[[UUID], None]] = []


def on_change(listener: Callable[[UUID], None]) -> None:
    """Call `listener` with each account whose rights change. Adding it twice does nothing."""
    if listener not in _listeners:
        _listeners.append(listener)


def tell(account_id: UUID) -> None:
    """This account's rights change with the running transaction: told now, for what it reads itself, and after its
    commit, for what others have read and remembered meanwhile."""

    def told() -> None:
        for listener in _listeners:
            listener(account_id)

    told()
    transaction.on_commit(told)
