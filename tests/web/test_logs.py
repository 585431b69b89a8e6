"""A log of lines: nobody writes one of their own into it."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from polyclinic.core import context, slow
from polyclinic.core.db import Statement, run_sql
from polyclinic.people.models import Account
from polyclinic.web.logs import JsonFormatter, LineFormatter
from tests.server import ROOT

ENTRY = re.compile(r"^\d{4}-\d\d-\d\dT[\d:.]+\+00:00 [A-Z]+ \[[\w-]+\] [\w.]+: ")
FORGED = "2030-01-01T00:00:00.000+00:00 INFO [-] polyclinic: all is well"
ENDS = ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"]


def line(message: str, *arguments: object, failing: str = "") -> str:
    exception = None
    if failing:
        try:
            raise ValueError(failing)
        except ValueError:
            exception = sys.exc_info()
    record = logging.LogRecord("polyclinic.web", logging.WARNING, "x.py", 1, message, arguments, exception)
    return LineFormatter().format(record)


def entries(text: str) -> int:
    """How many entries somebody sees who reads the log, whatever their reader takes for the end of a line."""
    return sum(bool(ENTRY.match(one)) for one in text.splitlines())


@pytest.mark.parametrize("end", ENDS, ids=ascii)
def test_text_with_an_end_of_line_is_one_entry(end: str) -> None:
    assert entries(line("refused: %s", f"x{end}{FORGED}")) == 1
    assert len(line("refused: %s", f"x{end}{FORGED}").splitlines()) == 1
    assert entries(f"{line('refused')}{end}{FORGED}") == 2  # negative control: raw it would have been believed


@pytest.mark.parametrize("end", ENDS, ids=ascii)
def test_what_an_exception_says_stands_in(end: str) -> None:
    text = line("unhandled error", failing=f"x{end}{FORGED}")
    assert entries(text) == 1
    assert all(one.startswith("    ") for one in text.splitlines()[1:])
    assert "ValueError: x" in text
    assert "Traceback" in text


def test_nothing_is_left_that_a_terminal_would_obey() -> None:
    text = line("%s", "\x1b[2J\x1b]0;title\x07 \u202eabc \x9b31m")
    assert text.endswith(r"\x1b[2J\x1b]0;title\x07 \u202eabc \x9b31m")


def test_letters_of_every_script_stay() -> None:
    assert line("%s", "Žofie 漢字 שלום é").endswith("Žofie 漢字 שלום é")


def test_json_is_one_object_a_line_with_the_request_it_belongs_to() -> None:
    token = context.request_id.set("trace-me.0001")
    try:
        record = logging.LogRecord(
            "polyclinic.web", logging.WARNING, "x.py", 1, "refused: %s", (f"x\n{FORGED}\x1b",), None
        )
        text = JsonFormatter().format(record)
    finally:
        context.request_id.reset(token)
    assert "\n" not in text
    assert text.isascii()
    assert "\x1b" not in text
    told = json.loads(text)
    assert (told["requestId"], told["level"], told["logger"]) == ("trace-me.0001", "WARNING", "polyclinic.web")
    assert told["message"] == f"refused: x\n{FORGED}\x1b"


@pytest.mark.django_db
def test_a_slow_statement_is_told_without_its_values(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    canary = "canary-of-mrs-smith"
    assert Account.objects.filter(email=canary).first() is None
    assert not caplog.records  # negative control: a quick one is not told
    monkeypatch.setattr(slow, "limit", -1.0)
    with caplog.at_level(logging.WARNING, "polyclinic.slow"):
        assert Account.objects.filter(email=canary).first() is None
        run_sql(Statement("SELECT id FROM people_account WHERE email = %s"), [canary]).fetchall()
    told = [one.getMessage() for one in caplog.records if one.name == "polyclinic.slow"]
    assert any('"people_account"' in one for one in told)
    assert any("SELECT id FROM people_account WHERE email = %s" in one for one in told)
    assert canary not in "".join(told)


def test_a_log_file_is_put_aside_when_it_has_grown(tmp_path: Path) -> None:
    """As an installation has it: in a process of its own, by the settings alone."""
    file = tmp_path / "log" / "polyclinic.log"
    file.parent.mkdir()
    code = (
        "import django, logging; django.setup(set_prefix=False);"
        "[logging.getLogger('polyclinic').warning('number %04d', n) for n in range(200)]"
    )
    env = {
        **os.environ, "DJANGO_SETTINGS_MODULE": "polyclinic.settings", "POLYCLINIC_DATA": str(tmp_path / "data"),
        "LOG_FILE": str(file), "LOG_FILE_BYTES": "5000", "LOG_FILES": "2", "LOG_FORMAT": "json",
    }  # fmt: skip
    done = subprocess.run([sys.executable, "-c", code], env=env, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert sorted(one.name for one in file.parent.iterdir()) == [
        "polyclinic.log", "polyclinic.log.1", "polyclinic.log.2",
    ]  # fmt: skip
    assert all(one.stat().st_size <= 5000 for one in file.parent.iterdir())
    assert json.loads(file.read_text().splitlines()[-1])["message"] == "number 0199"
