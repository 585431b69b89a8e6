"""Watching over the sessions behind open connections: signed out is cut off, a changed role changes the rooms."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from typing import ParamSpec, Protocol, TypeVar
from uuid import UUID

from django.db import DatabaseError, InterfaceError

from polyclinic.facilities import identity
from polyclinic.live.subscriber import Subscriber

CHECK_SECONDS = 2.0
# Roles of a connected account are read again once in this many checks, an equal share of accounts each time.
ROLE_ROUND = 5
_KEYS_AT_ONCE = 500

P = ParamSpec("P")
R = TypeVar("R")
logger = logging.getLogger(__name__)


class Listening(Protocol):
    """What the watch needs of the gateway: who listens, a thread to ask the database on, and the two consequences."""

    def signed_in(self) -> list[Subscriber]: ...

    async def in_thread(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R: ...

    def revoke(self, subscriber: Subscriber) -> None: ...

    def settle_rooms(self, subscriber: Subscriber) -> None: ...


class Watch:
    """Asks the database, on a thread, about everyone who listens. A session that ended hears nothing 5 s later."""

    def __init__(self, gateway: Listening) -> None:
        self._gateway = gateway
        self._round = 0

    async def forever(self) -> None:
        """Check every other second until cancelled."""
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            try:
                await self.check()
            except (DatabaseError, InterfaceError) as failure:
                logger.warning("Checking sessions failed (%s).", type(failure).__name__)

    async def check(self) -> None:
        """Cut off everyone whose session has ended; give the others the rooms of their present roles."""
        watched = self._gateway.signed_in()
        keys = list({subscriber.person.session for subscriber in watched if subscriber.person})
        alive: set[str] = set()
        for start in range(0, len(keys), _KEYS_AT_ONCE):
            alive |= await self._gateway.in_thread(identity.alive, keys[start : start + _KEYS_AT_ONCE])
        for key in set(keys) - alive:
            # An answer remembered from a moment ago would let the same client straight in again.
            identity.forget(key)
        staying = []
        for subscriber in watched:
            if subscriber.person and subscriber.person.session in alive:
                staying.append(subscriber)
            elif not subscriber.gone:
                self._gateway.revoke(subscriber)
        self._round = (self._round + 1) % ROLE_ROUND
        await self._renew_roles(staying)

    async def _renew_roles(self, subscribers: list[Subscriber]) -> None:
        by_account: dict[UUID, list[Subscriber]] = defaultdict(list)
        for subscriber in subscribers:
            if subscriber.person and subscriber.person.account_id.int % ROLE_ROUND == self._round:
                by_account[subscriber.person.account_id].append(subscriber)
        await self._renew(by_account)

    async def renew(self, subscribers: list[Subscriber]) -> None:
        """Give these the rooms of their present rights now: something they heard of has changed them."""
        by_account: dict[UUID, list[Subscriber]] = defaultdict(list)
        for subscriber in subscribers:
            if subscriber.person:
                by_account[subscriber.person.account_id].append(subscriber)
                # Written on another node, perhaps: pages served here must not believe the old answer either.
                identity.forget_account(subscriber.person.account_id)
        try:
            await self._renew(by_account)
        except (DatabaseError, InterfaceError) as failure:
            # The next round of checks asks again.
            logger.warning("Reading changed rights failed (%s).", type(failure).__name__)

    async def _renew(self, by_account: dict[UUID, list[Subscriber]]) -> None:
        for account_id, theirs in by_account.items():
            fresh = await self._gateway.in_thread(identity.person_of_account, account_id)
            for subscriber in theirs:
                before = subscriber.person
                if fresh is None or before is None or subscriber.gone:
                    continue
                now = replace(
                    fresh, session=before.session, via=before.via, aal=before.aal, stepped_up_at=before.stepped_up_at,
                    scopes=before.scopes, seen_by=before.seen_by,
                )  # fmt: skip
                if now != before:
                    subscriber.person = now
                    self._gateway.settle_rooms(subscriber)
