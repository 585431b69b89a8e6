"""The worklist of the bench, one order, and the catalogue."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.errors import Invalid, NotFound, Problem
from polyclinic.core.ids import parse_id
from polyclinic.files import results
from polyclinic.laboratory import catalogue, ranges, selectors, words
from polyclinic.laboratory.flags import NAMES
from polyclinic.laboratory.rows import OrderRow
from polyclinic.laboratory.sources import EDITION, SOURCES
from polyclinic.portals.common import person_of, see, show, tell
from polyclinic.web.access import declare

STAGE_NAMES: Final = {
    "collect": _("To collect"),
    "receive": _("To receive"),
    "enter": _("To enter"),
    "verify": _("To verify"),
    "release": _("To release"),
}


def key(text: str) -> UUID:
    """An id from an address; anything that is none is answered as missing."""
    found = parse_id(text)
    if found is None:
        raise NotFound()
    return found


def nav(request: HttpRequest, current: str) -> dict[str, Any]:
    """What the laboratory's bar shows."""
    person = person_of(request)
    works = policy.ever(person, "lab.work")
    return {"current": current, "works": works, "mine": selectors.waiting_for(person),
            "collects": works or policy.ever(person, "lab.collect")}  # fmt: skip


@declare("lab.collect")
@require_GET
def worklist(request: HttpRequest) -> HttpResponse:
    """What waits at one step of the bench."""
    return show(request, "lab/worklist.html", nav=nav(request, "worklist"), **_waiting(request))


@declare("lab.collect")
@require_GET
def lines(request: HttpRequest) -> HttpResponse:
    """Only the list and the numbers, for when something moves while the page is open."""
    return show(request, "lab/_worklist.html", **_waiting(request))


def _waiting(request: HttpRequest) -> dict[str, Any]:
    works = policy.ever(person_of(request), "lab.work")
    stage = request.GET.get("stage") or ("enter" if works else "collect")
    if stage not in selectors.STAGES:
        raise Invalid(_("Choose one of the listed values."), field="stage", possible=list(selectors.STAGES))
    rows = selectors.worklist(person_of(request), stage)
    stages = STAGE_NAMES if works else {"collect": STAGE_NAMES["collect"]}
    return {"rows": rows, "stage": stage, "stages": stages, "counts": selectors.stage_counts(person_of(request)),
            "words": words}  # fmt: skip


@declare("lab.collect")
@require_GET
def scan(request: HttpRequest) -> HttpResponse:
    """A scanner types the label's letters and presses Enter: to the order it belongs to."""
    try:
        found = selectors.by_barcode(person_of(request), request.GET.get("barcode", "")[:40])
    except NotFound:
        tell(request, Problem(_("There is no specimen with this label here.")))
        return see("/lab")
    return see(f"/lab/orders/{found}")


@declare("lab.view")
@require_GET
def order(request: HttpRequest, lab_order_id: str) -> HttpResponse:
    """One order: specimens, results, and what can be done next."""
    return show_order(request, selectors.order(person_of(request), key(lab_order_id)))


@declare("lab.view")
@require_GET
def state(request: HttpRequest, lab_order_id: str) -> HttpResponse:
    """Only what changes on that page while it is open."""
    row = selectors.order(person_of(request), key(lab_order_id))
    return show(request, "lab/_order.html", **order_context(request, row))


def show_order(
    request: HttpRequest, row: OrderRow, errors: dict[str, list[str]] | None = None, status: int = 200
) -> HttpResponse:
    """The page of an order, with what was typed when something of it was refused."""
    context = order_context(request, row, errors)
    return show(request, "lab/order.html", status, nav=nav(request, "worklist"), **context)


def order_context(request: HttpRequest, row: OrderRow, errors: dict[str, list[str]] | None = None) -> dict[str, Any]:
    """What the order's page is drawn from; `may` are the steps this person has a right to."""
    subject = Subject(row.patient_id, row.doctor_id, row.facility_id)
    may = {
        step: policy.allowed(person_of(request), f"lab.{step}", subject)
        for step in ("collect", "work", "verify", "release", "release_sensitive", "amend", "cancel")
    }
    return {
        "row": row, "may": may, "errors": errors or {}, "given": request.POST if errors else {}, "words": words,
        "files": results.of_order(person_of(request), row.id), "megabytes": settings.MAX_UPLOAD_BYTES >> 20,
        "flag_names": NAMES, "answers": catalogue.ANSWERS, "sources": SOURCES,
        "enterable": may["work"] and any(_enterable(test) for test in row.tests),
        "verifiable": may["verify"] and any(test.state == "resulted" for test in row.tests),
        "releasable": may["release"] and any(
            test.state == "verified" and (may["release_sensitive"] or not test.sensitive) for test in row.tests
        ),
    }  # fmt: skip


def _enterable(test: Any) -> bool:  # noqa: ANN401 - a TestRow
    return test.state in ("received", "resulted") and not test.calculated


@declare("lab.view")
@require_GET
def catalogue_page(request: HttpRequest) -> HttpResponse:
    """All tests with codes, units, ranges and where these come from."""
    rows = [(test, ranges.ROWS.get(test.code, ())) for test in catalogue.TESTS.values()]
    return show(
        request, "lab/catalogue.html", rows=rows, kinds=catalogue.KINDS, panels=catalogue.PANELS.values(),
        tests=catalogue.TESTS, sources=SOURCES, edition=EDITION, answers=catalogue.ANSWERS,
        nav=nav(request, "catalogue"), pregnancy=dict(words.Pregnancy.choices), year=ranges.YEAR,
        forever=ranges.FOREVER,
    )  # fmt: skip
