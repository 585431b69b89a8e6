"""T3 across hospitals: rivals want one doctor at two hospitals at the same moment, with no time for the way between.

The two wishes do not overlap, so the database's rule alone would let both in: it is the look under the doctor's lock
that decides. The control takes it away and the same checker sees a doctor who would have to be at two places.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.promises.test_t03_one_winner import BOTH
from tests.server import Server

pytestmark = pytest.mark.service
RIVALS, ROUNDS = 16, 8


def race(*, postgres: bool, look: bool) -> dict[str, Any]:
    asked = {"rivals": RIVALS, "rounds": ROUNDS, "database": True, "look": look, "far": True}
    with Server(postgres=postgres, serve=False) as server:
        house = {"schedule": server.people["schedule"]}
        return json.loads(server.python("-m", "tests.promises.rivals", json.dumps(asked), json.dumps(house)))


@BOTH
def test_t03_one_doctor_two_hospitals_one_winner(postgres: bool) -> None:
    came = race(postgres=postgres, look=True)
    assert came["broken"] == []
    assert came["rounds"] == [{"booked": 1, "slot_taken": RIVALS - 1}] * ROUNDS
    assert (came["doubles"], came["too_close"], came["appointments"], came["holds"]) == (0, 0, ROUNDS, 0)


@BOTH
def test_t03_without_the_look_a_doctor_is_wanted_at_two_places(postgres: bool) -> None:
    came = race(postgres=postgres, look=False)
    assert came["too_close"] > 0
