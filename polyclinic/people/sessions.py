"""Sessions in the database with the account on the row, so that they can be listed and ended."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

from polyclinic.core import clock
from polyclinic.people.models import Session


class SessionStore(DatabaseStore):
    """Django's database sessions on our table."""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        row: Any = super().create_model_instance(data)
        account = data.get("_auth_user_id")
        row.account_id = UUID(account) if account else None
        row.kind = data.get("kind", "web")
        row.user_agent = data.get("user_agent", "")
        row.seen_at = clock.now()
        return row  # type: ignore[no-any-return]
