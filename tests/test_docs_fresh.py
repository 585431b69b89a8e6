"""The generated pages are what the code says now."""

from __future__ import annotations

from pathlib import Path

from polyclinic import docs
from polyclinic.core.access.rules import RULES
from polyclinic.core.ledger import machines
from polyclinic.core.outbox.events import registered
from polyclinic.settings import declared

KEPT = Path(__file__).resolve().parent.parent / "docs" / "generated"


def test_the_generated_pages_are_fresh() -> None:
    made = docs.pages()
    kept = {path.name: path.read_text(encoding="utf-8") for path in KEPT.iterdir() if path.is_file()}
    stale = sorted(name for name in made.keys() | kept.keys() if made.get(name) != kept.get(name))
    assert not stale, f"{', '.join(stale)}: run `polyclinic docs` and commit what it writes"


def test_pages_are_written_where_asked(tmp_path: Path) -> None:
    written = docs.generate(tmp_path / "new")
    assert [path.name for path in written] == sorted(docs.pages())
    assert docs.generate(tmp_path / "new") == written


def test_nothing_that_exists_is_left_out() -> None:
    made = docs.pages()
    for machine in machines().values():
        for row in machine.transitions:
            assert f"{row.source or '[*]'} --> {row.target}: {row.action}" in made["states.md"]
    for kind in registered():
        assert f"## {kind}" in made["events.md"]
    for rule in RULES:
        assert f"`{rule.permission}`" in made["roles.md"]
    for setting in declared.SETTINGS:
        assert f"`{setting.name}`" in made["settings.md"]
    assert "`slot_taken`" in made["errors.md"]
