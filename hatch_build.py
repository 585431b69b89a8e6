"""What happens before a wheel is made, also an editable one: fetch the assets, compile the translations."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


def _load(root: Path, name: str) -> ModuleType:
    """A module beside this one: the project's root is not on the path of an isolated build."""
    spec = importlib.util.spec_from_file_location(name, root / f"{name}.py")
    if spec is None or spec.loader is None:
        raise ImportError(name)
    module = importlib.util.module_from_spec(spec)
    # dataclasses look their module up by name while they are made.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def compile_translations(root: Path) -> list[Path]:
    """Make the .mo beside each .po that is newer. Without Babel (a plain build) those already made are shipped."""
    try:
        from babel.messages.mofile import write_mo
        from babel.messages.pofile import read_po
    except ImportError:
        return []
    made = []
    for source in sorted((root / "polyclinic").rglob("*.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        with source.open("rb") as text, target.open("wb") as binary:
            write_mo(binary, read_po(text))
        made.append(target)
    return made


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]  # hatchling leaves its config type open
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it gathers files; only the wheel carries the assets."""
        if self.target_name != "wheel":
            return
        root = Path(self.root)
        _load(root, "assets").fetch()
        compile_translations(root)
