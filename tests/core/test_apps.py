"""A thread keeps a pooled connection for a while, and nothing else about giving connections back changes."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest
from django.db.backends.signals import connection_created

from polyclinic.core import apps


@pytest.mark.parametrize(("options", "kept"), [({"pool": {"max_size": 3}}, True), ({}, False), ({"pool": None}, False)])
def test_only_a_pooled_connection_is_kept(options: dict[str, object], kept: bool) -> None:
    # As Django leaves it with a pool: to be given back at once.
    at_once = time.monotonic()
    made = SimpleNamespace(settings_dict={"OPTIONS": options}, close_at=at_once)
    connection_created.send(sender=SimpleNamespace, connection=made)
    assert (made.close_at > at_once + apps.KEPT - 1) is kept
    assert kept or made.close_at == at_once
