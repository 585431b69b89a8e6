"""Whether the third-party files that pages need are there, for the start of a server to say so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

VENDOR: Final = Path(__file__).parent / "static" / "vendor"
NEEDED: Final = ("inter.woff2", "socket.io.js")


def missing(folder: Path = VENDOR) -> list[str]:
    """Names of needed files that are not there, in order; empty when a server may start.

    The manifest counts as a file: without it nobody can tell which version is served.
    """
    gone = [name for name in NEEDED if not (folder / name).is_file()]
    try:
        json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        gone.append("manifest.json")
    return gone
