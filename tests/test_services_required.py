"""In continuous integration a test that needs a service cannot be left out quietly: the hook in `tests/conftest.py`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.server import ROOT

pytestmark = pytest.mark.service

TESTS = """
import pytest

@pytest.mark.service
def test_left_out_within():
    pytest.skip("no server here")

@pytest.mark.postgres
@pytest.mark.skipif(True, reason="no database here")
def test_left_out_before():
    pass

@pytest.fixture
def window():
    pytest.skip("no window here")

@pytest.mark.browser
def test_left_out_by_what_it_needs(window):
    pass

@pytest.mark.service
def test_that_runs():
    pass

def test_that_needs_no_service():
    pytest.skip("another reason")
"""
CONFIGURATION = "[pytest]\nmarkers =\n    service: s\n    browser: b\n    postgres: p\n"


def outcome(folder: Path, required: str | None) -> tuple[int, dict[str, int]]:
    """The exit status of a run of the tests above under our hook, and how many of them ended how."""
    (folder / "conftest.py").write_text("from tests.conftest import pytest_runtest_makereport\n", encoding="ascii")
    (folder / "test_services.py").write_text(TESTS, encoding="ascii")
    (folder / "pytest.ini").write_text(CONFIGURATION, encoding="ascii")
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "REQUIRE_SERVICES"))}
    env |= {"PYTHONPATH": str(ROOT), "DJANGO_SETTINGS_MODULE": "polyclinic.settings.test"}
    env |= {"REQUIRE_SERVICES": required} if required is not None else {}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=300, check=False)
    counted = {kind: int(number) for number, kind in re.findall(r"(\d+) (passed|failed|skipped|error)", done.stdout)}
    assert counted, done.stdout + done.stderr
    return done.returncode, counted


def test_required_services_turn_a_skip_into_a_failure(tmp_path: Path) -> None:
    status, counted = outcome(tmp_path, "1")
    assert status == 1
    # A skip while setting up counts as an error, which fails the run as well.
    assert counted.get("failed", 0) + counted.get("error", 0) == 3
    assert (counted["passed"], counted["skipped"]) == (1, 1)


def test_otherwise_a_skip_is_a_skip(tmp_path: Path) -> None:
    """Negative control: on a machine without the services the same run ends well."""
    assert outcome(tmp_path, None) == (0, {"passed": 1, "skipped": 4})
