"""Which reminders one gets, and the private address of one's calendar."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from polyclinic.core.errors import StaleEdit
from polyclinic.facilities.reminding import WORDS
from polyclinic.portals import meanwhile
from polyclinic.portals.common import done, person_of, see, show, tell, version_of
from polyclinic.reminders import actions, selectors
from polyclinic.web.access import declare


@declare("signed-in")
@require_http_methods(["GET", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    person = person_of(request)
    if request.method == "POST":
        try:
            actions.choose(actor=person, wanted=request.POST.getlist("reminders"), version=version_of(request))
        except StaleEdit as stale:
            tell(request, meanwhile.explained(stale))
            return _page(request, meanwhile.CHANGED)
        done(request, _("Your choice is saved."))
        return see("/account/reminders")
    return _page(request)


def _page(request: HttpRequest, status: int = 200) -> HttpResponse:
    person = person_of(request)
    mine, feed = selectors.choice(person), selectors.feed(person)
    wanted = request.POST.getlist("reminders") if request.method == "POST" else mine.reminders
    has_any = person.patient_id is not None or person.doctor_id is not None or bool(person.delegated)
    return show(
        request, "account/reminders.html", status, mine=mine, wanted=list(wanted), words=list(WORDS.items()),
        feed=f"{settings.PUBLIC_URL}{feed.path}" if feed else "", since=feed.made_at if feed else None, has_any=has_any,
    )  # fmt: skip


@declare("signed-in")
@require_POST
def open_feed(request: HttpRequest) -> HttpResponse:
    actions.open_feed(actor=person_of(request))
    done(request, _("Your calendar has a new address. Whoever had an older one is shown nothing any more."))
    return see("/account/reminders#calendar")


@declare("signed-in")
@require_POST
def end_feed(request: HttpRequest) -> HttpResponse:
    actions.end_feed(actor=person_of(request))
    done(request, _("The address is gone: calendars that used it are shown nothing any more."))
    return see("/account/reminders")
