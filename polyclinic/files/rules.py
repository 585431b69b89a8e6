"""Guards of the file's steps."""

from __future__ import annotations

from typing import Any

from polyclinic.core.actors import Actor, Person, SystemActor
from polyclinic.core.errors import Forbidden


def own(row: Any, actor: Actor) -> None:  # noqa: ANN401 - a StoredFile
    """Only one's own. Whoever looks through another's eyes ("view as") changes nothing."""
    if isinstance(actor, SystemActor):
        return
    if not isinstance(actor, Person) or actor.account_id != row.account_id or actor.seen_by is not None:
        raise Forbidden()
