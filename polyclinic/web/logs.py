"""Log lines: time, level, request id, where, what. Never a query string, a body or a person's name."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from polyclinic.core import context


class LineFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = f"{moment} {record.levelname} [{context.request_id.get() or '-'}] {record.name}: {record.getMessage()}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line
