"""`polyclinic compliance`: the rows of three standards, as a summary, a page or a table."""

from __future__ import annotations

import argparse
from pathlib import Path

from polyclinic import __version__
from polyclinic.commands.ending import fail
from polyclinic.compliance import bill, registry
from polyclinic.web.pages import draw


def compliance(given: argparse.Namespace) -> int:
    """Write what is asked for, and always the summary with each gap. Exit code 1 when a file cannot be written."""
    if given.html:
        page = draw("compliance/report.html", {
            "rows": registry.rows(), "chapters": registry.chapters(), "statuses": list(registry.Status),
            "version": __version__,
        })  # fmt: skip
        _write(given.html, page)
    if given.csv:
        _write(given.csv, registry.as_csv())
    if given.sbom:
        _write(given.sbom, bill.as_text())
    for name, counts in registry.chapters().items():
        print(f"{name}: " + ", ".join(f"{counts[status]} {status}" for status in registry.Status if counts[status]))
    for row in registry.rows():
        if row.status == registry.Status.GAP:
            print(f"gap  {row.id}: {row.what} – {row.why}")
    return 0


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", newline="")
    except OSError as problem:
        fail(f"{path} cannot be written: {problem.strerror}.")
    print(path)
