"""What every event carries beside its own fields, and that nothing of its own can stand in place of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from polyclinic.core.outbox.log import Logged
from polyclinic.live.wire import Wired


def _logged(payload: str) -> Logged:
    fields = dict.fromkeys(Logged.__struct_fields__ if hasattr(Logged, "__struct_fields__") else Logged.__slots__)
    known = {"position": 7, "type": "a.thing", "version": 1, "at": datetime(2026, 1, 2, tzinfo=UTC), "audience": (),
             "payload": payload}  # fmt: skip
    return Logged(**{**fields, **known})


@pytest.mark.parametrize("payload", ["{}", '{"thingId":"x"}', '{"id":"x","type":"y","version":9,"at":"z"}'])
def test_the_position_and_the_type_are_the_logs_own(payload: str) -> None:
    """A page knows by `id` which events it has seen: an event's own `id` there made it miss the thing's next one."""
    said = json.loads(Wired(_logged(payload)).body)
    assert (said["id"], said["type"], said["version"], said["at"]) == (7, "a.thing", 1, "2026-01-02T00:00:00Z")
    assert said.get("thingId") in (None, "x")
