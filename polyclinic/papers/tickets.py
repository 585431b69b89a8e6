"""The ticket of a visit on paper: token, queue, and the way to its live page.

It is no paper of the record: no name and nothing about health stands on it, so it is neither counted nor checked.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _

from polyclinic.core.actors import Viewer
from polyclinic.core.errors import Conflict
from polyclinic.facilities.models import Facility
from polyclinic.papers import setting
from polyclinic.papers.printing import letterhead
from polyclinic.papers.sheet import Cell, Pairs, Sheet, Text
from polyclinic.papers.words import moment
from polyclinic.visits import selectors, tickets
from polyclinic.visits.rows import VisitRow
from polyclinic.visits.words import Line

TEMPLATE: Final = "ticket"


def address_of(visit_id: UUID) -> str:
    """The address behind a ticket's square."""
    return f"{settings.PUBLIC_URL.rstrip('/')}/t/{tickets.code(visit_id)}"


def print_(viewer: Viewer, visit_id: UUID) -> bytes:
    """The ticket as a PDF for a roll. Raises NotFound, Conflict once the visit is over, `setting.Busy`."""
    row = selectors.visit(viewer, visit_id)
    if row.closed_at is not None:
        raise Conflict(_("This visit is over."), code="visit_over")
    head = letterhead(Facility.objects.get(pk=row.facility_id))
    came = moment(row.opened_at, row.time_zone)
    mark = setting.Mark(address=address_of(row.id), code="", copy="", printed=came)
    return setting.typeset(_sheet(row), head, mark, size=TEMPLATE, at=row.opened_at)


def _sheet(row: VisitRow) -> Sheet:
    where: list[tuple[str, Cell]] = []
    if row.place is not None:
        where.append((_("You wait for"), str(Line(row.place.line).label)))
    if row.department_name:
        where.append((_("Department"), row.department_name))
    told = (_("Scan to see your place in the queue."), _("Emergencies go first, so the order can change."))
    return Sheet(_("Ticket"), row.token, (), (Pairs(tuple(where)), Text(told)))
