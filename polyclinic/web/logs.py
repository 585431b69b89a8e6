"""Log lines: time, level, request id, where, what. Never a query string, a body or a person's name.

One entry is one line, whatever is in it, and what an exception adds stands in: nobody can write a line that looks like
an entry of ours, nor a code that a terminal would obey.
"""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime
from typing import Final

from polyclinic.core import context

# Controls of ASCII, of Latin-1 and Unicode's own ends of lines, and what turns the direction of writing around.
_CONTROLS: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def one_line(text: str) -> str:
    """`text` with every control written as Python writes it: a line end as a backslash and an n."""
    return _CONTROLS.sub(lambda found: repr(found[0])[1:-1], text)


class JsonFormatter(logging.Formatter):
    """The same as one object a line, for programs that collect logs."""

    def format(self, record: logging.LogRecord) -> str:
        told = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "requestId": context.request_id.get() or None,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        # Escaped down to ASCII: neither an end of a line nor a terminal's code is left in it.
        return json.dumps(told)


class LineFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        where = f"{moment} {record.levelname} [{context.request_id.get() or '-'}] {record.name}"
        line = f"{where}: {one_line(record.getMessage())}"
        if record.exc_info:
            # Split at line feeds alone: other ends of lines in a message are the message's own, and are written out.
            parts = self.formatException(record.exc_info).split("\n")
            line += "".join(f"\n    {one_line(part)}" for part in parts)
        return line
