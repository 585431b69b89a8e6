"""What can go wrong, as one family: each error has a stable code, an HTTP status and a sentence for a person."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Sentence = str | Promise


class Problem(Exception):
    """An error meant for the caller. Becomes RFC 9457 problem+json on the API and a message on a page.

    `field` names the input at fault; `extra` carries what the caller can do next (for example free slots).
    """

    status: ClassVar[int] = 400
    code: str = "bad_request"
    sentence: Sentence = _("The request could not be understood.")

    def __init__(
        self,
        sentence: Sentence | None = None,
        *,
        code: str | None = None,
        field: str | None = None,
        **extra: Any,  # noqa: ANN401 - whatever JSON the caller is to be shown
    ) -> None:
        super().__init__(code or self.code)
        self.sentence = sentence if sentence is not None else self.sentence
        self.code = code or self.code
        self.field = field
        self.extra = extra


class Invalid(Problem):
    """The input is well formed and not acceptable; `field` says which part."""

    status = 422
    code = "invalid"
    sentence = _("Please check what you entered.")


class Unauthenticated(Problem):
    status = 401
    code = "unauthenticated"
    sentence = _("Please sign in.")


class Forbidden(Problem):
    """The caller may know that the thing exists, and may not do this to it."""

    status = 403
    code = "forbidden"
    sentence = _("You do not have the right to do this.")


class StepUpNeeded(Forbidden):
    """The caller may do this, and must first show again who they are: a code, a passkey or the password."""

    code = "step_up_needed"
    sentence = _("Please confirm that it is you, then do this again.")


class PasswordChangeNeeded(Forbidden):
    """The password was given by somebody else; until the person chooses their own, nothing else is open."""

    code = "password_change_needed"
    sentence = _("Choose your own password first.")


class FactorNeeded(Forbidden):
    """Staff of this installation need a second factor, and this person has none; nothing else is open until then."""

    code = "factor_needed"
    sentence = _("Your work here needs a second step at the sign-in. Add one first.")


class ReadsOnly(Forbidden):
    """The caller looks through another person's eyes: their sight, nobody's hands."""

    code = "view_as_reads_only"
    sentence = _("You are looking through another person's eyes: reading only.")


class NotFound(Problem):
    """Missing, or not the caller's to know about: the two are answered alike."""

    status = 404
    code = "not_found"
    sentence = _("There is nothing here that you can see.")


class Conflict(Problem):
    """The world is not as the caller thought; `extra` says how to go on."""

    status = 409
    code = "conflict"
    sentence = _("Someone else was quicker.")


class IllegalTransition(Conflict):
    code = "illegal_transition"
    sentence = _("This step is not possible in the present state.")


class StaleEdit(Problem):
    """The thing changed since the caller read it (If-Match, or the version in a form)."""

    status = 412
    code = "stale"
    sentence = _("This was changed by someone else in the meantime. Reload and try again.")


class TooMany(Problem):
    status = 429
    code = "rate_limited"
    sentence = _("Too many requests. Please wait a moment and try again.")


class OutsideTransaction(RuntimeError):
    """A programming error: the ledger was called with no transaction open."""
