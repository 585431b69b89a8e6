"""What has to happen by itself: expired holds are freed, old request keys and ended sessions forgotten.

A thread of the serving process for each lane, with its own database connection. Every chore may run on several nodes
at once and may be cut off anywhere: each is one transaction that does the same thing again next time.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec
from django.db import connection
from django.utils.translation import gettext_noop as _

from polyclinic.analytics import following
from polyclinic.backup import schedule as backups
from polyclinic.billing import online
from polyclinic.consent import actions as delegations
from polyclinic.core import clock
from polyclinic.core.actors import SystemActor
from polyclinic.core.audit import checkpoints, journal, sink
from polyclinic.core.ledger import idempotency
from polyclinic.facilities import identity, invitations
from polyclinic.factors import tickets
from polyclinic.imports import keeping as imported
from polyclinic.imports import working as importing
from polyclinic.laboratory import critical
from polyclinic.notify import worker
from polyclinic.papers import drafts as letter_drafts
from polyclinic.people import emails, guesses, joining, search, signing_in
from polyclinic.pharmacy import levels
from polyclinic.prescribing import actions as prescriptions
from polyclinic.prescribing import drafts as prepared
from polyclinic.privacy import breakglass, closing, retention
from polyclinic.records import drafts
from polyclinic.reminders import following as agreed
from polyclinic.reminders import sending as reminding
from polyclinic.scheduling import actions, inviting
from polyclinic.tokens import ending, refresh, signing
from polyclinic.webhooks import ending as webhook_ending
from polyclinic.webhooks import sending as webhooks

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Chore:
    """Something to do every so many seconds. `lane`: chores of one lane are done one after the other by one thread.

    What may wait for another machine, such as a mail server, has a lane of its own: nothing of ours waits for it.
    """

    name: str
    every_seconds: float
    run: Callable[[], int]
    lane: str = "house"


def _free_expired_holds() -> int:
    return actions.sweep_holds(actor=SystemActor("hold-sweeper"))


def _end_access() -> int:
    sweeper = SystemActor("access-sweeper")
    return delegations.sweep(actor=sweeper) + breakglass.sweep(actor=sweeper)


def _call_the_next() -> int:
    return critical.escalate(actor=SystemActor("critical-ladder"))


def _let_invitations_lapse() -> int:
    actor = SystemActor("invitation")
    return invitations.expire(actor=actor) + inviting.expire(actor=actor)


def _look_at_stock() -> int:
    return levels.sweep()


CHORES: Final = (
    # Soon after the five minutes, so that a slot given up by closing the page is free on other screens.
    Chore(_("free expired holds"), 5, _free_expired_holds),
    # Nobody sees more for it (the moment is compared at each question), but screens and history say so.
    Chore(_("end delegations and emergency access"), 5, _end_access),
    # Decisions about rights read restrictions from memory, which is two seconds old at most.
    Chore(_("look at restricted records"), 1, closing.chore),
    # A critical result that nobody has acknowledged goes to the next person.
    Chore(_("call the next for critical results"), 2, _call_the_next),
    # An auditor sees what was looked at a moment ago.
    Chore(_("bring reads into the audit"), 0.5, journal.bring_in),
    Chore(_("sign the audit's ends"), 60, checkpoints.take),
    # Whoever was corrected or came in bulk can be found a moment later; at the desk it happens at once.
    Chore(_("let patients be found"), 2, search.catch_up),
    Chore(_("forget old drafts of notes"), 3600, drafts.sweep),
    Chore(_("forget old drafts of letters"), 3600, letter_drafts.sweep),
    # Packs grow too old without anybody moving them.
    Chore(_("look at the stock's reorder points"), 3600, _look_at_stock),
    Chore(_("let old invitations lapse"), 600, _let_invitations_lapse),
    Chore(_("forget old drafts of prescriptions"), 3600, prepared.sweep),
    Chore(_("let old prescriptions run out"), 3600, prescriptions.expire_old),
    Chore(_("forget request keys"), 3600, idempotency.forget_before),
    Chore(_("forget ended sessions"), 3600, identity.forget_ended_sessions),
    Chore(_("tell of guessed passwords"), 5, guesses.tell_of_locks),
    Chore(_("forget old guesses"), 3600, guesses.forget_old),
    Chore(_("forget codes and tickets"), 600, tickets.sweep),
    Chore(_("forget old browsers"), 3600, signing_in.forget_old),
    Chore(_("forget ended sign-ins of apps"), 3600, refresh.forget_old),
    Chore(_("tell of keys that end soon"), 3600, ending.tell_of_ending),
    Chore(_("renew signing keys"), 3600, signing.renew_when_old),
    Chore(_("forget old links"), 3600, emails.forget_old),
    Chore(_("forget sign-ups nobody confirmed"), 3600, joining.forget_old),
    Chore(_("forget sent mails"), 3600, worker.forget_old),
    Chore(_("forget what is past its years"), 3600, retention.forget_by_itself),
    Chore(_("tell of records past their time"), 3600, retention.tell_of_due),
    # Its own lane: after a long pause there are many days to count, and nothing else waits for that.
    Chore(_("count the days that are over"), 5, following.catch_up, lane="figures"),
    Chore(_("make old imports unreadable"), 3600, imported.shred_old),
    Chore(_("go on with imports"), 0.5, importing.work, lane="imports"),
    Chore(_("ask after payments"), 30, online.sweep, lane="bank"),
    Chore(_("send checkpoints to another machine"), 5, sink.deliver, lane="sink"),
    Chore(_("forget old webhook messages"), 3600, webhook_ending.forget_old),
    # Its own lane: other systems may hang.
    Chore(_("send webhooks"), 0.5, webhooks.work, lane="webhooks"),
    # Within a minute of an erasure the copied keys are those without the destroyed one.
    Chore(_("make backups"), 30, backups.chore, lane="backup"),
    # Which times were agreed on, and which of them to remind of; a lane of its own: after a pause there is much to do.
    Chore(_("note what was booked"), 2, agreed.catch_up, lane="reminders"),
    Chore(_("remind of appointments"), 30, reminding.send_due, lane="reminders"),
    Chore(_("send mails"), 2, worker.deliver_due, lane="mail"),
)


class Run(msgspec.Struct, rename="camel"):
    """How a chore fares in this process: when it last ran, how long that took, and how it failed if it did.

    `failures` counts since the start.
    """

    name: str
    lane: str
    every_seconds: float
    runs: int = 0
    last_at: datetime | None = None
    ms: int = 0
    done: int = 0
    failures: int = 0
    failed_at: datetime | None = None
    error: str = ""


_runs: Final = {chore.name: Run(chore.name, chore.lane, chore.every_seconds) for chore in CHORES}


def runs() -> list[Run]:
    """Every chore of this process as it is now."""
    return [msgspec.structs.replace(run) for run in _runs.values()]


class Housekeeper:
    """Runs the chores until stopped."""

    def __init__(self, chores: tuple[Chore, ...] = CHORES) -> None:
        self._stopping = threading.Event()
        lanes = {chore.lane: [other for other in chores if other.lane == chore.lane] for chore in chores}
        self._threads = [
            threading.Thread(target=self._run, args=(theirs,), name=f"housekeeping-{lane}", daemon=True)
            for lane, theirs in lanes.items()
        ]

    def start(self) -> None:
        backups.begin()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop after the chores in hand."""
        self._stopping.set()
        backups.stop()
        for thread in self._threads:
            thread.join(timeout=10)

    def _run(self, chores: list[Chore]) -> None:
        due = {chore.name: time.monotonic() + chore.every_seconds for chore in chores}
        while not self._stopping.wait(max(0.05, min(due.values()) - time.monotonic())):
            for chore in chores:
                if due[chore.name] <= time.monotonic():
                    self._do(chore)
                    due[chore.name] = time.monotonic() + chore.every_seconds
        connection.close()

    def _do(self, chore: Chore) -> None:
        run, started = _runs.setdefault(chore.name, Run(chore.name, chore.lane, chore.every_seconds)), time.monotonic()
        try:
            done = chore.run()
        except Exception as problem:
            # The database may be away for a while, and one mistake must not end the lane: the others would silently
            # never run again. The chore is still there next time. An error's words can hold data; its class cannot.
            _log.exception("could not %s", chore.name)
            run.failures, run.failed_at, run.error = run.failures + 1, clock.now(), type(problem).__name__
            connection.close()
        else:
            run.runs, run.last_at, run.done = run.runs + 1, clock.now(), done
            run.ms = int((time.monotonic() - started) * 1000)
            if done:
                _log.debug("%s: %d", chore.name, done)
            if connection.vendor == "postgresql":
                # Hand the pooled connection back between chores.
                connection.close()
