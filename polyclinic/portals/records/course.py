"""A patient's record through time: signs as lines, and the visits one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as translate
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from polyclinic.core import clock
from polyclinic.core.errors import Invalid
from polyclinic.inpatient.rows import StayRow
from polyclinic.laboratory import selectors as laboratory
from polyclinic.laboratory.catalogue import ANSWERS
from polyclinic.laboratory.flags import NAMES
from polyclinic.nursing import selectors as beside
from polyclinic.nursing.rows import ObservationRow
from polyclinic.portals.common import allergies_of, person_of, show
from polyclinic.portals.records.views import key, nav
from polyclinic.portals.ui import formats
from polyclinic.privacy import records
from polyclinic.records import course as through_time
from polyclinic.records import forms, trends
from polyclinic.records.course import VisitRecord
from polyclinic.records.rows import VitalsRow
from polyclinic.records.trends import Trend
from polyclinic.records.vitals import BY_NAME, written
from polyclinic.web.access import declare

SPANS: Final = (("30d", _("30 days"), 30), ("1y", _("1 year"), 365), ("all", _("All"), None))


@declare("record.look_up")
@require_GET
def course(request: HttpRequest, patient_id: str) -> HttpResponse:
    """What the viewer may see of it, for one of three stretches of time."""
    person, found = person_of(request), key(patient_id)
    span = request.GET.get("span", "1y")
    if span not in [name for name, _label, _days in SPANS]:
        raise Invalid(_("Choose one of the listed values."), field="span", possible=[one[0] for one in SPANS])
    days = next(days for name, _label, days in SPANS if name == span)
    since = clock.now() - timedelta(days=days) if days else None
    visits = through_time.course(person, found, since=since)
    stays = beside.course(person, found, since=since)
    orders: dict[Any, list[Any]] = {}
    for order in laboratory.orders(person, patient_id=found):
        orders.setdefault(order.visit_id, []).append(order)
    return show(
        request, "records/course.html", record=records.record(person, found), allergies=allergies_of(request, found),
        visits=visits, stays=stays, orders=orders, drawn=_drawn(visits, stays), span=span, spans=SPANS,
        kinds=dict(forms.Kind.choices), fields_of=forms.fields_of, answers=ANSWERS, flag_names=NAMES,
        nav=nav(request, "find"),
    )  # fmt: skip


def _drawn(visits: Sequence[VisitRecord], stays: Sequence[tuple[StayRow, list[ObservationRow]]]) -> list[Trend]:
    """A drawing of each sign that was measured, in visits and beside beds, all on the same stretch of time."""
    made: list[VitalsRow | ObservationRow] = [row for visit in visits for row in visit.vitals]
    made += [row for _stay, rows in stays for row in rows]
    sets = sorted(
        (
            (row.taken_at, row.values, not row.score.not_for and row.score.scale == 1)
            for row in made if row.status == "recorded"
        ),
        key=lambda one: one[0],
    )  # fmt: skip
    if not sets:
        return []
    moments = [at for at, _values, _banded in sets]
    zone = visits[0].time_zone if visits else stays[0][0].time_zone
    return [_trend(name, made, min(moments), max(moments), zone) for name, made in trends.points(sets).items()]


def _trend(name: str, made: list[trends.Point], start: datetime, end: datetime, zone: str) -> Trend:
    sign = BY_NAME[name]
    newest = f"{written(name, made[-1].value)} {sign.unit}"
    first, last = (formats.clinical_date(one.at.astimezone(ZoneInfo(zone)).date()) for one in (made[0], made[-1]))
    words = translate("%(sign)s: %(count)s from %(first)s to %(last)s, newest %(newest)s") % {
        "sign": sign.label, "first": first, "last": last, "newest": newest,
        "count": ngettext("%(num)s value", "%(num)s values", len(made)) % {"num": len(made)},
    }  # fmt: skip
    return Trend(name, str(sign.label), newest, len(made), trends.draw(name, made, start, end, words))
