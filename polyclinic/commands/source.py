"""`polyclinic bench` and `polyclinic docs`: work on the source tree, which the installed package does not carry."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from polyclinic.cli import fail


def _script(folder: str, name: str) -> Path:
    """A script of the source tree this package runs from."""
    path = Path(__file__).resolve().parents[2] / folder / name
    if not path.exists():
        fail(f"{folder}/{name} is part of the source tree; run this from a checkout of it")
    return path


def _run(script: Path, arguments: list[str]) -> int:
    return subprocess.run([sys.executable, str(script), *arguments], check=False).returncode  # noqa: S603 - our own


def bench(given: argparse.Namespace) -> int:
    """Run the benchmark with the remaining arguments."""
    return _run(_script("bench", "run.py"), given.rest)


def docs(given: argparse.Namespace) -> int:
    """Write the generated tables, or check that they are fresh."""
    return _run(_script("docs", "generate.py"), ["--check"] if given.check else [])
