"""Where one is signed in: the list, ending what should not be there, and how long the present session still lasts."""

from __future__ import annotations

import base64

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from polyclinic.facilities import sessions
from polyclinic.portals.common import done, person_of, see, show, viewer_of
from polyclinic.tokens import apikeys
from polyclinic.web.access import declare


@declare("signed-in")
@require_GET
def listing(request: HttpRequest) -> HttpResponse:
    keys = apikeys.live_keys(person_of(request))
    return show(request, "account/sessions.html", rows=sessions.sessions(viewer_of(request)), keys=keys)


@declare("signed-in")
@require_POST
def end(request: HttpRequest, session_name: str) -> HttpResponse:
    if sessions.end(actor=person_of(request), name=session_name):
        logout(request)
        return see("/")
    done(request, _("That session has ended."))
    return see("/account/sessions")


@declare("signed-in")
@require_POST
def end_others(request: HttpRequest) -> HttpResponse:
    count = sessions.end_others(actor=person_of(request), keep_keys=request.POST.get("keys") == "keep")
    done(
        request,
        ngettext("%(count)s other session has ended.", "%(count)s other sessions have ended.", count) % {"count": count}
        if count
        else _("You were signed in nowhere else."),
    )
    return see("/account/sessions")


@declare("signed-in")
@require_http_methods(["GET", "POST"])
def present(request: HttpRequest) -> HttpResponse:
    """How many seconds the session has left; a POST says that it was used `idle` seconds ago, typing included.

    `draftKey` locks what a page keeps of a form not yet sent: the same for every session of this person, and
    nobody else's.
    """
    person = person_of(request)
    idle = request.POST.get("idle", "0")
    seconds = int(idle) if idle.isdecimal() and len(idle) < 7 else 0
    left = sessions.used(person, seconds) if request.method == "POST" else sessions.seconds_left(person)
    key = salted_hmac("polyclinic.draft", str(person.account_id), algorithm="sha256").digest()
    response = JsonResponse({"secondsLeft": left, "draftKey": base64.b64encode(key).decode()})
    response.headers["Cache-Control"] = "no-store"
    return response
