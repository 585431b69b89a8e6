"""Guards of what is done with papers and letters."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from polyclinic.core.actors import Actor
from polyclinic.core.errors import Conflict
from polyclinic.visits.states import CANCELLED

NOT_SEEN = frozenset({"registered", "paid"})


def somebody_was_seen(row: Any, _actor: Actor) -> None:  # noqa: ANN401 - a SickNote or Referral
    """A letter is about an examination: not of a visit that was cancelled, nor before anybody has looked."""
    if row.visit.state == CANCELLED:
        raise Conflict(_("This visit was cancelled. There is nothing to write about."), code="visit_cancelled")
    if row.visit.state in NOT_SEEN:
        raise Conflict(
            _("Nobody has seen the patient in this visit yet. Write the letter after the first check."),
            code="not_seen_yet",
        )
