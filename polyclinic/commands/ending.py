"""How a command ends when it did not work."""

from __future__ import annotations

import sys
from typing import NoReturn


def fail(message: str) -> NoReturn:
    """Say why it did not work and stop with exit code 1."""
    print(f"polyclinic: {message}", file=sys.stderr)
    raise SystemExit(1)
