"""The bill of materials: every third-party component of this installation, as CycloneDX 1.6.

Made from what is installed and not from what was asked for, so that an advisory can be held against what really runs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from polyclinic import __version__
from polyclinic.core import clock
from polyclinic.core.ids import new_id

_OURS: Final = "polyclinic"
# `name[extra, extra] >= 1; marker`: as much of PEP 508 as a list of names needs.
_WANTED: Final = re.compile(r"\s*([A-Za-z0-9][\w.-]*)\s*(\[[^\]]*\])?")
_EXTRA: Final = re.compile(r"""extra\s*==\s*["']([^"']+)["']""")
_WORDS: Final = re.compile(r"[\w.-]+")
_VENDOR: Final = Path(__file__).resolve().parents[1] / "portals" / "ui" / "static" / "vendor" / "manifest.json"


def bill() -> dict[str, Any]:
    """The whole bill. Raises LookupError when the installation lacks a package that it needs."""
    found = [*_python(), *_browser()]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{new_id()}",
        "version": 1,
        "metadata": {
            "timestamp": clock.now().isoformat(timespec="seconds"),
            "component": {"type": "application", "bom-ref": _OURS, "name": _OURS, "version": __version__},
        },
        "components": sorted((one for one, _needs in found), key=lambda one: str(one["purl"])),
        "dependencies": [{"ref": one["bom-ref"], "dependsOn": sorted(needs)} for one, needs in found],
    }


def as_text() -> str:
    return json.dumps(bill(), indent=1) + "\n"


Component = tuple[dict[str, Any], set[str]]


def _python() -> Iterator[Component]:
    """The packages that ours needs here, and what they need, each once."""
    waiting = _needs(metadata.distribution(_OURS), set())
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        name, extras = waiting.pop()
        # A package may be asked for again with an extra that it was not asked for before.
        if (name, extras) in seen:
            continue
        first = name not in {known for known, _extras in seen}
        seen.add((name, extras))
        installed = _installed(name)
        needs = _needs(installed, set(extras))
        waiting |= needs
        if first:
            purl = f"pkg:pypi/{name}@{installed.version}"
            component: dict[str, Any] = {
                "type": "library", "bom-ref": purl, "name": name, "version": installed.version, "purl": purl,
            }  # fmt: skip
            told = installed.metadata.json
            licence = str(told.get("license_expression") or told.get("license") or "")
            if licence and "\n" not in licence and len(licence) < 80:
                component["licenses"] = [{"license": {"name": licence}}]
            yield component, {_ref(need) for need, _extras in needs}


def _needs(installed: metadata.Distribution, extras: set[str]) -> set[tuple[str, frozenset[str]]]:
    """What this package needs here, with these extras of its own.

    What is for another system or Python has a marker and is not installed; what is here with one is needed here.
    """
    found = set()
    for text in installed.requires or ():
        wanted, _sign, marker = text.partition(";")
        match = _WANTED.match(wanted)
        if match is None or not set(_EXTRA.findall(marker)) <= extras:
            continue
        name = normalised(match[1])
        if not marker or _here(name):
            found.add((name, frozenset(normalised(one) for one in _WORDS.findall(match[2] or ""))))
    return found


def _here(name: str) -> bool:
    try:
        return bool(metadata.version(name))
    except metadata.PackageNotFoundError:
        return False


def normalised(name: str) -> str:
    """A package's name as the index writes it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _installed(name: str) -> metadata.Distribution:
    try:
        return metadata.distribution(name)
    except metadata.PackageNotFoundError:
        raise LookupError(f"{name} is needed and not installed") from None


def _ref(name: str) -> str:
    return f"pkg:pypi/{name}@{_installed(name).version}"


def _browser() -> Iterator[Component]:
    """What is served to browsers, with the digest of each file."""
    packages: dict[tuple[str, str], list[dict[str, str]]] = {}
    for row in json.loads(_VENDOR.read_text(encoding="utf-8"))["files"]:
        packages.setdefault((row["package"], row["version"]), []).append(row)
    for (name, version), files in packages.items():
        purl = f"pkg:npm/{quote(name, safe='/')}@{version}"
        parts = [
            {"type": "file", "name": row["file"], "hashes": [{"alg": "SHA-256", "content": row["sha256"]}]}
            for row in files
        ]
        yield {
            "type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl, "components": parts,
        }, set()  # fmt: skip
