from __future__ import annotations

import subprocess
import sys
import threading
from uuid import UUID

import pytest

from polyclinic.core import ids


def test_ids_are_version_7_and_only_ever_grow() -> None:
    made = [ids.new_id() for _ in range(20_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)
    assert {value.version for value in made} == {7}
    assert {value.variant for value in made} == {"specified in RFC 4122"}


def test_more_ids_than_a_millisecond_can_count_still_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    """4,096 fit the counter; the rest borrow from the next millisecond instead of repeating."""
    # A year ahead: what other tests make afterwards in this process must not be dated there.
    monkeypatch.setattr(ids, "_last", ids._last)
    frozen = 1_800_000_000_000_000_000
    monkeypatch.setattr(ids.time, "time_ns", lambda: frozen)
    made = [ids.new_id() for _ in range(10_000)]
    assert made == sorted(set(made))


def test_a_clock_stepping_back_does_not_take_ids_back(monkeypatch: pytest.MonkeyPatch) -> None:
    before = ids.new_id()
    monkeypatch.setattr(ids.time, "time_ns", lambda: 1_000_000_000)
    assert ids.new_id() > before


def test_rival_threads_never_get_the_same_id() -> None:
    found: list[UUID] = []

    def make() -> None:
        own = [ids.new_id() for _ in range(2_000)]
        found.extend(own)
        assert own == sorted(own)

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 16_000


def test_a_forked_child_does_not_repeat_its_parents_random_bits() -> None:
    script = (
        "import os; from polyclinic.core import ids; ids.new_id(); ids.time.time_ns = lambda: 0\n"
        "child = os.fork(); os.write(1, b'%d ' % (ids.new_id().int & (1 << 62) - 1))\n"
        "child and os.waitpid(child, 0)"
    )
    made = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert len(set(made)) == 2


@pytest.mark.parametrize("text", ["", "x", "0", None, "00000000-0000-0000-0000-00000000000g", "'; --", 7, "🦋"])
def test_a_malformed_id_is_no_id(text: object) -> None:
    assert ids.parse_id(text) is None


def test_a_well_formed_id_is_read() -> None:
    value = ids.new_id()
    assert ids.parse_id(str(value)) == value
