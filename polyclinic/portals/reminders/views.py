"""The page behind the link of a reminder: when and where, that one comes, or that one does not.

Opening it does nothing: mail programs open links by themselves. Only its buttons act.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from polyclinic.core.errors import Problem
from polyclinic.portals.common import show
from polyclinic.reminders import actions, selectors
from polyclinic.reminders.actions import LinkOver
from polyclinic.web import ratelimit
from polyclinic.web.access import declare


@declare("public")
@require_http_methods(["GET", "POST"])
def answer(request: HttpRequest, token: str) -> HttpResponse:
    ratelimit.check("watch", ip=ratelimit.address(request))
    refused: Problem | None = None
    try:
        if request.method == "POST":
            if request.POST.get("answer") == "cancel":
                actions.cancel_by_link(token=token)
                return _private(show(request, "reminders/cancelled.html"))
            if request.POST.get("answer") == "come":
                actions.come_by_link(token=token)
    except LinkOver as over:
        return _over(request, over)
    except Problem as problem:
        if problem.status == 404:
            raise
        # Too late to cancel by now: the page says so, with the telephone.
        refused = problem
    try:
        row = selectors.by_link(token)
    except LinkOver as over:
        return _over(request, over)
    asked = request.GET.get("ask") == "cancel" and row.cancellable
    answer = show(
        request, "reminders/answer.html", refused.status if refused else 200, row=row, token=token, asked=asked,
        refused=refused, said=request.method == "POST" and row.coming,
    )  # fmt: skip
    return _private(answer)


def _over(request: HttpRequest, over: LinkOver) -> HttpResponse:
    return _private(show(request, "reminders/over.html", over.status, sentence=over.sentence))


def _private(answer: HttpResponse) -> HttpResponse:
    # The address is a key: it must not be kept.
    answer.headers["Cache-Control"] = "no-store"
    return answer
