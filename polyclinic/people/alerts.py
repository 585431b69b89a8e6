"""Who tells a person that something happened to their account. Notices are a layer above and name themselves here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID


def _nobody(*_given: Any, **_named: Any) -> None:  # noqa: ANN401 - stands in for functions of several shapes
    """Until somebody is named, nothing is told."""


_tell: Callable[..., None] = _nobody
_post: Callable[..., None] = _nobody


def use(tell: Callable[..., None], post: Callable[..., None]) -> None:
    """Name who leaves notices and who posts letters (`notify.actions`)."""
    global _tell, _post
    _tell, _post = tell, post


def tell(account_id: UUID, kind: str, *, detail: dict[str, str] | None = None, to: str = "") -> None:
    """Leave a security notice for an account, in the caller's transaction, and mail it after the commit."""
    _tell(account_id, kind, detail=detail, to=to)


def post(kind: str, to: str, *, language: str = "", detail: dict[str, str] | None = None) -> None:
    """Have a letter mailed to `to` after the commit."""
    _post(kind, to, language=language, detail=detail)
