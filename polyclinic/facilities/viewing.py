"""Looking through another's eyes: an administrator sees what a colleague sees, for half an hour, and changes nothing.

The look is a session of its own that is worth something only together with the administrator's own session. It carries
`seen_by`; every write asks `policy.require`, which refuses such a person, and the door refuses every unsafe method
before that. Each page is written to the audit trail under both names.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.contrib.auth import SESSION_KEY
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Person
from polyclinic.core.db import transactional
from polyclinic.core.errors import Conflict, Invalid, NotFound
from polyclinic.facilities import granting, identity
from polyclinic.facilities.actions import places_of, reason_of
from polyclinic.notify import actions as notices
from polyclinic.people.models import Account, Session
from polyclinic.people.sessions import SessionStore

LASTS: Final = timedelta(minutes=30)


@transactional
def begin(*, actor: Person, account_id: UUID, reason: str) -> str:
    """Open the look and tell the person. Returns the key of its session.

    Only at people all of whose places are the actor's. Raises NotFound for anybody else, Invalid without a reason,
    Conflict for a closed account.
    """
    subjects = [Subject(facility_id=place) for place in sorted(places_of(account_id), key=str)] or [Subject()]
    for subject in subjects:
        policy.require_sight(actor, "person.view_as", subject)
        policy.require(actor, "person.view_as", subject)
    granting.require_another(actor, account_id)
    account = Account.objects.filter(pk=account_id).first()
    if account is None:
        raise NotFound()
    if not account.is_active:
        raise Conflict(_("This account is closed: there is nothing to see through it."), code="account_closed")
    why = reason_of(reason)
    if not why:
        raise Invalid(_("Say why: the person will be told."), field="reason")
    Session.objects.filter(seen_by=actor.account_id).delete()
    store = SessionStore()
    store.update({SESSION_KEY: str(account_id), "kind": "view", "seen_by": str(actor.account_id)})
    store.create()
    key = str(store.session_key)
    Session.objects.filter(session_key=key).update(expire_date=clock.now() + LASTS)
    ledger.record(actor=actor, action="person.view_as", row=account, subject=subjects[0], reason=why)
    notices.tell(account_id, "viewed_as", detail={"admin": actor.name, "reason": why})
    return key


@transactional
def end(*, actor: Person, key: str) -> None:
    """Close the look. Closing what is not one's own, or closed already, changes nothing."""
    row = Session.objects.filter(session_key=key, seen_by=actor.account_id).first()
    if row is None or row.account_id is None:
        return
    identity.end_session(key)
    places = sorted(places_of(row.account_id, ever=True), key=str)
    subject = Subject(facility_id=places[0] if places else None)
    ledger.record(actor=actor, action="person.view_as_end", row=Account(pk=row.account_id), subject=subject)


@transactional
def note(*, actor: Person, seen: Person, page: str) -> None:
    """Write down that `actor` opened a page through the eyes of `seen`. `page` is the address's pattern, no ids."""
    places = sorted({grant.facility_id for grant in seen.grants if grant.facility_id} | seen.workplaces, key=str)
    ledger.record(
        actor=actor, action="person.view_as_page", row=Account(pk=seen.account_id),
        subject=Subject(facility_id=places[0] if places else None), detail={"page": page},
    )  # fmt: skip
