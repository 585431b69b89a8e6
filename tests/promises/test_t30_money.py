"""T30, money: after thousands of random concurrent moves the books balance and no refund is above its payment.

Charges, payments, repeated keys, card answers, refunds, discounts, waivers, dropped and lapsed lines fall on a few
invoices from eight threads in two processes, on both databases. `tests.billing.desk.in_order` holds the books against
the invoices, payments, refunds and receipt numbers; without locks and checks the same mill shows that it can see.
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


def mill(*, postgres: bool, moves: int, guards: bool = True) -> dict[str, Any]:
    asked = {"moves": moves, "threads": 4, "guards": guards}
    with Server(postgres=postgres, serve=False) as server:
        command = [sys.executable, "-m", "tests.promises.money_mill", json.dumps(asked)]
        # Longer than what other tests run there: ten thousand transactions one after the other.
        done = subprocess.run(
            command, cwd=ROOT, env=server.env, capture_output=True, text=True, timeout=600, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@BOTH
def test_t30_the_books_balance_after_thousands_of_moves(postgres: bool) -> None:
    came = mill(postgres=postgres, moves=MOVES)
    told = came["told"]
    assert [one for one in told if one.startswith("broken")] == []
    assert sum(told.values()) == MOVES
    # Each kind of move took place, and each kind of refusal that the promise is about.
    kinds = ("charge", "pay", "again", "card", "answer", "refund", "discount", "drop", "lapse")
    assert min(told[one] for one in kinds) > MOVES // 500
    assert told["pay: overpayment"] > MOVES // 500
    assert told["refund: refund_above_paid"] > MOVES // 500
    assert came["wrong"] == ""
    assert sum(came["sums"].values()) == 0
    assert came["broken_chain"] == 0


@BOTH
def test_t30_without_guards_the_checker_sees_it(postgres: bool) -> None:
    """Negative control."""
    assert mill(postgres=postgres, moves=300, guards=False)["wrong"] != ""
