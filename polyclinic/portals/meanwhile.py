"""Two windows with one form: who sends the second is told so (409), sees how it stands, and keeps what they typed."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from polyclinic.core.errors import Problem, StaleEdit
from polyclinic.portals.common import tell

# 412 answers an If-Match header; a form that carries its version in a field is in conflict with what is stored.
CHANGED: Final = 409
SENTENCE: Final = _(
    "This was changed meanwhile, in another window or by somebody else. The page shows how it stands now; what you "
    "typed is kept. Check it and send it again if it still holds."
)
BUTTON: Final = _(
    "This was changed meanwhile, in another window or by somebody else, so nothing was done. "
    "The page shows how it stands now."
)


def status_of(problem: Problem) -> int:
    """The status of a page that shows a refused form again."""
    return CHANGED if isinstance(problem, StaleEdit) else problem.status


def answer(problem: Problem, usual: str = "__all__") -> tuple[dict[str, list[str]], int]:
    """The errors and the status of a form that is shown again. `usual`: where a refusal of no field is shown."""
    if isinstance(problem, StaleEdit):
        return {"__all__": [str(SENTENCE)]}, CHANGED
    return {problem.field or usual: [str(problem.sentence)]}, problem.status


def explained(problem: Problem) -> Problem:
    """The refusal as `common.explain` and `common.tell` say it: a stale one in the words of a page with a form."""
    if isinstance(problem, StaleEdit):
        problem.sentence = SENTENCE
    return problem


def told(request: HttpRequest, problem: Problem) -> bool:
    """Say why a button did nothing. True when its page was out of date: it is then shown again, with 409."""
    stale = isinstance(problem, StaleEdit)
    if stale:
        problem.sentence = BUTTON
    tell(request, problem)
    return stale
