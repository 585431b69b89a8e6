"""`polyclinic research` and `polyclinic retention`."""

from __future__ import annotations

import argparse
import os
from datetime import date
from pathlib import Path
from typing import Final

from polyclinic.commands.ending import fail
from polyclinic.core.actors import SystemActor
from polyclinic.core.errors import Problem
from polyclinic.facilities.models import Facility
from polyclinic.privacy import research as exporting
from polyclinic.privacy import retention as keeping

ACTOR: Final = SystemActor("operator", via="cli")


def research(given: argparse.Namespace) -> int:
    """Write an export. Exit code 1 with the reason when nothing may be released; no file is then written."""
    places = dict(Facility.objects.filter(slug__in=given.facility).values_list("slug", "pk"))
    if missing := sorted(set(given.facility) - set(places)):
        fail(f"there is no facility {', '.join(missing)}.")
    wanted = exporting.Wanted(
        facility_ids=tuple(places.values()), first=_day(given.first), last=_day(given.last), purpose=given.purpose,
        approval=given.approval, k=given.k, weekdays=given.weekdays, years_only=given.years_only,
        key=_key(given.seed_key),
    )  # fmt: skip
    try:
        made = exporting.export(actor=ACTOR, wanted=wanted)
    except Problem as problem:
        where = f"--{problem.field}: " if problem.field else ""
        fail(f"{where}{problem.sentence}")
    try:
        with os.fdopen(os.open(given.out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(made.content)
    except OSError as problem:
        fail(f"{given.out} cannot be written: {problem.strerror}. Name another file with --out.")
    report = made.report
    print(f"{given.out}: {report.rows:,} visits of {report.patients:,} patients")
    print(f"k = {report.k_reached} (asked for {report.k_asked}), l = {report.l_reached} for {report.sensitive}")
    print(f"left out: {report.suppressed:,} patients for k, {report.unwilling:,} by their wish")
    print("; ".join(report.generalised))
    return 0


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        fail(f"{text} is no day; write year-month-day, for example 2026-11-21.")


def _key(path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        return path.read_bytes().rstrip(b"\r\n")
    except OSError as problem:
        fail(f"{path} cannot be read: {problem.strerror}.")


def retention(given: argparse.Namespace) -> int:
    """Say what is kept for how long, count what is due, or remove what goes by itself."""
    return {"table": _table, "due": _due, "run": _run}[given.what]()


def _table() -> int:
    for one in keeping.table():
        print(f"{one.kind}: {one.years} years since {one.since}. {one.basis}. {one.fate}.")
    for short in keeping.SHORTER:
        print(f"{short.what}: {short.when}")
    return 0


def _due() -> int:
    found = keeping.count_due()
    for place, many in found.items():
        more = " or more" if many >= keeping.MOST else ""
        print(f"{place}: {many}{more} records are past their time; a privacy officer decides at /privacy/retention")
    if not found:
        print("No record is past its time.")
    return 0


def _run() -> int:
    print(f"{keeping.forget_by_itself():,} rows removed. Records of patients wait for approval at /privacy/retention.")
    return 0
