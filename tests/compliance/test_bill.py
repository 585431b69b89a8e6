"""The bill of materials holds what runs here, no more and no less, in the form that scanners read."""

from __future__ import annotations

import json
import re
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from polyclinic.commands import arguments
from polyclinic.commands.compliance import compliance
from polyclinic.compliance import bill

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def written(tmp_path: Path) -> dict[str, Any]:
    """As an operator has it written."""
    path = tmp_path / "sbom.json"
    assert compliance(arguments.parser().parse_args(["compliance", "--sbom", str(path)])) == 0
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def names(found: dict[str, Any], kind: str) -> set[str]:
    return {one["name"] for one in found["components"] if one["purl"].startswith(f"pkg:{kind}/")}


def test_it_is_the_lock_file_as_installed(written: dict[str, Any]) -> None:
    assert (written["bomFormat"], written["specVersion"]) == ("CycloneDX", "1.6")
    lock = (ROOT / "requirements" / "run.txt").read_text(encoding="utf-8")
    assert names(written, "pypi") == {bill.normalised(one) for one in re.findall(r"^([\w.-]+)==", lock, re.MULTILINE)}
    for one in written["components"]:
        if one["purl"].startswith("pkg:pypi/"):
            assert one["version"] == metadata.version(one["name"])
    # What only developers need is not in it.
    assert not {"pytest", "mypy", "ruff"} & names(written, "pypi")


def test_what_browsers_are_given_is_in_it_by_digest(written: dict[str, Any]) -> None:
    assert names(written, "npm") == {"@fontsource-variable/inter", "socket.io-client"}
    files = [part for one in written["components"] for part in one.get("components", ())]
    assert files
    assert all(re.fullmatch("[0-9a-f]{64}", part["hashes"][0]["content"]) for part in files)


def test_every_part_is_named_once_and_leads_to_parts_that_are_there(written: dict[str, Any]) -> None:
    refs = [one["bom-ref"] for one in written["components"]]
    assert len(refs) == len(set(refs)) > 40
    needs = {one["ref"]: one["dependsOn"] for one in written["dependencies"]}
    assert needs.keys() == set(refs)
    assert {need for found in needs.values() for need in found} <= set(refs)


def test_a_package_that_is_needed_and_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bill with a hole in it would be worse than none."""
    real = metadata.distribution

    def gone(name: str) -> metadata.Distribution:
        if name == "cryptography":
            raise metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr("polyclinic.compliance.bill.metadata.distribution", gone)
    with pytest.raises(LookupError, match="cryptography"):
        bill.bill()
