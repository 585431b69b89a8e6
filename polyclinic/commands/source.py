"""`polyclinic bench` and `polyclinic docs`: work on the source tree, which the installed package does not carry."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from polyclinic.commands.ending import fail


def _tree(folder: str) -> Path:
    """A folder of the source tree this package runs from."""
    root = Path(__file__).resolve().parents[2]
    if not ((root / "pyproject.toml").exists() and (root / folder).is_dir()):
        fail(f"{folder}/ is part of the source tree; run this from a checkout of it")
    return root / folder


def bench(given: argparse.Namespace) -> int:
    """Run the benchmark with the remaining arguments."""
    root = _tree("bench").parent
    return subprocess.run([sys.executable, "-m", "bench", *given.rest], cwd=root, check=False).returncode  # noqa: S603


def docs(given: argparse.Namespace) -> int:
    """Write the generated tables, or check that they are fresh."""
    from polyclinic import docs as tables

    folder = _tree("docs") / "generated"
    if not given.check:
        for path in tables.generate(folder):
            print(f"{path.relative_to(folder.parents[1])}")
        return 0
    made = tables.pages()
    kept = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir() if path.is_file()}
    stale = sorted(name for name in made.keys() | kept.keys() if made.get(name) != kept.get(name))
    if stale:
        fail(f"out of date: {', '.join(stale)}. Run `polyclinic docs` and commit what it writes.")
    print("The generated tables are up to date.")
    return 0
