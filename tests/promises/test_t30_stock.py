"""T30, stock: after thousands of random concurrent movements no batch is below nothing and every unit is accounted for.

Handing over, deliveries, corrections, transfers and stock-takes fall on a few batches of two pharmacies from eight
threads in two processes, on both databases. Without guards the same mill shows that the checker can see.
`T30_MOVES=10000` drives the whole size.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.server import ROOT, Server

pytestmark = pytest.mark.service
MOVES = int(os.environ.get("T30_MOVES", "1000"))
BOTH = pytest.mark.parametrize(
    "postgres", [False, pytest.param(True, marks=pytest.mark.postgres)], ids=["sqlite", "pg"]
)


def mill(*, postgres: bool, **asked: Any) -> dict[str, Any]:
    with Server(postgres=postgres, serve=False) as server:
        command = [sys.executable, "-m", "tests.promises.stock_mill", json.dumps({"guards": True, **asked})]
        # Longer than what other tests run there: ten thousand transactions one after the other.
        done = subprocess.run(
            command, cwd=ROOT, env=server.env, capture_output=True, text=True, timeout=1200, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@BOTH
def test_t30_the_shelves_add_up_after_thousands_of_moves(postgres: bool) -> None:
    came = mill(postgres=postgres, moves=MOVES, threads=4)
    told = came["told"]
    assert [one for one in told if one.startswith("broken")] == []
    assert sum(told.values()) == MOVES
    # Each kind of move took place, and each kind of refusal that the promise is about.
    kinds = ("give", "give_many", "receive", "less", "more", "send", "arrive", "call_back", "count", "post")
    assert min(told.get(one, 0) for one in kinds) > MOVES // 500, told
    assert told["give: out_of_stock"] > MOVES // 500
    assert told["less: out_of_stock"] > 0
    assert (came["wrong"], came["lost"], came["negative"], came["broken_steps"]) == ([], 0, 0, 0)
    assert came["shelves"] == came["moves"]
    # What left one shelf and is not on the other is on its way.
    assert came["between"] == -came["on_the_way"]
    assert came["broken_chain"] == 0


@BOTH
def test_t30_without_guards_the_checker_sees_it(postgres: bool) -> None:
    """Negative control: quantities read, changed and written back go below nothing, and lose movements to rivals."""
    came = mill(postgres=postgres, moves=120, threads=4, guards=False)
    # SQLite lets one write at a time, so that nothing is lost there; less than nothing it would give as well.
    assert came["negative"] > 0
    assert postgres <= (came["lost"] > 0)
