"""Labels for the tubes of an order, to be printed."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from polyclinic.laboratory import selectors
from polyclinic.portals.common import person_of, show
from polyclinic.portals.lab.drawing import bars
from polyclinic.portals.lab.views import key, nav
from polyclinic.web.access import declare


@declare("lab.collect")
@require_GET
def labels(request: HttpRequest, lab_order_id: str) -> HttpResponse:
    """One label for each tube: name, two identifiers, what it is for, and the number in bars."""
    row = selectors.order(person_of(request), key(lab_order_id))
    shown = [(one, bars(one.barcode)) for one in row.specimens if one.state in ("expected", "collected", "received")]
    return show(request, "lab/labels.html", row=row, labels=shown, nav=nav(request, "worklist"))
