"""How the installation is and with what settings it runs."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import filesizeformat
from django.views.decorators.http import require_GET

from polyclinic.portals.admin.views import nav
from polyclinic.portals.common import person_of, show
from polyclinic.web import status
from polyclinic.web.access import declare


@declare("system.view")
@require_GET
def system(request: HttpRequest) -> HttpResponse:
    """State of the parts, then the settings; drawn anew when it is loaded again."""
    person = person_of(request)
    return show(
        request, "admin/system.html", nav=nav(request, "system"), now=status.system(person),
        settings=status.in_force(person), size=filesizeformat,
    )  # fmt: skip
