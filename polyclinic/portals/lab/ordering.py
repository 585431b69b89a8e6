"""Asking for tests and panels in a visit: one page for whoever may order."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from polyclinic.core.access import policy
from polyclinic.core.errors import Problem
from polyclinic.laboratory import actions, catalogue, words
from polyclinic.portals.common import done, local_path, person_of, see, show
from polyclinic.portals.forms import errors_of
from polyclinic.portals.lab.views import key, nav
from polyclinic.visits import selectors as visits
from polyclinic.visits.selectors import subject_of
from polyclinic.web.access import declare


@declare("lab.order")
@require_http_methods(["GET", "POST"])
def order(request: HttpRequest, visit_id: str) -> HttpResponse:
    """Panels first, then every test by its tube; priority, question and pregnancy."""
    person = person_of(request)
    visit = visits.visit(person, key(visit_id))
    policy.require(person, "lab.order", subject_of(visit))
    refused: Problem | None = None
    if request.method == "POST":
        given = request.POST
        try:
            made = actions.order(
                actor=person, visit_id=visit.id, codes=given.getlist("codes")[:200],
                priority=given.get("priority", "routine"), note=given.get("note", "")[:400],
                pregnancy=given.get("pregnancy", ""),
            )  # fmt: skip
        except Problem as problem:
            refused = problem
        else:
            done(request, _("Ordered. The laboratory sees it now."))
            return see(local_path(given.get("back", ""), f"/lab/orders/{made.pk}"))
    groups = [
        (name, [(test.code, test.name) for test in catalogue.TESTS.values() if test.kind == kind])
        for kind, name in catalogue.KINDS.items()
    ]
    panels = [
        (panel.code, panel.name, ", ".join(str(catalogue.TESTS[code].name) for code in panel.tests))
        for panel in catalogue.PANELS.values()
    ]
    return show(
        request, "lab/order_new.html", refused.status if refused else 200, visit=visit, groups=groups, panels=panels,
        chosen=request.POST.getlist("codes"), given=request.POST, errors=errors_of(refused) if refused else {},
        words=words, nav=nav(request, ""), back=local_path(request.GET.get("back", ""), ""),
    )  # fmt: skip
