"""From a stored set of signs to its score, and for whom there is none."""

from __future__ import annotations

from datetime import date, datetime

from polyclinic.records import news2
from polyclinic.records.bodies import VitalsBody
from polyclinic.records.rows import ScoreRow


def not_for(born: date, taken_at: datetime, pregnant: bool) -> str:
    """Why NEWS2 does not apply: `young` (under 16), `pregnant`, or empty when it does."""
    day = taken_at.date()
    years = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
    if years < news2.YOUNGEST:
        return "young"
    return "pregnant" if pregnant else ""


def of(body: VitalsBody, born: date, taken_at: datetime) -> ScoreRow:
    """The score by the edition the set was recorded with."""
    why = not_for(born, taken_at, body.pregnant)
    if why:
        return ScoreRow(None, None, {}, (), body.scale, body.edition, why)
    found = news2.EDITIONS[body.edition](body.signs())
    risk = None if found.risk is None else str(found.risk)
    return ScoreRow(found.total, risk, dict(found.points), found.missing, found.scale, found.version)
