"""A log of lines: nobody writes one of their own into it."""

from __future__ import annotations

import logging
import re
import sys

import pytest

from polyclinic.web.logs import LineFormatter

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
