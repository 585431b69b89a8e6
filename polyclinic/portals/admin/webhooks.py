"""Webhooks: which systems are told of what, what became of each message, and what to do about those set aside."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from polyclinic.core.errors import Invalid, NotFound, Problem
from polyclinic.core.ids import parse_id
from polyclinic.facilities import staff
from polyclinic.portals import meanwhile
from polyclinic.portals.admin.views import nav
from polyclinic.portals.common import done, page_of, person_of, see, show, tell, version_of
from polyclinic.web import stepup
from polyclinic.web.access import declare
from polyclinic.webhooks import actions, selectors, topics
from polyclinic.webhooks.selectors import WebhookRow

STAGES: Final = {
    "active": (_("Sending"), "ok"), "paused": (_("Paused"), "warn"), "disabled": (_("Switched off"), "bad"),
    "ended": (_("Ended"), ""),
}  # fmt: skip
PROGRESS: Final = {
    "waiting": (_("Waiting"), "info"), "sent": (_("Delivered"), "ok"), "dead": (_("Given up"), "bad"),
    "discarded": (_("Discarded"), ""),
}  # fmt: skip
ERRORS: Final = {
    "no_answer": _("no answer in time"), "not_allowed": _("the address may not be asked"),
    "redirect": _("leads elsewhere"), "refused": _("refused"), "failed": _("could not be sent"),
}  # fmt: skip
SHOWN: Final = (
    ("", _("All")), ("waiting", _("Waiting")), ("sent", _("Delivered")), ("dead", _("Given up")),
    ("discarded", _("Discarded")),
)  # fmt: skip
_SAID: Final = {
    "pause": _("Nothing is sent for now. What happens meanwhile is sent later."),
    "resume": _("It is sent to again, from where it stopped."),
    "end": _("The webhook is ended."),
    "test": _("A test is on its way. Its answer is in the list below in a moment."),
    "replay": _("The message is sent once more."),
    "discard": _("The message is discarded."),
}


def _key(text: str) -> UUID:
    found = parse_id(text)
    if found is None:
        raise NotFound()
    return found


@declare("webhook.manage")
@require_GET
def listing(request: HttpRequest) -> HttpResponse:
    """The webhooks of every facility that this person looks after."""
    return show(request, "admin/webhooks.html", nav=nav(request, "keys"), **_listed(request))


@declare("webhook.manage")
@require_GET
def rows(request: HttpRequest) -> HttpResponse:
    """Only the list, for when something about one changes while the page is open."""
    return show(request, "admin/_webhooks.html", **_listed(request))


def _listed(request: HttpRequest) -> dict[str, Any]:
    person = person_of(request)
    places = [(place, selectors.webhooks(person, place.id)) for place in staff.places(person, "webhook.manage")]
    return {"places": places, "STAGES": STAGES}


@declare("webhook.manage")
@require_http_methods(["GET", "POST"])
@stepup.needed
def new(request: HttpRequest, facility_id: str) -> HttpResponse:
    """The form; the secret just made is shown on the answer to it and on no other."""
    person, wanted = person_of(request), _key(facility_id)
    place = next((one for one in staff.places(person, "webhook.manage") if one.id == wanted), None)
    if place is None:
        raise NotFound()
    errors: dict[str, list[str]] = {}
    made: actions.Made | None = None
    if request.method == "POST":
        try:
            made = actions.register(actor=person, facility_id=place.id, **_wish(request.POST))
        except Problem as refused:
            errors = {refused.field or "name": [str(refused.sentence)]}
    kept = QueryDict() if made else request.POST
    return show(
        request, "admin/webhook_form.html", 422 if errors else 200, nav=nav(request, "keys"), place=place, made=made,
        errors=errors, topics=topics.TOPICS, given=kept, chosen=kept.getlist("events"), row=None,
        action=f"/admin/webhooks/new/{place.id}",
    )  # fmt: skip


def _wish(given: QueryDict) -> dict[str, Any]:
    return {
        "name": given.get("name", "")[:200], "url": given.get("url", "")[:1000],
        "events": [kind[:64] for kind in given.getlist("events")[:100]],
    }  # fmt: skip


@declare("webhook.manage")
@require_GET
def one(request: HttpRequest, webhook_id: str) -> HttpResponse:
    row = selectors.one(person_of(request), _key(webhook_id))
    return _page(request, row)


def _page(
    request: HttpRequest, row: WebhookRow, status: int = 200, made: actions.Made | None = None,
    errors: dict[str, list[str]] | None = None,
) -> HttpResponse:  # fmt: skip
    return show(
        request, "admin/webhook.html", status, nav=nav(request, "keys"), made=made, errors=errors or {},
        given=request.POST, topics=topics.TOPICS, **_shown(request, row),
    )  # fmt: skip


@declare("webhook.manage")
@require_GET
def state(request: HttpRequest, webhook_id: str) -> HttpResponse:
    """Only how it stands and its messages."""
    return show(request, "admin/_webhook.html", **_shown(request, selectors.one(person_of(request), _key(webhook_id))))


def _shown(request: HttpRequest, row: WebhookRow) -> dict[str, Any]:
    person = person_of(request)
    asked = request.GET.get("show", "")
    progress = asked if asked in selectors.PROGRESS else ""
    place = next(one for one in staff.places(person, "webhook.manage") if one.id == row.facility_id)
    found = selectors.deliveries(person, row.id, progress, page_of(request))
    return {
        "row": row, "place": place, "found": found, "show": progress, "SHOWN": SHOWN, "STAGES": STAGES,
        "PROGRESS": PROGRESS, "ERRORS": ERRORS,
    }  # fmt: skip


@declare("webhook.manage")
@require_http_methods(["GET", "POST"])
@stepup.needed
def edit(request: HttpRequest, webhook_id: str) -> HttpResponse:
    """Its name, address and events."""
    person = person_of(request)
    row = selectors.one(person, _key(webhook_id))
    place = next(one for one in staff.places(person, "webhook.manage") if one.id == row.facility_id)
    given: QueryDict = request.POST
    errors: dict[str, list[str]] = {}
    status = 200
    if request.method == "POST":
        try:
            actions.edit(actor=person, webhook_id=row.id, version=version_of(request), **_wish(given))
        except Problem as refused:
            if refused.status in (403, 404):
                raise
            errors, status = meanwhile.answer(refused, "name")
            row = selectors.one(person, row.id)
        else:
            done(request, _("It is changed."))
            return see(f"/admin/webhooks/{row.id}")
    else:
        given = QueryDict(mutable=True)
        given.update({"name": row.name, "url": row.url})
    return show(
        request, "admin/webhook_form.html", status, nav=nav(request, "keys"), place=place, made=None, errors=errors,
        topics=topics.TOPICS, given=given, row=row, action=f"/admin/webhooks/{row.id}/edit",
        chosen=given.getlist("events") if request.method == "POST" else list(row.events),
    )  # fmt: skip


@declare("webhook.manage")
@require_POST
@stepup.needed
def rotate(request: HttpRequest, webhook_id: str) -> HttpResponse:
    """A new secret, shown on this very answer and on no other."""
    person = person_of(request)
    made = actions.rotate(actor=person, webhook_id=_key(webhook_id))
    return _page(request, selectors.one(person, made.row.pk), made=made)


@declare("webhook.manage")
@require_POST
def act(request: HttpRequest, webhook_id: str, webhook_deed: str) -> HttpResponse:
    """pause, resume, end or test."""
    person, key = person_of(request), _key(webhook_id)
    if webhook_deed not in ("pause", "resume", "end", "test"):
        raise NotFound()
    selectors.one(person, key)
    try:
        if webhook_deed == "test":
            actions.test(actor=person, webhook_id=key)
        else:
            actions.step(actor=person, webhook_id=key, action=webhook_deed)
    except Problem as refused:
        if refused.status in (403, 404):
            raise
        tell(request, refused)
    else:
        done(request, _SAID[webhook_deed])
    return see(f"/admin/webhooks/{key}")


@declare("webhook.manage")
@require_POST
def again(request: HttpRequest, webhook_id: str) -> HttpResponse:
    """Send everything once more from a moment on, read on the house's clock."""
    person = person_of(request)
    row = selectors.one(person, _key(webhook_id))
    place = next(one for one in staff.places(person, "webhook.manage") if one.id == row.facility_id)
    try:
        actions.replay_since(actor=person, webhook_id=row.id, since=_moment(request.POST, place.time_zone))
    except Problem as refused:
        if refused.status in (403, 404):
            raise
        return _page(request, row, refused.status, errors={refused.field or "since": [str(refused.sentence)]})
    done(request, _("Everything since then is sent once more, in its order and under the same ids."))
    return see(f"/admin/webhooks/{row.id}")


def _moment(given: QueryDict, zone: str) -> datetime:
    try:
        found = datetime.fromisoformat(given.get("since", "")[:40])
    except ValueError:
        raise Invalid(_("Write the moment as 2026-11-21T14:30."), field="since") from None
    return found if found.tzinfo else found.replace(tzinfo=ZoneInfo(zone))


@declare("webhook.manage")
@require_POST
def decide(request: HttpRequest, delivery_id: str, delivery_deed: str) -> HttpResponse:
    """Replay or discard one message."""
    deeds = {"replay": actions.replay, "discard": actions.discard}
    if delivery_deed not in deeds:
        raise NotFound()
    person, key = person_of(request), _key(delivery_id)
    try:
        changed = deeds[delivery_deed](actor=person, message_id=key)
    except Problem as refused:
        if refused.status in (403, 404):
            raise
        tell(request, refused)
        return see("/admin/webhooks")
    done(request, _SAID[delivery_deed])
    return see(f"/admin/webhooks/{changed.webhook_id}")
