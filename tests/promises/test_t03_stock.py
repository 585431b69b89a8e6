"""T3, the last unit on the shelf: of 64 pharmacists who hand it over at once one does, on both databases.

Each of the losers is told that there is none left; nothing of theirs stays: no movement, no charge, no handing over.
"""

from __future__ import annotations

import pytest

from tests.promises.test_t30_stock import BOTH, mill

pytestmark = pytest.mark.service
RIVALS, ROUNDS = 64, 2


@BOTH
def test_t03_one_of_64_gets_the_last_unit(postgres: bool) -> None:
    came = mill(postgres=postgres, last=True, rivals=RIVALS, rounds=ROUNDS)
    expected = {f"{turn} given": 1 for turn in range(ROUNDS)}
    expected |= {f"{turn} out_of_stock": RIVALS - 1 for turn in range(ROUNDS)}
    assert came["told"] == expected
    assert (came["wrong"], came["shelves"], came["dispenses"]) == ([], 0, ROUNDS)
    # One movement in and one out for each round.
    assert came["rows"] == 2 * ROUNDS
    assert came["broken_chain"] == 0
