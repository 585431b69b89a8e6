"""The history of T1 and its checker. The checker knows what clients were told and what the database says, no more."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass
class Intent:
    """One booking somebody wants, under one request key, and every answer that was given to it."""

    key: str
    schedule: str
    patient: str
    starts: str
    booked: list[str] = field(default_factory=list)  # ids of 201 answers, one for each time it was said
    refused: int = 0  # 409: somebody else has the time
    unknown: int = 0  # the connection broke before an answer
    faults: list[str] = field(default_factory=list)  # anything else


def check(history: list[Intent], facts: dict[str, Any], heard: list[tuple[str, int]]) -> list[str]:
    """Every way in which the promise is broken; an empty list when it holds.

    `heard` are (appointment, revision) in the order in which a live listener got them.
    """
    return [*_answers(history, facts), *_overlaps(facts), *_log(facts), *_heard(history, heard), *facts["broken"]]


def _answers(history: list[Intent], facts: dict[str, Any]) -> list[str]:
    wrong, kept, acknowledged = [], facts["appointments"], set()
    for intent in history:
        wrong += [f"{intent.key}: {fault}" for fault in intent.faults]
        if len(set(intent.booked)) > 1:
            wrong.append(f"{intent.key}: one key booked twice")
        if intent.booked and intent.refused:
            wrong.append(f"{intent.key}: booked and refused")
        if not intent.booked and not intent.refused:
            wrong.append(f"{intent.key}: never answered")
        for found in set(intent.booked):
            acknowledged.add(found)
            row = kept.get(found)
            if row is None:
                wrong.append(f"{intent.key}: acknowledged and lost")
            elif row[:2] != [intent.schedule, intent.patient] or _moment(row[2]) != _moment(intent.starts):
                wrong.append(f"{intent.key}: not what was asked for")
    wrong += [f"{key}: booked without anyone being told" for key in kept.keys() - acknowledged]
    return wrong


def _overlaps(facts: dict[str, Any]) -> list[str]:
    """Two appointments of one doctor, room or patient at one time; and appointments that reserve nothing."""
    wrong, last = [], {}
    for resource, starts, ends in sorted(facts["reservations"]):
        if resource in last and _moment(starts) < last[resource]:
            wrong.append(f"{resource}: double booking at {starts}")
        last[resource] = max(_moment(ends), last.get(resource, _moment(ends)))
    times = Counter((row[0], row[2]) for row in facts["appointments"].values() if row[3] == "booked")
    wrong += [f"{schedule}: double booking at {starts}" for (schedule, starts), count in times.items() if count > 1]
    reserved = Counter(_moment(starts) for _resource, starts, _ends in facts["reservations"])
    wanted = Counter(_moment(row[2]) for row in facts["appointments"].values())
    # A doctor and a patient each.
    wrong += [f"{at}: reservations do not match appointments" for at in wanted if reserved[at] != 2 * wanted[at]]
    return wrong


def _log(facts: dict[str, Any]) -> list[str]:
    streams: dict[str, list[int]] = defaultdict(list)
    for stream, number, _kind in facts["events"]:
        streams[stream].append(number)
    wrong = [
        f"{stream}: events {numbers}"
        for stream, numbers in streams.items()
        if numbers != list(range(1, len(numbers) + 1))
    ]
    wrong += [f"{key}: no event" for key in facts["appointments"] if f"appointment:{key}" not in streams]
    audited = Counter(facts["audited"])
    wrong += [f"{key}: {audited[key]} audit entries" for key in facts["appointments"] if audited[key] != 1]
    wrong += [f"{key}: audited and not there" for key in audited if key not in facts["appointments"]]
    return wrong


def _heard(history: list[Intent], heard: list[tuple[str, int]]) -> list[str]:
    latest: dict[str, int] = {}
    wrong = []
    for key, revision in heard:
        if revision < latest.get(key, 0):
            wrong.append(f"{key}: heard revision {revision} after {latest[key]}")
        latest[key] = max(revision, latest.get(key, 0))
    told = {found for intent in history for found in intent.booked}
    return wrong + [f"{key}: acknowledged and never heard" for key in told - latest.keys()]


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
