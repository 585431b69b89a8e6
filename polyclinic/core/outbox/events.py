"""Events: small frozen facts with a type and a version. The registry is what the docs and gateways read."""

from __future__ import annotations

from typing import ClassVar, TypeVar

import msgspec

_REGISTRY: dict[str, type[Event]] = {}
E_ = TypeVar("E_", bound="type[Event]")


class Event(msgspec.Struct, frozen=True, rename="camel", omit_defaults=False):
    """Base of all events. Holds ids and a few values, never free text about a patient."""

    TYPE: ClassVar[str] = ""
    VERSION: ClassVar[int] = 1
    MEANING: ClassVar[str] = ""

    def stream(self) -> str:
        """The sequence this event belongs to: its order is kept within the stream."""
        raise NotImplementedError

    def stream_seq(self) -> int:
        """The event's number within its stream; a consumer knows a duplicate by it."""
        raise NotImplementedError

    def audience(self) -> tuple[str, ...]:
        """The rooms that may hear of it (see `core.outbox.rooms`)."""
        raise NotImplementedError


def event(kind: str, meaning: str, version: int = 1):  # type: ignore[no-untyped-def]
    """Give an event class its wire name, version and one-line meaning, and register it."""

    def register(cls: E_) -> E_:
        cls.TYPE, cls.VERSION, cls.MEANING = kind, version, meaning
        if kind in _REGISTRY and _REGISTRY[kind].__qualname__ != cls.__qualname__:
            raise RuntimeError(f"two events are called {kind}")
        _REGISTRY[kind] = cls
        return cls

    return register


def registered() -> dict[str, type[Event]]:
    """All event classes by their type name."""
    return dict(sorted(_REGISTRY.items()))
