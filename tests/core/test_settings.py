"""The table of settings: what it says is what happens, and a typing mistake is one clear line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from polyclinic.settings import declared


@pytest.mark.parametrize("setting", declared.SETTINGS, ids=lambda setting: setting.name)
def test_every_default_can_be_read_and_is_explained(setting: declared.Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(setting.name, raising=False)
    monkeypatch.delenv(f"{setting.name}_FILE", raising=False)
    declared.read(setting.name)
    assert setting.meaning.endswith(".")


def test_names_are_unique() -> None:
    names = [setting.name for setting in declared.SETTINGS]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("RATE_LIMITS", "No", False),
        ("RATE_LIMITS", "on", True),
        ("WORKER_THREADS", "4", 4),
        ("ALLOWED_HOSTS", " a.example , b.example,", ["a.example", "b.example"]),
        ("POLYCLINIC_DATA", "/srv/data", Path("/srv/data")),
    ],
)
def test_values_are_read_as_people_write_them(
    name: str, text: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, text)
    assert declared.read(name) == value


@pytest.mark.parametrize(
    ("name", "text"), [("RATE_LIMITS", "perhaps"), ("WORKER_THREADS", "many"), ("POLYCLINIC_MODE", "test")]
)
def test_a_mistake_names_the_setting_and_the_way_out(name: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, text)
    with pytest.raises(SystemExit, match=name) as refused:
        declared.read(name)
    assert "\n" not in str(refused.value)


def test_a_secret_may_be_kept_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = tmp_path / "secret"
    kept.write_text("from-a-file\n", encoding="utf-8")
    monkeypatch.delenv("SECRET_KEY", raising=False)
    monkeypatch.setenv("SECRET_KEY_FILE", str(kept))
    assert declared.read("SECRET_KEY") == "from-a-file"
    monkeypatch.setenv("SECRET_KEY", "from-the-environment")
    assert declared.read("SECRET_KEY") == "from-the-environment"


def test_a_setting_that_is_read_anywhere_is_declared() -> None:
    package = Path(declared.__file__).resolve().parent.parent
    declared_names = {setting.name for setting in declared.SETTINGS}
    for path in package.rglob("*.py"):
        used = set(re.findall(r'\bread\("([A-Z_]+)"\)', path.read_text(encoding="utf-8")))
        assert used <= declared_names, path
