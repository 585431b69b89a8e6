"""Laboratory reports: verified results for those who treat, released ones for the patient."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.utils.translation import gettext as _

from polyclinic.core.actors import Viewer
from polyclinic.core.errors import Conflict, NotFound
from polyclinic.laboratory import selectors, units
from polyclinic.laboratory.catalogue import ANSWERS
from polyclinic.laboratory.flags import CRITICAL, NAMES, Flag
from polyclinic.laboratory.reports import Report
from polyclinic.laboratory.rows import Entry, OrderRow, TestRow
from polyclinic.papers.sheet import Banner, Block, Cell, Column, Pairs, Run, Sheet, Source, Table, Text, facts_of
from polyclinic.papers.words import PaperKind, born, day, moment

RELEASED: Final = "released"
_LOUD: Final = frozenset(flag.value for flag in CRITICAL)


def report(viewer: Viewer, order_id: UUID, variant: str = "") -> Source:
    """The report of an order. Raises NotFound; Conflict while nothing of it is verified."""
    row, kind = _read(viewer, order_id, variant)
    shown = [(test, entries) for test in row.tests if (entries := _verified(test, kind))]
    if not shown:
        raise Conflict(_("No result of this order is verified yet."), code="nothing_to_print")
    facts = facts_of(
        [(test.test, [(one.number, one.report, one.verified_at) for one in entries]) for test, entries in shown],
        # A test that is still being made, or corrected, makes the report another one when it is there.
        [test.test for test in row.tests if not _verified(test, kind) and test.state != "cancelled"],
    )
    return Source(
        kind=PaperKind.LAB_REPORT, subject_id=row.id, variant=kind, patient_id=row.patient_id,
        facility_id=row.facility_id, doctor_id=row.doctor_id, time_zone=row.time_zone, facts=facts,
        draw=lambda: _sheet(row, shown, kind), at=row.ordered_at,
    )  # fmt: skip


def _read(viewer: Viewer, order_id: UUID, variant: str) -> tuple[OrderRow, str]:
    """The order for those who treat, else for its patient."""
    if variant != RELEASED:
        try:
            return selectors.order(viewer, order_id), ""
        except NotFound:
            pass
    return selectors.released_order(viewer, order_id), RELEASED


def _verified(test: TestRow, kind: str) -> list[Entry]:
    """The entries that somebody answers for, newest first; what the bench has typed and nobody verified is left out."""
    return [one for one in test.entries if (one.released_at if kind else one.verified_at)]


def _sheet(row: OrderRow, shown: list[tuple[TestRow, list[Entry]]], kind: str) -> Sheet:
    blocks: list[Block] = []
    if any(entries[0].report.flag in _LOUD for _test, entries in shown):
        blocks.append(Banner(_("Critical results"), _("Marked LL or HH below.")))
    amended = any(len(entries) > 1 for _test, entries in shown)
    if amended:
        blocks.append(
            Banner(_("Corrected report"), _("It takes the place of the earlier one; what was said is struck."))
        )
    taken = [one.collected_at for one in row.specimens if one.collected_at]
    pairs: list[tuple[str, Cell]] = [(_("Ordered"), moment(row.ordered_at, row.time_zone))]
    if row.ordered_by:
        pairs.append((_("Ordered by"), row.ordered_by))
    if row.doctor_name:
        pairs.append((_("Doctor"), row.doctor_name))
    if taken:
        pairs.append((_("Collected"), moment(min(taken), row.time_zone)))
    blocks += [Pairs(tuple(pairs)), results(shown)]
    remarks = [f"{test.name}: {entries[0].report.comment}" for test, entries in shown if entries[0].report.comment]
    if remarks:
        blocks.append(Text(tuple(remarks), _("Remarks")))
    missing = [test.name for test in row.tests if not _verified(test, kind) and test.state != "cancelled"]
    if missing and not kind:
        blocks.append(Text((", ".join(missing),), _("Still to come")))
    verified = sorted({(entries[0].verified_by or "–") for _test, entries in shown})
    last = max(entries[0].verified_at for _test, entries in shown if entries[0].verified_at)
    blocks.append(
        Text((_("Verified by %(names)s, last at %(time)s.") % {
            "names": ", ".join(verified), "time": moment(last, row.time_zone)},))
    )  # fmt: skip
    who = (
        (_("Patient"), row.patient_name), (_("Born"), born(row.born)), (_("Sex"), row.sex),
        (_("Record number"), row.mrn),
    )  # fmt: skip
    return Sheet(_("Laboratory report"), _visit(row), who, tuple(blocks))


def _visit(row: OrderRow) -> str:
    return day(row.ordered_at, row.time_zone)


def results(shown: list[tuple[TestRow, list[Entry]]]) -> Table:
    """Tests with value, flag and range. A flag is a letter and a word, never a colour alone."""
    return Table(
        title=_("Results"),
        columns=(
            Column(_("Test"), share=1), Column(_("Result"), "end"), Column(_("Flag")), Column(_("Usual range"), "end"),
        ),
        rows=tuple((_name(test, entries), _value(entries), _flag(entries[0].report), range_of(entries[0].report))
                   for test, entries in shown),
    )  # fmt: skip


def _name(test: TestRow, entries: list[Entry]) -> Cell:
    runs = [Run(test.name)]
    if len(entries) > 1:
        runs.append(Run(_("corrected"), strong=True, below=True))
    if test.calculated:
        runs.append(Run(_("calculated"), small=True, below=True))
    return tuple(runs)


def _value(entries: list[Entry]) -> Cell:
    now = entries[0].report
    runs = [Run(value_of(now), strong=bool(now.flag))]
    runs += [Run(value_of(one.report), small=True, strike=True, below=True) for one in entries[1:]]
    return tuple(runs)


def value_of(report: Report) -> str:
    """The value with its unit, never parted."""
    if report.why_none:
        return _("not calculated: %(why)s") % {"why": report.why_none}
    if report.value in ANSWERS:
        return str(ANSWERS[report.value])
    return f"{report.value}\u00a0{units.shown(report.unit)}".strip()


def _flag(report: Report) -> Cell:
    if not report.flag:
        return ""
    return (Run(report.flag, strong=True), Run(str(NAMES[Flag(report.flag)]), small=True))


def range_of(report: Report) -> str:
    """3.5–5.1, or the one end there is."""
    if report.low and report.high:
        return f"{report.low}–{report.high}"
    return f"≥ {report.low}" if report.low else f"≤ {report.high}" if report.high else ""
