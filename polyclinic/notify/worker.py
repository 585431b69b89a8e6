"""Sending what waits: after the commit, outside every transaction, again when it did not work.

A delivery is claimed by moving its next moment: two nodes cannot both move it, and what a node was sending when it
died is due again by itself. A mail may so leave twice, and never not at all.
"""

from __future__ import annotations

import logging
import random
from datetime import datetime, timedelta
from typing import Final

from django.core.mail import EmailMessage

from polyclinic.core import clock
from polyclinic.notify import failed, letters
from polyclinic.notify.models import Delivery

_log = logging.getLogger(__name__)
_LEASE: Final = timedelta(minutes=5)
_FIRST_WAIT: Final = timedelta(seconds=30)
_LONGEST_WAIT: Final = timedelta(hours=6)
# With the waits above this is 38 hours and a half, a fifth more or less.
MOST_ATTEMPTS: Final = 16
KEPT: Final = timedelta(days=30)
_AT_A_TIME: Final = 20


def deliver_due() -> int:
    """Send what is due, some at a time. Returns how many were dealt with."""
    now = clock.now()
    due = list(Delivery.objects.filter(state="waiting", next_at__lte=now).order_by("next_at")[:_AT_A_TIME])
    return sum(_deal_with(delivery, now) for delivery in due)


def _deal_with(delivery: Delivery, now: datetime) -> bool:
    claimed = Delivery.objects.filter(pk=delivery.pk, state="waiting", next_at=delivery.next_at).update(
        next_at=now + _LEASE, attempts=delivery.attempts + 1
    )
    if not claimed:
        return False
    letter = letters.write(delivery)
    if letter is None:
        _done(delivery, Delivery.State.DROPPED)
        return True
    try:
        EmailMessage(subject=letter.subject, body=letter.body, to=[delivery.to]).send()
    except (OSError, ValueError) as failure:
        # smtplib's errors are OSErrors; an address that cannot stand in a header is a ValueError. Both can name the
        # address, so their words are not kept.
        _put_off(delivery, type(failure).__name__, now)
    else:
        _done(delivery, Delivery.State.SENT)
    return True


def _done(delivery: Delivery, state: Delivery.State, error: str = "", **kept: str) -> None:
    Delivery.objects.filter(pk=delivery.pk).update(
        state=state, done_at=clock.now(), to="", detail={}, error=error, **kept
    )


def _put_off(delivery: Delivery, error: str, now: datetime) -> None:
    attempts = delivery.attempts + 1
    _log.warning("a mail could not be sent (%s), attempt %d of %d", error, attempts, MOST_ATTEMPTS)
    if attempts >= MOST_ATTEMPTS:
        # Somebody may want it sent after all, when the mail server is back.
        _done(delivery, Delivery.State.FAILED, error, **failed.keep(delivery))
        return
    wait = min(_FIRST_WAIT * 2 ** (attempts - 1), _LONGEST_WAIT)
    # After an outage a thousand mails must not come back in the same second.
    wait *= random.uniform(0.8, 1.2)  # noqa: S311 - spreads load, protects nothing
    Delivery.objects.filter(pk=delivery.pk).update(next_at=now + wait, error=error)


def forget_old() -> int:
    """Drop deliveries done long ago. Returns how many."""
    gone, _kinds = Delivery.objects.filter(made_at__lt=clock.now() - KEPT).exclude(state="waiting").delete()
    return gone
