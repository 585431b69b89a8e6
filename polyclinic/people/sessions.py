"""Sessions in the database with the account on the row, so that they can be listed and ended."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

from polyclinic.core import clock
from polyclinic.people.models import Session

# Columns that come from the session's own data. Saving writes the whole row anew, so what is not in the data is lost
# with the next save.
_FROM_DATA: Final[dict[str, Callable[[Any], Any]]] = {
    "kind": str,
    "user_agent": str,
    "network": str,
    "aal": int,
    "stepped_up_at": datetime.fromisoformat,
    "started_at": datetime.fromisoformat,
    "device_id": UUID,
    "seen_by": UUID,
}


class SessionStore(DatabaseStore):
    """Django's database sessions on our table."""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def _get_session_from_db(self) -> Session | None:
        """As Django does, but by the clock that everything else here goes by."""
        key = self.session_key
        row = Session.objects.filter(session_key=key, expire_date__gt=clock.now()).first() if key else None
        if row is None:
            self._session_key = None
        return row

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        account = data.get("_auth_user_id")
        if account:
            data.setdefault("started_at", clock.now().isoformat())
        row: Any = super().create_model_instance(data)
        row.account_id = UUID(account) if account else None
        for name, read in _FROM_DATA.items():
            if data.get(name):
                setattr(row, name, read(data[name]))
        row.seen_at = clock.now()
        if account:
            # Twelve hours after signing in, however often the session is written to meanwhile.
            row.expire_date = _renewed_to(row) or row.started_at + timedelta(seconds=settings.SESSION_COOKIE_AGE)
        return row  # type: ignore[no-any-return]


def _renewed_to(row: Session) -> datetime | None:
    """An app's session ends when its refresh token does, which only a renewal moves."""
    if row.kind != "app":
        return None
    return Session.objects.filter(session_key=row.session_key).values_list("expire_date", flat=True).first()
