"""Refusals that help: a time that is gone comes with the next three that are not."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import ParamSpec, TypeVar
from uuid import UUID

import msgspec
from django.db import connection
from django.utils.translation import gettext_lazy as _

from polyclinic.core.errors import Conflict, Invalid, Problem
from polyclinic.scheduling import availability

OFFERED = 3

P = ParamSpec("P")
R = TypeVar("R")
_depth = threading.local()


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for, kept to look for the nearest alternatives once the failed transaction is gone."""

    schedule_id: UUID
    service_id: UUID | None
    starts: datetime


class SlotTaken(Conflict):
    """Someone else has this time. `extra["slots"]` holds the next three free ones (see `alternatives`)."""

    code = "slot_taken"
    sentence = _("This time has just been taken. Please choose another.")


class PatientBusy(Conflict):
    """The patient already has an appointment at this time."""

    code = "patient_busy"
    sentence = _("The patient already has an appointment at this time.")


class NotASlot(Invalid):
    """The time is not one the schedule offers: a break, leave, a closed day, or between two slots."""

    code = "not_a_slot"
    sentence = _("The doctor has no appointment beginning at this time.")


class PatientsStranded(Conflict):
    """Booked patients would be left outside the new hours. `extra["appointments"]` lists them."""

    code = "patients_stranded"
    sentence = _("Patients are booked in this time. Decide for each of them first.")


@dataclass(frozen=True, slots=True)
class _Mark:
    wish: Wish
    broken: bool


def wished(problem: Problem, wish: Wish, *, broken: bool = False) -> Problem:
    """Remember on the refusal what was wished; `broken` when the database has given up the transaction."""
    problem.__dict__["_mark"] = _Mark(wish, broken)
    return problem


@contextmanager
def alternatives() -> Iterator[None]:
    """Fill `extra["slots"]` of a refused time, once, at the outermost level: outside the failed transaction.

    A caller that opens its own transaction around `hold`, `book` or `reschedule` puts this around that.
    """
    _depth.level = level = getattr(_depth, "level", 0) + 1
    try:
        yield
    except Problem as problem:
        mark = problem.__dict__.get("_mark")
        if mark and level == 1 and not (mark.broken and connection.in_atomic_block):
            found = availability.nearest(mark.wish.schedule_id, mark.wish.service_id, mark.wish.starts, OFFERED)
            problem.extra["slots"] = msgspec.to_builtins(found)
        raise
    finally:
        _depth.level = level - 1


def offering(function: Callable[P, R]) -> Callable[P, R]:
    """A refused time comes with free ones, looked up after the transaction has gone."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        with alternatives():
            return function(*args, **kwargs)

    return run
