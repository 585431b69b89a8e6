"""Long papers one after the other: what the compiler worked out for one is given back before the next."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

ROWS, FIRST, LAST = 300, 3, 12
# Megabytes. Remembered, each paper of this length would keep some fifteen.
MOST = 30
SCRIPT = f"""
import django, os, sys
django.setup(set_prefix=False)
from polyclinic.core import clock
from polyclinic.papers import setting
from polyclinic.papers.sheet import Column, Letterhead, Sheet, Table
if "remember" in sys.argv:
    setting._forget = lambda: None
mark = setting.Mark("http://localhost/verify/" + "A" * 32, "A" * 32, "", "Printed now")

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 20

for number in range(1, {LAST} + 1):
    rows = tuple((f"Item {{number}}-{{row}}", str(row * number), f"{{row / 7 + number:.2f}}") for row in range({ROWS}))
    columns = (Column("What", share=1), Column("Count", "end"), Column("Price", "end"))
    sheet = Sheet(f"Invoice {{number}}", "", (), (Table("", columns, rows),))
    made = setting.typeset(sheet, Letterhead("A hospital", ()), mark, at=clock.now())
    assert made.startswith(b"%PDF-")
    if number in ({FIRST}, {LAST}):
        print(resident())
"""


def grown(*words: str) -> int:
    """By how many megabytes a process grows from the first papers to the last."""
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "polyclinic.settings"}
    ended = subprocess.run([sys.executable, "-c", SCRIPT, *words], env=env, capture_output=True, text=True, check=True)
    first, last = map(int, ended.stdout.split())
    return last - first


@pytest.mark.wide
def test_long_papers_do_not_pile_up() -> None:
    assert grown() <= MOST


@pytest.mark.wide
def test_what_piles_up_is_seen() -> None:
    """Negative control: a compiler that is left to remember grows by more than that."""
    assert grown("remember") > MOST
